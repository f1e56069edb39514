//! Models of the lock: it excludes, nobody sleeps for ever, and each relevant death is reported to
//! exactly one locker.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model::{explore, explore_deaths};
use super::mutex::{Acquired, Holder, Mutex, Refused, TID, WAITERS};
use crate::sync::{Claim, Ordering, RawLock, Thread, Ticker, be_reborn, mortal, mortal_unreported, step};

pub(super) struct Shared {
    lock: RawLock,
    pair: UnsafeCell<[u32; 2]>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// What a locker learned, as a number of deaths.
pub(super) type Deaths = usize;

impl Shared {
    pub(super) fn new() -> Arc<Shared> {
        let shared = Shared { lock: RawLock::new(), pair: UnsafeCell::new([0; 2]) };
        assert!(shared.mutex().is_unplaced());
        shared.mutex().place();
        assert!(!shared.mutex().is_unplaced());
        Arc::new(shared)
    }

    pub(super) fn mutex(&self) -> &Mutex {
        self.lock.mutex()
    }

    pub(super) fn me(&self) -> Claim<'_> {
        let thread = Thread::current().unwrap();
        // SAFETY: a model needs none.
        unsafe { thread.claim(&self.lock) }
    }

    pub(super) fn lock(&self, ticker: fn() -> Ticker) -> Result<Acquired, Refused> {
        self.mutex().lock(&self.me(), ticker)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut [u32; 2])) {
        self.pair.with_mut(|pair| {
            // SAFETY: loom verifies that the access is exclusive.
            change(unsafe { &mut *pair })
        });
    }

    /// Changes the value in two steps. The thread may die in between.
    fn write(&self) {
        step();
        self.change(|pair| pair[0] += 1);
        step();
        self.change(|pair| pair[1] += 1);
    }

    /// Checks the value, repairs it if it may be torn, and writes it.
    pub(super) fn use_value(&self, acquired: Acquired) -> Deaths {
        self.change(|pair| match acquired {
            Acquired::Clean => assert_eq!(pair[0], pair[1], "a torn value that nobody was told of"),
            _ => pair[1] = pair[0],
        });
        if acquired != Acquired::Clean {
            self.mutex().mark_whole();
        }
        self.write();
        usize::from(acquired == Acquired::OwnerDied)
    }

    pub(super) fn unlock(&self) {
        self.mutex().unlock(&self.me());
    }

    /// Takes the lock and releases it, with as few steps in between as possible.
    pub(super) fn pass(&self) -> Deaths {
        let acquired = self.lock(Ticker::forever).unwrap();
        self.change(|pair| *pair = [pair[0] + 1; 2]);
        if acquired != Acquired::Clean {
            self.mutex().mark_whole();
        }
        self.unlock();
        usize::from(acquired == Acquired::OwnerDied)
    }

    /// As `visit`, if the lock is free.
    fn try_visit(&self) -> Option<Deaths> {
        let acquired = self.mutex().try_slowly(&self.me())?.unwrap();
        let deaths = self.use_value(acquired);
        self.unlock();
        Some(deaths)
    }

    pub(super) fn visit(&self) -> Deaths {
        let acquired = self.lock(Ticker::forever).unwrap();
        let deaths = self.use_value(acquired);
        self.unlock();
        deaths
    }
}

fn spawn_visit(shared: &Arc<Shared>) -> thread::JoinHandle<Deaths> {
    let shared = Arc::clone(shared);
    thread::spawn(move || shared.visit())
}

pub(super) fn spawn_pass(shared: &Arc<Shared>) -> thread::JoinHandle<Deaths> {
    let shared = Arc::clone(shared);
    thread::spawn(move || shared.pass())
}

/// Catches two owners at the same time, a value that the lock does not publish, and a lost wake-up.
#[test]
fn model_three_exclude_each_other() {
    explore(|| {
        let shared = Shared::new();
        let others = [spawn_visit(&shared), spawn_visit(&shared)];
        let mut deaths = shared.visit();
        for other in others {
            deaths += other.join().unwrap();
        }
        assert_eq!(deaths, 0);
        shared.change(|pair| assert_eq!(*pair, [3, 3]));
    });
}

/// Catches a wake-up of all threads where one is enough, and a `WAITERS` that stays set when nobody
/// sleeps: each later unlock would be a system call.
#[test]
fn model_the_mark_goes_with_the_last_sleeper() {
    explore(|| {
        let shared = Shared::new();
        let acquired = shared.lock(Ticker::forever).unwrap();
        let sleeper = spawn_pass(&shared);
        shared.use_value(acquired);
        shared.unlock();
        sleeper.join().unwrap();
        let futex = shared.mutex().futex();
        assert_eq!((futex.woken_by_clearing(), futex.word().load(Ordering::Relaxed)), (0, 0));
    });
}

