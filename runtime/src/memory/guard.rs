//! Holds back workers of a pool while memory is short.
//!
//! A worker works for a caller only with a [permit](crate::protocol::permits). It gives the permit
//! back when that work ends. If there are more permits than allowed, it gives it back between two
//! chunks of a loop or two tasks of a scope. A worker that is held back behaves like a worker
//! without work, and like a worker whose seat an external caller holds: it holds nothing that
//! another lane could wait for, it makes its calls of broadcasts, and it runs work that was handed
//! to the pool itself. A caller needs no permit.
//!
//! A lane that ends a chunk or such a task looks at the memory, unless another lane did so in the
//! last 50 ms. Workers that are held back sleep for 50 ms at a time, and look as well. So they need
//! no wake-up when memory is available again.

use std::sync::{PoisonError, TryLockError};
use std::time::Duration;

use super::governor::{Governor, Sight};
use super::system::{Sources, System};
use super::{MemoryBudget, MemoryUnknown};
use crate::protocol::permits::{Counts, Permits};
use crate::sync::Mutex;

/// Settings for when a pool holds workers back; see
/// [`ThreadPoolBuilder::memory_guard`](crate::ThreadPoolBuilder::memory_guard).
///
/// ```
/// use taskel::MemoryGuard;
///
/// let careful = MemoryGuard::new().most_used(0.7).most_stalled(0.02);
/// assert_ne!(careful, MemoryGuard::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "settings do nothing until a pool is built with them"]
pub struct MemoryGuard {
    pub(super) most_used: f64,
    pub(super) most_stalled: f64,
}

impl MemoryGuard {
    /// Creates a guard that keeps a tenth of the memory free, and allows stalls for a tenth of the
    /// time.
    pub fn new() -> Self {
        MemoryGuard { most_used: 0.9, most_stalled: 0.1 }
    }

    /// Sets the fraction of its limit that the process's control group may use. Without a limit, it
    /// is the fraction of the machine's memory that may be in use. The default is 0.9.
    ///
    /// # Panics
    ///
    /// Panics unless the value is above 0 and at most 1.
    #[track_caller]
    pub fn most_used(mut self, share: f64) -> Self {
        assert!(share > 0.0 && share <= 1.0, "most_used: a share is above 0 and at most 1, not {share}");
        self.most_used = share;
        self
    }

    /// Sets the fraction of the time in which tasks may be stalled for lack of memory. The default
    /// is 0.1.
    ///
    /// The value comes from the line `some` of the control group's `memory.pressure`, or otherwise
    /// of `/proc/pressure/memory`. On kernels without pressure stall information, and in containers
    /// that hide it, stalls are not detected.
    ///
    /// # Panics
    ///
    /// Panics unless the value is above 0 and at most 1.
    #[track_caller]
    pub fn most_stalled(mut self, share: f64) -> Self {
        assert!(share > 0.0 && share <= 1.0, "most_stalled: a share is above 0 and at most 1, not {share}");
        self.most_stalled = share;
        self
    }
}

impl Default for MemoryGuard {
    /// Returns the same as [`new`](Self::new).
    fn default() -> Self {
        Self::new()
    }
}

/// The guard of one pool.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) permits: Permits,
    /// The holder of the lock reads files. Only a thread that begins a loop waits for the lock.
    view: Mutex<View>,
}

#[derive(Debug)]
struct View {
    governor: Governor,
    system: System,
    sources: Sources,
    /// When a thread last looked, and how long tasks had been stalled by then.
    stalled_before: Option<(u64, u64)>,
}

impl Guard {
    /// The time between two looks.
    pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

    /// Creates a guard for a pool with this many workers.
    pub(crate) fn new(settings: MemoryGuard, workers: u32) -> Result<Self, MemoryUnknown> {
        let system = System::here();
        let sources = system.sources();
        MemoryBudget::of(&system, &sources)?;
        let governor = Governor::new(settings, workers);
        let view = View { governor, system, sources, stalled_before: None };
        // Nothing is known until the first loop begins.
        Ok(Guard { permits: Permits::new(0), view: Mutex::new(view) })
    }

    /// Begins a loop of an unknown site, beside `callers` others. It runs on its caller's lane
    /// until its memory is known.
    pub(crate) fn begin(&self, now_ns: u64, callers: u32) {
        // Its memory is not visible at once.
        let _ = self.permits.wins_look(now_ns, Self::INTERVAL.as_nanos() as u64);
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        // The process may have moved to another group.
        view.sources = view.system.sources();
        let sight = view.see(now_ns, self.permits.counts(), callers + 1);
        let allowed = view.governor.begin(sight);
        self.permits.allow(allowed);
    }

    /// Looks, unless a thread did so recently. Returns how many more workers may come, or `None` if
    /// it did not look.
    pub(crate) fn look(&self, now_ns: u64, callers: u32) -> Option<u32> {
        if !self.permits.wins_look(now_ns, Self::INTERVAL.as_nanos() as u64) {
            return None;
        }
        // The holder is slow to read files, or begins a loop.
        let mut view = match self.view.try_lock() {
            Ok(view) => view,
            Err(TryLockError::Poisoned(view)) => view.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let before = self.permits.counts();
        let sight = view.see(now_ns, before, callers.max(1));
        let allowed = view.governor.look(sight);
        self.permits.allow(allowed);
        Some(allowed.saturating_sub(before.allowed))
    }
}

impl View {
    fn see(&mut self, now_ns: u64, workers: Counts, callers: u32) -> Sight {
        let mut memory = self.system.nearest(&self.sources);
        if memory.is_none() {
            self.sources = self.system.sources();
            memory = self.system.nearest(&self.sources);
        }
        let stalled_us = self.system.stalled_us(&self.sources);
        let before = std::mem::replace(&mut self.stalled_before, stalled_us.map(|us| (now_ns, us)));
        let stalled = match (before, self.stalled_before) {
            (Some((then_ns, then_us)), Some((now_ns, now_us))) if now_ns > then_ns => {
                now_us.saturating_sub(then_us) as f64 * 1e3 / (now_ns - then_ns) as f64
            }
            _ => 0.0,
        };
        Sight { memory, stalled, workers, callers }
    }
}
