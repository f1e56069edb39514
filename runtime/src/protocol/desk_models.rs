//! Models of the desk: its owner and a visitor are never both there, and each finds what the other
//! left.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::desk::{Desk, Owner, stop_owners};
use super::model::{assert_partition, explore};
use crate::sync::Fences;

const FENCES: Fences = Fences::Symmetric;

/// loom checks every access to the contents: two accesses at a time are a data race.
struct Place {
    desk: Desk,
    visitors: Mutex<()>,
    items: UnsafeCell<Vec<u32>>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Place {}
// SAFETY: as above.
unsafe impl Send for Place {}

impl Place {
    fn new(items: Vec<u32>) -> Arc<Self> {
        Arc::new(Place { desk: Desk::new(), visitors: Mutex::new(()), items: UnsafeCell::new(items) })
    }

    fn at_desk<R>(&self, act: impl FnOnce(&mut Vec<u32>) -> R) -> R {
        self.items.with_mut(|items| {
            // SAFETY: loom verifies that the access is exclusive.
            act(unsafe { &mut *items })
        })
    }

    fn as_owner<R>(&self, act: impl FnOnce(&mut Vec<u32>) -> R) -> R {
        if self.desk.enter(FENCES) {
            let result = self.at_desk(act);
            self.desk.leave();
            return result;
        }
        let _alone = self.visitors.lock().unwrap();
        self.at_desk(act)
    }

    /// Takes all contents if the owner is away. Also returns where the owner is.
    fn visit(&self) -> (Vec<u32>, Owner) {
        let _alone = self.visitors.lock().unwrap();
        self.desk.want();
        assert!(stop_owners(FENCES));
        let owner = self.desk.owner();
        let taken = if owner == Owner::Away { self.at_desk(std::mem::take) } else { Vec::new() };
        self.desk.release();
        (taken, owner)
    }
}

/// Catches an owner and a visitor that are both at the desk, and contents that one leaves and the
/// other does not see.
#[test]
fn model_owner_and_visitor_take_turns() {
    explore(|| {
        let place = Place::new(vec![0, 1]);
        let other = Arc::clone(&place);
        let visitor = thread::spawn(move || other.visit().0);
        let mut all: Vec<_> = (0..2).filter_map(|_| place.as_owner(Vec::pop)).collect();
        place.as_owner(|items| items.push(2));
        all.extend(visitor.join().unwrap());
        all.extend(place.as_owner(std::mem::take));
        assert_partition(all, 3);
    });
}

/// Catches the same with two visitors, where the second comes while the owner waits for the first.
#[test]
fn model_owner_and_two_visitors() {
    explore(|| {
        let place = Place::new(vec![0]);
        let visitors = [(); 2].map(|()| {
            let other = Arc::clone(&place);
            thread::spawn(move || other.visit().0)
        });
        place.as_owner(|items| items.push(1));
        let mut all = Vec::new();
        visitors.into_iter().for_each(|visitor| all.extend(visitor.join().unwrap()));
        all.extend(place.as_owner(std::mem::take));
        assert_partition(all, 2);
    });
}

/// Catches a visitor that goes to sleep because the owner asks, while the owner leaves an item and
/// does not see the sleeper.
#[test]
fn model_who_leaves_something_sees_who_sleeps() {
    explore(|| {
        let place = Place::new(vec![]);
        let sleeps = Arc::new(AtomicBool::new(false));
        let (other, told) = (Arc::clone(&place), Arc::clone(&sleeps));
        let visitor = thread::spawn(move || {
            told.store(true, Ordering::Relaxed);
            let (taken, owner) = other.visit();
            taken.is_empty() && owner == Owner::Asking
        });
        let mut seen = true;
        if place.desk.ask(FENCES) {
            place.at_desk(|items| items.push(0));
            place.desk.leave_and_look(FENCES);
            seen = sleeps.load(Ordering::Relaxed);
        }
        let missed = visitor.join().unwrap();
        assert!(seen || !missed, "somebody sleeps beside an item");
    });
}
