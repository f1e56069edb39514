//! The simulator says what the scheduler does: loops and trees of joins of items that sleep, which
//! keep any number of workers busy on few cores.
//!
//! A tree may take anything between what is simulated without threads in reserve and with them,
//! since whether one finds work in time is chance.
//!
//! A machine that is busy with other things wakes sleepers late. So the simulated items take as
//! long as the real ones have slept, a call may be late by what bystanders on the same cores are
//! late by meanwhile, and is tried again.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::ThreadPool;
use taskel::prelude::*;
use taskel_adaptive::simulate::{Costs, Policy, Publish, Schedule, Simulation, Wake, load};

#[path = "support/bystanders.rs"]
mod bystanders;

/// What a virtual machine takes. What it takes to wake a sleeper is measured during the call, and
/// is no less than this.
const COSTS: Costs =
    Costs { claim_ns: 100.0, steal_ns: 3_000.0, timestamp_ns: 50.0, wake_ns: 50_000.0, call_ns: 8_000.0 };

/// A schedule depends on whom a thief chooses. So many choices are simulated: with few, the rare
/// ones that reality has, too, are missing.
const SEEDS: u64 = 100;

const TOLERANCE: f64 = 0.05;

/// In a tree, a schedule depends also on who comes first: on a core that is awake already, a worker
/// is awake sooner.
const SOON_AWAKE_NS: f64 = 10_000.0;

const WORKERS: [usize; 5] = [2, 4, 8, 16, 32];

/// A loop or a tree that was disturbed is tried so often.
const ATTEMPTS: usize = 3;

/// One test at a time.
static MACHINE: Mutex<()> = Mutex::new(());

/// Runs a loop, and returns the time that it took and those of its items. A loop that is called
/// with other parameters of this function is another loop: nothing is known of it.
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

/// A pool whose workers are up, and sleep, as the simulated ones do when a call begins.
fn sleeping_pool(workers: usize) -> ThreadPool {
    let pool = ThreadPool::builder().num_threads(workers).build().expect("threads");
    pool.broadcast(|_| ());
    thread::sleep(Duration::from_millis(1));
    pool
}

/// What a call finds: what it costs to wake a sleeper, and by how much it may be late, since
/// somebody who is woken late may wake others.
fn machine_during(op: impl FnOnce()) -> (Costs, f64) {
    let (delays, wake) = bystanders::delays_and_wake_during(op);
    let wake_ns = COSTS.wake_ns.max(wake.as_nanos() as f64);
    (Costs { wake_ns, ..COSTS }, 2.0 * delays.as_nanos() as f64)
}

/// Two calls of a loop; says what is wrong with them.
fn differs<const LOAD: usize, const ATTEMPT: usize>(workers: usize, ns: &[f64]) -> Option<String> {
    let pool = sleeping_pool(workers);
    let mut lesson: Option<Schedule> = None;
    for call in 1..=2 {
        let mut slept = None;
        let (costs, delays_ns) = machine_during(|| slept = Some(sleep_through::<LOAD, ATTEMPT>(&pool, ns)));
        let (took_ns, slept_ns) = slept.expect("the loop has run");
        let simulated = |seed| {
            let mut simulation = Simulation::taskel(workers).with_costs(costs).with_seed(seed);
            if let Some(lesson) = &lesson {
                simulation = simulation.with_lesson(lesson);
            }
            simulation.run(&slept_ns).expect("finite times")
        };
        let schedules: Vec<Schedule> = (0..SEEDS).map(simulated).collect();
        if let Some(difference) = difference(took_ns, delays_ns, &schedules) {
            return Some(format!("call {call}: {difference}"));
        }
        lesson = schedules.into_iter().next();
    }
    None
}

/// Says what is wrong with a time that must be one of those of the schedules, or up to `later_ns`
/// later.
fn difference(took_ns: f64, later_ns: f64, schedules: &[Schedule]) -> Option<String> {
    let least_ns = schedules.iter().map(|schedule| schedule.makespan_ns).fold(f64::MAX, f64::min);
    let most_ns = schedules.iter().map(|schedule| schedule.makespan_ns).fold(0.0, f64::max) + later_ns;
    let is_right = (1.0 - TOLERANCE) * least_ns <= took_ns && took_ns <= (1.0 + TOLERANCE) * most_ns;
    let [took_ms, least_ms, most_ms] = [took_ns, least_ns, most_ns].map(|ns| ns / 1e6);
    (!is_right).then(|| format!("took {took_ms:.2} ms, simulated {least_ms:.2} to {most_ms:.2} ms"))
}

