//! SIGKILL after every single instruction: of taking and giving back a lock, of waking, of being
//! woken.
//!
//! Sleepers have no ticks here, so that one whom nobody wakes is not rescued: it hangs, and the
//! test fails.
#![cfg(all(not(loom), target_os = "linux", target_arch = "x86_64"))]

mod support;
#[path = "support/trace.rs"]
mod trace;

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use shm_lock::{LockError, ShmMutex, ShmRegion};
use support::{Child, End};
use trace::Traced;

/// How far a child has come.
struct Stage(ShmRegion<AtomicU32>);

impl Stage {
    fn new() -> Self {
        Stage(ShmRegion::memfd("stage", AtomicU32::new(0)).unwrap())
    }

    fn set(&self, value: u32) {
        self.0.store(value, Ordering::Release);
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }
}

fn without_ticks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(shm_lock::sleep_without_ticks);
}

type Pair = ShmMutex<[u64; 2]>;

/// What the lock's next owner is told, after which it gives the lock back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Whole,
    OwnerDied,
}

/// Takes the lock, checks that a value said to be whole is so, repairs a torn one, and gives the
/// lock back.
#[inline(never)]
fn visit(pair: &Pair) -> Told {
    match pair.lock() {
        Ok(mut guard) => {
            assert_eq!(guard[0], guard[1], "a torn value without OwnerDied");
            guard[0] += 1;
            guard[1] += 1;
            Told::Whole
        }
        Err(LockError::OwnerDied(mut guard)) => {
            guard[1] = guard[0];
            drop(guard.mark_consistent());
            Told::OwnerDied
        }
        Err(error) => panic!("{error}"),
    }
}

