//! What the suite `iters` measures: rows of the same small program by each peer.

mod lookup;
mod numbers;
mod slices;
mod small;
mod sorts;

use crate::result::SERIAL;
use std::hint::black_box;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Runs its program some times, and says how long that took and what the last run answered.
pub type Sample = Box<dyn Fn(u32) -> (Duration, f64) + Send + Sync>;

/// Who runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The standard library, on one thread.
    Std,
    /// rayon, from inside its pool.
    Rayon,
    /// paralight.
    Paralight,
    /// orx-parallel.
    Orx,
    /// taskel, from inside its pool.
    Taskel,
    /// taskel, with `.deterministic()`.
    Deterministic,
}

impl Peer {
    /// What the table calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Peer::Std => SERIAL,
            Peer::Rayon => "rayon",
            Peer::Paralight => "paralight",
            Peer::Orx => "orx-parallel",
            Peer::Taskel => "taskel",
            Peer::Deterministic => "deterministic",
        }
    }

    /// All of them, in the order of the table.
    pub const ALL: [Peer; 6] =
        [Peer::Std, Peer::Rayon, Peer::Paralight, Peer::Orx, Peer::Taskel, Peer::Deterministic];
}

/// A line of the table.
pub struct Row {
    /// What is done.
    pub name: &'static str,
    /// How far answers may differ, relatively: sums of floats are added in different orders.
    pub tolerance: f64,
    /// Who does it.
    pub samples: Vec<(Peer, Sample)>,
}

impl Row {
    fn new(name: &'static str, samples: Vec<(Peer, Sample)>) -> Self {
        Row { name, tolerance: 1e-4, samples }
    }
}

/// All rows.
#[must_use]
pub fn rows() -> Vec<Row> {
    let all = [numbers::rows(), lookup::rows(), slices::rows(), sorts::rows(), small::rows()];
    all.into_iter().flatten().collect()
}

/// A program that leaves its input as it is.
fn again(run: impl Fn() -> f64 + Send + Sync + 'static) -> Sample {
    Box::new(move |calls| {
        let start = Instant::now();
        let answer = (0..calls).fold(0.0, |_, _| black_box(run()));
        (start.elapsed(), answer)
    })
}

/// A program that changes its input, which is made anew for each run; that is not timed.
fn anew<D: Send + 'static>(
    make: impl Fn() -> D + Send + Sync + 'static,
    run: impl Fn(&mut D) -> f64 + Send + Sync + 'static,
) -> Sample {
    Box::new(move |calls| {
        let mut all = (Duration::ZERO, 0.0);
        for _ in 0..calls {
            let mut data = make();
            let start = Instant::now();
            all.1 = black_box(run(&mut data));
            all.0 += start.elapsed();
        }
        all
    })
}

/// Data that lives as long as the bench.
fn leak<T>(items: Vec<T>) -> &'static [T] {
    Vec::leak(items)
}

/// Numbers that look random.
fn random(len: usize) -> Vec<u64> {
    (0..len as u64).map(|n| (n ^ (n >> 7)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8).collect()
}

/// The pools of the peers that have one to pass around.
#[derive(Debug)]
pub struct Pools {
    rayon: rayon::ThreadPool,
    taskel: taskel::ThreadPool,
}

impl Pools {
    /// Pools of as many threads.
    ///
    /// # Panics
    ///
    /// When the system has no threads to give.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for rayon");
        let taskel = taskel::ThreadPool::builder().num_threads(threads).build().expect("threads for taskel");
        Pools { rayon, taskel }
    }

    /// Runs a sample as the peer's documentation recommends.
    pub fn run(&self, peer: Peer, sample: &Sample, calls: u32) -> (Duration, f64) {
        match peer {
            Peer::Rayon => self.rayon.install(|| sample(calls)),
            Peer::Taskel | Peer::Deterministic => self.taskel.install(|| sample(calls)),
            Peer::Std | Peer::Paralight | Peer::Orx => sample(calls),
        }
    }
}

/// Calls `op` with paralight's pool, which is used by one call at a time.
fn with_paralight<R>(op: impl FnOnce(&mut paralight::threads::ThreadPool) -> R) -> R {
    use paralight::threads::{CpuPinningPolicy, RangeStrategy, ThreadCount, ThreadPool, ThreadPoolBuilder};
    static POOL: OnceLock<Mutex<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        Mutex::new(
            ThreadPoolBuilder {
                num_threads: ThreadCount::AvailableParallelism,
                range_strategy: RangeStrategy::WorkStealing,
                cpu_pinning: CpuPinningPolicy::IfSupported,
            }
            .build(),
        )
    });
    op(&mut pool.lock().expect("no program panics"))
}
