//! How many items are begun after a loop's end is known: at most two by each lane, whatever chunks
//! it has claimed.
//!
//! Items are quick up to the one that ends the loop, and from then on take milliseconds, wherever
//! they are: so a lane is in the midst of a chunk that was cut for quick ones. Each lane may be
//! about to begin an item when the end comes, and one more as it comes to be known.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{CancelToken, Cancelled, Chunk, ThreadPool};

#[path = "support/watchdog.rs"]
mod watchdog;

const MOST_LANES: usize = 33;

/// The items of a loop.
const LEN: usize = 6_000;

/// The one that ends it, after as many quick ones as there may be.
const HIT: usize = 3_000;

/// Counts the items that each lane begins after the end.
struct Probe {
    hit: AtomicBool,
    after: [AtomicUsize; MOST_LANES],
    token: CancelToken,
}

impl Probe {
    fn new() -> Self {
        Probe {
            hit: AtomicBool::new(false),
            after: [const { AtomicUsize::new(0) }; MOST_LANES],
            token: CancelToken::new(),
        }
    }

    /// An item; true if it ends the loop.
    #[inline]
    fn item(&self, index: usize) -> bool {
        self.gathered_item(index);
        if index == HIT {
            self.hit.store(true, Relaxed);
        }
        index == HIT
    }

    /// An item that by itself does not end the loop.
    #[inline]
    fn gathered_item(&self, index: usize) -> usize {
        work();
        if self.hit.load(Relaxed) {
            self.slow_item();
        }
        index
    }

    /// An item of a loop in which those before the end are still wanted.
    #[inline]
    fn item_in_order(&self, index: usize) -> bool {
        work();
        if index > HIT && self.hit.load(Relaxed) {
            self.slow_item();
        }
        if index == HIT {
            self.hit.store(true, Relaxed);
        }
        index == HIT
    }

