//! Models of the permits: never too many, and exactly the surplus leaves.

use std::sync::Arc;

use super::model::explore;
use super::permits::{Counts, Permits};

/// Catches a permit that two workers take.
#[test]
fn model_no_more_enter_than_are_allowed() {
    explore(|| {
        let permits = Arc::new(Permits::new(1));
        let other = Arc::clone(&permits);
        let racer = loom::thread::spawn(move || other.try_enter());
        let mine = permits.try_enter();
        assert!(mine ^ racer.join().unwrap(), "exactly one of the two enters");
        assert_eq!(permits.counts(), Counts { inside: 1, allowed: 1 });
        permits.leave();
        assert!(permits.try_enter(), "a permit that was given back is there again");
    });
}

/// Catches a worker that leaves although there is no surplus any more, and a limit that is lost.
#[test]
fn model_just_so_many_leave_as_are_too_many() {
    explore(|| {
        let permits = Arc::new(Permits::new(2));
        assert!(permits.try_enter() && permits.try_enter());
        assert!(!permits.leave_if_over(), "two may be inside");
        let other = Arc::clone(&permits);
        let racer = loom::thread::spawn(move || other.leave_if_over());
        permits.allow(1);
        let mine = permits.leave_if_over();
        let theirs = racer.join().unwrap();
        assert!(mine ^ theirs, "one of the two leaves: which, is open; both or none, is wrong");
        assert_eq!(permits.counts(), Counts { inside: 1, allowed: 1 });
    });
}

/// Catches two lanes that look at the same time, a look that no lane does, and a clock that went
/// back and is waited for.
#[test]
fn model_one_looks() {
    explore(|| {
        let permits = Arc::new(Permits::new(0));
        let other = Arc::clone(&permits);
        let racer = loom::thread::spawn(move || other.wins_look(100, 10));
        let mine = permits.wins_look(100, 10);
        assert!(mine ^ racer.join().unwrap(), "exactly one of the two looks");
        assert!(!permits.wins_look(109, 10), "not yet");
        assert!(permits.wins_look(110, 10));
        assert!(!permits.wins_look(110, 10), "not yet");
        assert!(!permits.wins_look(100, 10), "a little back is not far back");
        assert!(permits.wins_look(50, 10), "the clock went back");
        assert!(permits.wins_look(60, 10), "and is believed");
    });
}
