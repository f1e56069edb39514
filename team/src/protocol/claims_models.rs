//! Models of the claims: nothing is lost, no item is done twice, and no rank waits for an item that
//! nobody runs, even if ranks die.

use std::ops::Range;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::claims::{Claims, Entry, Found, Lane};
use super::model::{explore, explore_deaths};
use crate::sync::{AtomicU64, Fences, mortal};

const ITEMS: usize = 2;
/// The incarnation of the first rank, which has only the first lane.
const INCARNATION: u64 = 5;
const ATTEMPTS: u64 = 2;

struct Shared {
    next: AtomicU64,
    lanes: Vec<Lane>,
    table: Vec<AtomicU64>,
    /// How often each item was run.
    records: Vec<UnsafeCell<u32>>,
    /// The first rank, unless it was taken over. A thread that takes this waits for the rank's end,
    /// as for a robust lock, and learns whether it died.
    seat: Mutex<Option<thread::JoinHandle<bool>>>,
    died: Mutex<bool>,
    recovery: Mutex<()>,
    wake: Mutex<()>,
    changed: Condvar,
}

// SAFETY: loom's cells check at run time what this promises: no two unordered accesses.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn new(lanes: usize) -> Arc<Shared> {
        Arc::new(Shared {
            next: AtomicU64::new(0),
            lanes: (0..lanes).map(|_| Lane::new()).collect(),
            table: (0..ITEMS).map(|_| AtomicU64::new(0)).collect(),
            records: (0..ITEMS).map(|_| UnsafeCell::new(0)).collect(),
            seat: Mutex::new(None),
            died: Mutex::new(false),
            recovery: Mutex::new(()),
            wake: Mutex::new(()),
            changed: Condvar::new(),
        })
    }

    fn claims(&self) -> Claims<'_> {
        Claims::new(&self.next, &self.lanes, &self.table)
    }

    fn record(&self, item: u64) -> u32 {
        self.records[item as usize].with(|record| {
            // SAFETY: loom verifies that no write is concurrent.
            unsafe { *record }
        })
    }

    /// Runs items of the lane. Returns true if a rank may wait for them.
    fn run(&self, lane: usize, items: &Range<u64>) -> bool {
        for item in items.clone() {
            let before = self.claims().lane(lane).enter(item);
            self.records[item as usize].with_mut(|record| {
                // SAFETY: loom verifies that the access is exclusive.
                unsafe { *record += 1 }
            });
            self.claims().lane(lane).leave(before);
        }
        self.claims().finish(lane, items, 0)
    }

    /// Runs items of the lane in order, until it is stopped.
    fn run_in_order(&self, lane: usize, items: &Range<u64>) {
        let claims = self.claims();
        let (mut at, mut end) = (items.start, items.end);
        while at < end {
            if !claims.lane(lane).begin(at, Fences::Symmetric) {
                let _recovery = self.recovery.lock().unwrap_or_else(|died| died.into_inner());
                end = end.min(claims.resume(lane));
                continue;
            }
            self.records[at as usize].with_mut(|record| {
                // SAFETY: loom verifies that the access is exclusive.
                unsafe { *record += 1 }
            });
            claims.lane(lane).end(at);
            at += 1;
        }
        assert!(at > items.start, "a lane keeps its first item");
        let _ = claims.finish(lane, &(items.start..at), 0);
    }

    fn assert_each_ran_once(&self) {
        assert_eq!(self.claims().walk(0), ITEMS as u64);
        assert!((0..ITEMS as u64).all(|item| self.record(item) == 1));
    }

    /// Stops a lane. Returns whether this freed anything.
    fn stop(&self, lane: usize) -> bool {
        let _recovery = self.recovery.lock().unwrap_or_else(|died| died.into_inner());
        self.claims().stop(lane, Fences::Symmetric) > 0
    }

    /// Claims and runs one item after the other.
    fn work(&self, lane: usize) {
        while let Some(items) = self.claims().claim(lane, 1) {
            let _ = self.run(lane, &items);
        }
    }

    /// Takes over the first rank when it has ended, unless this was done.
    fn take_over(&self) {
        let mut seat = self.seat.lock().unwrap();
        if let Some(rank) = seat.take() {
            *self.died.lock().unwrap() = rank.join().unwrap();
            self.claims().take_over(0..1, INCARNATION, ATTEMPTS);
        }
    }

    /// Runs free items, until each remaining item belongs to a lane.
    fn recover(&self, lane: usize) {
        let mut at = self.claims().walk(0);
        while at < ITEMS as u64 {
            let lock = self.recovery.lock().unwrap_or_else(|died| died.into_inner());
            match self.claims().look(at) {
                Found::Claiming => thread::yield_now(),
                Found::HeldUpTo(end) | Found::DoneUpTo(end) => at = end,
                Found::Free { items, .. } => {
                    self.claims().take(lane, &items);
                    drop(lock);
                    let _ = self.run(lane, &items);
                }
            }
        }
    }
}

