//! How many items are begun after a loop's end is known, where items are too quick to be looked
//! between: as many as a part of a chunk has, however long the chunk is, or as `with_max_len` says.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool};

const MOST_LANES: usize = 33;

/// Counts the items that each lane begins after the end.
struct Probe {
    hit: AtomicBool,
    at: usize,
    /// How many of the items after the end take long.
    slow: usize,
    after: [AtomicUsize; MOST_LANES],
}

impl Probe {
    fn new(at: usize, slow: usize) -> Self {
        Probe { hit: AtomicBool::new(false), at, slow, after: [const { AtomicUsize::new(0) }; MOST_LANES] }
    }

    /// An item of a nanosecond, before the end; true if it ends the loop.
    #[inline]
    fn item(&self, index: usize) -> bool {
        if self.hit.load(Relaxed) {
            self.late_item();
        }
        let ends = index == self.at;
        if ends {
            self.hit.store(true, Relaxed);
        }
        ends
    }

    #[cold]
    fn late_item(&self) {
        let lane = taskel::current_thread_index().unwrap_or(MOST_LANES - 1);
        if self.after[lane].fetch_add(1, Relaxed) < self.slow {
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn worst(&self) -> usize {
        self.after.iter().map(|after| after.load(Relaxed)).max().unwrap_or(0)
    }
}

fn on_pools(act: impl Fn(&ThreadPool, usize)) {
    for threads in [1, 2, 5, 16] {
        act(&ThreadPool::builder().num_threads(threads).build().unwrap(), threads);
    }
}

/// A chunk of half a million items is left within 32 µs, as items were measured: an eighth of it
/// would be 64000 items of half a nanosecond.
#[test]
fn a_chunk_of_quick_items_is_left_long_before_its_end() {
    const LEN: usize = 1 << 22;
    const CHUNK: usize = LEN / 8;
    on_pools(|pool, threads| {
        for (name, find) in [
            (
                "Exact",
                (|p| (0..LEN).into_par_iter().chunk(Chunk::Exact(CHUNK)).any(|n| p.item(n)))
                    as fn(&Probe) -> bool,
            ),
            ("with_min_len", |p| (0..LEN).into_par_iter().with_min_len(CHUNK).any(|n| p.item(n))),
            ("try_for_each", |p| {
                let all = (0..LEN).into_par_iter().chunk(Chunk::Exact(CHUNK));
                all.try_for_each(|n| if p.item(n) { None } else { Some(()) }).is_none()
            }),
        ] {
            for run in 0..5 {
                let tries: Vec<usize> = (0..3)
                    .map(|_| {
                        let probe = Probe::new(CHUNK / 16 + 777 * run, 1);
                        assert!(pool.install(|| find(&probe)));
                        probe.worst()
                    })
                    .take_while(|&after| after > CHUNK / 8)
                    .collect();
                assert!(tries.len() < 3, "{name} on {threads} lanes: {tries:?} items after the end");
            }
        }
    });
}

/// Whoever needs it for items of any kind says so.
#[test]
fn with_max_len_bounds_how_many_quick_items_follow_the_end() {
    const LEN: usize = 20_000;
    on_pools(|pool, threads| {
        for most in [1, 2, 10] {
            for run in 0..5 {
                let probe = Probe::new(LEN / 4 + 777 * run, 20);
                assert!(pool.install(|| (0..LEN).into_par_iter().with_max_len(most).any(|n| probe.item(n))));
                // One chunk may be claimed just before the end is known.
                let worst = probe.worst();
                assert!(worst <= most.max(2), "with_max_len({most}) on {threads} lanes: {worst} items");
            }
        }
    });
}
