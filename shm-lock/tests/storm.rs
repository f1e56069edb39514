//! Processes that are killed at random moments, thousands of times, while they fight for one lock.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shm_lock::{
    BarrierError, LockError, Locks, RegionMutex, RegionRwLock, RwLockError, RwRecoverGuard, ShmBarrier,
    ShmLayout, ShmMutexGuard, ShmReadGuard, ShmRegion, ShmSemaphore, ShmWriteGuard,
};
use support::{Child, Random, await_that};

/// Those that are killed, and those that nobody kills and that stand for all who wait.
const VICTIMS: usize = 6;
const SPARED: usize = 2;
const PROCESSES: usize = VICTIMS + SPARED;
const STALL: Duration = Duration::from_millis(500);

/// How often each process was inside.
#[repr(C)]
struct Turns([AtomicU64; PROCESSES]);

// SAFETY: `repr(C)` and made of atomic words.
unsafe impl ShmLayout for Turns {
    fn describe(text: &mut String) {
        text.push_str("Turns");
    }

    fn visit_locks(&self, _: &mut Locks<'_>) {}
}

shm_lock::region! {
    struct Arena {
        /// Who is inside, and two counts that are equal whenever nobody is.
        lock: RegionMutex<[u64; 3]>,
        rwlock: RegionRwLock<[u64; 3]>,
        /// One permit, and who has it; 0 is nobody.
        permits: ShmSemaphore<4>,
        holder: AtomicU64,
        turns: Turns,
        deaths: AtomicU64,
        violations: AtomicU64,
    }
}

impl Arena {
    fn new() -> ShmRegion<Arena> {
        let zero = || AtomicU64::new(0);
        let arena = Arena {
            lock: RegionMutex::new([0; 3]),
            rwlock: RegionRwLock::new([0; 3]),
            permits: ShmSemaphore::with_permits(1),
            holder: zero(),
            turns: Turns(std::array::from_fn(|_| zero())),
            deaths: zero(),
            violations: zero(),
        };
        ShmRegion::memfd("storm", arena).unwrap()
    }

    fn turns(&self, process: usize) -> u64 {
        self.turns.0[process].load(Ordering::Relaxed)
    }

    fn all_turns(&self) -> u64 {
        (0..PROCESSES).map(|process| self.turns(process)).sum()
    }

    fn check(&self, is_right: bool) {
        self.violations.fetch_add(u64::from(!is_right), Ordering::Relaxed);
    }

    /// A change that a death leaves torn.
    fn change(&self, value: &mut [u64; 3], me: u64) {
        value[0] = me;
        value[1] += 1;
        std::hint::black_box(&mut *value);
        self.check(value[0] == me);
        value[2] += 1;
        value[0] = 0;
    }

    fn is_whole(value: &[u64; 3]) -> bool {
        value[0] == 0 && value[1] == value[2]
    }

    fn repair(&self, value: &mut [u64; 3]) {
        self.deaths.fetch_add(1, Ordering::Relaxed);
        *value = [0, value[1], value[1]];
    }

    /// One turn with the lock.
    fn lock(&self, me: u64) {
        let mut guard: ShmMutexGuard<'_, [u64; 3]> = match self.lock.lock() {
            Ok(guard) => {
                self.check(Self::is_whole(&guard));
                guard
            }
            Err(LockError::OwnerDied(mut guard)) => {
                self.repair(&mut guard);
                guard.mark_consistent()
            }
            Err(error) => panic!("{error}"),
        };
        self.change(&mut guard, me);
    }

    /// One turn as a writer or as a reader.
    fn read_or_write(&self, me: u64, turn: u64) {
        if turn % 2 == 0 {
            let guard = self.rwlock.write();
            self.change(&mut guard.unwrap_or_else(|error| self.repaired(error)), me);
            return;
        }
        let guard: ShmReadGuard<'_, [u64; 3]> = match self.rwlock.read() {
            Ok(guard) => guard,
            Err(error) => ShmWriteGuard::downgrade(self.repaired(error)),
        };
        self.check(Self::is_whole(&guard));
        std::hint::black_box(&*guard);
        self.check(Self::is_whole(&guard));
    }

    /// One turn with the permit. Nobody is told of a death, but the name of the dead is there.
    fn take_permit(&self, me: u64) {
        let _permit = self.permits.acquire().unwrap();
        let before = self.holder.swap(me, Ordering::Relaxed);
        self.deaths.fetch_add(u64::from(before != 0), Ordering::Relaxed);
        std::hint::black_box(&self.holder);
        self.check(self.holder.swap(0, Ordering::Relaxed) == me);
    }

    fn repaired<'a>(&self, error: RwLockError<'a, [u64; 3]>) -> ShmWriteGuard<'a, [u64; 3]> {
        let RwLockError::OwnerDied(guard) = error else { panic!("{error}") };
        let mut guard: RwRecoverGuard<'_, [u64; 3]> = guard;
        self.repair(&mut guard);
        guard.mark_consistent()
    }
}

/// When each process last had a turn.
struct Progress([(u64, Instant); PROCESSES]);

impl Progress {
    /// How many have had none for too long.
    fn stalls(&mut self, arena: &Arena) -> usize {
        let mut stalls = 0;
        for (process, (turns, since)) in self.0.iter_mut().enumerate() {
            let now = arena.turns(process);
            if now != *turns {
                (*turns, *since) = (now, Instant::now());
            } else if since.elapsed() > STALL {
                (*since, stalls) = (Instant::now(), stalls + 1);
            }
        }
        stalls
    }
}

