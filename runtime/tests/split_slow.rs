//! Slices and texts that are cut by a predicate that takes long: each item is asked about once or
//! so, by all threads.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use taskel::ThreadPool;
use taskel::prelude::*;

#[path = "support/watchdog.rs"]
mod watchdog;

const NAP: Duration = Duration::from_millis(1);

/// One item in so many is a separator.
const GAPS: [usize; 4] = [1, 4, 50, usize::MAX];

struct Asked {
    name: String,
    times: usize,
    slept_ns: u64,
    took: Duration,
}

#[test]
fn quick_predicates_cut_where_the_standard_library_does() {
    for threads in [1, 2, 8] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for len in [0, 1, 3, 4, 5, 1000, 30_000] {
            for gap in [1, 2, 7, 1000, usize::MAX] {
                let items: Vec<usize> = (0..len).map(|n| n % gap + 1).collect();
                let text: String =
                    items.iter().map(|&n| if n == gap { 'ü' } else { ['a', '€'][n % 2] }).collect();
                pool.install(|| {
                    let parts: Vec<&[usize]> = items.par_split(|&n| n == gap).collect();
                    assert_eq!(parts, items.split(|&n| n == gap).collect::<Vec<_>>());
                    let parts: Vec<&[usize]> = items.par_split_inclusive(|&n| n == gap).collect();
                    assert_eq!(parts, items.split_inclusive(|&n| n == gap).collect::<Vec<_>>());
                    let parts: Vec<&str> = text.par_split(|c| c == 'ü').collect();
                    assert_eq!(parts, text.split('ü').collect::<Vec<_>>());
                    let parts: Vec<&str> = text.par_split_inclusive('ü').collect();
                    assert_eq!(parts, text.split_inclusive('ü').collect::<Vec<_>>());
                });
            }
        }
    }
}

/// Splits `0..len`, in all ways, and asks slowly.
fn split(pool: &ThreadPool, len: usize, gap: usize, mut check: impl FnMut(Asked)) {
    let items: Vec<usize> = (0..len).collect();
    let is_separator = |n: usize| n % gap == gap - 1;
    // A character of two bytes for each third item.
    let char_of = |n: usize| if is_separator(n) { '-' } else { ['a', 'b', 'ä'][n % 3] };
    let text: String = items.iter().map(|&n| char_of(n)).collect();
    let (asked, slept_ns) = (AtomicUsize::new(0), AtomicU64::new(0));
    let ask = |answer| {
        asked.fetch_add(1, Relaxed);
        let since = Instant::now();
        thread::sleep(NAP);
        slept_ns.fetch_add(since.elapsed().as_nanos() as u64, Relaxed);
        answer
    };
    let mut measure = |name: &str, check_parts: &dyn Fn()| {
        asked.store(0, Relaxed);
        slept_ns.store(0, Relaxed);
        let started = Instant::now();
        pool.install(check_parts);
        let took = started.elapsed();
        let name = format!("{name}, {len} items, cut after each {gap}");
        check(Asked { name, times: asked.load(Relaxed), slept_ns: slept_ns.load(Relaxed), took });
    };
    measure("par_split", &|| {
        let parts: Vec<&[usize]> = items.par_split(|&n| ask(is_separator(n))).collect();
        assert_eq!(parts, items.split(|&n| is_separator(n)).collect::<Vec<_>>());
    });
    measure("par_split_inclusive", &|| {
        let parts: Vec<&[usize]> = items.par_split_inclusive(|&n| ask(is_separator(n))).collect();
        assert_eq!(parts, items.split_inclusive(|&n| is_separator(n)).collect::<Vec<_>>());
    });
    measure("par_split of a text", &|| {
        let parts: Vec<&str> = text.par_split(|c| ask(c == '-')).collect();
        assert_eq!(parts, text.split('-').collect::<Vec<_>>());
    });
    measure("par_split_inclusive of a text", &|| {
        let parts: Vec<&str> = text.par_split_inclusive(|c| ask(c == '-')).collect();
        assert_eq!(parts, text.split_inclusive('-').collect::<Vec<_>>());
    });
}

#[test]
fn each_item_is_asked_about_once_or_so() {
    let _watchdog = watchdog::watch("slow separators");
    for threads in [1, 2, 5, 8, 16] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for len in [24, 96] {
            let (mut slept_ns, mut took) = (0, Duration::ZERO);
            for gap in GAPS {
                split(&pool, len, gap, |asked| {
                    // Two times to find out that it takes long; and a lane may lose patience.
                    let most = len + 4 + threads;
                    let Asked { name, times, .. } = asked;
                    assert!((len..=most).contains(&times), "{threads} threads, {name}: {times} times");
                    slept_ns += asked.slept_ns;
                    took += asked.took;
                });
            }
            let speed_up = slept_ns as f64 / took.as_nanos() as f64;
            // With 96 items, two thirds of the threads are busy at least, and half as many with 24.
            let expected = threads as f64 / if len == 96 { 2.4 } else { 4.8 };
            assert!(speed_up > expected, "{threads} threads, {len} items: {speed_up}");
        }
    }
}

/// Nobody asks before the loop, while all others wait, whether something is known of the predicate
/// or not (it is not in the first call): 64 calls on 8 workers are 8 rounds, and not ten or more.
#[test]
fn eight_workers_are_all_busy_with_64_items() {
    let _watchdog = watchdog::watch("slow separators of 8 workers");
    let pool = ThreadPool::builder().num_threads(8).build().unwrap();
    for gap in GAPS {
        for call in 0..3 {
            let (mut slept_ns, mut took) = (0, Duration::ZERO);
            split(&pool, 64, gap, |asked| {
                let Asked { name, times, .. } = asked;
                // A lane may lose patience with another one that the system holds up.
                assert!((64..=64 + 4).contains(&times), "{name}: {times} times");
                slept_ns += asked.slept_ns;
                took += asked.took;
            });
            let busy = slept_ns as f64 / took.as_nanos() as f64;
            println!("gap {gap}, call {call}: {busy:.2} of 8 busy");
            assert!(busy >= 7.0, "gap {gap}, call {call}: {busy:.2} of 8 busy");
        }
    }
}

#[test]
fn a_predicate_that_panics_ends_the_loop_with_its_payload() {
    let _watchdog = watchdog::watch("a slow separator that panics");
    let pool = ThreadPool::builder().num_threads(8).build().unwrap();
    let items: Vec<usize> = (0..96).collect();
    for panic_at in [0, 5, 50, 95] {
        let asked = AtomicUsize::new(0);
        let split = std::panic::AssertUnwindSafe(|| {
            let is_separator = |&n: &usize| {
                asked.fetch_add(1, Relaxed);
                thread::sleep(NAP);
                if n == panic_at {
                    std::panic::resume_unwind(Box::new(panic_at));
                }
                n % 4 == 3
            };
            pool.install(|| items.par_split(is_separator).count())
        });
        assert_eq!(std::panic::catch_unwind(split).unwrap_err().downcast_ref(), Some(&panic_at));
        let asked = asked.into_inner();
        assert!(asked <= 96 + 4 + 8, "{asked} times");
    }
}
