//! Models of the condition variable: no notification is lost, and one that a dying thread takes
//! with it is made up for by the next tick.

use std::sync::Arc;

use loom::thread;

use super::condvar::Condvar;
use super::model::{explore, explore_deaths};
use super::mutex::{Acquired, Mutex, Slept};
use crate::sync::{AtomicU32, Claim, Ordering, RawLock, Thread, Ticker, mortal};

struct Shared {
    lock: RawLock,
    condvar: Condvar,
    /// Read and written only under the lock, so Relaxed is enough.
    items: AtomicU32,
}

impl Shared {
    fn new() -> Arc<Shared> {
        let shared = Shared { lock: RawLock::new(), condvar: Condvar::new(), items: AtomicU32::new(0) };
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

    fn lock(&self) {
        if self.mutex().lock(&self.me(), Ticker::forever).unwrap() == Acquired::OwnerDied {
            self.mutex().mark_whole();
        }
    }

    fn unlock(&self) {
        self.mutex().unlock(&self.me());
    }

    /// Waits for an item and takes it. Returns false after a timeout.
    fn take(&self, ticker: fn() -> Ticker) -> bool {
        self.lock();
        let mut timed_out = false;
        while self.items.load(Ordering::Relaxed) == 0 && !timed_out {
            let seen = self.condvar.look();
            self.unlock();
            timed_out = self.condvar.wait(seen, &mut ticker()) == Slept::TimedOut;
            self.lock();
        }
        let items = self.items.load(Ordering::Relaxed);
        if items > 0 {
            self.items.store(items - 1, Ordering::Relaxed);
        }
        self.unlock();
        items > 0
    }

    fn give(&self, items: u32) {
        self.lock();
        self.items.fetch_add(items, Ordering::Relaxed);
        self.unlock();
    }
}

fn spawn_take(shared: &Arc<Shared>) -> thread::JoinHandle<bool> {
    let shared = Arc::clone(shared);
    thread::spawn(move || shared.take(Ticker::forever))
}

/// Catches a notification between the check and the sleep that is lost.
#[test]
fn model_a_notification_is_not_lost() {
    explore(|| {
        let shared = Shared::new();
        let waiter = spawn_take(&shared);
        shared.give(1);
        shared.condvar.notify(1);
        assert!(waiter.join().unwrap());
    });
}

/// Catches one of two waiters that stays asleep after a notification for all, or because of taking
/// the lock again.
#[test]
fn model_all_are_notified_and_take_the_lock_again() {
    explore(|| {
        let shared = Shared::new();
        let waiters = [spawn_take(&shared), spawn_take(&shared)];
        shared.give(2);
        shared.condvar.notify(u32::MAX);
        waiters.into_iter().for_each(|waiter| assert!(waiter.join().unwrap()));
    });
}

/// Catches two notifications that wake only one of two waiters.
#[test]
fn model_one_notification_each() {
    explore(|| {
        let shared = Shared::new();
        let waiters = [spawn_take(&shared), spawn_take(&shared)];
        for _ in 0..2 {
            shared.give(1);
            shared.condvar.notify(1);
        }
        waiters.into_iter().for_each(|waiter| assert!(waiter.join().unwrap()));
    });
}

/// Catches a wake-up system call although nobody waits.
#[test]
fn model_nobody_is_called_where_nobody_waits() {
    explore(|| {
        let shared = Shared::new();
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || {
            other.give(1);
            other.condvar.notify(1);
        });
        shared.give(1);
        shared.condvar.notify(u32::MAX);
        other.join().unwrap();
        assert_eq!(shared.condvar.futex().calls(), 0);
    });
}

/// Catches a `WAITERS` that stays set when nobody waits any more, and a wake-up of all threads
/// where one is enough.
#[test]
fn model_the_mark_goes_when_nobody_is_left() {
    explore(|| {
        let shared = Shared::new();
        let waiters = [spawn_take(&shared), spawn_take(&shared)];
        while shared.condvar.futex().sleepers() < 2 {
            thread::yield_now();
        }
        shared.give(2);
        shared.condvar.notify(1);
        assert!(shared.condvar.futex().sleepers() >= 1, "one of two was to be woken");
        shared.condvar.notify(u32::MAX);
        waiters.into_iter().for_each(|waiter| assert!(waiter.join().unwrap()));
        shared.condvar.notify(1);
        let calls = shared.condvar.futex().calls();
        shared.condvar.notify(1);
        assert_eq!(shared.condvar.futex().calls(), calls);
    });
}

/// Catches an item that vanishes with a waiter that times out.
#[test]
fn model_a_waiter_whose_time_is_up() {
    explore(|| {
        let shared = Shared::new();
        let timed = Arc::clone(&shared);
        let timed = thread::spawn(move || timed.take(Ticker::timed));
        shared.give(1);
        shared.condvar.notify(1);
        shared.condvar.futex().expire();
        let taken = timed.join().unwrap();
        assert_eq!(shared.items.load(Ordering::Relaxed), u32::from(!taken));
    });
}

/// Catches a waiter that never sees an item because the thread woken for it died: the next tick
/// must find it.
#[test]
fn model_a_notification_that_dies_with_a_waiter() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let dies = Arc::clone(&shared);
        let dies = thread::spawn(move || mortal(steps, || _ = dies.take(Ticker::forever)));
        let lives = spawn_take(&shared);
        // One item for each, but only one notification.
        shared.give(2);
        shared.condvar.notify(1);
        shared.condvar.notify(1);
        let died = dies.join().unwrap().is_some();
        shared.condvar.futex().expire();
        assert!(lives.join().unwrap());
        died
    });
}