/// One at a time: each wants all cores.
static STORM: Mutex<()> = Mutex::new(());

/// Lets the processes take turns while some are killed. Those who may not look again are not
/// rescued by that if nobody wakes them.
fn storm(kills: u64, look_again: bool, turn: impl Fn(&Arena, u64, u64)) {
    let _alone = STORM.lock();
    let arena = Arena::new();
    let start = |process: usize| {
        Child::fork(|| {
            if !look_again {
                shm_lock::sleep_without_ticks();
            }
            let me = u64::from(process::id());
            for number in 0.. {
                turn(&arena, me, number);
                arena.turns.0[process].fetch_add(1, Ordering::Relaxed);
            }
            0
        })
    };
    let mut children: Vec<Child> = (0..PROCESSES).map(start).collect();
    let mut random = Random(0x5eed);
    let mut progress = Progress(std::array::from_fn(|_| (0, Instant::now())));
    let mut stalls = 0;
    for _ in 0..kills {
        let until = Instant::now() + Duration::from_micros(random.below(800));
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        let victim = random.below(VICTIMS as u64) as usize;
        children[victim].kill_and_wait();
        children[victim] = start(victim);
        progress.0[victim].1 = Instant::now();
        stalls += progress.stalls(&arena);
    }
    // Each must go on, whatever it was waiting for, and the last one alone.
    let go_on = |process: usize| {
        let before = arena.turns(process);
        await_that("the survivor takes the lock", || arena.turns(process) > before + 1000);
    };
    (0..PROCESSES).for_each(go_on);
    children.truncate(1);
    go_on(0);
    drop(children);
    turn(&arena, 1, 0);
    let [deaths, violations] =
        [&arena.deaths, &arena.violations].map(|counter| counter.load(Ordering::Relaxed));
    let all = arena.all_turns();
    println!("{kills} kills, {all} turns, {deaths} of them after a death");
    assert_eq!((violations, stalls), (0, 0), "violations, stalls");
    assert!(deaths > 0 && all > kills, "{deaths} deaths, {all} turns");
}

#[test]
fn nobody_is_stranded_and_nobody_is_let_in_beside_another() {
    storm(3000, false, |arena, me, _| arena.lock(me));
}

#[test]
fn no_reader_nor_writer_is_stranded_and_no_writer_is_let_in_beside_another() {
    storm(1500, false, Arena::read_or_write);
}

#[test]
fn no_permit_is_lost_and_nobody_gets_it_beside_another() {
    storm(1500, true, |arena, me, _| arena.take_permit(me));
}

const MEMBERS: usize = 4;

shm_lock::region! {
    struct Steps {
        barrier: ShmBarrier<MEMBERS>,
        /// The rounds of each, and the deaths that it was told of.
        rounds: Turns,
        told: Turns,
    }
}

impl Steps {
    fn new() -> ShmRegion<Steps> {
        let zeros = || Turns(std::array::from_fn(|_| AtomicU64::new(0)));
        let barrier = ShmBarrier::with_members(MEMBERS as u32);
        ShmRegion::memfd("steps", Steps { barrier, rounds: zeros(), told: zeros() }).unwrap()
    }

    fn rounds(&self, member: usize) -> u64 {
        self.rounds.0[member].load(Ordering::Relaxed)
    }

    /// Waits with the others, round after round.
    fn attend(&self, member: usize) -> ! {
        let mut seat = self.barrier.join().unwrap();
        loop {
            match seat.wait() {
                Ok(_) => (),
                Err(BarrierError::MembersDied(dead)) => {
                    self.told.0[member].fetch_add(dead.len() as u64, Ordering::Relaxed);
                }
                Err(error) => panic!("{error}"),
            }
            self.rounds.0[member].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until each of `members` has had some more rounds; returns how many of them stalled.
    fn go_on(&self, members: std::ops::Range<usize>) -> usize {
        let before = members.clone().map(|member| self.rounds(member)).collect::<Vec<_>>();
        let start = Instant::now();
        let mut late = 0;
        for (member, before) in members.zip(before) {
            await_that("a survivor of the barrier goes on", || self.rounds(member) >= before + 5);
            late += usize::from(start.elapsed() > STALL);
        }
        late
    }
}

#[test]
fn members_of_a_barrier_go_on_without_those_that_were_killed() {
    let _alone = STORM.lock();
    let mut random = Random(0x5eed);
    let (mut kills, mut rounds, mut stalls) = (0, 0, 0);
    for _ in 0..150 {
        let steps = Steps::new();
        let start = |member| Child::fork(|| steps.attend(member));
        let mut children: Vec<Child> = (0..MEMBERS).map(start).collect();
        steps.go_on(0..MEMBERS);
        while children.len() > 2 {
            let until = Instant::now() + Duration::from_micros(random.below(400));
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            children.pop().unwrap().kill_and_wait();
            kills += 1;
            stalls += steps.go_on(0..children.len());
        }
        for (member, _) in children.iter().enumerate() {
            let told = steps.told.0[member].load(Ordering::Relaxed);
            assert_eq!(told, (MEMBERS - 2) as u64, "member {member} is told of each death once");
            rounds += steps.rounds(member);
        }
    }
    println!("{kills} kills, {rounds} rounds of survivors");
    assert_eq!(stalls, 0, "stalls");
}
