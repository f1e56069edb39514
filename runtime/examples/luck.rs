//! Eight experiments on four workers, in two orders: how much of the time they take is luck?
//!
//! Three experiments take a day, five take a minute. A policy that bundles two days into one chunk
//! needs two days, whatever the other workers do meanwhile. Each policy runs both orders for real,
//! asleep instead of at work with a second shortened to 10 µs, and once more in the simulator,
//! where it costs nothing to ask for a thousand workers.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool};
use taskel_adaptive::simulate::{Policy, SimulateError, Simulation};

const WORKERS: usize = 4;
const NS_PER_SECOND: u64 = 10_000;

/// The same experiments, by the seconds that they take: where the days fall among the chunks of 2
/// is luck.
const LISTS: [(&str, [u64; 8]); 2] = [
    ("good", [60, 60, 86_400, 60, 86_400, 60, 60, 84_600]),
    ("bad", [60, 60, 86_400, 86_400, 60, 60, 60, 84_600]),
];

/// Who takes half as long again as the best that can be done is called unlucky.
const UNLUCKY: f64 = 1.5;

struct Row {
    name: &'static str,
    chunk: Chunk,
    policy: Policy,
}

/// How long all experiments of a list took together.
struct Makespan {
    measured_s: f64,
    simulated_s: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let pool = ThreadPool::builder().num_threads(WORKERS).build()?;
    println!("{} experiments, {WORKERS} workers, a second shortened to 10 µs\n", LISTS[0].1.len());
    println!("{:20}{:>18}{:>20}", "", "measured", "simulated");
    println!("{:20}{:>10}{:>10}{:>10}{:>10}", "luck", "good", "bad", "good", "bad");
    let mut unlucky = LISTS.map(|_| Vec::new());
    for Row { name, chunk, policy } in rows() {
        let mut makespans = Vec::new();
        for (list, unlucky) in LISTS.iter().zip(&mut unlucky) {
            let makespan = Makespan {
                measured_s: measure(&pool, chunk, &list.1),
                simulated_s: simulate(policy, &list.1)?,
            };
            if makespan.measured_s.max(makespan.simulated_s) > UNLUCKY * best_s(&list.1) {
                unlucky.push(name);
            }
            makespans.push(makespan);
        }
        let [good, bad] = &makespans[..] else { unreachable!("one makespan per list") };
        println!(
            "{name:20}{:8.3} s{:8.3} s{:8.3} s{:8.3} s",
            good.measured_s, bad.measured_s, good.simulated_s, bad.simulated_s
        );
    }
    println!();
    for ((luck, seconds), names) in LISTS.iter().zip(&unlucky) {
        let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        println!("{luck} luck, {seconds:?}: {:.3} s is enough; unlucky: {names}", best_s(seconds));
    }
    Ok(())
}

fn rows() -> [Row; 4] {
    let python = LISTS[0].1.len().div_ceil(4 * WORKERS); // Pool.map's default chunksize
    [
        Row { name: "Chunk::Exact(2)", chunk: Chunk::Exact(2), policy: Policy::Fixed(2) },
        Row { name: "Chunk::Exact(1)", chunk: Chunk::Exact(1), policy: Policy::Fixed(1) },
        Row { name: "Python's n/4P rule", chunk: Chunk::Exact(python), policy: Policy::PerWorker(4) },
        Row { name: "Chunk::Auto", chunk: Chunk::Auto, policy: Policy::Adaptive },
    ]
}

fn measure(pool: &ThreadPool, chunk: Chunk, seconds: &[u64]) -> f64 {
    let start = Instant::now();
    seconds
        .par_iter()
        .on(pool)
        .chunk(chunk)
        .for_each(|seconds| thread::sleep(Duration::from_nanos(seconds * NS_PER_SECOND)));
    start.elapsed().as_secs_f64()
}

fn simulate(policy: Policy, seconds: &[u64]) -> Result<f64, SimulateError> {
    let times_ns: Vec<f64> = seconds.iter().map(|seconds| (seconds * NS_PER_SECOND) as f64).collect();
    Ok(Simulation::new(policy, WORKERS).run(&times_ns)?.makespan_ns / 1e9)
}

/// No schedule is shorter than its longest experiment, or than equal shares for all workers.
fn best_s(seconds: &[u64]) -> f64 {
    let longest = seconds.iter().max().copied().unwrap_or(0) as f64;
    let share = seconds.iter().sum::<u64>() as f64 / WORKERS as f64;
    longest.max(share) * NS_PER_SECOND as f64 / 1e9
}
