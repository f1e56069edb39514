//! How long the one waits that waits longest.

use super::{
    Peer,
    measure::{MOST, Numbers, as_processes},
};
use crate::{
    result::Cell,
    turns::{Turn, take_turns},
};
use shm_lock::ShmRegion;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// Processes that take one lock again and again.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// How many there are whose turns are timed.
    pub timed: usize,
    /// How many there are besides, whose turns are not.
    pub others: usize,
    /// For how many iterations each keeps the lock: those who are timed, and the others.
    pub iterations: (u32, u32),
}

/// The longest turn of any process of the crowd within `window`, from before it asks for the lock
/// to after it gave it back, in milliseconds: of all `peers` that processes can share, `repetitions`
/// times, taking turns.
///
/// # Panics
/// Panics if the crowd is larger than [`MOST`].
#[must_use]
pub fn longest(peers: &[Box<dyn Peer>], crowd: Crowd, window: Duration, repetitions: usize) -> Vec<Cell> {
    let shared = peers.iter().filter(|peer| peer.is_shared());
    let turns = shared.map(|peer| Turn::new(peer.name(), move || sample(peer.as_ref(), crowd, window)));
    take_turns(&mut turns.collect::<Vec<_>>(), repetitions)
}

fn sample(peer: &dyn Peer, crowd: Crowd, window: Duration) -> f64 {
    assert!(crowd.timed + crowd.others <= MOST, "no more than {MOST} processes");
    let longest = ShmRegion::memfd("longest", Numbers::default()).expect("shared memory");
    let visitor = |which: usize| {
        let is_timed = which < crowd.timed;
        let mut visit = peer.visitor(if is_timed { crowd.iterations.0 } else { crowd.iterations.1 });
        let end = Instant::now() + window;
        let mut most = Duration::ZERO;
        let mut before = Instant::now();
        while before < end {
            visit(1);
            let after = Instant::now();
            most = most.max(after - before);
            before = after;
        }
        if is_timed {
            longest.0[which].store(most.as_nanos() as u64, Ordering::Release);
        }
    };
    as_processes(crowd.timed + crowd.others, &visitor, &mut || ());
    let most = longest.0.iter().map(|ns| ns.load(Ordering::Acquire)).max();
    most.expect("somebody takes part") as f64 / 1e6
}
