//! Chunks whose rest is taken away, because an item in them takes far longer than expected.
//!
//! An item that waits for its neighbour hangs unless another lane gets that neighbour, which was
//! claimed together with it. Nothing here depends on how long anything takes, except that items of
//! 63 ns to 4 µs are bundled (250 ns without membarrier) and that each of them is a block.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool};

#[cfg(target_os = "linux")]
#[path = "support/child.rs"]
mod child;
#[cfg(target_os = "linux")]
#[path = "support/filter.rs"]
mod filter;
#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/watchdog.rs"]
mod watchdog;

use ledger::Ledger;
use watchdog::watch;

/// Items in a loop.
const LEN: usize = 400;

/// An item on the way, at which chunks have grown.
const WAITS: usize = 150;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

/// Takes as long as an item must at least, so that it is a block of its own; ten times as long, on
/// a slow machine and without optimisation, would still be bundled.
fn short_work() {
    let since = Instant::now();
    while since.elapsed() < Duration::from_nanos(400) {
        std::hint::spin_loop();
    }
}

/// Lets one item wait until the one behind it has been run.
struct Neighbours {
    waits: usize,
    came: AtomicBool,
}

impl Neighbours {
    fn new(waits: usize) -> Self {
        Neighbours { waits, came: AtomicBool::new(false) }
    }

    fn run(&self, item: usize) {
        short_work();
        if item == self.waits {
            while !self.came.load(Ordering::Relaxed) {
                thread::yield_now();
            }
        } else if item == self.waits + 1 {
            self.came.store(true, Ordering::Relaxed);
        }
    }
}

/// A loop with a waiting item, at a call site of its own.
type Looping = fn(&Neighbours, &Ledger);

/// The instances of a function for several call sites: at one that has been even so far, chunks
/// cannot be cut.
macro_rules! sites {
    ($looping:ident) => {
        sites!($looping, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29)
    };
    ($looping:ident, $($site:literal)*) => {
        [$($looping::<$site> as Looping),*].into_iter()
    };
}

/// Runs loops with a waiting item in one place after the other, until a chunk has been cut.
#[track_caller]
fn until_one_is_cut(pool: &ThreadPool, sites: &mut impl Iterator<Item = Looping>) {
    let _watchdog = watch("an item that waits for its neighbour");
    let ledger = Ledger::default();
    let before = pool.metrics().total().revoked;
    let mut cut = false;
    for (looping, waits) in sites.zip(WAITS..) {
        let neighbours = Neighbours::new(waits);
        pool.install(|| looping(&neighbours, &ledger));
        ledger.assert_balanced("after a loop in which an item waited for its neighbour");
        cut = pool.metrics().total().revoked > before;
        if cut {
            break;
        }
    }
    assert!(cut, "items waited for a neighbour of their chunk, but none was cut");
}

#[test]
fn an_item_may_wait_for_the_next_one_of_its_chunk() {
    fn looping<const SITE: usize>(neighbours: &Neighbours, _: &Ledger) {
        (0..LEN).into_par_iter().for_each(|item| neighbours.run(item));
    }
    let mut sites = sites!(looping);
    for threads in [2, 3, 8] {
        until_one_is_cut(&pool(threads), &mut sites);
    }
}

#[test]
fn so_may_a_granule_of_several_items() {
    fn looping<const SITE: usize>(neighbours: &Neighbours, _: &Ledger) {
        (0..3 * LEN).into_par_iter().with_min_len(3).for_each(|item| {
            if item.is_multiple_of(3) {
                neighbours.run(item / 3);
            }
        });
    }
    until_one_is_cut(&pool(2), &mut sites!(looping));
}

#[test]
fn what_is_collected_is_in_order() {
    fn exact<const SITE: usize>(neighbours: &Neighbours, _: &Ledger) {
        let items = (0..LEN).into_par_iter().map(|item| {
            neighbours.run(item);
            item * 7
        });
        assert!(items.collect::<Vec<_>>().into_iter().eq((0..LEN).map(|item| item * 7)));
    }
    fn bounded<const SITE: usize>(neighbours: &Neighbours, _: &Ledger) {
        let some = |item: usize| item.is_multiple_of(3).then_some(item * 7);
        let items = (0..LEN).into_par_iter().filter_map(|item| {
            neighbours.run(item);
            some(item)
        });
        assert!(items.collect::<Vec<_>>().into_iter().eq((0..LEN).filter_map(some)));
    }
    until_one_is_cut(&pool(2), &mut sites!(exact));
    until_one_is_cut(&pool(2), &mut sites!(bounded));
}

#[test]
fn what_is_folded_is_in_order() {
    fn looping<const SITE: usize>(neighbours: &Neighbours, _: &Ledger) {
        let texts = (0..LEN).into_par_iter().fold(String::new, |text, item| {
            neighbours.run(item);
            text + &item.to_string() + " "
        });
        let all: String = (0..LEN).map(|item| item.to_string() + " ").collect();
        assert_eq!(texts.reduce(String::new, |a, b| a + &b), all);
    }
    until_one_is_cut(&pool(2), &mut sites!(looping));
}

