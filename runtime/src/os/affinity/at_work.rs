//! The cores on which workers of this process run, of all pools.
//!
//! One count per core. A worker adds itself when it gets up, and removes itself before it sleeps.
//! The counts are Relaxed hints: a worker may move to another core at any moment. A lane that is
//! misled goes to a core that is no better.

use crate::sync::{AtomicU32, Ordering};

/// No kernel supports more. Cores beyond it count as free.
const MOST_CORES: usize = 8192;

static AT_WORK: [AtomicU32; MOST_CORES] = [const { AtomicU32::new(0) }; MOST_CORES];

/// Counts a worker on a core as long as it lives.
#[must_use]
#[derive(Debug)]
pub(crate) struct AtWork(Option<&'static AtomicU32>);

impl AtWork {
    /// A worker on an unknown core.
    pub(crate) fn nowhere() -> Self {
        AtWork(None)
    }

    /// Counts a worker on `core`, whether or not others are there.
    pub(crate) fn on(core: usize) -> Self {
        let count = AT_WORK.get(core);
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        AtWork(count)
    }

    /// Counts a worker on `core` if no other is there.
    pub(crate) fn alone_on(core: usize) -> Option<Self> {
        if !AtWork::is_free(core) {
            return None;
        }
        let at_work = AtWork::on(core);
        // If two come at the same time, both may go elsewhere.
        at_work.0.is_none_or(|count| count.load(Ordering::Relaxed) == 1).then_some(at_work)
    }

    /// Returns whether no worker runs on `core`.
    pub(crate) fn is_free(core: usize) -> bool {
        AT_WORK.get(core).is_none_or(|count| count.load(Ordering::Relaxed) == 0)
    }

    /// Resets all counts. A forked child calls this, because it has no workers. It only touches
    /// static atomics, which is allowed there.
    #[cfg(all(unix, not(miri)))]
    pub(crate) fn forget_all() {
        AT_WORK.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(count) = self.0 {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_free_until_somebody_comes_and_when_all_have_gone() {
        let core = MOST_CORES - 1; // no other test's
        assert!(AtWork::is_free(core));
        let first = AtWork::alone_on(core).expect("free");
        assert!(AtWork::alone_on(core).is_none());
        let second = AtWork::on(core);
        drop(first);
        assert!(!AtWork::is_free(core));
        drop(second);
        assert!(AtWork::is_free(core));
        assert!(AtWork::alone_on(MOST_CORES).is_some() && AtWork::is_free(MOST_CORES));
    }
}
