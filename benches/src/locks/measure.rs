//! How a lock is timed: by one thread, by two threads, by some processes.

use super::Peer;
use crate::{
    result::Cell,
    stats::median,
    turns::{Turn, take_turns},
};
use shm_lock::{Locks, ShmLayout, ShmRegion};
use std::{
    cell::RefCell,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Who wants the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contention {
    /// One thread alone.
    None,
    /// Two threads of one process.
    Threads,
    /// So many processes, [`MOST`] at most.
    Processes(usize),
}

/// How many can want a lock at the same time.
pub const MOST: usize = 8;

/// How long a sample lasts for each two of those who take part.
const WINDOW: Duration = Duration::from_millis(10);

/// Visits between two looks at whether the window is over.
const BATCH: u32 = 32;

/// A number of each who takes part.
#[derive(Default)]
#[repr(C)]
pub(super) struct Numbers(pub(super) [AtomicU64; MOST]);

// SAFETY: `repr(C)` and made of atomic words.
unsafe impl ShmLayout for Numbers {
    fn describe(text: &mut String) {
        text.push_str("Numbers");
    }

    fn visit_locks(&self, _: &mut Locks<'_>) {}
}

shm_lock::region! {
    struct Control {
        ready: AtomicU32,
        /// 0 before the sample, 1 during, 2 after.
        go: AtomicU32,
        /// How often each was in.
        visits: Numbers,
    }
}

/// Times all `peers` that can be used so, `repetitions` times, taking turns: nanoseconds per
/// acquisition, by whomever. The note says how many acquisitions the one with most had for each of
/// the one with least.
///
/// # Panics
/// Panics if a peer counts wrong.
#[must_use]
pub fn measure(
    peers: &[Box<dyn Peer>],
    contention: Contention,
    iterations: u32,
    repetitions: usize,
) -> Vec<Cell> {
    let usable =
        peers.iter().filter(|peer| !matches!(contention, Contention::Processes(_)) || peer.is_shared());
    let unfairness: Vec<RefCell<Vec<f64>>> = usable.clone().map(|_| RefCell::default()).collect();
    let turns = usable.zip(&unfairness).map(|(peer, unfairness)| {
        Turn::new(peer.name(), move || {
            let (ns, ratio) = sample(peer.as_ref(), contention, iterations);
            unfairness.borrow_mut().push(ratio);
            ns
        })
    });
    let mut cells = take_turns(&mut turns.collect::<Vec<_>>(), repetitions);
    if contention != Contention::None {
        for (cell, unfairness) in cells.iter_mut().zip(unfairness) {
            cell.note = Some(format!("{:.2}:1", median(&unfairness.into_inner())));
        }
    }
    cells
}

/// Nanoseconds per acquisition, and the ratio of acquisitions.
fn sample(peer: &dyn Peer, contention: Contention, iterations: u32) -> (f64, f64) {
    match contention {
        Contention::None => (alone(peer, iterations), 1.0),
        Contention::Threads => together(peer, iterations, 2, as_threads),
        Contention::Processes(number) => together(peer, iterations, number, as_processes),
    }
}

/// Doubles the number of visits until they take about a millisecond.
fn alone(peer: &dyn Peer, iterations: u32) -> f64 {
    let mut visit = peer.visitor(iterations);
    let mut visits = 1000;
    loop {
        let start = Instant::now();
        visit(visits);
        let elapsed = start.elapsed();
        if elapsed >= Duration::from_micros(800) {
            return elapsed.as_nanos() as f64 / f64::from(visits);
        }
        visits *= 2;
    }
}

/// How [`together`] starts those who take part, by their numbers, and the clock beside them.
type Run = fn(usize, &(dyn Fn(usize) + Sync), &mut dyn FnMut());

/// Lets as many visit the lock at the same time for as long as a sample lasts. Two have a core each;
/// more are where the system puts them.
fn together(peer: &dyn Peer, iterations: u32, number: usize, run: Run) -> (f64, f64) {
    let before = peer.count();
    let control = Control { ready: AtomicU32::new(0), go: AtomicU32::new(0), visits: Numbers::default() };
    let control = ShmRegion::memfd("control", control).expect("shared memory");
    let visitor = |which: usize| {
        if number == 2 {
            core_affinity::set_for_current(core_affinity::CoreId { id: which });
        }
        let mut visit = peer.visitor(iterations);
        visit(BATCH);
        let mut visits = u64::from(BATCH);
        control.ready.fetch_add(1, Ordering::Relaxed);
        while control.go.load(Ordering::Acquire) == 0 {
            std::hint::spin_loop();
        }
        while control.go.load(Ordering::Relaxed) == 1 {
            visit(BATCH);
            visits += u64::from(BATCH);
        }
        control.visits.0[which].store(visits, Ordering::Release);
    };
    let mut elapsed = Duration::ZERO;
    let mut clock = || {
        while control.ready.load(Ordering::Relaxed) < number as u32 {
            thread::yield_now();
        }
        let start = Instant::now();
        control.go.store(1, Ordering::Release);
        thread::sleep(WINDOW * number as u32 / 2);
        control.go.store(2, Ordering::Release);
        elapsed = start.elapsed();
    };
    run(number, &visitor, &mut clock);
    let visits: Vec<u64> =
        control.visits.0[..number].iter().map(|visits| visits.load(Ordering::Acquire)).collect();
    let total: u64 = visits.iter().sum();
    let increases = visits.iter().map(|visits| visits.div_ceil(peer.every()));
    let counted = if iterations > 0 { increases.sum() } else { 0 };
    assert_eq!(peer.count() - before, counted, "{} counts wrong", peer.name());
    let timed = total - (number as u64) * u64::from(BATCH);
    let least = visits.iter().min().expect("somebody takes part");
    let most = visits.iter().max().expect("somebody takes part");
    (elapsed.as_nanos() as f64 / timed as f64, *most as f64 / *least as f64)
}

fn as_threads(number: usize, visitor: &(dyn Fn(usize) + Sync), clock: &mut dyn FnMut()) {
    thread::scope(|scope| {
        for which in 0..number {
            scope.spawn(move || visitor(which));
        }
        clock();
    });
}

pub(super) fn as_processes(number: usize, visitor: &(dyn Fn(usize) + Sync), clock: &mut dyn FnMut()) {
    let children = (0..number).map(|which| {
        // SAFETY: there is no other thread now, so the child is as whole as its parent.
        let child = unsafe { libc::fork() };
        assert!(child >= 0, "fork: {}", std::io::Error::last_os_error());
        if child == 0 {
            visitor(which);
            // SAFETY: ends the child without what belongs to the parent.
            unsafe { libc::_exit(0) };
        }
        child
    });
    let children: Vec<_> = children.collect();
    clock();
    for child in children {
        let mut status = 0;
        // SAFETY: `status` is writable.
        let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert!(waited == child && status == 0, "a visitor ended with status {status:#x}");
    }
}
