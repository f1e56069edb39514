//! Models of the helpers: no task is overlooked, and the limit holds.

use std::sync::Arc;

use super::helpers::Helpers;
use super::model::explore;
use crate::sync::{AtomicU32, Ordering};

/// Catches a task that is left behind because the last helper leaves and no lane is invited: either
/// fence missing.
#[test]
fn model_task_added_while_helper_leaves() {
    explore(|| {
        let scope = Arc::new((Helpers::new(), AtomicU32::new(0), AtomicU32::new(0)));
        assert!(scope.0.invite(1));
        let helper = Arc::clone(&scope);
        let handle = loom::thread::spawn(move || {
            let (helpers, tasks, done) = &*helper;
            helpers.leave();
            // The check after leaving: a lane that sees the task comes back for it.
            if tasks.load(Ordering::Relaxed) > 0 && helpers.invite(1) {
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
        let (helpers, tasks, invited) = &*scope;
        tasks.store(1, Ordering::Relaxed);
        if helpers.invite(1) {
            invited.fetch_add(1, Ordering::Relaxed);
        }
        handle.join().unwrap();
        assert_eq!(invited.load(Ordering::Relaxed), 1, "exactly one lane comes for the task");
    });
}

/// Catches a limit that two lanes can pass together.
#[test]
fn model_limit_of_helpers() {
    explore(|| {
        let helpers = Arc::new(Helpers::new());
        let other = Arc::clone(&helpers);
        let racer = loom::thread::spawn(move || other.invite(1));
        let mine = helpers.invite(1);
        assert!(mine ^ racer.join().unwrap(), "exactly one of the two may bring a helper in");
    });
}
