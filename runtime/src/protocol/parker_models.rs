//! Models of the parker: no token is lost, and it publishes what its sender wrote.

use std::sync::Arc;
use std::time::Duration;

use loom::cell::UnsafeCell;

use super::model::explore;
use super::parker::Parker;
use crate::sync::{AtomicBool, Ordering};

struct Parcel {
    parker: Parker,
    sent: AtomicBool,
    data: UnsafeCell<u32>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Parcel {}

fn parcel() -> Arc<Parcel> {
    Arc::new(Parcel { parker: Parker::new(), sent: AtomicBool::new(false), data: UnsafeCell::new(0) })
}

fn send(parcel: &Parcel) {
    parcel.data.with_mut(|cell| {
        // SAFETY: loom verifies that the access is exclusive.
        unsafe { *cell = 7 }
    });
    parcel.parker.unpark();
}

fn open(parcel: &Parcel) -> u32 {
    parcel.data.with(|cell| {
        // SAFETY: loom verifies that no write is concurrent.
        unsafe { *cell }
    })
}

/// Catches a lost token, and one that does not publish the data, whether it comes before or during
/// the sleep.
#[test]
fn model_token_carries_data() {
    explore(|| {
        let parcel = parcel();
        let sender = Arc::clone(&parcel);
        loom::thread::spawn(move || send(&sender));
        parcel.parker.park();
        assert_eq!(open(&parcel), 7);
    });
}

/// Catches a stale token from an earlier wait that swallows the next one.
#[test]
fn model_stale_token_and_two_wakers() {
    explore(|| {
        let parcel = parcel();
        let stale = Arc::clone(&parcel);
        loom::thread::spawn(move || {
            stale.parker.unpark();
        });
        let sender = Arc::clone(&parcel);
        loom::thread::spawn(move || {
            sender.sent.store(true, Ordering::Relaxed);
            sender.parker.unpark();
        });
        while !parcel.sent.load(Ordering::Relaxed) {
            parcel.parker.park();
        }
    });
}

/// Catches a spurious wake-up of the kernel that is taken for a token.
#[test]
fn model_a_sleep_that_ends_without_cause() {
    explore(|| {
        let parcel = parcel();
        let kernel = Arc::clone(&parcel);
        loom::thread::spawn(move || kernel.parker.futex().wake());
        let sender = Arc::clone(&parcel);
        loom::thread::spawn(move || send(&sender));
        parcel.parker.park();
        assert_eq!(open(&parcel), 7);
    });
}

/// Catches a token that is lost, or does not publish the data, when it comes as a sleep times out.
#[test]
fn model_a_sleep_that_runs_out() {
    explore(|| {
        let parcel = parcel();
        let sender = Arc::clone(&parcel);
        loom::thread::spawn(move || send(&sender));
        if !parcel.parker.park_timeout(Duration::ZERO) {
            parcel.parker.park();
        }
        assert_eq!(open(&parcel), 7);
    });
}

/// Catches a lane that does not sleep at all.
#[test]
fn model_a_short_sleep_is_ended_by_a_token() {
    explore(|| {
        let parcel = parcel();
        let sender = Arc::clone(&parcel);
        loom::thread::spawn(move || send(&sender));
        assert!(parcel.parker.park_timeout(Duration::MAX), "nothing else ends it");
        assert_eq!(open(&parcel), 7);
    });
}

/// Catches a lane that sleeps although a token was there before.
#[test]
fn model_a_token_from_before_ends_a_short_sleep() {
    explore(|| {
        let parcel = parcel();
        let sender = Arc::clone(&parcel);
        let thread = loom::thread::spawn(move || send(&sender));
        let early = parcel.parker.park_timeout(Duration::ZERO);
        thread.join().unwrap();
        assert!(early || parcel.parker.park_timeout(Duration::ZERO), "one token, once");
        assert!(!parcel.parker.park_timeout(Duration::ZERO), "and no other");
    });
}