fn spawn<T: 'static>(
    shared: &Arc<Shared>,
    body: impl FnOnce(&Shared) -> T + 'static,
) -> thread::JoinHandle<T> {
    let shared = Arc::clone(shared);
    thread::spawn(move || body(&shared))
}

/// Catches an item that two lanes have, or none, and a reader that sees a finished item but not its
/// record.
#[test]
fn model_each_item_is_done_once_and_its_record_is_seen() {
    explore(|| {
        let shared = Shared::new(2);
        let others = [0, 1].map(|lane| spawn(&shared, move |shared| shared.work(lane)));
        let claims = shared.claims();
        assert!((0..claims.walk(0)).all(|item| shared.record(item) == 1));
        others.into_iter().for_each(|other| other.join().unwrap());
        shared.assert_each_ran_once();
    });
}

/// Catches taking items that a living lane has, is about to have, or has done.
#[test]
fn model_what_the_living_have_is_not_free() {
    explore(|| {
        let shared = Shared::new(2);
        let other = spawn(&shared, |shared| shared.work(0));
        shared.work(1);
        for item in 0..ITEMS as u64 {
            let found = shared.claims().look(item);
            assert!(!matches!(found, Found::Free { .. }), "{item}: {found:?}");
        }
        other.join().unwrap();
    });
}

/// Catches items of a dead rank that nobody gets, that it had done and another rank does again, and
/// that two get.
#[test]
fn model_a_death_at_each_step_loses_nothing() {
    explore_deaths(|steps| {
        let shared = Shared::new(3);
        let rank = spawn(&shared, move |shared| mortal(steps, || shared.work(0)).is_none());
        *shared.seat.lock().unwrap() = Some(rank);
        let survive = |shared: &Shared, lane: usize| {
            shared.work(lane);
            shared.take_over();
            shared.recover(lane);
        };
        let other = spawn(&shared, move |shared| survive(shared, 1));
        survive(&shared, 2);
        other.join().unwrap();
        let died = *shared.died.lock().unwrap();
        assert_eq!(shared.claims().walk(0), ITEMS as u64);
        let runs: Vec<u32> = (0..ITEMS as u64).map(|item| shared.record(item)).collect();
        assert!(runs.iter().all(|&runs| runs >= 1), "{runs:?}");
        assert!(runs.iter().sum::<u32>() <= ITEMS as u32 + u32::from(died), "{runs:?}");
        died
    });
}

