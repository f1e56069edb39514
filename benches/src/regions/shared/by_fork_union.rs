//! ForkUnion, whose regions are called by one thread at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Library;
use crate::peers::fork_union;
use crate::work::work;

pub(super) struct Pool(Mutex<forkunion::ThreadPool>);

impl Pool {
    pub(super) fn start(threads: usize) -> Box<dyn Library> {
        let threads =
            if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads };
        Box::new(Pool(Mutex::new(fork_union::spawn(threads))))
    }

    fn for_each(&self, count: usize, of: impl Fn(usize) -> u64 + Sync) -> u64 {
        let sum = AtomicU64::new(0);
        let mut pool = self.0.lock().expect("no sample panics");
        drop(pool.for_slices(count, |first, count| {
            let all = first.task_index..first.task_index + count;
            sum.fetch_add(all.map(&of).sum(), Ordering::Relaxed);
        }));
        sum.into_inner()
    }
}

impl Library for Pool {
    fn sum(&self, weights: &[u32]) -> u64 {
        self.for_each(weights.len(), |i| work(weights[i]))
    }

    fn sums_on(&self, inner: &dyn Library, weights: &[u32], times: usize) -> u64 {
        self.for_each(times, |_| inner.sum(weights))
    }
}
