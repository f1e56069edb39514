//! Models of the tray: its owner and a visitor are never both there, and each finds what the other
//! left.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::Mutex;
use loom::thread;

use super::model::{assert_partition, explore};
use super::tray::Tray;
use crate::sync::Fences;

const FENCES: Fences = Fences::Symmetric;

/// loom checks every access to the contents: two accesses at a time are a data race.
struct Place {
    tray: Tray,
    visitors: Mutex<()>,
    items: UnsafeCell<Vec<u32>>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Place {}
// SAFETY: as above.
unsafe impl Send for Place {}

impl Place {
    fn new(items: Vec<u32>) -> Arc<Self> {
        Arc::new(Place { tray: Tray::new(), visitors: Mutex::new(()), items: UnsafeCell::new(items) })
    }

    fn at_tray<R>(&self, act: impl FnOnce(&mut Vec<u32>) -> R) -> R {
        self.items.with_mut(|items| {
            // SAFETY: loom verifies that the access is exclusive.
            act(unsafe { &mut *items })
        })
    }

    fn as_owner<R>(&self, act: impl FnOnce(&mut Vec<u32>) -> R) -> R {
        if self.tray.enter(FENCES) {
            let result = self.at_tray(act);
            self.tray.leave();
            return result;
        }
        let _alone = self.visitors.lock().unwrap();
        self.at_tray(act)
    }

    /// Takes all contents if the owner is away.
    fn visit(&self) -> Vec<u32> {
        let _alone = self.visitors.lock().unwrap();
        let taken = if self.tray.visit(FENCES) { self.at_tray(std::mem::take) } else { Vec::new() };
        self.tray.release();
        taken
    }
}

/// Catches an owner and a visitor that are both at the tray, and contents that one leaves and the
/// other does not see.
#[test]
fn model_owner_and_visitor_take_turns() {
    explore(|| {
        let place = Place::new(vec![0, 1]);
        let other = Arc::clone(&place);
        let visitor = thread::spawn(move || other.visit());
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
            thread::spawn(move || other.visit())
        });
        place.as_owner(|items| items.push(1));
        let mut all = Vec::new();
        visitors.into_iter().for_each(|visitor| all.extend(visitor.join().unwrap()));
        all.extend(place.as_owner(std::mem::take));
        assert_partition(all, 2);
    });
}

/// Catches an owner that was at its tray when a visitor came, and does not learn of it.
#[test]
fn model_an_owner_that_was_there_learns_of_the_visitor() {
    explore(|| {
        let place = Place::new(vec![0]);
        let other = Arc::clone(&place);
        let visitor = thread::spawn(move || other.visit().len());
        while !place.tray.enter(FENCES) {
            drop(place.visitors.lock().unwrap());
        }
        let missed = place.tray.leave_and_look(FENCES);
        let taken = visitor.join().unwrap();
        assert!(taken == 1 || missed, "it was there, and went on");
    });
}
