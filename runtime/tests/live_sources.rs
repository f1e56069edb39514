//! Streams and bridges whose items or sources are slow: all lanes are at work, and nothing that was
//! pulled waits for the source.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread::sleep;
use std::time::{Duration, Instant};

use taskel::ThreadPool;
use taskel::prelude::*;

#[path = "support/watchdog.rs"]
mod watchdog;

const SLOW: Duration = Duration::from_millis(20);

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

/// Who keeps cores busy, or measures how busy they are, does so alone.
static ONE: Mutex<()> = Mutex::new(());

/// Asserts how many slow items are processed at a time, from when the first begins: at the better
/// of two calls.
#[track_caller]
fn assert_busy(least: f64, threads: usize, window: usize, ordered: bool, is_slow: &[bool]) {
    let _alone = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let pool = pool(threads);
    let call = || {
        let (first, slept_ns) = (OnceLock::new(), AtomicU64::new(0));
        let work = |slow: &bool| {
            if *slow {
                let begin = Instant::now();
                first.get_or_init(|| begin);
                sleep(SLOW);
                slept_ns.fetch_add(begin.elapsed().as_nanos() as u64, Ordering::Relaxed);
            }
        };
        let mut seen = 0;
        let stream = is_slow.iter().par_stream().map(work).max_in_flight(window);
        pool.install(|| match ordered {
            true => stream.for_each_ordered(|()| seen += 1),
            false => stream.for_each_unordered(|()| seen += 1),
        });
        let took = first.get().expect("a slow item").elapsed();
        assert_eq!(seen, is_slow.len());
        slept_ns.into_inner() as f64 / took.as_nanos() as f64
    };
    let busy = call().max(call());
    println!("{threads} workers, window {window}, ordered {ordered}: {busy:.2}, {least:.2} wanted");
    assert!(busy >= least, "{threads} workers, window {window}, ordered {ordered}: {busy:.2}, not {least}");
}

fn every_8th(slow: usize) -> Vec<bool> {
    (0..8 * slow).map(|n| n % 8 == 3).collect()
}

fn slow_after_quick(slow: usize) -> Vec<bool> {
    (0..20_000 + slow).map(|n| n >= 20_000).collect()
}

#[test]
fn a_window_of_64_keeps_8_workers_busy() {
    for (name, least, items) in [
        ("all", 7.0, vec![true; 64]),
        ("every 8th", 6.7, every_8th(64)),
        // The quick ones at the beginning and at the end cost a round.
        ("every 8th of many", 7.0, every_8th(128)),
        ("after quick ones", 7.0, slow_after_quick(64)),
        ("a few after quick ones", 6.7, slow_after_quick(8)),
    ] {
        for ordered in [true, false] {
            println!("{name}");
            assert_busy(least, 8, 64, ordered, &items);
        }
    }
}

/// How many slow items can be processed at a time, on average from when the first begins: items
/// begin in their order as soon as fewer than `window` are in flight and a lane is free; quick ones
/// take no time; the sink, which has the first slow item, puts nothing through while it has one.
/// The better of two plans: the sink takes further ones where no helper is free, or does not.
fn most_busy(threads: usize, window: usize, ordered: bool, is_slow: &[bool]) -> f64 {
    let plan = |sink_helps: bool| {
        // In rounds, as a slow item takes one: nobody begins in the middle of another's.
        let (mut begun, mut through, mut rounds) = (0, 0, 0);
        let mut in_flight: Vec<usize> = Vec::new();
        let mut is_first = true;
        while through < is_slow.len() {
            let mut working = Vec::new();
            let mut sink_is_busy = false;
            while begun < is_slow.len() && in_flight.len() < window {
                if is_slow[begun] {
                    let sink_takes = is_first || sink_helps && working.len() == threads - 1;
                    if working.len() == threads || working.len() == threads - 1 && !sink_takes {
                        break;
                    }
                    sink_is_busy |= sink_takes;
                    is_first = false;
                    working.push(begun);
                    in_flight.push(begun);
                } else if sink_is_busy || ordered && in_flight.first().is_some_and(|&first| first < begun) {
                    in_flight.push(begun);
                } else {
                    through += 1;
                }
                begun += 1;
            }
            rounds += usize::from(!working.is_empty());
            through += in_flight.len();
            in_flight.clear();
        }
        is_slow.iter().filter(|&&slow| slow).count() as f64 / rounds as f64
    };
    plan(false).max(plan(true))
}

