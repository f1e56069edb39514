//! SIGKILL after every single instruction of the semaphore and of the barrier, while two others
//! wait.
//!
//! Who waits for any of several looks again after a tick, since the kernel wakes only those who
//! sleep on what the dead one held.
#![cfg(all(not(loom), target_os = "linux", target_arch = "x86_64"))]

mod support;
#[path = "support/trace.rs"]
mod trace;

use std::time::{Duration, Instant};

use shm_lock::{BarrierError, BarrierSeat, ShmBarrier, ShmRegion, ShmSemaphore};
use support::{Child, End};
use trace::{Traced, finish, kill_after_every_instruction, stop};

#[test]
fn permits_of_a_holder_killed_anywhere_go_to_two_who_wait() {
    let mut longest = Duration::ZERO;
    let semaphore = || ShmRegion::memfd("permits", ShmSemaphore::new(1)).unwrap();
    let waits = |semaphore: &ShmRegion<ShmSemaphore>| {
        let child = Child::fork(|| i32::from(semaphore.acquire().is_err()));
        child.await_sleep();
        child
    };
    let mut assert_back = |semaphore: &ShmRegion<ShmSemaphore>, others: &mut [Child]| {
        let killed = Instant::now();
        others.iter_mut().for_each(|other| assert_eq!(other.end(), End::Exit(0)));
        assert_eq!(semaphore.available(), 1);
        longest = longest.max(killed.elapsed());
    };
    kill_after_every_instruction(
        20,
        |done| {
            let semaphore = semaphore();
            let mut traced = Traced::fork(|| {
                let permit = semaphore.acquire().unwrap();
                stop();
                drop(permit);
                finish(done)
            });
            traced.run_to_stop();
            let others = [(); 2].map(|()| waits(&semaphore));
            (traced, (semaphore, others))
        },
        |_, _| (),
        |(semaphore, mut others), ()| assert_back(&semaphore, &mut others),
    );
    // One that is woken and takes it.
    kill_after_every_instruction(
        60,
        |done| {
            let semaphore = semaphore();
            let permit = semaphore.acquire().unwrap();
            let mut woken = Traced::fork(|| {
                let permit = semaphore.acquire();
                finish(done);
                drop(permit);
                0
            });
            woken.sleep_in_futex();
            let others = [(); 2].map(|()| waits(&semaphore));
            drop(permit);
            woken.await_stop();
            (woken, (semaphore, others))
        },
        |_, _| (),
        |(semaphore, mut others), ()| assert_back(&semaphore, &mut others),
    );
    println!("both had it {longest:?} after the death, at the latest");
}

type Steps = ShmRegion<ShmBarrier<4>>;

/// In how many of two rounds, and in which, a member is told of one death: 1 is the first, 2 the
/// second.
fn two_rounds(mut seat: BarrierSeat<'_>) -> i32 {
    let mut told = 0;
    for round in [1, 2] {
        match seat.wait() {
            Ok(_) => (),
            Err(BarrierError::MembersDied(dead)) if dead.len() == 1 => told |= round,
            Err(error) => panic!("{error}"),
        }
    }
    told
}

fn member(steps: &Steps) -> Child {
    let child = Child::fork(|| two_rounds(steps.join().unwrap()));
    child.await_sleep();
    child
}

/// What both were told, which must be the same.
fn both_told(mut members: [Child; 2]) -> i32 {
    let [one, other] = members.each_mut().map(Child::end);
    let End::Exit(told) = one else { panic!("{one:?}") };
    assert_eq!(one, other);
    told
}

#[test]
fn a_member_killed_anywhere_is_told_of_once_to_two_who_wait() {
    // Before it joins, before it waits, before it leaves.
    for (stops, least) in [(0, 30), (1, 30), (2, 20)] {
        kill_after_every_instruction(
            least,
            |done| {
                let steps = Steps::memfd("steps", ShmBarrier::with_members(3)).unwrap();
                let mut traced = Traced::fork(|| {
                    // Registers the thread.
                    drop(ShmSemaphore::<1>::with_permits(1).try_acquire());
                    let stop_at = |now| {
                        if stops == now {
                            stop()
                        }
                    };
                    stop_at(0);
                    let mut seat = steps.join().unwrap();
                    if stops == 0 {
                        return finish(done);
                    }
                    stop_at(1);
                    if stops == 1 {
                        seat.wait().unwrap();
                        std::mem::forget(seat);
                        return finish(done);
                    }
                    stop_at(2);
                    drop(seat);
                    finish(done)
                });
                traced.run_to_stop();
                let members = [(); 2].map(|()| member(&steps));
                (traced, (steps, members))
            },
            |_, _| (),
            |(steps, members), ()| {
                // One that was no member yet is no loss; the seat is for another, who leaves.
                let was_none = steps.join().is_ok();
                let told = both_told(members);
                let may = match stops {
                    0 => [0, 1],
                    1 => [1, 2],
                    _ => [0, 1],
                };
                assert!(may.contains(&told) && !(was_none && told != 0), "{told}, {was_none}");
            },
        );
    }
    // One that is woken at the end of the first round.
    kill_after_every_instruction(
        30,
        |done| {
            let steps = Steps::memfd("steps", ShmBarrier::with_members(3)).unwrap();
            let mut woken = Traced::fork(|| {
                drop(steps.join().unwrap().wait());
                finish(done)
            });
            woken.sleep_in_futex();
            let one = member(&steps);
            let mut seat = steps.join().unwrap();
            assert_eq!(seat.wait(), Ok(true));
            drop(seat);
            woken.await_stop();
            (woken, (steps, one))
        },
        |_, _| (),
        |(_steps, mut one), ()| assert!(matches!(one.end(), End::Exit(0 | 2))),
    );
}