/// Catches a death that is recorded twice, or an item that stays with the dead rank, if the rank
/// that takes over dies on the way.
#[test]
fn model_one_who_takes_over_may_die_at_each_step() {
    explore_deaths(|steps| {
        let shared = Shared::new(2);
        let items = shared.claims().claim(0, 2).unwrap();
        shared.claims().lane(0).enter(items.start);
        let heir = spawn(&shared, move |shared| {
            mortal(steps, || shared.claims().take_over(0..1, INCARNATION, ATTEMPTS)).is_none()
        });
        shared.work(1);
        let found = shared.claims().look(0);
        assert!(found == Found::HeldUpTo(2) || found == Found::Free { items: 0..1, deaths: 1 });
        let died = heir.join().unwrap();
        let claims = shared.claims();
        claims.take_over(0..1, INCARNATION, ATTEMPTS);
        assert_eq!(claims.look(0), Found::Free { items: 0..1, deaths: 1 });
        assert_eq!(claims.entry(1), Entry::Open { deaths: 0 });
        shared.recover(1);
        assert_eq!(claims.walk(0), ITEMS as u64);
        died
    });
}

/// Catches a rank that gets an item which another has given up, without seeing what that rank
/// wrote.
#[test]
fn model_what_is_given_up_goes_to_another() {
    explore(|| {
        let shared = Shared::new(2);
        let other = spawn(&shared, |shared| {
            let items = shared.claims().claim(0, 1);
            if let Some(items) = items {
                shared.records[items.start as usize].with_mut(|record| {
                    // SAFETY: loom verifies that the access is exclusive.
                    unsafe { *record += 1 }
                });
                shared.claims().give_up(0);
            }
        });
        shared.work(1);
        shared.recover(1);
        other.join().unwrap();
        shared.recover(1);
        assert_eq!(shared.claims().walk(0), ITEMS as u64);
    });
}

/// Catches an item that is run again although it was done before the rest of its claim was given
/// back, one that nobody runs, and a record that is not visible.
#[test]
fn model_what_is_given_back_in_part_goes_to_another() {
    for first in [0, 1] {
        explore(move || {
            let shared = Shared::new(2);
            let other = spawn(&shared, move |shared| {
                if let Some(items) = shared.claims().claim(0, 2) {
                    // One of two items, or all that it got.
                    let done = items.start + first * (items.end - items.start - 1);
                    let _ = shared.run(0, &(done..done + 1));
                }
            });
            shared.work(1);
            shared.recover(1);
            other.join().unwrap();
            shared.recover(1);
            shared.assert_each_ran_once();
        });
    }
}

/// Catches a record about an item that is not visible to the rank that finds it free.
#[test]
fn model_who_finds_an_item_free_sees_who_died_in_it() {
    explore(|| {
        let shared = Shared::new(2);
        let claims = shared.claims();
        let items = claims.claim(0, 2).unwrap();
        claims.lane(0).enter(items.start);
        assert_eq!(claims.claim(1, 1), None);
        let other = spawn(&shared, |shared| shared.claims().take_over(0..1, INCARNATION, ATTEMPTS));
        match shared.claims().look(0) {
            Found::HeldUpTo(2) => (),
            Found::Free { items, deaths } => assert_eq!((items, deaths), (0..1, 1)),
            found => panic!("{found:?}"),
        }
        other.join().unwrap();
    });
}

/// Catches a rank that sleeps although the last items are done.
#[test]
fn model_who_waits_for_the_last_items_is_woken() {
    explore(|| {
        let shared = Shared::new(2);
        let other = spawn(&shared, |shared| {
            while let Some(items) = shared.claims().claim(0, 1) {
                if shared.run(0, &items) {
                    drop(shared.wake.lock().unwrap());
                    shared.changed.notify_all();
                }
            }
        });
        while let Some(items) = shared.claims().claim(1, 1) {
            let _ = shared.run(1, &items);
        }
        let mut lock = shared.wake.lock().unwrap();
        while shared.claims().walk(0) < ITEMS as u64 {
            lock = shared.changed.wait(lock).unwrap();
        }
        drop(lock);
        other.join().unwrap();
    });
}