#[test]
fn items_that_are_moved_are_moved_once() {
    fn looping<const SITE: usize>(neighbours: &Neighbours, ledger: &Ledger) {
        ledger.things(LEN).into_par_iter().for_each(|thing| neighbours.run(thing.value));
    }
    until_one_is_cut(&pool(2), &mut sites!(looping));
}

#[test]
fn when_an_item_panics_what_is_left_of_its_chunk_is_dropped_once() {
    fn looping<const SITE: usize>(neighbours: &Neighbours, ledger: &Ledger) {
        let things = ledger.things(LEN);
        let looping = || {
            things.into_par_iter().for_each(|thing| {
                neighbours.run(thing.value);
                assert_ne!(thing.value, neighbours.waits, "this is the panic");
            });
        };
        catch_unwind(AssertUnwindSafe(looping)).expect_err("an item panics");
    }
    until_one_is_cut(&pool(2), &mut sites!(looping));
}

#[test]
fn when_an_item_is_found_what_is_left_of_its_chunk_is_dropped_once() {
    fn any<const SITE: usize>(neighbours: &Neighbours, ledger: &Ledger) {
        let found = ledger.things(LEN).into_par_iter().find_any(|thing| {
            neighbours.run(thing.value);
            thing.value == neighbours.waits
        });
        assert_eq!(found.map(|thing| thing.value), Some(neighbours.waits));
    }
    fn first<const SITE: usize>(neighbours: &Neighbours, ledger: &Ledger) {
        let found = ledger.things(LEN).into_par_iter().find_first(|thing| {
            neighbours.run(thing.value);
            thing.value >= neighbours.waits
        });
        assert_eq!(found.map(|thing| thing.value), Some(neighbours.waits));
    }
    until_one_is_cut(&pool(2), &mut sites!(any));
    until_one_is_cut(&pool(2), &mut sites!(first));
}

#[test]
fn long_items_in_any_place_change_no_result() {
    let _watchdog = watch("a loop with long items in random places");
    let ledger = Ledger::default();
    let seed = AtomicUsize::new(1);
    for threads in [2, 3, 8] {
        let pool = pool(threads);
        for _ in 0..30 {
            let random = seed.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let (start, len) = (random >> 33 & 0x3FFF, random >> 50 & 31);
            let long = start..start + len;
            let things = ledger.things(20_000);
            let values: Vec<usize> = pool.install(|| {
                let run = |thing: ledger::Thing<'_>| {
                    if long.contains(&thing.value) {
                        thread::sleep(Duration::from_micros(200));
                    }
                    thing.value
                };
                things.into_par_iter().map(run).collect()
            });
            assert!(values.into_iter().eq(0..20_000));
        }
    }
    ledger.assert_balanced("long items");
}

/// Sandboxes answer a system call that they do not know in various ways: "no such call", a plain 0
/// as if it were done, death. The environment spares a program the last.
#[cfg(target_os = "linux")]
#[test]
fn an_item_may_wait_for_its_neighbour_without_membarrier() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    const TEST: &str = "an_item_may_wait_for_its_neighbour_without_membarrier";
    fn looping<const SITE: usize>(neighbours: &Neighbours, _: &Ledger) {
        (0..LEN).into_par_iter().for_each(|item| neighbours.run(item));
    }
    if let Some(case) = child::case() {
        let answer = match &*case {
            "refused" => libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32,
            "said to be done" => libc::SECCOMP_RET_ERRNO,
            _ => libc::SECCOMP_RET_KILL_PROCESS,
        };
        filter::answer(libc::SYS_membarrier, answer);
        return until_one_is_cut(&pool(2), &mut sites!(looping));
    }
    let run = |case, setting: Option<&str>| {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.envs(setting.map(|setting| ("TASKEL_MEMBARRIER", setting)));
        child::as_case(&mut program, TEST, case).output().unwrap()
    };
    for (case, setting) in [("refused", None), ("said to be done", None), ("death", Some("off"))] {
        let output = run(case, setting);
        assert!(output.status.success(), "{case}: {output:?}");
    }
    assert_eq!(run("death", None).status.signal(), Some(libc::SIGSYS), "else the last case shows nothing");
}

#[test]
fn chunks_of_one_unit_are_never_cut() {
    let pool = pool(2);
    for _ in 0..10 {
        pool.install(|| {
            let slow = |item: usize| {
                if item.is_multiple_of(16) {
                    thread::sleep(Duration::from_micros(200));
                }
            };
            (0..256).into_par_iter().with_max_len(1).for_each(slow);
            (0..256).into_par_iter().chunk(Chunk::Exact(16)).for_each(slow);
        });
    }
    assert_eq!(pool.metrics().total().revoked, 0);
}