    #[cold]
    fn slow_item(&self) {
        let lane = taskel::current_thread_index().unwrap_or(MOST_LANES - 1);
        // Enough to see that it is too many.
        if self.after[lane].fetch_add(1, Relaxed) < 10 {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The item as one that may end the loop by failing.
    #[inline]
    fn fails(&self, index: usize, ordered: bool) -> Result<usize, ()> {
        let hit = if ordered { self.item_in_order(index) } else { self.item(index) };
        if hit { Err(()) } else { Ok(index) }
    }

    #[inline]
    fn panics(&self, index: usize) -> usize {
        if self.item(index) {
            std::panic::resume_unwind(Box::new("hit"));
        }
        index
    }

    #[inline]
    fn cancels(&self, index: usize) -> usize {
        if self.item(index) {
            self.token.cancel();
        }
        index
    }

    /// The most that any lane began.
    fn worst(&self) -> usize {
        self.after.iter().map(|after| after.load(Relaxed)).max().unwrap_or(0)
    }
}

/// Some 50 ns, optimised: items below 20 ns are not looked between one by one, nor are those below
/// 200 ns that are not optimised.
#[inline]
fn work() {
    let mut x = std::hint::black_box(1_u64);
    for _ in 0..if cfg!(debug_assertions) { 1000 } else { 200 } {
        x = x.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(7);
    }
    std::hint::black_box(x);
}

fn indices() -> taskel::iter::RangeIter<usize> {
    (0..LEN).into_par_iter()
}

fn panics(run: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
}

/// A loop that is cancelled with its last item is complete.
fn perhaps_panics(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        assert!(payload.is::<Cancelled>());
    }
}

type Member = (&'static str, &'static str, fn(&Probe));

/// The members for which it does not matter where the items `0..LEN` come from.
macro_rules! members_of {
    ($mode:literal, ordered: $ordered:literal, $items:expr) => {
        [
            ($mode, "find_any", |p| assert_eq!($items.find_any(|&n| p.item(n)), Some(HIT))),
            ($mode, "any", |p| assert!($items.any(|n| p.item(n)))),
            ($mode, "all", |p| assert!(!$items.all(|n| !p.item(n)))),
            ($mode, "find_map_any", |p| {
                assert_eq!($items.find_map_any(|n| p.item(n).then_some(n)), Some(HIT));
            }),
            ($mode, "find_first", |p| assert_eq!($items.find_first(|&n| p.item_in_order(n)), Some(HIT))),
            ($mode, "find_last", |p| {
                assert_eq!($items.find_last(|&n| p.item_in_order(LEN - n)), Some(LEN - HIT));
            }),
            ($mode, "try_for_each", |p| {
                assert_eq!($items.try_for_each(|n| p.fails(n, $ordered).map(drop)), Err(()));
            }),
            ($mode, "try_reduce", |p| {
                assert_eq!(
                    $items.map(|n| p.fails(n, $ordered)).try_reduce(|| 0, |a, b| Ok(a.max(b))),
                    Err(())
                );
            }),
            ($mode, "try_fold, try_reduce", |p| {
                let folded = $items.try_fold(|| 0, |_, n| p.fails(n, $ordered));
                assert_eq!(folded.try_reduce(|| 0, |a, b| Ok(a.max(b))), Err(()));
            }),
            ($mode, "fold, any", |p| {
                let folded = $items.fold(|| false, |hit, n| hit | (p.gathered_item(n) == HIT));
                assert!(folded.any(|hit| {
                    p.hit.fetch_or(hit, Relaxed);
                    hit
                }));
            }),
            ($mode, "filter, any", |p| assert!($items.filter(|&n| p.item(n)).any(|_| true))),
            ($mode, "filter, take_any", |p| {
                assert_eq!($items.filter(|&n| p.item(n)).take_any(1).count(), 1);
            }),
            ($mode, "take_any", |p| {
                let taken = $items.inspect(|&n| _ = p.gathered_item(n)).take_any(1);
                taken.for_each(|_| p.hit.store(true, Relaxed));
            }),
            ($mode, "while_some", |p| _ = $items.map(|n| p.fails(n, $ordered).ok()).while_some().count()),
            ($mode, "collect Result", |p| {
                assert!($items.map(|n| p.fails(n, $ordered)).collect::<Result<Vec<_>, ()>>().is_err());
            }),
            ($mode, "panic in for_each", |p| panics(|| $items.for_each(|n| _ = p.panics(n)))),
            ($mode, "panic in collect", |p| panics(|| _ = $items.map(|n| p.panics(n)).collect::<Vec<_>>())),
            ($mode, "panic in filter, count", |p| {
                panics(|| _ = $items.filter(|&n| p.panics(n) > LEN).count());
            }),
            ($mode, "panic in sum", |p| panics(|| _ = $items.map(|n| p.panics(n)).sum::<usize>())),
            ($mode, "panic in a float sum", |p| {
                panics(|| _ = $items.map(|n| p.panics(n) as f32).sum::<f32>());
            }),
            ($mode, "panic in reduce", |p| {
                panics(|| _ = $items.map(|n| p.panics(n)).reduce(|| 0, usize::max))
            }),
            ($mode, "panic in fold", |p| panics(|| _ = $items.fold(|| 0, |_, n| p.panics(n)).sum::<usize>())),
            ($mode, "cancel, for_each", |p| {
                perhaps_panics(|| $items.with_cancel_token(&p.token).for_each(|n| _ = p.cancels(n)));
            }),
            ($mode, "cancel, try_for_each", |p| {
                let all = $items.with_cancel_token(&p.token).try_for_each(|n| {
                    p.cancels(n);
                    Ok(())
                });
                assert!(all.is_ok() || all == Err(Cancelled));
            }),
            ($mode, "cancel, collect", |p| {
                perhaps_panics(|| {
                    _ = $items.map(|n| p.cancels(n)).with_cancel_token(&p.token).collect::<Vec<_>>()
                });
            }),
            ($mode, "cancel, filter, sum", |p| {
                perhaps_panics(|| {
                    _ = $items.with_cancel_token(&p.token).filter(|&n| p.cancels(n) > LEN).sum::<usize>();
                });
            }),
        ]
    };
}

const PLAIN: [Member; 26] = members_of!("as they are", ordered: false, indices());
const LEAST: [Member; 26] = members_of!("with_min_len(50)", ordered: false, indices().with_min_len(50));
const EXACT: [Member; 26] = members_of!("Exact(50)", ordered: false, indices().chunk(Chunk::Exact(50)));
const DETERMINISTIC: [Member; 26] = members_of!("deterministic", ordered: true, indices().deterministic());
const FLAT_MAP_ITER: [Member; 26] = members_of!(
    "flat_map_iter", ordered: false,
    (0..LEN / 100).into_par_iter().flat_map_iter(|n| (0..100).map(move |m| n * 100 + m))
);
const FLAT_MAP: [Member; 26] = members_of!(
    "flat_map", ordered: false,
    (0..LEN / 100).into_par_iter().flat_map(|n| (0..100).into_par_iter().map(move |m| n * 100 + m))
);
const FLAT_MAP_EXACT: [Member; 26] = members_of!(
    "flat_map, Exact(50)", ordered: false,
    (0..LEN / 100)
        .into_par_iter()
        .flat_map(|n| (0..100).into_par_iter().chunk(Chunk::Exact(50)).map(move |m| n * 100 + m))
);

const OTHERS: &[Member] = &[
    ("as they are", "position_any", |p| assert_eq!(indices().position_any(|n| p.item(n)), Some(HIT))),
    ("with_min_len(50)", "position_any", |p| {
        assert_eq!(indices().with_min_len(50).position_any(|n| p.item(n)), Some(HIT));
    }),
    ("Exact(50)", "position_any", |p| {
        assert_eq!(indices().chunk(Chunk::Exact(50)).position_any(|n| p.item(n)), Some(HIT));
    }),
    ("as they are", "positions, any", |p| assert!(indices().positions(|n| p.item(n)).any(|_| true))),
    ("as they are", "take_any_while", |p| _ = indices().take_any_while(|&n| !p.item(n)).count()),
    ("chain", "any", |p| assert!((0..10).into_par_iter().chain(10..LEN).any(|n| p.item(n)))),
    ("a vector", "find_any", |p| {
        assert_eq!((0..LEN).collect::<Vec<_>>().into_par_iter().find_any(|&n| p.item(n)), Some(HIT));
    }),
    ("flat_map_iter to nothing", "any", |p| {
        assert!(indices().flat_map_iter(|n| p.item(n).then_some(n)).any(|_| true));
    }),
    ("flat_map, filter", "any", |p| {
        let inner = |n| (0..100).into_par_iter().map(move |m| n * 100 + m);
        assert!((0..LEN / 100).into_par_iter().flat_map(inner).filter(|&n| p.item(n)).any(|_| true));
    }),
    ("par_split", "any", |p| {
        let all: Vec<usize> = (0..LEN).collect();
        let parts = all.par_split(|n| n % 4 == 3);
        assert!(parts.any(|part| part.first().is_some_and(|&n| p.item(n + HIT % 4))));
    }),
    ("par_bridge", "any", |p| assert!((0..LEN).par_bridge().any(|n| p.item(n)))),
];

fn members() -> impl Iterator<Item = &'static Member> {
    [&PLAIN, &LEAST, &EXACT, &DETERMINISTIC, &FLAT_MAP_ITER, &FLAT_MAP, &FLAT_MAP_EXACT]
        .into_iter()
        .flatten()
        .chain(OTHERS)
        // What `take_any` has taken enough of, only what is behind it knows: a `filter` before it
        // looks for one more among the items that came of one.
        .filter(|&&(mode, name, _)| (mode, name) != ("flat_map_iter", "filter, take_any"))
}

