//! The progress of a team, for observers.

use std::fmt;
use std::sync::Arc;

use crate::calls::CallWords;
use crate::seats::Shared;
use crate::sync::Ordering;

/// The progress of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many calls there were so far, including barriers.
    pub calls: u64,
    /// How many items the last of these calls has.
    pub items: u64,
    /// How many of these were claimed.
    pub claimed: u64,
    /// How many processes are running.
    pub running: usize,
    /// How many processes have died so far.
    pub deaths: u64,
}

/// The function that gets the progress.
#[derive(Clone)]
pub(super) struct Watcher(Arc<dyn Fn(&Progress) + Send + Sync>);

impl Watcher {
    pub(super) fn new(watcher: impl Fn(&Progress) + Send + Sync + 'static) -> Watcher {
        Watcher(Arc::new(watcher))
    }

    pub(super) fn look(&self, shared: &Shared, running: usize) {
        let team = shared.memory.team();
        // Acquire: pairs with `calls::begin`: the last call has its words.
        let calls = team.calls.load(Ordering::Acquire);
        let (items, left) = calls.checked_sub(1).map_or((0, 0), |last| {
            let items = CallWords::items_of(&shared.memory, last);
            (items.len(), items.remaining())
        });
        let deaths = team.deaths.load(Ordering::Relaxed);
        (self.0)(&Progress { calls, items, claimed: items - left, running, deaths });
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}