#[test]
fn the_bounds_of_windows_are_those_of_the_documentation() {
    assert_eq!(most_busy(8, 8, true, &every_8th(8)), 1.0);
    assert_eq!(most_busy(8, 16, true, &every_8th(16)), 2.0);
    assert_eq!(most_busy(8, 64, true, &every_8th(64)), 8.0);
    assert_eq!(most_busy(8, 64, false, &[true; 64]), 8.0);
    // One round more than 7 at a time need: quick ones fill the window before the first is over.
    assert_eq!(most_busy(8, 8, false, &every_8th(43)), 43.0 / 7.0);
}

#[test]
fn small_windows_keep_as_many_workers_busy_as_they_have_slow_items() {
    for (window, ordered, slow) in [(8, true, 8), (16, true, 16), (8, false, 43), (16, false, 48)] {
        let items = every_8th(slow);
        let bound = most_busy(8, window, ordered, &items);
        assert_busy(bound * if ordered { 0.9 } else { 0.85 }, 8, window, ordered, &items);
    }
}

#[test]
fn two_workers_are_both_busy_on_long_items() {
    for (window, least) in [(2, 1.3), (3, 1.5), (64, 1.6)] {
        assert_busy(least, 2, window, true, &[true; 16]);
    }
}

#[test]
fn as_many_items_are_in_work_as_may_be_in_flight() {
    for threads in [2, 5, 8, 16] {
        let pool = pool(threads);
        for window in [1, threads / 2, threads - 1] {
            for ordered in [true, false] {
                let (in_work, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
                let work = |_| {
                    most.fetch_max(in_work.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    sleep(Duration::from_millis(5));
                    in_work.fetch_sub(1, Ordering::Relaxed);
                };
                let stream = (0..6 * window).par_stream().map(work).max_in_flight(window);
                pool.install(|| match ordered {
                    true => stream.for_each_ordered(|()| ()),
                    false => stream.for_each_unordered(|()| ()),
                });
                assert_eq!(most.into_inner(), window, "{threads} workers, ordered {ordered}");
            }
        }
    }
}

/// Where a source learns what has become of an item.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Processed,
    Emitted,
}

/// A source that waits, from some item on, for the answer to the last item before it yields the
/// next one.
fn feed_back(threads: usize, ordered: bool, at: Answer, backlog: usize) {
    const LEN: usize = 200;
    let (answer, answered) = mpsc::channel();
    let answer = Mutex::new(answer);
    let tell = |n: usize| {
        if n >= backlog {
            answer.lock().unwrap().send(n).unwrap();
        }
    };
    let source = (0..backlog + LEN).inspect(move |&n| {
        if n > backlog {
            let last = answered.recv().unwrap();
            assert_eq!(last, n - 1);
        }
    });
    let mut seen = 0;
    let stream = source.par_stream().max_in_flight(64).map(|n| {
        if at == Answer::Processed {
            tell(n);
        }
        n
    });
    let sink = |n| {
        if at == Answer::Emitted {
            tell(n);
        }
        seen += 1;
    };
    pool(threads).install(|| match ordered {
        true => stream.for_each_ordered(sink),
        false => stream.for_each_unordered(sink),
    });
    assert_eq!(seen, backlog + LEN);
}

#[test]
fn a_source_that_waits_for_the_answer_to_its_last_item_gets_it() {
    let _alone = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let _watchdog = watchdog::watch("sources that wait for answers");
    for threads in [1, 2, 5, 8, 16] {
        for ordered in [true, false] {
            for at in [Answer::Processed, Answer::Emitted] {
                for backlog in [0, 100, 20_000] {
                    feed_back(threads, ordered, at, backlog);
                }
            }
        }
    }
}

/// A walk through a tree: the source yields what items have found, and ends when all are done.
#[test]
fn a_source_that_spins_until_items_are_done_ends() {
    let _alone = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let _watchdog = watchdog::watch("a source that waits for items");
    for threads in [1, 2, 5, 16] {
        for ordered in [true, false] {
            let found = Mutex::new((0..16).map(|_| 40_u32).collect::<VecDeque<_>>());
            let pending = AtomicUsize::new(16);
            let source = std::iter::from_fn(|| {
                loop {
                    if let Some(n) = found.lock().unwrap().pop_front() {
                        return Some(n);
                    }
                    if pending.load(Ordering::Acquire) == 0 {
                        return None;
                    }
                    std::thread::yield_now();
                }
            });
            let stream = source.par_stream().max_in_flight(8).map(|n| {
                if n > 0 {
                    pending.fetch_add(1, Ordering::Relaxed);
                    found.lock().unwrap().push_back(n - 1);
                }
                pending.fetch_sub(1, Ordering::Release);
            });
            let mut done = 0;
            pool(threads).install(|| match ordered {
                true => stream.for_each_ordered(|()| done += 1),
                false => stream.for_each_unordered(|()| done += 1),
            });
            assert_eq!(done, 16 * 41);
        }
    }
}

/// How long items of a slow source wait: the median and the greatest.
fn latencies(threads: usize, ordered: bool, before: &[bool]) -> (Duration, Duration) {
    let work = |(slow, begun): (bool, Option<Instant>)| {
        if slow {
            sleep(SLOW);
        }
        begun.map(|begun| (begun, begun.elapsed()))
    };
    let live = (0..60).map(|_| {
        sleep(Duration::from_millis(2));
        (false, Some(Instant::now()))
    });
    let source = before.iter().map(|&slow| (slow, None)).chain(live);
    let stream = source.par_stream().map(work).max_in_flight(64);
    let mut ages = Vec::new();
    pool(threads).install(|| match ordered {
        true => stream.for_each_ordered(|item| ages.extend(item.map(|(begun, _)| begun.elapsed()))),
        false => stream.for_each_unordered(|item| ages.extend(item.map(|(_, age)| age))),
    });
    ages.sort();
    (ages[30], ages[59])
}

#[test]
fn an_item_of_a_slow_source_is_processed_at_once_whatever_came_before() {
    for threads in [1, 2, 5, 8, 16] {
        for before in [vec![], vec![false; 50_000], vec![true; 2 * threads]] {
            for ordered in [true, false] {
                let (median, greatest) = latencies(threads, ordered, &before);
                assert!(
                    median < Duration::from_millis(1),
                    "{threads} workers after {}, ordered {ordered}: {median:?}, {greatest:?}",
                    before.len()
                );
            }
        }
    }
}

#[test]
fn order_and_bound_are_kept_whatever_items_take() {
    let _alone = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for threads in [1, 2, 5, 8, 16] {
        let pool = pool(threads);
        for most in [1, 3, 16, 64, 1000] {
            let in_flight = AtomicUsize::new(0);
            let source = (0..3000_usize).inspect(|_| {
                let before = in_flight.fetch_add(1, Ordering::Relaxed);
                assert!(before < most, "{} of {most} in flight", before + 1);
            });
            let work = |n: usize| {
                let spins = [0, 0, 0, 100, 0, 10_000][n * n % 7 % 6];
                (0..spins).for_each(|n| _ = black_box(n));
                if n % 300 == 299 {
                    sleep(Duration::from_micros(300));
                }
                n
            };
            let mut next = 0;
            pool.install(|| {
                source.par_stream().map(work).max_in_flight(most).for_each_ordered(|n| {
                    assert_eq!(n, next);
                    next += 1;
                    in_flight.fetch_sub(1, Ordering::Relaxed);
                });
            });
            assert_eq!(next, 3000);
        }
    }
}

fn bridge_on_pools(act: impl Fn(usize)) {
    let _alone = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let _watchdog = watchdog::watch("bridges over slow sources, or with slow items");
    for workers in [1, 2, 5, 16] {
        pool(workers).install(|| act(workers));
    }
}

/// By counts: an item that waited for the next one would be begun after that was asked for, two
/// milliseconds later.
#[test]
fn an_item_of_a_slow_bridge_does_not_wait_for_the_next_one() {
    bridge_on_pools(|workers| {
        let asked = AtomicUsize::new(0);
        let live = (1..=60_usize).inspect(|n| {
            sleep(Duration::from_millis(2));
            asked.store(*n, Ordering::Relaxed);
        });
        let late = AtomicUsize::new(0);
        (0..100_000).map(|_| 0).chain(live).par_bridge().for_each(|n| {
            if n > 0 && asked.load(Ordering::Relaxed) > n {
                late.fetch_add(1, Ordering::Relaxed);
            }
        });
        // Whom the system puts aside for two milliseconds is late as well.
        assert!(late.load(Ordering::Relaxed) <= 10, "{late:?} of 60 with {workers} workers");
    });
}

#[test]
fn long_items_of_a_bridge_keep_all_workers_busy() {
    bridge_on_pools(|workers| {
        let quick_and_long = (0..20_000).map(|_| false).chain((0..4 * workers).map(|_| true));
        let start = Instant::now();
        quick_and_long.par_bridge().for_each(|long| {
            if long {
                sleep(SLOW)
            }
        });
        let rounds = start.elapsed().as_secs_f64() / SLOW.as_secs_f64();
        assert!(rounds < 7.0, "{rounds} rounds instead of 4 with {workers} workers");
    });
}