/// How many items each lane may begin.
const MOST_AFTER: usize = 2;

/// One call of a member: the most items that a lane began after the end.
fn call(pool: &ThreadPool, &(mode, name, member): &Member) -> usize {
    let probe = Probe::new();
    let run = catch_unwind(AssertUnwindSafe(|| pool.install(|| member(&probe))));
    assert!(run.is_ok(), "{mode}: {name} on {} lanes: another result", pool.current_num_threads());
    probe.worst()
}

/// So many runs of each member.
fn runs() -> usize {
    std::env::var("TASKEL_EARLY_ENDS").map_or(1, |runs| runs.parse().expect("a number of runs"))
}

/// What the system takes from the lane that ends the loop, the others have: so each run may be
/// tried three times. It says how many were.
fn no_lane_begins_more_than_two_items_after_the_end(threads: usize) {
    let _watchdog = watchdog::watch("loops that end early");
    let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
    let mut again = 0;
    for member @ (mode, name, _) in members() {
        for _ in 0..runs() {
            let tries: Vec<usize> =
                (0..3).map(|_| call(&pool, member)).take_while(|&after| after > MOST_AFTER).collect();
            again += tries.len();
            if !tries.is_empty() {
                eprintln!("{mode}: {name} on {threads} lanes: {tries:?} items after the end");
            }
            assert!(tries.len() < 3, "{mode}: {name} on {threads} lanes: {tries:?} items after the end");
        }
    }
    eprintln!("{threads} lanes: {} runs, {again} tried again", members().count() * runs());
}

