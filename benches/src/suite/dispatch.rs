//! How long does it take until another thread has done something, and the caller knows?
//!
//! A dispatch is a fork of two empty pieces of work, one of which must run on another thread: with
//! joins, the first side spins until the second, on another thread, has raised a flag. chili is
//! left out of that: it shares a fork only at a heartbeat, and only forks that are pending then.

use super::Context;
use crate::{
    cpu,
    result::{Group, Row, Shown},
    turns::{Sample, Turn, take_turns},
};
use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// The caller and one other.
const THREADS: usize = 2;

/// Raises a flag from the second side of a join.
macro_rules! dispatch {
    ($($join:tt)+) => {{
        let done = AtomicBool::new(false);
        let start = Instant::now();
        $($join)+(
            || {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            },
            || done.store(true, Ordering::Relaxed),
        );
        start.elapsed()
    }};
}

pub(super) fn run(context: &Context) -> Vec<Group> {
    if context.threads < THREADS {
        return Vec::new();
    }
    let taskel = taskel::ThreadPool::builder().num_threads(THREADS).build().expect("a pool");
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("a pool");
    let gaps = [("at once", 0), ("after 1 ms", 1), ("after 100 ms", 100)];
    let wanted = gaps.into_iter().filter(|(name, _)| context.wants_row(name));
    let rows = wanted.map(|(name, gap)| {
        let mut turns = turns(Duration::from_millis(gap), &taskel, &rayon);
        turns.retain(|turn| context.wants_peer(&turn.peer));
        Row { name: name.to_owned(), bound: None, cells: take_turns(&mut turns, context.reps) }
    });
    let group = Group {
        name: "dispatch".to_owned(),
        title: "Until another thread has done something and the caller knows; and the processor time of all threads in the pause before"
            .to_owned(),
        unit: "ns".to_owned(),
        shown: Shown::Value,
        rows: rows.collect(),
        cores_of_others: None,
    };
    vec![group]
}

fn turns<'a>(gap: Duration, taskel: &'a taskel::ThreadPool, rayon: &'a rayon::ThreadPool) -> Vec<Turn<'a>> {
    let mut turns = vec![
        Turn::new("rayon, outside", move || sample(gap, || dispatch!(rayon.join))),
        Turn::new("rayon, inside", move || sample(gap, || rayon.install(|| dispatch!(rayon::join)))),
        Turn::new("taskel, outside", move || sample(gap, || dispatch!(taskel.join))),
        Turn::new("taskel, inside", move || sample(gap, || taskel.scope(|_| dispatch!(taskel::join)))),
        Turn::new("taskel, outside, kept hot", move || {
            let _hot = taskel.keep_hot();
            sample(gap, || dispatch!(taskel.join))
        }),
        Turn::new("taskel, inside, kept hot", move || {
            let _hot = taskel.keep_hot();
            sample(gap, || taskel.scope(|_| dispatch!(taskel::join)))
        }),
    ];
    // Its threads spin as long as the pool lives.
    #[cfg(feature = "fork-union")]
    turns.push(Turn::new("ForkUnion, for_threads", move || {
        let mut pool = crate::peers::fork_union::spawn(THREADS);
        sample(gap, || {
            let start = Instant::now();
            pool.for_threads(&|_, _| ()).join();
            start.elapsed()
        })
    }));
    if gap.is_zero() {
        turns.insert(0, Turn::new("two spinning threads", ping_pong));
    }
    turns
}

/// One dispatch after a pause, with the processor time of the pause; or the mean of many without a
/// pause.
fn sample(gap: Duration, mut dispatch: impl FnMut() -> Duration) -> Sample {
    if gap.is_zero() {
        // The first ones wake whoever slept meanwhile.
        const HOT: u32 = 1000;
        for _ in 0..100 {
            dispatch();
        }
        let all = (0..HOT).map(|_| dispatch()).sum::<Duration>();
        return (all.as_nanos() as f64 / f64::from(HOT)).into();
    }
    dispatch();
    let before = cpu::process_ns();
    thread::sleep(gap);
    let cpu = cpu::process_ns() - before;
    Sample { value: dispatch().as_nanos() as f64, cpu: Some(cpu) }
}

/// The floor: two threads that spin hand a flag to and fro.
fn ping_pong() -> f64 {
    const ROUNDS: u32 = 20_000;
    let turn = AtomicU32::new(0);
    let wait_for = |value| {
        while turn.load(Ordering::Acquire) != value {
            std::hint::spin_loop();
        }
    };
    thread::scope(|s| {
        s.spawn(|| {
            for round in 0..ROUNDS {
                wait_for(2 * round + 1);
                turn.store(2 * round + 2, Ordering::Release);
            }
        });
        let start = Instant::now();
        for round in 0..ROUNDS {
            turn.store(2 * round + 1, Ordering::Release);
            wait_for(2 * round + 2);
        }
        start.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
    })
}