/// The word of the lock as the kernel sees it: who owns it.
fn owner(pair: &Pair) -> u32 {
    let shown = format!("{pair:?}");
    let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Makes the lock one that shall go to those who sleep.
fn promise(pair: &Pair) {
    const PROMISED: u64 = 256 + 16;
    let file = File::from(pair.as_fd().try_clone_to_owned().unwrap());
    file.write_all_at(&1_u32.to_ne_bytes(), PROMISED).unwrap();
}

fn told_code(told: Told) -> i32 {
    if told == Told::OwnerDied { 1 } else { 0 }
}

/// Checks that exactly one of them was told of the death if there was a torn value, and none
/// otherwise.
fn assert_told(told: &[Told], torn: bool, at: usize) {
    let deaths = told.iter().filter(|&&told| told == Told::OwnerDied).count();
    assert_eq!(deaths, usize::from(torn), "after {at} instructions: {told:?}");
}

/// Ends of children that were told something.
fn told(child: &mut Child) -> Told {
    match child.end() {
        End::Exit(0) => Told::Whole,
        End::Exit(1) => Told::OwnerDied,
        end => panic!("{end:?}"),
    }
}

#[test]
fn the_owner_killed_after_every_instruction_of_lock_and_unlock() {
    without_ticks();
    let pair = Pair::memfd("pair", [0, 0]).unwrap();
    let stage = Stage::new();
    let (mut torn_at, mut points) = (0, 0);
    for at in 0.. {
        stage.set(0);
        let mut traced = Traced::fork(|| {
            // Registers the thread; from here on, nothing but the lock is traced.
            drop(pair.lock());
            stage.set(1);
            visit(&pair);
            stage.set(2);
            0
        });
        while stage.get() == 0 {
            assert!(traced.step());
        }
        for _ in 0..at {
            assert!(traced.step());
        }
        let done = stage.get() == 2;
        let torn = owner(&pair) == traced.0.pid as u32;
        traced.0.kill_and_wait();
        assert_told(&[visit(&pair)], torn, at);
        torn_at += usize::from(torn);
        if done {
            points = at;
            break;
        }
    }
    println!("{points} instructions, {torn_at} of them with the lock in hand");
    assert!(points > 30 && torn_at > 5 && torn_at < points, "{points} instructions, {torn_at} torn");
}

#[test]
fn the_unlocker_killed_after_every_instruction_while_two_sleep() {
    without_ticks();
    let stage = Stage::new();
    let mut points = 0;
    for at in 0.. {
        let pair = Pair::memfd("pair", [0, 0]).unwrap();
        stage.set(0);
        let mut traced = Traced::fork(|| {
            let guard = pair.lock().unwrap();
            stage.set(1);
            drop(guard);
            stage.set(2);
            0
        });
        while stage.get() == 0 {
            assert!(traced.step());
        }
        let mut sleepers = [0, 1].map(|_| Child::fork(|| told_code(visit(&pair))));
        sleepers.iter().for_each(Child::await_sleep);
        for _ in 0..at {
            assert!(traced.step());
        }
        let done = stage.get() == 2;
        let torn = owner(&pair) == traced.0.pid as u32;
        traced.0.kill_and_wait();
        let told = sleepers.each_mut().map(told);
        assert_told(&told, torn, at);
        if done {
            points = at;
            break;
        }
    }
    println!("{points} instructions, 0 stranded");
    assert!(points > 20, "{points} instructions");
}

#[test]
fn a_woken_waiter_killed_after_every_instruction_while_a_third_barges_in() {
    without_ticks();
    let stage = Stage::new();
    let (mut points, mut barged) = (0, 0);
    for at in 0.. {
        let pair = Pair::memfd("pair", [0, 0]).unwrap();
        stage.set(0);
        let guard = pair.lock().unwrap();
        let mut woken = Traced::fork(|| {
            let told = visit(&pair);
            stage.set(2);
            told_code(told)
        });
        woken.sleep_in_futex();
        let mut sleeper = Child::fork(|| told_code(visit(&pair)));
        sleeper.await_sleep();
        drop(guard);
        woken.await_stop();
        for _ in 0..at {
            assert!(woken.step());
        }
        let done = stage.get() == 2;
        // The third comes in before the woken one has taken the lock, or finds it taken.
        let third = pair.try_lock();
        barged += usize::from(third.is_ok());
        let torn = owner(&pair) == woken.0.pid as u32;
        woken.0.kill_and_wait();
        drop(third);
        assert_told(&[told(&mut sleeper), visit(&pair)], torn, at);
        if done {
            points = at;
            break;
        }
    }
    println!("{points} instructions, {barged} with the third inside, 0 stranded");
    assert!(points > 30 && barged > 5, "{points} instructions, {barged} barged");
}

#[test]
fn one_to_whom_the_lock_is_promised_killed_after_every_instruction_while_a_third_gives_way() {
    without_ticks();
    let stage = Stage::new();
    let mut points = 0;
    for at in 0.. {
        let pair = Pair::memfd("pair", [0, 0]).unwrap();
        stage.set(0);
        let guard = pair.lock().unwrap();
        let mut woken = Traced::fork(|| {
            let told = visit(&pair);
            stage.set(2);
            told_code(told)
        });
        woken.sleep_in_futex();
        let mut sleeper = Child::fork(|| told_code(visit(&pair)));
        sleeper.await_sleep();
        promise(&pair);
        drop(guard);
        woken.await_stop();
        let mut third = Child::fork(|| told_code(visit(&pair)));
        // How many instructions it takes depends on the third.
        let lives = (0..at).all(|_| stage.get() == 2 || woken.step());
        let done = !lives || stage.get() == 2;
        let torn = owner(&pair) == woken.0.pid as u32;
        woken.0.kill_and_wait();
        assert_told(&[told(&mut sleeper), told(&mut third), visit(&pair)], torn, at);
        if done {
            points = at;
            break;
        }
    }
    println!("{points} instructions, 0 stranded");
    assert!(points > 30, "{points} instructions");
}

#[test]
fn one_who_gives_way_killed_after_every_instruction_while_two_sleep() {
    without_ticks();
    let stage = Stage::new();
    let mut points = 0;
    for at in 0.. {
        let pair = Pair::memfd("pair", [0, 0]).unwrap();
        stage.set(0);
        let mut traced = Traced::fork(|| {
            let guard = pair.lock().unwrap();
            stage.set(1);
            drop(guard);
            visit(&pair);
            stage.set(2);
            0
        });
        while stage.get() == 0 {
            assert!(traced.step());
        }
        let mut sleepers = [0, 1].map(|_| Child::fork(|| told_code(visit(&pair))));
        sleepers.iter().for_each(Child::await_sleep);
        promise(&pair);
        for _ in 0..at {
            assert!(traced.step());
        }
        let done = stage.get() == 2;
        let torn = owner(&pair) == traced.0.pid as u32;
        traced.0.kill_and_wait();
        let [one, other] = sleepers.each_mut().map(told);
        assert_told(&[one, other, visit(&pair)], torn, at);
        if done {
            points = at;
            break;
        }
    }
    println!("{points} instructions, 0 stranded");
    assert!(points > 60, "{points} instructions");
}