#[test]
fn a_single_lane_begins_at_most_two_items_after_the_end() {
    no_lane_begins_more_than_two_items_after_the_end(1);
}

#[test]
fn each_of_2_lanes_begins_at_most_two_items_after_the_end() {
    no_lane_begins_more_than_two_items_after_the_end(2);
}

#[test]
fn each_of_5_lanes_begins_at_most_two_items_after_the_end() {
    no_lane_begins_more_than_two_items_after_the_end(5);
}

#[test]
fn each_of_16_lanes_begins_at_most_two_items_after_the_end() {
    no_lane_begins_more_than_two_items_after_the_end(16);
}

/// A fold yields nothing before its end; so it has to end now and then, where that may end the
/// loop.
#[test]
fn a_fold_gathers_a_small_part_before_what_follows_can_end_the_loop() {
    for threads in [1, 2, 5] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        let begun = AtomicUsize::new(0);
        let folded = (0..400_000_usize).into_par_iter().on(&pool).fold(
            || 0,
            |all: usize, n| {
                begun.fetch_add(1, Relaxed);
                all ^ n
            },
        );
        assert!(folded.find_any(|_| true).is_some());
        let begun = begun.into_inner();
        assert!(begun <= (threads + 1) * 400_000 / 32, "{begun} of 400000 items on {threads} lanes");
    }
}

/// Where nothing ends the loop, a fold is as long as a partial.
#[test]
fn a_fold_on_one_lane_yields_one_result_where_nothing_ends_the_loop() {
    let pool = ThreadPool::builder().num_threads(1).build().unwrap();
    assert_eq!(indices().on(&pool).fold(|| 0, |all: usize, n| all ^ n).count(), 1);
}

/// What lies behind a match in the same chunk is still wanted, also where the chunk is run in
/// parts.
#[test]
fn the_last_match_of_a_chunk_is_found_behind_others() {
    for threads in [1, 2, 5] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for chunk in [Chunk::Auto, Chunk::Exact(1 << 18)] {
            let last = (0..1_usize << 20).into_par_iter().on(&pool).chunk(chunk).find_last(|n| n % 1000 == 0);
            assert_eq!(last, Some(1_048_000), "{threads} threads, {chunk:?}");
        }
        let inner = |n| (0..5000).into_par_iter().map(move |m| 5000 * n + m);
        let last = (0..100_usize).into_par_iter().on(&pool).flat_map(inner).find_last(|n| n % 700 == 0);
        assert_eq!(last, Some(499_800), "{threads} threads");
    }
}
