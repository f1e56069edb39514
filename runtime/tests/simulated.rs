//! The simulator says what the scheduler does: loops of items that sleep, which keep any number of workers busy on few cores.
//!
//! A machine that is busy with other things wakes sleepers late. So the simulated items take as long as the real ones have slept, and a
//! loop that was disturbed elsewhere is tried again.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::ThreadPool;
use taskel::prelude::*;
use taskel_adaptive::simulate::{Costs, Schedule, Simulation, load};

/// What a virtual machine takes: half of it to wake a sleeper.
const COSTS: Costs =
    Costs { claim_ns: 100.0, steal_ns: 3_000.0, timestamp_ns: 50.0, wake_ns: 50_000.0, call_ns: 8_000.0 };

/// A schedule depends on whom a thief chooses. So many choices are simulated.
const SEEDS: u64 = 12;

const TOLERANCE: f64 = 0.05;

/// One test at a time.
static MACHINE: Mutex<()> = Mutex::new(());

/// Runs a loop, and returns the time that it took and those of its items. A loop that is called with other parameters of this function is
/// another loop: nothing is known of it.
fn sleep_through<const LOAD: usize, const ATTEMPT: usize>(pool: &ThreadPool, ns: &[f64]) -> (f64, Vec<f64>) {
    let slept_ns: Vec<AtomicU64> = ns.iter().map(|_| AtomicU64::new(0)).collect();
    let began = Instant::now();
    pool.install(|| {
        (0..ns.len()).into_par_iter().for_each(|item| {
            // Else the same code could be one function for all.
            black_box((LOAD, ATTEMPT));
            let began = Instant::now();
            thread::sleep(Duration::from_nanos(ns[item] as u64));
            slept_ns[item].store(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
        });
    });
    let took_ns = began.elapsed().as_nanos() as f64;
    (took_ns, slept_ns.into_iter().map(|ns| ns.into_inner() as f64).collect())
}

/// Two calls of a loop; says what is wrong with them.
fn differs<const LOAD: usize, const ATTEMPT: usize>(workers: usize, ns: &[f64]) -> Option<String> {
    let pool = ThreadPool::builder().num_threads(workers).build().expect("threads");
    let mut lesson: Option<Schedule> = None;
    for call in 1..=2 {
        let (took_ns, slept_ns) = sleep_through::<LOAD, ATTEMPT>(&pool, ns);
        let simulated = |seed| {
            let mut simulation = Simulation::taskel(workers).with_costs(COSTS).with_seed(seed);
            if let Some(lesson) = &lesson {
                simulation = simulation.with_lesson(lesson);
            }
            simulation.run(&slept_ns).expect("finite times")
        };
        let schedules: Vec<Schedule> = (0..SEEDS).map(simulated).collect();
        let least_ns = schedules.iter().map(|schedule| schedule.makespan_ns).fold(f64::MAX, f64::min);
        let most_ns = schedules.iter().map(|schedule| schedule.makespan_ns).fold(0.0, f64::max);
        if took_ns < (1.0 - TOLERANCE) * least_ns || took_ns > (1.0 + TOLERANCE) * most_ns {
            let [took_ms, least_ms, most_ms] = [took_ns, least_ns, most_ns].map(|ns| ns / 1e6);
            return Some(format!(
                "call {call}: took {took_ms:.2} ms, simulated {least_ms:.2} to {most_ms:.2} ms"
            ));
        }
        lesson = schedules.into_iter().next();
    }
    None
}

fn check<const LOAD: usize>(what: &str, times_ns: impl Fn(usize) -> Vec<f64>) {
    let _alone = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for workers in [2, 4, 8, 16, 32] {
        let ns = times_ns(workers);
        let attempts = match workers {
            2 => [differs::<LOAD, 20>, differs::<LOAD, 21>, differs::<LOAD, 22>],
            4 => [differs::<LOAD, 40>, differs::<LOAD, 41>, differs::<LOAD, 42>],
            8 => [differs::<LOAD, 80>, differs::<LOAD, 81>, differs::<LOAD, 82>],
            16 => [differs::<LOAD, 160>, differs::<LOAD, 161>, differs::<LOAD, 162>],
            _ => [differs::<LOAD, 320>, differs::<LOAD, 321>, differs::<LOAD, 322>],
        };
        let mut differences = Vec::new();
        for attempt in attempts {
            match attempt(workers, &ns) {
                Some(difference) => differences.push(difference),
                None => break,
            }
        }
        assert!(differences.len() < attempts.len(), "{what} on {workers} workers: {differences:?}");
    }
}

#[test]
fn one_item_for_each_worker_takes_as_long_as_simulated() {
    check::<1>("one each", |workers| load::constant(workers, 2e7));
}

#[test]
fn four_items_for_each_worker_take_as_long_as_simulated() {
    check::<2>("four each", |workers| load::constant(4 * workers, 5e6));
}

#[test]
fn fewer_items_than_workers_take_as_long_as_simulated() {
    check::<3>("all but one", |workers| load::constant(workers - 1, 2e7));
}

#[test]
fn a_long_item_at_the_beginning_takes_as_long_as_simulated() {
    check::<4>("long first", |workers| {
        let mut ns = load::constant(4 * workers, 5e6);
        ns[0] = 2e7;
        ns
    });
}

#[test]
fn a_long_item_at_the_end_takes_as_long_as_simulated() {
    check::<5>("long last", |workers| {
        let mut ns = load::constant(4 * workers, 5e6);
        ns[4 * workers - 1] = 2e7;
        ns
    });
}

#[test]
fn items_of_all_lengths_take_as_long_as_simulated() {
    check::<6>("lognormal", |workers| {
        let ns = load::lognormal(3 * workers, 4e6, 0.7, 5);
        ns.into_iter().map(|ns| ns.min(2e7)).collect()
    });
}

#[test]
fn long_items_among_many_short_ones_take_as_long_as_simulated() {
    check::<7>("some long", |workers| {
        let mut ns = load::constant(20 * workers, 5e5);
        ns[10 * workers..11 * workers].fill(1e7);
        ns
    });
}
