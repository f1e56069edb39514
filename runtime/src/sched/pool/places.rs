//! Where the workers of a pool run, and which of them is woken first.
//!
//! A pool with one worker for each core *places* its workers, unless it is told otherwise: each
//! begins on a core of its own, from which the system may move it. The system usually wakes a
//! thread on the core where it slept. That core may belong to another pool's worker by now, or to
//! an external caller, and both would share it for milliseconds. So if a worker wakes up on a core
//! where another thread of this process computes, it moves to a core where none does.

use super::PoolState;
use crate::os::affinity::{AtWork, current_core, place_current_thread};

/// The cores of a pool's workers.
#[derive(Debug)]
pub(super) struct Places {
    /// By worker.
    cores: Box<[Option<usize>]>,
    /// The worker of each core; empty when workers have none.
    workers: Box<[Option<usize>]>,
    /// Workers have been placed on their cores and may leave them. Else they are pinned, or have
    /// none.
    placed: bool,
    /// The worker that is woken first if all are equal: not the same one in each pool.
    first: usize,
}

impl Places {
    pub(super) fn new(cores: &[Option<usize>], placed: bool, first: usize) -> Self {
        let last_core = cores.iter().flatten().max();
        let mut workers = vec![None; last_core.map_or(0, |last| last + 1)];
        for (worker, core) in cores.iter().enumerate() {
            if let Some(core) = *core {
                workers[core] = Some(worker);
            }
        }
        Places { cores: cores.into(), workers: workers.into(), placed, first: first % cores.len().max(1) }
    }

    /// Whether workers have cores.
    pub(super) fn are_known(&self) -> bool {
        !self.workers.is_empty()
    }

    /// The worker of the core that the calling thread is on.
    pub(super) fn worker_here(&self) -> Option<usize> {
        self.worker_on(current_core()?)
    }

    fn worker_on(&self, core: usize) -> Option<usize> {
        *self.workers.get(core)?
    }

    /// The same workers, those first on whose cores nobody of this process is known to be at work.
    /// (Some come twice. It makes no difference to one that was woken.)
    pub(super) fn quiet_first(
        &self,
        workers: impl Iterator<Item = usize> + Clone,
    ) -> impl Iterator<Item = usize> {
        let here = current_core();
        let is_quiet = move |worker: &usize| {
            let core = self.cores.get(*worker).copied().flatten();
            core.is_some_and(|core| AtWork::is_free(core) && here != Some(core))
        };
        workers.clone().filter(is_quiet).chain(workers)
    }

    /// All workers, in the order in which they are woken for what any of them can do.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> {
        self.quiet_first((self.first..self.cores.len()).chain(0..self.first))
    }
}

impl PoolState {
    /// Finds a core for a worker that has got up, or begins.
    pub(super) fn settle(&self, worker: usize) -> AtWork {
        let Some(here) = current_core() else { return AtWork::nowhere() };
        let places = &self.places;
        if !places.placed {
            return AtWork::on(here);
        }
        let settle_on = |core| {
            let belongs_to = places.worker_on(core)?;
            // An external caller has the seat of the worker whose core it is on.
            if self.sleep.is_displaced(belongs_to) { None } else { AtWork::alone_on(core) }
        };
        let moved = || {
            let others = places.cores[worker..].iter().chain(&places.cores[..worker]);
            let (core, at_work) = others.flatten().find_map(|&core| Some((core, settle_on(core)?)))?;
            place_current_thread(core).ok()?;
            Some(at_work)
        };
        settle_on(here).or_else(moved).unwrap_or_else(|| AtWork::on(here))
    }
}