fn check<const LOAD: usize>(what: &str, times_ns: impl Fn(usize) -> Vec<f64>) {
    let _alone = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for workers in WORKERS {
        let ns = times_ns(workers);
        let attempts: [_; ATTEMPTS] = match workers {
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

/// How many of the leaves of a tree are in the first half of its topmost join.
type Split = fn(usize) -> usize;

/// The trees of the tests: balanced, unbalanced, `join(head, || rest)`, and `join(|| rest, last)`.
const HALVES: Split = |leaves| leaves / 2;
const QUARTER_FIRST: Split = |leaves| (leaves / 4).max(1);
const HEAD_FIRST: Split = |_| 1;
const LAST_BY_ITSELF: Split = |leaves| leaves - 1;

/// A tree of joins whose leaves sleep, and note for how long.
fn sleep_in_leaves(ns: &[f64], slept_ns: &mut [f64], split: Split) {
    if let ([ns], [slept_ns]) = (ns, &mut *slept_ns) {
        let began = Instant::now();
        thread::sleep(Duration::from_nanos(*ns as u64));
        *slept_ns = began.elapsed().as_nanos() as f64;
        return;
    }
    let middle = split(ns.len());
    let (first, second) = ns.split_at(middle);
    let (slept_first, slept_second) = slept_ns.split_at_mut(middle);
    taskel::join(
        || sleep_in_leaves(first, slept_first, split),
        || sleep_in_leaves(second, slept_second, split),
    );
}

/// Two calls of a tree; says what is wrong with them.
fn tree_differs(workers: usize, ns: &[f64], split: Split, later_ns: f64) -> Option<String> {
    let pool = sleeping_pool(workers);
    (1..=2).find_map(|call| {
        let mut slept_ns = vec![0.0; ns.len()];
        let mut took_ns = 0.0;
        let (costs, delays_ns) = machine_during(|| {
            let began = Instant::now();
            pool.install(|| sleep_in_leaves(ns, &mut slept_ns, split));
            took_ns = began.elapsed().as_nanos() as f64;
        });
        let simulated = |(wake_ns, seed, reserves)| {
            Simulation::new(Policy::Join(Publish::Each), workers)
                .with_split(split)
                .with_wake(Wake::FanOut(4))
                .with_reserves(reserves)
                .with_costs(Costs { wake_ns, ..costs })
                .with_seed(seed)
                .run(&slept_ns)
                .expect("finite times")
        };
        let wakes_ns = [costs.wake_ns, COSTS.wake_ns, SOON_AWAKE_NS];
        let seeds = wakes_ns.into_iter().flat_map(|wake_ns| (0..SEEDS).map(move |seed| (wake_ns, seed)));
        // Whether a reserve finds something to do for a worker that waits is chance.
        let cases = seeds.flat_map(|(wake_ns, seed)| [false, true].map(|any| (wake_ns, seed, any)));
        let schedules: Vec<Schedule> = cases.map(simulated).collect();
        difference(took_ns, later_ns + delays_ns, &schedules)
            .map(|difference| format!("call {call}: {difference}"))
    })
}

/// `later_ns` as in `difference`.
fn check_tree(what: &str, split: Split, later_ns: f64, times_ns: impl Fn(usize) -> Vec<f64>) {
    let _alone = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for workers in WORKERS {
        let ns = times_ns(workers);
        let attempts = (0..ATTEMPTS).map_while(|_| tree_differs(workers, &ns, split, later_ns));
        let differences: Vec<String> = attempts.collect();
        assert!(differences.len() < ATTEMPTS, "{what} on {workers} workers: {differences:?}");
    }
}

fn unequal(workers: usize) -> Vec<f64> {
    load::lognormal(3 * workers, 4e6, 0.7, 5).into_iter().map(|ns| ns.min(2e7)).collect()
}

#[test]
fn a_tree_of_one_leaf_for_each_worker_takes_as_long_as_simulated() {
    check_tree("halves", HALVES, 0.0, |workers| load::constant(workers, 2e7));
    check_tree("a quarter first", QUARTER_FIRST, 0.0, |workers| load::constant(workers, 2e7));
}

#[test]
fn a_list_with_its_head_first_takes_as_long_as_simulated() {
    check_tree("one each", HEAD_FIRST, 0.0, |workers| load::constant(workers, 2e7));
    check_tree("three each, unequal", HEAD_FIRST, 0.0, unequal);
}

#[test]
fn a_list_with_its_rest_first_takes_as_long_as_simulated() {
    check_tree("two each", LAST_BY_ITSELF, 0.0, |workers| load::constant(2 * workers, 1e7));
    check_tree("three each, unequal", LAST_BY_ITSELF, 0.0, unequal);
}

/// Who waits for a half does nothing but parts of it. Whom that leaves idle depends on which of
/// several equal leaves ends first, which nobody can simulate: it costs a leaf's time at most.
#[test]
fn a_tree_of_three_leaves_for_each_worker_takes_as_long_as_simulated_or_one_leaf_longer() {
    const LEAF_NS: f64 = 8e6;
    check_tree("halves", HALVES, LEAF_NS, |workers| load::constant(3 * workers, LEAF_NS));
    check_tree("a quarter first", QUARTER_FIRST, LEAF_NS, |workers| load::constant(3 * workers, LEAF_NS));
}
