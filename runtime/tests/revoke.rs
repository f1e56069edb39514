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

/// A loop with a waiting item.
type Looping = fn(&Neighbours, &Ledger);

/// So many items are tried to be the one that waits.
const TRIES: usize = 30;

/// Runs each of some loops with so many threads and a waiting item in one place after the other,
/// until a chunk has been cut: each time in a process of its own, for where a call site has been
/// even so far, chunks cannot be cut.
#[track_caller]
fn until_one_is_cut(test: &str, loops: &[(usize, Looping)]) {
    if let Some(case) = child::case() {
        let (number, waits) = case.split_once(' ').unwrap();
        let (threads, looping) = loops[number.parse::<usize>().unwrap()];
        return say_whether_one_is_cut(threads, looping, waits);
    }
    for number in 0..loops.len() {
        assert_some_are_cut(|waits| child::said(test, &format!("{number} {waits}"), &[]));
    }
}

fn say_whether_one_is_cut(threads: usize, looping: Looping, waits: &str) {
    let _watchdog = watch("an item that waits for its neighbour");
    let (pool, ledger) = (pool(threads), Ledger::default());
    let neighbours = Neighbours::new(waits.parse().unwrap());
    pool.install(|| looping(&neighbours, &ledger));
    ledger.assert_balanced("after a loop in which an item waited for its neighbour");
    println!("SAID {}", pool.metrics().total().revoked() > 0);
}

#[track_caller]
fn assert_some_are_cut(said: impl Fn(usize) -> String) {
    let cut = (WAITS..WAITS + TRIES).any(|waits| said(waits) == "true");
    assert!(cut, "items waited for a neighbour of their chunk, but none was cut");
}

#[test]
fn an_item_may_wait_for_the_next_one_of_its_chunk() {
    fn looping(neighbours: &Neighbours, _: &Ledger) {
        (0..LEN).into_par_iter().for_each(|item| neighbours.run(item));
    }
    let loops = [2, 3, 8].map(|threads| (threads, looping as Looping));
    until_one_is_cut("an_item_may_wait_for_the_next_one_of_its_chunk", &loops);
}

#[test]
fn so_may_a_granule_of_several_items() {
    fn looping(neighbours: &Neighbours, _: &Ledger) {
        (0..3 * LEN).into_par_iter().with_min_len(3).for_each(|item| {
            if item.is_multiple_of(3) {
                neighbours.run(item / 3);
            }
        });
    }
    until_one_is_cut("so_may_a_granule_of_several_items", &[(2, looping)]);
}

#[test]
fn what_is_collected_is_in_order() {
    fn exact(neighbours: &Neighbours, _: &Ledger) {
        let items = (0..LEN).into_par_iter().map(|item| {
            neighbours.run(item);
            item * 7
        });
        assert!(items.collect::<Vec<_>>().into_iter().eq((0..LEN).map(|item| item * 7)));
    }
    fn bounded(neighbours: &Neighbours, _: &Ledger) {
        let some = |item: usize| item.is_multiple_of(3).then_some(item * 7);
        let items = (0..LEN).into_par_iter().filter_map(|item| {
            neighbours.run(item);
            some(item)
        });
        assert!(items.collect::<Vec<_>>().into_iter().eq((0..LEN).filter_map(some)));
    }
    until_one_is_cut("what_is_collected_is_in_order", &[(2, exact), (2, bounded)]);
}

#[test]
fn what_is_folded_is_in_order() {
    fn looping(neighbours: &Neighbours, _: &Ledger) {
        let texts = (0..LEN).into_par_iter().fold(String::new, |text, item| {
            neighbours.run(item);
            text + &item.to_string() + " "
        });
        let all: String = (0..LEN).map(|item| item.to_string() + " ").collect();
        assert_eq!(texts.reduce(String::new, |a, b| a + &b), all);
    }
    until_one_is_cut("what_is_folded_is_in_order", &[(2, looping)]);
}

#[test]
fn items_that_are_moved_are_moved_once() {
    fn looping(neighbours: &Neighbours, ledger: &Ledger) {
        ledger.things(LEN).into_par_iter().for_each(|thing| neighbours.run(thing.value));
    }
    until_one_is_cut("items_that_are_moved_are_moved_once", &[(2, looping)]);
}

#[test]
fn when_an_item_panics_what_is_left_of_its_chunk_is_dropped_once() {
    fn looping(neighbours: &Neighbours, ledger: &Ledger) {
        let things = ledger.things(LEN);
        let looping = || {
            things.into_par_iter().for_each(|thing| {
                neighbours.run(thing.value);
                assert_ne!(thing.value, neighbours.waits, "this is the panic");
            });
        };
        catch_unwind(AssertUnwindSafe(looping)).expect_err("an item panics");
    }
    until_one_is_cut("when_an_item_panics_what_is_left_of_its_chunk_is_dropped_once", &[(2, looping)]);
}

#[test]
fn when_an_item_is_found_what_is_left_of_its_chunk_is_dropped_once() {
    fn any(neighbours: &Neighbours, ledger: &Ledger) {
        let found = ledger.things(LEN).into_par_iter().find_any(|thing| {
            neighbours.run(thing.value);
            thing.value == neighbours.waits
        });
        assert_eq!(found.map(|thing| thing.value), Some(neighbours.waits));
    }
    fn first(neighbours: &Neighbours, ledger: &Ledger) {
        let found = ledger.things(LEN).into_par_iter().find_first(|thing| {
            neighbours.run(thing.value);
            thing.value >= neighbours.waits
        });
        assert_eq!(found.map(|thing| thing.value), Some(neighbours.waits));
    }
    const TEST: &str = "when_an_item_is_found_what_is_left_of_its_chunk_is_dropped_once";
    until_one_is_cut(TEST, &[(2, any), (2, first)]);
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

    const TEST: &str = "an_item_may_wait_for_its_neighbour_without_membarrier";
    fn looping(neighbours: &Neighbours, _: &Ledger) {
        (0..LEN).into_par_iter().for_each(|item| neighbours.run(item));
    }
    if let Some(case) = child::case() {
        let (case, waits) = case.rsplit_once(' ').unwrap();
        let answer = match case {
            "refused" => libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32,
            "said to be done" => libc::SECCOMP_RET_ERRNO,
            _ => libc::SECCOMP_RET_KILL_PROCESS,
        };
        filter::answer(libc::SYS_membarrier, answer);
        return say_whether_one_is_cut(2, looping, waits);
    }
    let off = [("TASKEL_MEMBARRIER", "off")];
    let cases: [(&str, &[_]); 3] = [("refused", &[]), ("said to be done", &[]), ("death", &off)];
    for (case, settings) in cases {
        assert_some_are_cut(|waits| child::said(TEST, &format!("{case} {waits}"), settings));
    }
    let status = child::run(TEST, &format!("death {WAITS}")).status;
    assert_eq!(status.signal(), Some(libc::SIGSYS), "else the last case shows nothing");
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
    assert_eq!(pool.metrics().total().revoked(), 0);
}
