//! Short regions with serial work between them, as in a control loop (rayon-rs/rayon#1318): what
//! waits meanwhile, and at what price?

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::micros;
use crate::result::{Row, SERIAL};
use crate::suite::Context;
use crate::turns::{Sample, Turn};
use crate::work::work;
use crate::{cpu, peer};

/// A sample lasts about this long, in nanoseconds: some ticks of the kernel.
const SAMPLE_NS: f64 = 50e6;

/// Regions between which the calling thread works alone.
struct Tick {
    weights: Vec<u32>,
    answer: u64,
    gap: u32,
    regions: u32,
}

impl Tick {
    fn new(gap_ns: f64, context: &Context) -> Self {
        let (taskels, taskel_ns) = (20, 5e3);
        let weights = vec![context.calibration.iterations(taskel_ns); taskels];
        let period_ns = gap_ns + taskels as f64 * taskel_ns / context.threads as f64;
        Tick {
            answer: weights.iter().map(|&weight| work(weight)).sum(),
            weights,
            gap: context.calibration.iterations(gap_ns),
            regions: (SAMPLE_NS / period_ns).ceil() as u32,
        }
    }

    /// What a region takes, and what it burns: all that is burnt but for the serial work.
    fn cost(&self, mut region: impl FnMut(&[u32]) -> u64) -> Sample {
        let (mut serial_ns, mut parallel) = (0.0, Duration::ZERO);
        let before = cpu::process_ns();
        for _ in 0..self.regions {
            let gap_start = cpu::thread_ns();
            black_box(work(self.gap));
            serial_ns += cpu::thread_ns() - gap_start;
            let start = Instant::now();
            assert_eq!(region(black_box(&self.weights)), self.answer);
            parallel += start.elapsed();
        }
        let burnt_ns = cpu::process_ns() - before - serial_ns;
        let regions = f64::from(self.regions);
        Sample { value: micros(parallel) / regions, cpu: Some(burnt_ns / 1e3 / regions) }
    }
}

/// A row for each length of the gap.
pub(super) fn rows(context: &Context) -> Vec<Row> {
    let gaps = [
        ("regions with gaps of 1 µs", 1e3),
        ("regions with gaps of 10 µs", 1e4),
        ("regions with gaps of 100 µs", 1e5),
        ("regions with gaps of 1 ms", 1e6),
        ("regions with gaps of 10 ms", 1e7),
    ];
    let wanted = gaps.into_iter().filter(|(name, _)| context.wants_row(name));
    wanted.map(|(name, gap_ns)| row(name, &Tick::new(gap_ns, context), context)).collect()
}

fn row(name: &str, tick: &Tick, context: &Context) -> Row {
    let threads = context.threads;
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for rayon");
    let taskel = taskel::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for taskel");
    let with_rayon = |weights: &[u32]| -> u64 {
        use rayon::prelude::*;
        weights.par_iter().map(|&weight| work(weight)).sum()
    };
    let with_taskel = |weights: &[u32]| -> u64 {
        use taskel::prelude::*;
        weights.par_iter().map(|&weight| work(weight)).sum()
    };
    let serial = |weights: &[u32]| weights.iter().map(|&weight| work(weight)).sum();
    let mut turns = vec![
        Turn::new(SERIAL, || tick.cost(serial)),
        Turn::new("rayon", || tick.cost(|weights| rayon.install(|| with_rayon(weights)))),
        Turn::new("rayon, inside", || rayon.install(|| tick.cost(with_rayon))),
        Turn::new("taskel", || tick.cost(|weights| taskel.install(|| with_taskel(weights)))),
        Turn::new("taskel, inside", || taskel.scope(|_| tick.cost(with_taskel))),
    ];
    for name in ["paralight", "orx-parallel"] {
        if let Some(mut peer) = peer::all(threads).into_iter().find(|peer| peer.name() == name) {
            turns.push(Turn::new(name, move || tick.cost(|weights| peer.sum_work(weights, 1).answer)));
        }
    }
    #[cfg(feature = "fork-union")]
    turns.push(Turn::new("ForkUnion", || with_fork_union(tick, threads)));
    super::row(name, turns, threads, context)
}

/// Equal taskels are what its static distribution is for. Its threads spin as long as they live:
/// for one sample.
#[cfg(feature = "fork-union")]
fn with_fork_union(tick: &Tick, threads: usize) -> Sample {
    use std::sync::atomic::{AtomicU64, Ordering};

    #[repr(align(128))]
    struct Partial(AtomicU64);

    let mut pool = crate::peers::fork_union::spawn(threads);
    let partials: Vec<Partial> = (0..threads).map(|_| Partial(AtomicU64::new(0))).collect();
    let mut region = |weights: &[u32]| {
        partials.iter().for_each(|partial| partial.0.store(0, Ordering::Relaxed));
        drop(pool.for_slices(weights.len(), |first, count| {
            let slice = &weights[first.task_index..][..count];
            let sum = slice.iter().map(|&weight| work(weight)).sum();
            partials[first.thread_index].0.fetch_add(sum, Ordering::Relaxed);
        }));
        partials.iter().map(|partial| partial.0.load(Ordering::Relaxed)).sum()
    };
    for _ in 0..100 {
        black_box(region(&tick.weights[..1]));
    }
    tick.cost(region)
}
