//! Ranges of more numbers than `usize` counts.

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{CancelToken, Cancelled, Chunk, ThreadPool};

use crate::watchdog;

fn pools() -> impl Iterator<Item = ThreadPool> {
    [1, 2, 8].into_iter().map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap())
}

/// From just too long to all that there are.
fn long() -> impl Iterator<Item = RangeInclusive<u128>> {
    let least = usize::MAX as u128;
    let octillion = 10_u128.pow(27);
    [0..=least, 7..=least + 8, 0..=octillion - 1, octillion..=u128::MAX - 1, 0..=u128::MAX].into_iter()
}

#[test]
fn searches_in_octillions_end_at_once() {
    let _watchdog = watchdog::watch("searches in octillions");
    for pool in pools() {
        pool.install(|| {
            for range in long() {
                let first = *range.start();
                let numbers = || range.clone().into_par_iter();
                let any = numbers().find_any(|n| n % 1_000_003 == 5).unwrap();
                assert!(range.contains(&any) && any % 1_000_003 == 5);
                assert_eq!(numbers().find_first(|&n| n >= first + 100_000), Some(first + 100_000));
                assert!(numbers().any(|n| n % 1000 == 999));
                assert!(!numbers().all(|n| n % 1000 != 999));
                assert_eq!(numbers().map(|n| n - first).find_map_first(|n| (n == 9).then_some(n)), Some(9));
                assert_eq!(
                    numbers().filter(|n| n % 2 == 0).chunk(Chunk::Exact(3)).find_first(|_| true),
                    Some(first.next_multiple_of(2))
                );
                let error = numbers().try_for_each(|n| if n % 100 == 50 { Err(n) } else { Ok(()) });
                assert_eq!(error.unwrap_err() % 100, 50);
            }
        });
    }
}

#[test]
fn some_of_octillions() {
    let _watchdog = watchdog::watch("some of octillions");
    for pool in pools() {
        pool.install(|| {
            for range in long() {
                let numbers = || range.clone().into_par_iter().with_min_len(2);
                let mut some = numbers().take_any(1000).collect::<Vec<_>>();
                some.sort_unstable();
                some.dedup();
                assert_eq!(some.len(), 1000);
                assert!(some.iter().all(|n| range.contains(n)));
                let start = *range.start();
                let few: Vec<u128> = numbers().map(|n| n - start).take_any_while(|&n| n < 10_000).collect();
                assert!(few.iter().all(|&n| n < 10_000));
                let until = numbers().map(|n| (n % 10_000 != 77).then_some(1_u64)).while_some().sum::<u64>();
                assert!(until < u64::MAX);
            }
        });
    }
}

#[test]
fn negative_numbers_and_both_ends() {
    for pool in pools() {
        pool.install(|| {
            let all = || (i128::MIN..=i128::MAX).into_par_iter();
            assert_eq!(all().find_first(|_| true), Some(i128::MIN));
            assert_eq!(all().find_first(|&n| n > i128::MIN + 1_000_000), Some(i128::MIN + 1_000_001));
            assert_eq!((-5..i128::MAX).into_par_iter().find_first(|&n| n >= 0), Some(0));
            let mut every =
                (-3..i128::from(u64::MAX)).into_par_iter().chain(7..9_i128).take_any(5).collect::<Vec<_>>();
            every.dedup();
            assert_eq!(every.len(), 5);
        });
    }
}

/// Cancelled by another thread; whatever is between the range and the sum.
#[test]
fn long_sums_are_cancelled_within_moments() {
    let _watchdog = watchdog::watch("long sums that are cancelled");
    for pool in pools() {
        for range in long() {
            let (token, begun) = (CancelToken::new(), AtomicU64::new(0));
            let each = |n: u128| {
                begun.store(1, Ordering::Relaxed);
                if n % 3 == 0 { None } else { Some(n) }
            };
            let count = |_: u128| Ok::<u64, Cancelled>(1);
            let result = thread::scope(|s| {
                s.spawn(|| {
                    while begun.load(Ordering::Relaxed) == 0 {
                        thread::yield_now();
                    }
                    thread::sleep(Duration::from_millis(5));
                    token.cancel();
                });
                let numbers = range.clone().into_par_iter().on(&pool).with_cancel_token(&token);
                numbers.filter_map(each).map(count).try_reduce(|| 0, |a, b| Ok(a + b))
            });
            assert_eq!(result, Err(Cancelled));
            let unwinds = || range.clone().into_par_iter().on(&pool).with_cancel_token(&token).count();
            assert!(catch_unwind(AssertUnwindSafe(unwinds)).unwrap_err().is::<Cancelled>());
        }
    }
}

#[test]
fn a_panic_ends_octillions() {
    for pool in pools() {
        let stop = |n: u128| assert_ne!(n % 10_000, 1, "on purpose");
        let run = || (0..10_u128.pow(27)).into_par_iter().on(&pool).for_each(stop);
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    }
}

#[test]
fn short_ranges_are_indexed_as_ever() {
    for pool in pools() {
        pool.install(|| {
            for len in [0_u128, 1, 10, 50_000] {
                let numbers = || (1 << 100..(1 << 100) + len).into_par_iter();
                assert_eq!(numbers().len() as u128, len);
                assert!(numbers().rev().collect::<Vec<_>>().into_iter().rev().eq(1 << 100..(1 << 100) + len));
                let every: Vec<u128> = numbers().step_by(7).collect();
                assert!(every.into_iter().eq((1 << 100..(1 << 100) + len).step_by(7)));
                assert_eq!(numbers().position_any(|n| n == (1 << 100) + 9), (len > 9).then_some(9));
                assert_eq!(numbers().sum::<u128>(), (1 << 100..(1 << 100) + len).sum());
                let folded = numbers().fold(|| 0, |all, n| all ^ n).reduce(|| 0, |a, b| a ^ b);
                assert_eq!(folded, (1 << 100..(1 << 100) + len).fold(0, |all, n| all ^ n));
                let sum: f64 = numbers().map(|_| 0.5).deterministic().sum();
                assert_eq!(sum, len as f64 / 2.0);
                assert_eq!(numbers().zip(0..5).count() as u128, len.min(5));
            }
        });
    }
}

#[test]
fn positions_in_long_ranges_are_refused() {
    type Refused = fn(RangeInclusive<u128>);
    let refused: [Refused; 6] = [
        |range| {
            let _ = range.into_par_iter().len();
        },
        |range| {
            let _ = range.into_par_iter().enumerate().find_any(|_| true);
        },
        |range| {
            let _ = range.into_par_iter().rev().find_any(|_| true);
        },
        |range| {
            let _ = range.into_par_iter().step_by(2).find_any(|_| true);
        },
        |range| {
            let _ = range.into_par_iter().zip(0..3).count();
        },
        |range| {
            let _ = range.into_par_iter().position_any(|_| true);
        },
    ];
    for pool in pools() {
        for range in long() {
            for refused in refused {
                let range = range.clone();
                let payload = pool.install(|| catch_unwind(|| refused(range))).unwrap_err();
                let message = payload
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or(payload.downcast_ref::<&str>().copied());
                assert!(message.unwrap().contains("usize::MAX"), "{message:?}");
            }
        }
    }
}
