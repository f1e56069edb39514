//! Sorting, against the standard library's, on data of many shapes; and what is left when a
//! comparison panics.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use taskel::ThreadPool;
use taskel::prelude::*;

const LENGTHS: [usize; 9] = [0, 1, 2, 100, 2047, 2048, 5000, 20_011, 100_000];

fn on_pools(test: impl Fn()) {
    for threads in [1, 2, 4] {
        ThreadPool::builder().num_threads(threads).build().unwrap().install(&test);
    }
}

fn shapes(len: usize) -> Vec<(&'static str, Vec<u64>)> {
    let random = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let of = |f: &dyn Fn(u64) -> u64| (0..len as u64).map(f).collect::<Vec<_>>();
    let half = len as u64 / 2;
    vec![
        ("random", of(&|n| random(n))),
        ("ascending", of(&|n| n)),
        ("descending", of(&|n| u64::MAX - n)),
        ("equal", of(&|_| 7)),
        ("two values", of(&|n| random(n) % 2)),
        ("few values", of(&|n| random(n) % 16)),
        ("mostly one value", of(&|n| if random(n) % 20 == 0 { random(n) } else { 5 })),
        ("saw", of(&|n| n % 1000)),
        ("organ pipe", of(&|n| n.min(2 * half - n.min(2 * half)))),
        ("sorted but the last", of(&|n| if n + 1 == len as u64 { 0 } else { n })),
        ("falling stairs", of(&|n| u64::MAX - n / 10)),
    ]
}

#[test]
fn stable_sorts_sort_and_keep_the_order_of_equal_items() {
    on_pools(|| {
        for len in LENGTHS {
            for (shape, items) in shapes(len) {
                let tagged: Vec<(u64, usize)> = items.iter().copied().zip(0..).collect();
                let mut expected = tagged.clone();
                expected.sort_by_key(|&(n, _)| n);
                let mut sorted = tagged.clone();
                sorted.par_sort_by_key(|&(n, _)| n);
                assert!(sorted == expected, "{shape}, {len}: by key");
                let mut sorted = tagged.clone();
                sorted.par_sort_by(|a, b| a.0.cmp(&b.0));
                assert!(sorted == expected, "{shape}, {len}: by comparison");
                let mut sorted = tagged;
                sorted.par_sort_by_cached_key(|&(n, _)| n);
                assert!(sorted == expected, "{shape}, {len}: by cached key");
                let mut strings: Vec<String> = items.iter().map(|n| n.to_string()).collect();
                let mut expected = strings.clone();
                expected.sort();
                strings.par_sort();
                assert!(strings == expected, "{shape}, {len}: strings");
            }
        }
    });
}

#[test]
fn unstable_sorts_sort() {
    on_pools(|| {
        for len in LENGTHS {
            for (shape, items) in shapes(len) {
                let mut expected = items.clone();
                expected.sort_unstable();
                let mut sorted = items.clone();
                sorted.par_sort_unstable();
                assert!(sorted == expected, "{shape}, {len}");
                let mut sorted: Vec<String> = items.iter().map(|n| n.to_string()).collect();
                sorted.par_sort_unstable_by_key(|text| text.parse::<u64>().unwrap());
                assert!(
                    sorted.iter().map(|text| text.parse::<u64>().unwrap()).eq(expected.clone()),
                    "{shape}"
                );
                expected.reverse();
                let mut sorted = items;
                sorted.par_sort_unstable_by(|a, b| b.cmp(a));
                assert!(sorted == expected, "{shape}, {len}: falling");
            }
        }
    });
}

#[test]
fn items_without_size_are_sorted_too() {
    on_pools(|| {
        let mut nothing = [(); 100_000];
        nothing.par_sort();
        nothing.par_sort_unstable();
        assert_eq!(nothing.len(), 100_000);
    });
}

/// Counts its drops in the cell of its number.
struct Dropped<'a>(u64, usize, &'a [AtomicUsize]);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.2[self.1].fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_comparison_that_panics_loses_nothing_and_doubles_nothing() {
    let len = 30_000;
    let pool = ThreadPool::builder().num_threads(3).build().unwrap();
    for stable in [true, false] {
        for after in [0, 1, 1000, 30_000, 200_000, 350_000, 420_000, 440_000, 450_000] {
            let drops: Vec<AtomicUsize> = (0..len).map(|_| AtomicUsize::new(0)).collect();
            let numbers = (0..len as u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 30);
            let mut items: Vec<Dropped<'_>> =
                numbers.zip(0..).map(|(n, place)| Dropped(n, place, &drops)).collect();
            let left = AtomicUsize::new(after);
            let compare = |a: &Dropped<'_>, b: &Dropped<'_>| {
                if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_err() {
                    std::panic::resume_unwind(Box::new("no more comparisons"));
                }
                a.0.cmp(&b.0)
            };
            let sort = AssertUnwindSafe(|| {
                pool.install(|| match stable {
                    true => items.par_sort_by(compare),
                    false => items.par_sort_unstable_by(compare),
                });
            });
            let outcome = catch_unwind(sort);
            assert!(outcome.is_err() || after > 350_000, "{after} comparisons were enough");
            let mut places: Vec<usize> = items.iter().map(|item| item.1).collect();
            places.sort_unstable();
            assert!(places.into_iter().eq(0..len), "stable: {stable}, after {after}");
            drop(items);
            assert!(drops.iter().all(|drops| drops.load(Ordering::Relaxed) == 1));
        }
    }
}

#[test]
fn an_order_that_is_none_does_no_harm() {
    on_pools(|| {
        thread_local!(static STATE: Cell<u64> = const { Cell::new(1) });
        let whim = || {
            STATE.set(STATE.get().wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1));
            [std::cmp::Ordering::Less, std::cmp::Ordering::Equal, std::cmp::Ordering::Greater]
                [(STATE.get() >> 40) as usize % 3]
        };
        let strings: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
        for stable in [true, false] {
            let mut items = strings.clone();
            // The standard library may panic when it notices, and so may this.
            let sort = AssertUnwindSafe(|| match stable {
                true => items.par_sort_by(|_, _| whim()),
                false => items.par_sort_unstable_by(|_, _| whim()),
            });
            let _ = catch_unwind(sort);
            items.sort_by_key(|text| text.parse::<u32>().unwrap());
            assert_eq!(items, strings);
        }
    });
}

/// What the documentation says of them: all items stay, and where the contradiction is noticed, as
/// it often is in a few dozen items, the panic says what is wrong.
#[test]
fn an_order_that_contradicts_itself_is_said_to_do_so_if_it_is_noticed() {
    let random = |n: u64| {
        let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
    };
    let float = |n: u64| if n % 4 == 0 { f64::NAN } else { n as f64 };
    let order = |a: &f64, b: &f64| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
    let mut noticed = 0;
    for seed in 0..40 {
        let len = if seed % 4 == 3 { 5000 } else { 25 };
        let mut floats: Vec<f64> = (0..len).map(|n| float(random(seed * 77_777 + n))).collect();
        let mut sorted = floats.clone();
        let sort = AssertUnwindSafe(|| match seed % 2 {
            0 => sorted.par_sort_by(order),
            _ => sorted.par_sort_unstable_by(order),
        });
        if let Err(payload) = catch_unwind(sort) {
            noticed += 1;
            let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
            assert!(text.contains("total order"), "{text}");
        }
        floats.sort_by(f64::total_cmp);
        sorted.sort_by(f64::total_cmp);
        assert!(floats.iter().map(|x| x.to_bits()).eq(sorted.iter().map(|x| x.to_bits())));
    }
    assert!(noticed > 0, "the standard library notices some");
}