/// Catches a wake-up system call although nobody sleeps, because another flag is set.
#[test]
fn model_poison_wakes_nobody_where_nobody_sleeps() {
    explore(|| {
        let shared = Shared::new();
        let tries = Arc::clone(&shared);
        let tries = thread::spawn(move || _ = tries.try_visit());
        if shared.mutex().try_slowly(&shared.me()).is_some() {
            shared.mutex().unlock_torn(&shared.me(), false);
        }
        tries.join().unwrap();
        assert_eq!(shared.mutex().futex().calls(), 0);
    });
}

/// Catches a sleeper that is forgotten because the releasing thread takes the lock again before the
/// woken thread does.
#[test]
fn model_two_sleepers_and_a_barger() {
    explore(|| {
        let shared = Shared::new();
        let acquired = shared.lock(Ticker::forever).unwrap();
        let sleepers = [spawn_visit(&shared), spawn_visit(&shared)];
        shared.use_value(acquired);
        shared.unlock();
        shared.visit();
        sleepers.into_iter().for_each(|sleeper| assert_eq!(sleeper.join().unwrap(), 0));
    });
}

/// Catches a wake-up that is lost with a sleeper that times out at the same time.
#[test]
fn model_a_sleeper_whose_time_is_up() {
    explore(|| {
        let shared = Shared::new();
        let acquired = shared.lock(Ticker::forever).unwrap();
        let timed = Arc::clone(&shared);
        let timed = thread::spawn(move || match timed.lock(Ticker::timed) {
            Ok(acquired) => {
                timed.use_value(acquired);
                timed.unlock();
            }
            Err(refused) => assert_eq!(refused, Refused::TimedOut),
        });
        let sleeper = spawn_visit(&shared);
        shared.mutex().futex().expire();
        shared.use_value(acquired);
        shared.unlock();
        timed.join().unwrap();
        sleeper.join().unwrap();
    });
}

/// Catches a poisoned value that the next locker does not see, and a sleeper that poisoning does
/// not wake.
#[test]
fn model_poison_is_handed_on_with_the_value() {
    explore(|| {
        let shared = Shared::new();
        let _ = shared.lock(Ticker::forever).unwrap();
        let next = Arc::clone(&shared);
        let next = thread::spawn(move || {
            let acquired = next.lock(Ticker::forever).unwrap();
            assert_eq!(acquired, Acquired::Poisoned);
            next.use_value(acquired);
            next.unlock();
        });
        shared.change(|pair| pair[0] += 1);
        shared.mutex().unlock_torn(&shared.me(), false);
        next.join().unwrap();
    });
}

/// Catches one of two sleepers that a lost value leaves asleep.
#[test]
fn model_all_hear_that_the_value_is_lost() {
    explore(|| {
        let shared = Shared::new();
        let _ = shared.lock(Ticker::forever).unwrap();
        let sleepers = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || assert_eq!(shared.lock(Ticker::forever), Err(Refused::Lost)))
        });
        shared.mutex().unlock_torn(&shared.me(), true);
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
        assert_eq!(shared.mutex().try_slowly(&shared.me()), Some(Err(Refused::Lost)));
    });
}

/// Catches a death at any step of taking and releasing that strands the other thread, lets it in
/// beside a living owner, hides a torn value or reports a consistent one as torn.
#[test]
fn model_a_death_at_each_step_against_another() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let other = spawn_visit(&shared);
        let marked = mortal(steps, || {
            shared.visit();
        });
        let told = other.join().unwrap() + shared.visit();
        assert_eq!(told, marked.unwrap_or(0));
        marked.is_some()
    });
}

/// Catches a death of the releasing thread, at any step, that strands one of two sleepers.
#[test]
fn model_a_death_of_the_waker_while_two_sleep() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let _ = shared.lock(Ticker::forever).unwrap();
        let sleepers = [spawn_visit(&shared), spawn_visit(&shared)];
        let marked = mortal(steps, || shared.unlock());
        let told: usize = sleepers.map(|sleeper| sleeper.join().unwrap()).iter().sum();
        assert_eq!(told, marked.unwrap_or(0));
        marked.is_some()
    });
}

/// Catches a death of a woken thread, at any step, that strands another sleeper while a third
/// thread comes in between. glibc's protocol does not survive this.
#[test]
fn model_a_death_of_the_woken_while_a_third_barges_in() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let _ = shared.lock(Ticker::forever).unwrap();
        let woken = Arc::clone(&shared);
        let woken = thread::spawn(move || mortal(steps, || _ = woken.pass()));
        let sleeper = spawn_pass(&shared);
        shared.unlock();
        let mut told = shared.pass();
        let marked = woken.join().unwrap();
        told += sleeper.join().unwrap() + shared.pass();
        assert_eq!(told, marked.unwrap_or(0));
        marked.is_some()
    });
}

