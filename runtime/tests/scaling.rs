//! What a profile of one worker predicts for many is what many take, and the limit of a program
//! that has a known one is named. Items sleep, so that few cores keep any number of workers busy.
//!
//! A machine that is busy with other things wakes sleepers late: a call may be late by what
//! bystanders on the same cores are late by meanwhile, and is tried again.

use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{Limit, Profile, Recording, ThreadPool};

#[path = "support/bystanders.rs"]
mod bystanders;

const WORKERS: [usize; 4] = [4, 8, 16, 32];
const TOLERANCE: f64 = 0.1;
const ATTEMPTS: usize = 4;

/// One test at a time.
static MACHINE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn sleep_ms(ms: f64) {
    thread::sleep(Duration::from_secs_f64(ms / 1e3));
}

fn pool(workers: usize) -> ThreadPool {
    let pool = ThreadPool::builder().num_threads(workers).build().expect("threads");
    // They are up, and sleep again.
    pool.broadcast(|_| ());
    sleep_ms(1.0);
    pool
}

fn profile(workers: usize, program: impl Fn()) -> Profile {
    pool(workers).profile(program).1
}

/// Says by how much a run differs from what is predicted.
fn differs(profile: &Profile, workers: usize, program: &dyn Fn()) -> Option<String> {
    let predicted = profile.scaling([workers]).predictions()[0].time().as_secs_f64();
    let pool = pool(workers);
    let mut took = 0.0;
    let (delays, _) = bystanders::delays_and_wake_during(|| {
        let began = Instant::now();
        pool.install(program);
        took = began.elapsed().as_secs_f64();
    });
    let most = (1.0 + TOLERANCE) * predicted + 2.0 * delays.as_secs_f64();
    let is_right = (1.0 - TOLERANCE) * predicted <= took && took <= most;
    let [took, predicted] = [took, predicted].map(|seconds| 1e3 * seconds);
    println!("{workers:>3} workers: took {took:.1} ms, predicted {predicted:.1} ms");
    (!is_right).then(|| format!("took {took:.2} ms, predicted {predicted:.2} ms, late by {delays:?}"))
}

/// Records a program on one worker, and runs it on more.
fn check(program: &dyn Fn()) {
    let _alone = alone();
    let mut recorded = profile(1, program);
    for workers in WORKERS {
        let mut differences = Vec::new();
        while let Some(difference) = differs(&recorded, workers, program) {
            differences.push(difference);
            assert!(differences.len() < ATTEMPTS, "{workers} workers: {differences:?}\n{recorded}");
            // It may be the recording that was disturbed.
            recorded = profile(1, program);
        }
    }
}

#[test]
fn a_loop_of_equal_items_takes_as_long_as_predicted() {
    check(&|| (0..64).into_par_iter().for_each(|_| sleep_ms(12.0)));
}

#[test]
fn a_loop_of_items_that_get_longer_takes_as_long_as_predicted() {
    check(&|| (0..160).into_par_iter().for_each(|item| sleep_ms(2.0 + 0.03 * f64::from(item))));
}

#[test]
fn loops_with_serial_parts_between_take_as_long_as_predicted() {
    check(&|| {
        for _ in 0..2 {
            sleep_ms(5.0);
            (0..64).into_par_iter().for_each(|_| sleep_ms(5.0));
        }
    });
}

/// A tree of joins with so many leaves.
fn leaves(count: usize) {
    if count == 1 {
        return sleep_ms(20.0);
    }
    taskel::join(|| leaves(count / 2), || leaves(count - count / 2));
}

#[test]
fn a_tree_of_joins_takes_as_long_as_predicted() {
    check(&|| leaves(32));
}

#[test]
fn joins_with_work_before_them_take_as_long_as_predicted() {
    fn halves(ms: f64, depth: u32) {
        sleep_ms(ms);
        if depth > 0 {
            taskel::join(|| halves(ms, depth - 1), || halves(ms, depth - 1));
        }
    }
    check(&|| halves(6.0, 4));
}

#[test]
fn tasks_of_a_scope_take_as_long_as_predicted() {
    check(&|| {
        taskel::scope(|scope| {
            (0..32).for_each(|_| scope.spawn(|_| sleep_ms(20.0)));
        });
    });
}