/// Catches a rank that sleeps although an item is done, while another rank has the last items and
/// still runs them.
#[test]
fn model_who_waits_beside_one_that_has_the_last_items_is_woken() {
    explore(|| {
        let shared = Shared::new(3);
        let other = spawn(&shared, |shared| {
            let Some(items) = shared.claims().claim(0, 1) else { return };
            if shared.run(0, &items) {
                drop(shared.wake.lock().unwrap());
                shared.changed.notify_all();
            }
        });
        let slow = spawn(&shared, |shared| shared.claims().claim(2, 1));
        let of_slow = slow.join().unwrap();
        while let Some(items) = shared.claims().claim(1, 1) {
            let _ = shared.run(1, &items);
        }
        let claims = shared.claims();
        let is_missing = |item: u64| {
            !of_slow.as_ref().is_some_and(|items| items.contains(&item)) && claims.entry(item).len() == 0
        };
        let mut lock = shared.wake.lock().unwrap();
        while (0..ITEMS as u64).any(is_missing) {
            lock = shared.changed.wait(lock).unwrap();
        }
        drop(lock);
        other.join().unwrap();
    });
}

/// Catches an item that a lane begins although it was stopped before it, one that it has begun and
/// another rank also runs, and one that nobody runs.
#[test]
fn model_what_a_lane_is_stopped_before_is_run_once() {
    explore(|| {
        let shared = Shared::new(2);
        let other = spawn(&shared, |shared| {
            if let Some(items) = shared.claims().claim(0, 2) {
                shared.run_in_order(0, &items);
            }
        });
        shared.work(1);
        shared.stop(0);
        shared.recover(1);
        other.join().unwrap();
        shared.recover(1);
        shared.assert_each_ran_once();
    });
}

/// Catches a stopped lane that never goes on, or that begins an item of another lane, if the
/// stopping rank dies.
#[test]
fn model_who_stops_a_lane_may_die_at_each_step() {
    explore_deaths(|steps| {
        let shared = Shared::new(2);
        let items = shared.claims().claim(0, 2).unwrap();
        assert!(shared.claims().lane(0).begin(items.start, Fences::Symmetric));
        shared.claims().lane(0).end(items.start);
        let other = spawn(&shared, move |shared| {
            // Like the robust lock: nobody else gets it until this thread has died.
            let _recovery = shared.recovery.lock().unwrap();
            mortal(steps, || shared.claims().stop(0, Fences::Symmetric)).is_none()
        });
        shared.run_in_order(0, &items);
        let died = other.join().unwrap();
        assert_eq!(shared.claims().claim(1, 1), None);
        shared.recover(1);
        shared.assert_each_ran_once();
        died
    });
}

/// Catches a death that is recorded for an item which was taken from the dead rank before, and an
/// item that nobody runs.
#[test]
fn model_a_lane_that_is_stopped_may_die_at_each_step() {
    explore_deaths(|steps| {
        let shared = Shared::new(2);
        let items = shared.claims().claim(0, 2).unwrap();
        assert_eq!(shared.claims().claim(1, 1), None);
        let rank = spawn(&shared, move |shared| {
            let live = || {
                let lane = shared.claims().lane(0);
                for item in items.clone() {
                    if !lane.begin(item, Fences::Symmetric) {
                        // It asks, and finishes what it has.
                        shared.claims().note_done(&(items.start..item), 0);
                        return;
                    }
                    shared.records[item as usize].with_mut(|record| {
                        // SAFETY: loom verifies that the access is exclusive.
                        unsafe { *record += 1 }
                    });
                    lane.end(item);
                }
            };
            mortal(steps, live).is_none()
        });
        let freed = shared.stop(0);
        let was_taken = freed.then(|| shared.claims().look(1));
        let died = rank.join().unwrap();
        shared.claims().take_over(0..1, INCARNATION, 1);
        if was_taken == Some(Found::Free { items: 1..2, deaths: 0 }) {
            assert_eq!(shared.record(1), 0);
            assert_eq!(shared.claims().entry(1), Entry::Open { deaths: 0 });
        }
        shared.recover(1);
        assert_eq!(shared.claims().walk(0), ITEMS as u64);
        died
    });
}
