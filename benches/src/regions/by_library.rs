// Compiled twice, behind one `use` line each: see `shared.rs`.

pub(super) struct Pool(ThreadPool);

impl Pool {
    /// A pool of as many threads; 0 is as many as there are usable cores.
    pub(super) fn start(threads: usize) -> Box<dyn Library> {
        Box::new(Pool(ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started")))
    }
}

impl Library for Pool {
    fn sum(&self, weights: &[u32]) -> u64 {
        self.0.install(|| weights.par_iter().map(|&weight| work(weight)).sum())
    }

    fn sums_on(&self, inner: &dyn Library, weights: &[u32], times: usize) -> u64 {
        self.0.install(|| (0..times).into_par_iter().map(|_| inner.sum(weights)).sum())
    }
}