/// Catches a death that the kernel does not report and that a tick does not find, or finds without
/// the dead thread's writes.
#[test]
fn model_a_death_that_the_kernel_does_not_report() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let sleepers = [spawn_pass(&shared), spawn_pass(&shared)];
        let acquired = shared.lock(Ticker::forever).unwrap();
        let died = mortal_unreported(steps, || {
            shared.use_value(acquired);
            step();
        });
        if !died {
            shared.unlock();
        }
        let told: usize = sleepers.map(|sleeper| sleeper.join().unwrap()).iter().sum();
        assert_eq!(told + shared.pass(), usize::from(died));
        died
    });
}

/// Catches a `try_lock` that takes the lock from its living owner.
#[test]
fn model_a_try_against_the_owner() {
    explore(|| {
        let shared = Shared::new();
        let tries = Arc::clone(&shared);
        let tries = thread::spawn(move || assert_ne!(tries.try_visit(), Some(1)));
        assert_eq!(shared.visit(), 0);
        tries.join().unwrap();
        let acquired = shared.lock(Ticker::forever).unwrap();
        assert_eq!(shared.mutex().try_slowly(&shared.me()), None, "the caller has it");
        assert!(shared.mutex().is_owned(&shared.me()));
        assert_eq!(shared.lock(Ticker::forever), Err(Refused::Deadlock));
        assert_eq!(shared.use_value(acquired), 0);
        shared.unlock();
        assert!(!shared.mutex().is_owned(&shared.me()));
        // It belonged to a dead thread, and the caller has got it.
        shared.mutex().futex().word().store(shared.me().tid(), Ordering::Relaxed);
        assert!(!shared.mutex().is_owned(&shared.me()));
    });
}

/// Catches a `try_lock` that does not get the lock of a thread whose death the kernel has not
/// reported, or does not learn of the death.
#[test]
fn model_a_try_against_a_death_that_the_kernel_does_not_report() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let dies = Arc::clone(&shared);
        let dies = thread::spawn(move || {
            let acquired = dies.lock(Ticker::forever).unwrap();
            let died = mortal_unreported(steps, || {
                dies.use_value(acquired);
                step();
            });
            if !died {
                dies.unlock();
            }
            died
        });
        let early = shared.try_visit().unwrap_or(0);
        let died = dies.join().unwrap();
        let late = shared.try_visit().expect("nobody alive has it");
        assert_eq!(early + late, usize::from(died));
        died
    });
}

/// Catches a waiter that takes the lock from a living owner which has got a former owner's id, and
/// with it the word that the waiter saw at that time.
#[test]
fn model_a_number_that_is_used_again() {
    explore(|| {
        let shared = Shared::new();
        let acquired = shared.lock(Ticker::forever).unwrap();
        // One takes the wake-up, the other sleeps on.
        let sleepers = [spawn_pass(&shared), spawn_pass(&shared)];
        shared.use_value(acquired);
        shared.unlock();
        be_reborn();
        let acquired = shared.lock(Ticker::forever).unwrap();
        shared.mutex().futex().expire();
        assert_eq!(shared.use_value(acquired), 0);
        shared.unlock();
        sleepers.into_iter().for_each(|sleeper| assert_eq!(sleeper.join().unwrap(), 0));
    });
}

/// Negative control: glibc's way to release a lock. It stores 0, so the flag is lost when another
/// thread takes the lock before the woken thread, which dies. The model must find the sleeper that
/// this strands.
/// strands.
#[test]
#[should_panic(expected = "deadlock")]
fn control_an_unlock_that_stores_zero() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let _ = shared.lock(Ticker::forever).unwrap();
        let unlock = |shared: &Shared| {
            let me = shared.me();
            let word = shared.mutex().futex().word();
            me.begin();
            me.unlink();
            let before = word.load(Ordering::Relaxed);
            assert_eq!(before & TID, me.tid());
            // The difference: the flag is cleared, too.
            let before = word.fetch_and(0, Ordering::Release);
            if before & WAITERS != 0 {
                shared.mutex().futex().wake(1);
            }
            me.end();
        };
        let woken = Arc::clone(&shared);
        let woken = thread::spawn(move || mortal(steps, || _ = woken.pass()));
        let sleeper = spawn_pass(&shared);
        unlock(&shared);
        let _ = shared.lock(Ticker::forever).unwrap();
        unlock(&shared);
        let marked = woken.join().unwrap();
        sleeper.join().unwrap();
        marked.is_some()
    });
}
