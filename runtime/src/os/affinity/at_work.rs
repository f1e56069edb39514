//! On which cores workers of this process are at work, of whichever pool.
//!
//! One count for each core: a worker counts itself in as it gets up, and out before it sleeps. The
//! counts are hints, Relaxed: the core that a worker is on may be another a moment later, and
//! whoever is misled goes to a core that is no better.

use crate::sync::{AtomicU32, Ordering};

/// No kernel has more. A core that is not in here has nobody at work.
const MOST_CORES: usize = 8192;

static AT_WORK: [AtomicU32; MOST_CORES] = [const { AtomicU32::new(0) }; MOST_CORES];

/// Somebody is at work on a core while this lives.
#[must_use]
#[derive(Debug)]
pub(crate) struct AtWork(Option<&'static AtomicU32>);

impl AtWork {
    /// Wherever it is, nobody knows.
    pub(crate) fn nowhere() -> Self {
        AtWork(None)
    }

    /// On `core`; and how many others are there.
    pub(crate) fn begin(core: usize) -> (Self, u32) {
        let count = AT_WORK.get(core);
        let others = count.map_or(0, |count| count.fetch_add(1, Ordering::Relaxed));
        (AtWork(count), others)
    }

    /// How many are at work on `core`.
    pub(crate) fn on(core: usize) -> u32 {
        AT_WORK.get(core).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Forgets everybody: called in a forked child, where they are not. Only touches static
    /// atomics, as is allowed there.
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
    fn a_core_has_those_who_came_and_have_not_gone() {
        let core = MOST_CORES - 1; // no other test's
        assert_eq!(AtWork::on(core), 0);
        let (first, others) = AtWork::begin(core);
        assert_eq!((others, AtWork::on(core)), (0, 1));
        let (second, others) = AtWork::begin(core);
        assert_eq!((others, AtWork::on(core)), (1, 2));
        drop(first);
        assert_eq!(AtWork::on(core), 1);
        drop((second, AtWork::nowhere()));
        assert_eq!(AtWork::on(core), 0);
        assert_eq!((AtWork::begin(MOST_CORES).1, AtWork::on(MOST_CORES)), (0, 0));
    }
}
