//! Where the workers of a pool are, and which of them is woken first.
//!
//! A pool with at least one worker for each core *places* them, if it is not told otherwise: they
//! begin on its cores in turn, from which the system may move them. The system leaves most of them
//! where they slept, but it has little to go by when it wakes one: the core that a thread slept on
//! may belong to another pool's worker by now, or to an external caller, and both would share it
//! for milliseconds. So of those that sleep, one is woken first that sleeps on a quiet core; and a
//! worker that gets up on a core where others of this process compute moves to one where fewer do.

use super::PoolState;
use crate::os::affinity::{AtWork, current_core, place_current_thread};
use crate::sync::{AtomicU32, Ordering};

/// In place of a core.
const UNKNOWN: u32 = u32::MAX;

/// The cores of a pool's workers.
#[derive(Debug)]
pub(super) struct Places {
    /// Each once.
    cores: Box<[usize]>,
    /// The first worker of each core; empty when workers have none.
    first_on: Box<[Option<usize>]>,
    /// By worker: the next one of the same core.
    next: Box<[Option<usize>]>,
    /// By worker: the core on which it last lay down; a hint.
    beds: Box<[AtomicU32]>,
    /// Workers have been placed on their cores and may leave them. Else they are pinned, or have
    /// none.
    placed: bool,
    /// The worker that is woken first if all are equal: not the same one in each pool.
    first: usize,
}

impl Places {
    pub(super) fn new(cores: &[Option<usize>], placed: bool, first: usize) -> Self {
        let last_core = cores.iter().flatten().max();
        let mut first_on = vec![None; last_core.map_or(0, |last| last + 1)];
        let mut next = vec![None; cores.len()];
        for (worker, core) in cores.iter().enumerate().rev() {
            if let Some(core) = *core {
                next[worker] = first_on[core].replace(worker);
            }
        }
        let bed = |core: &Option<usize>| AtomicU32::new(core.map_or(UNKNOWN, |core| core as u32));
        let all: Box<[usize]> = (0..first_on.len()).filter(|&core| first_on[core].is_some()).collect();
        Places {
            placed: placed && !all.is_empty(),
            cores: all,
            first_on: first_on.into(),
            next: next.into(),
            beds: cores.iter().map(bed).collect(),
            first: first % cores.len().max(1),
        }
    }

    /// The workers of the core that the calling thread is on; none when workers have no cores.
    pub(super) fn workers_here(&self) -> impl Iterator<Item = usize> + Clone {
        let core = if self.first_on.is_empty() { None } else { current_core() };
        let first = core.and_then(|core| self.first_on(core));
        std::iter::successors(first, |&worker| self.next[worker])
    }

    fn first_on(&self, core: usize) -> Option<usize> {
        *self.first_on.get(core)?
    }

    /// Whether each worker has a core of its own.
    pub(super) fn are_distinct(&self) -> bool {
        self.cores.len() == self.beds.len()
    }

    /// The core on which a worker sleeps, if it does.
    fn bed(&self, worker: usize) -> Option<usize> {
        let core = self.beds.get(worker)?.load(Ordering::Relaxed);
        (core != UNKNOWN).then_some(core as usize)
    }
}

impl PoolState {
    /// The same workers, those first that sleep on cores where nobody of this process is known to
    /// be at work, one for each core. (Some come twice. It makes no difference to one that was
    /// woken.)
    pub(super) fn quiet_first(
        &self,
        workers: impl Iterator<Item = usize> + Clone,
    ) -> impl Iterator<Item = usize> {
        let here = current_core();
        let mut last = here;
        let is_quiet = move |&worker: &usize| {
            let Some(core) = self.places.bed(worker) else { return false };
            let is_other = here != Some(core) && last != Some(core);
            let is_quiet = is_other && AtWork::on(core) == 0 && self.sleep.still_asleep(worker);
            if is_quiet {
                last = Some(core);
            }
            is_quiet
        };
        workers.clone().filter(is_quiet).chain(workers)
    }

    /// All workers, in the order in which they are woken for what any of them can do.
    pub(super) fn all_workers_quiet_first(&self) -> impl Iterator<Item = usize> {
        let first = self.places.first;
        self.quiet_first((first..self.num_threads()).chain(0..first))
    }

    /// A worker is about to sleep here.
    pub(crate) fn lie_down(&self, worker: usize) {
        if let Some(core) = current_core() {
            self.places.beds[worker].store(core as u32, Ordering::Relaxed);
        }
    }

    /// Finds a core for a worker that has got up, or begins.
    pub(crate) fn settle(&self, worker: usize) -> AtWork {
        let Some(here) = current_core() else { return AtWork::nowhere() };
        let (at_work, others_here) = AtWork::begin(here);
        let places = &self.places;
        if !places.placed {
            return at_work;
        }
        // An external caller has the seat of a worker of its core: of the first, if it is alone.
        let callers = |core| places.first_on(core).map(|first| u32::from(self.sleep.is_displaced(first)));
        // Where no worker of this pool belongs, others are expected.
        let busy_here = callers(here).map_or(u32::MAX, |callers| others_here + callers);
        if busy_here == 0 {
            return at_work;
        }
        let busy = |&core: &usize| AtWork::on(core) + callers(core).unwrap_or(0);
        let (before, from) = places.cores.split_at(worker % places.cores.len());
        let quietest = from.iter().chain(before).filter(|&&core| core != here).min_by_key(|core| busy(core));
        match quietest {
            Some(core) if busy(core) < busy_here && place_current_thread(*core).is_ok() => {
                AtWork::begin(*core).0
            }
            _ => at_work,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_may_have_several_workers_and_workers_may_have_none() {
        let places = Places::new(&[0, 1, 0, 1].map(Some), true, 5);
        assert!(places.placed && !places.are_distinct());
        assert_eq!((places.first_on(0), places.first_on(1), places.first_on(2)), (Some(0), Some(1), None));
        assert_eq!((&*places.next, places.first), (&[Some(2), Some(3), None, None][..], 1));
        assert_eq!(places.bed(3), Some(1));
        let places = Places::new(&[2, 5].map(Some), true, 0);
        assert!(places.placed && places.are_distinct());
        let places = Places::new(&[None, None], true, 0);
        assert!(!places.placed && places.workers_here().next().is_none() && places.bed(0).is_none());
    }

    /// Whatever their number, workers find a core as they begin, and as they wake.
    #[test]
    fn pools_of_each_size_have_work_done_on_their_workers() {
        for workers in 1..=2 * crate::os::affinity::default_parallelism() + 1 {
            let pool = crate::ThreadPool::builder().num_threads(workers).build().expect("a pool");
            for _ in 0..3 {
                std::thread::sleep(std::time::Duration::from_millis(1));
                assert!(pool.run_on_worker(|| pool.current_thread_index()).is_some());
            }
        }
    }
}
