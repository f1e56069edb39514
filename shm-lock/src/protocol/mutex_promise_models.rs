//! Models of a lock that is promised to threads that have waited long: it strands nobody, and a
//! promise ends.

use std::sync::Arc;

use loom::thread;

use super::model::{explore, explore_deaths};
use super::mutex::{OWNER_DIED, WAITERS};
use super::mutex_models::{Deaths, Shared, spawn_pass};
use crate::sync::{Counter, Ordering, Ticker, mortal};

/// Two threads that wait for a lock while the caller holds it. One of them has made it promised.
/// `wait` lets the caller release it.
fn promised(one: fn() -> Ticker, other: fn() -> Ticker) -> (Arc<Shared>, [thread::JoinHandle<Deaths>; 2]) {
    let shared = Shared::new();
    let _ = shared.lock(Ticker::forever).unwrap();
    shared.mutex().promise();
    let waiters = [one, other].map(|ticker| spawn_waiter(&shared, ticker));
    (shared, waiters)
}

/// A thread that takes the lock once, uses the value and releases the lock.
fn spawn_waiter(shared: &Arc<Shared>, ticker: fn() -> Ticker) -> thread::JoinHandle<Deaths> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let acquired = shared.lock(ticker).unwrap();
        let deaths = shared.use_value(acquired);
        shared.unlock();
        deaths
    })
}

/// Catches a sleeper that is left asleep because the lock is promised: a new thread gives way and
/// consumes a wake-up meanwhile.
#[test]
fn model_a_promised_lock_strands_nobody() {
    for tickers in [[Ticker::hungry as fn() -> Ticker, Ticker::forever], [Ticker::hungry, Ticker::hungry]] {
        explore(move || {
            let (shared, waiters) = promised(tickers[0], tickers[1]);
            shared.unlock();
            assert_eq!(shared.visit(), 0);
            waiters.into_iter().for_each(|waiter| assert_eq!(waiter.join().unwrap(), 0));
            shared.change(|pair| assert_eq!(*pair, [3, 3]));
        });
    }
}

/// Catches a thread that does not give way to one that has waited long, and a promise that is never
/// made.
#[test]
fn model_who_comes_anew_gives_way_to_one_who_has_waited_long() {
    let gave_way = Arc::new(Counter::new(0));
    let seen = Arc::clone(&gave_way);
    explore(move || {
        let shared = Shared::new();
        let acquired = shared.lock(Ticker::forever).unwrap();
        let futex = shared.mutex().futex();
        let waiter = spawn_waiter(&shared, Ticker::hungry);
        while futex.sleepers() == 0 {
            thread::yield_now();
        }
        assert!(!shared.mutex().is_promised());
        futex.expire();
        while futex.sleepers() == 0 {
            thread::yield_now();
        }
        assert!(shared.mutex().is_promised());
        shared.use_value(acquired);
        shared.unlock();
        shared.visit();
        waiter.join().unwrap();
        seen.fetch_add(futex.dozes(), Ordering::Relaxed);
    });
    assert!(gave_way.load(Ordering::Relaxed) > 0);
}

/// Catches a thread that has waited long, was woken in vain, and sleeps again without a promise.
#[test]
fn model_who_was_woken_in_vain_is_promised_the_lock_again() {
    explore(|| {
        let shared = Shared::new();
        let _ = shared.lock(Ticker::forever).unwrap();
        let (mutex, futex) = (shared.mutex(), shared.mutex().futex());
        let waiter = spawn_waiter(&shared, Ticker::hungry);
        while futex.sleepers() == 0 {
            thread::yield_now();
        }
        // The lock was free, and another thread has got it.
        assert!(!mutex.is_promised());
        futex.wake(1);
        while futex.sleepers() == 0 {
            thread::yield_now();
        }
        assert!(mutex.is_promised());
        shared.unlock();
        waiter.join().unwrap();
    });
}

/// Catches a thread that gives way although nobody sleeps, and a promise that outlasts its
/// sleepers.
#[test]
fn model_a_promise_ends_with_those_to_whom_it_was_made() {
    explore(|| {
        let shared = Shared::new();
        let (mutex, futex) = (shared.mutex(), shared.mutex().futex());
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || assert!(!other.mutex().is_owned(&other.me())));
        // Nobody sleeps, and no flag says so: the value is torn.
        let _ = shared.lock(Ticker::forever).unwrap();
        mutex.unlock_torn(&shared.me(), false);
        mutex.promise();
        shared.visit();
        assert!(!mutex.is_promised());
        assert_eq!(futex.dozes(), 0);
        other.join().unwrap();
        // The sleepers are dead.
        futex.word().fetch_or(WAITERS, Ordering::Relaxed);
        mutex.promise();
        let _ = shared.lock(Ticker::hungry).unwrap();
        assert!(!mutex.is_promised());
        assert_eq!(futex.dozes(), 1);
        // A thread that has waited long leaves the promise to the next one.
        mutex.unlock(&shared.me());
        futex.word().fetch_or(OWNER_DIED, Ordering::Relaxed);
        mutex.promise();
        let acquired = shared.lock(Ticker::hungry_at_once).unwrap();
        assert!(mutex.is_promised());
        shared.use_value(acquired);
        shared.unlock();
    });
}

/// Catches a death of a thread that the lock was promised to, at any step, that strands another
/// thread or keeps a thread that gives way from the lock.
#[test]
fn model_a_death_of_one_to_whom_the_lock_was_promised() {
    explore_deaths(|steps| {
        let shared = Shared::new();
        let _ = shared.lock(Ticker::forever).unwrap();
        shared.mutex().promise();
        let dies = Arc::clone(&shared);
        let dies = thread::spawn(move || {
            mortal(steps, || {
                let acquired = dies.lock(Ticker::hungry).unwrap();
                dies.use_value(acquired);
                dies.unlock();
            })
        });
        let sleeper = spawn_pass(&shared);
        shared.unlock();
        let mut told = shared.pass();
        let marked = dies.join().unwrap();
        told += sleeper.join().unwrap() + shared.pass();
        assert_eq!(told, marked.unwrap_or(0));
        marked.is_some()
    });
}

/// Catches a death of a thread that gives way, at any step, that strands one of two sleepers.
#[test]
fn model_a_death_of_one_who_gives_way() {
    explore_deaths(|steps| {
        let (shared, waiters) = promised(Ticker::hungry, Ticker::hungry);
        shared.unlock();
        let marked = mortal(steps, || _ = shared.pass());
        let told: usize = waiters.map(|waiter| waiter.join().unwrap()).iter().sum();
        assert_eq!(told + shared.pass(), marked.unwrap_or(0));
        marked.is_some()
    });
}