#[test]
fn loops_inside_of_a_loop_take_as_long_as_predicted() {
    check(&|| {
        (0..4).into_par_iter().for_each(|_| (0..16).into_par_iter().for_each(|_| sleep_ms(12.0)));
    });
}

#[test]
fn a_long_item_at_the_end_is_named() {
    let _alone = alone();
    let here = line!() + 2;
    let profile = profile(1, || {
        (0..100).into_par_iter().for_each(|item| sleep_ms(if item == 99 { 20.0 } else { 1.0 }));
    });
    let scaling = profile.scaling([1, 2, 16, 64]);
    let text = scaling.to_string();
    let Limit::Item { time, item: 99, site } = scaling.predictions()[3].limit() else { panic!("{text}") };
    assert!(*time >= Duration::from_millis(20), "{text}");
    assert_eq!(*site, format!("{}:{here}", file!()), "{text}");
    assert_eq!(*scaling.predictions()[0].limit(), Limit::Work, "{text}");
    assert!(text.contains("workers on, the longest item is the limit (2"), "{text}");
    assert!(text.contains("item 99 of "), "{text}");
    println!("{text}");
}

#[test]
fn a_serial_part_is_named() {
    let _alone = alone();
    let profile = profile(1, || {
        sleep_ms(30.0);
        (0..70).into_par_iter().for_each(|_| sleep_ms(1.0));
    });
    let scaling = profile.scaling([1, 8, 64]);
    let text = scaling.to_string();
    assert!(matches!(scaling.predictions()[2].limit(), Limit::Serial { .. }), "{text}");
    assert!(text.contains("from 8 workers on, a serial part of "), "{text}");
    // Sleepers are late by as much for each of 71 items.
    let speed_up = scaling.predictions()[2].speed_up();
    assert!((2.5..5.0).contains(&speed_up), "{text}");
    println!("{text}");
}

#[test]
fn a_lock_that_items_hold_is_named() {
    let _alone = alone();
    let lock = Mutex::new(());
    let program = || {
        (0..40).into_par_iter().for_each(|_| {
            let _guard = lock.lock();
            let since = Instant::now();
            while since.elapsed() < Duration::from_millis(1) {}
        });
    };
    // Where others have the processor most of the time, it is them that items wait for.
    let scalings = (0..ATTEMPTS).map(|_| profile(4, program).scaling([4, 16]));
    let texts: Vec<String> = scalings.map(|scaling| scaling.to_string()).collect();
    let named = "from 4 workers on, waiting in items is the limit, as for a lock";
    assert!(texts.iter().any(|text| text.contains(named)), "{texts:#?}");
}

#[test]
fn items_that_compute_wait_for_little() {
    let _alone = alone();
    let profile = profile(1, || {
        (0..40).into_par_iter().for_each(|_| {
            let since = Instant::now();
            while since.elapsed() < Duration::from_millis(1) {}
        });
    });
    // A machine that is busy with other things takes the processor away.
    assert!(profile.scaling([2]).waiting() < 0.8, "{}", profile.scaling([2]));
}

#[test]
fn a_recording_is_the_same_from_a_file() {
    let profile = profile(2, || {
        (0..50).into_par_iter().for_each(|_| sleep_ms(0.2));
        leaves(4);
    });
    let recording = profile.recording();
    let json = recording.to_json();
    assert_eq!(Recording::from_json(&json).expect("as it was written"), recording);
    assert_eq!(recording.calls().len(), 1 + 1 + 3, "{json}");
    assert_eq!(recording.left_out(), 0);
}

#[test]
fn joins_scopes_and_loops_in_them_are_busy_time_once() {
    let _alone = alone();
    let here = line!() + 3;
    let profile = profile(2, || {
        taskel::join(
            || (0..4).into_par_iter().for_each(|_| sleep_ms(5.0)),
            || taskel::scope(|scope| (0..4).for_each(|_| scope.spawn(|_| sleep_ms(5.0)))),
        );
    });
    let (busy, wall) = (profile.taskel_time(), profile.wall_time());
    // Sleepers are late, and whoever waits for the other is not busy.
    assert!(busy >= Duration::from_millis(38) && busy <= 2 * wall, "{profile}");
    assert!(profile.speed_up() > 1.0, "{profile}");
    let place = &profile.loops()[0];
    assert_eq!(place.site(), format!("{}:{here}", file!()), "{profile}");
    assert_eq!((place.calls(), place.items()), (1, 4));
}
