//! Models of an action that runs once: one thread at a time, visible to all, and run by another
//! thread if the first one dies.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model::{explore, explore_deaths};
use super::mutex::Mutex;
use super::once::{Done, Turn};
use crate::sync::{Claim, Ordering, RawLock, Thread, Ticker, mortal, step};

struct Shared {
    lock: RawLock,
    done: Done,
    value: UnsafeCell<u32>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn new() -> Arc<Shared> {
        let shared = Shared { lock: RawLock::new(), done: Done::new(), value: UnsafeCell::new(0) };
        shared.mutex().place();
        Arc::new(shared)
    }

    fn mutex(&self) -> &Mutex {
        self.lock.mutex()
    }

    fn me(&self) -> Claim<'_> {
        let thread = Thread::current().unwrap();
        // SAFETY: a model needs none.
        unsafe { thread.claim(&self.lock) }
    }

    fn set(&self, value: u32) {
        self.value.with_mut(|cell| {
            // SAFETY: loom verifies that the access is exclusive.
            unsafe { *cell = value }
        });
    }

    fn get(&self) -> u32 {
        self.value.with(|cell| {
            // SAFETY: loom verifies that no write is concurrent.
            unsafe { *cell }
        })
    }

    /// Sets the value in two steps, if it is the caller's turn. Returns whether it was and, if so,
    /// whether another thread had begun before.
    fn call_once(&self) -> Option<bool> {
        if self.done.is_done() {
            return None;
        }
        match self.done.begin(self.mutex(), &self.me(), Ticker::forever).unwrap() {
            Turn::Done => None,
            Turn::Mine { again } => {
                self.set(1);
                step();
                self.set(2);
                self.done.finish(self.mutex(), &self.me(), again);
                Some(again)
            }
        }
    }
}

/// Catches two threads that run the action, and one that does not see its effects.
#[test]
fn model_it_is_done_once_and_seen_by_all() {
    explore(|| {
        let shared = Shared::new();
        let others = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let did = shared.call_once();
                assert_eq!(shared.get(), 2);
                usize::from(did.is_some())
            })
        });
        let did = usize::from(shared.call_once().is_some());
        assert_eq!(shared.get(), 2);
        assert_eq!(did + others.map(|other| other.join().unwrap()).iter().sum::<usize>(), 1);
    });
}

/// Catches a thread that panicked, or died at any step, and left the action undone or half done for
/// ever.
#[test]
fn model_a_death_lets_the_next_one_do_it() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let dies = Arc::clone(&shared);
        let dies = thread::spawn(move || mortal(steps, || _ = dies.call_once()));
        shared.call_once();
        assert_eq!(shared.get(), 2);
        dies.join().unwrap().is_some()
    });
}

/// Catches a thread that gives up and leaves the others asleep or uninformed; and a mutex that
/// stays marked after the action is done.
#[test]
fn model_giving_up_lets_the_next_one_do_it() {
    explore(|| {
        let shared = Shared::new();
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || other.call_once());
        let gave_up = match shared.done.begin(shared.mutex(), &shared.me(), Ticker::forever).unwrap() {
            Turn::Mine { again } => {
                assert!(!again, "no thread has begun");
                shared.done.give_up(shared.mutex(), &shared.me());
                true
            }
            Turn::Done => false,
        };
        assert_eq!(other.join().unwrap(), Some(gave_up));
        assert_eq!(shared.mutex().futex().word().load(Ordering::Relaxed), 0);
    });
}
