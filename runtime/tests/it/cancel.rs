//! Cancelled work: how much is still done, what is dropped, and what the caller is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use taskel::prelude::*;
use taskel::{CancelToken, Cancelled, Chunk, ThreadPool};

use ledger::Ledger;

use crate::ledger;
use crate::watchdog;

const MANY: u64 = 1_000_000_000;

fn pools() -> impl Iterator<Item = ThreadPool> {
    [1, 2, 4].into_iter().map(|threads| ThreadPool::builder().num_threads(threads).build().unwrap())
}

/// Counts the items that were begun after the token was cancelled, with chunks of known size.
#[test]
fn a_loop_of_a_thousand_million_items_ends_within_two_chunks_per_lane() {
    const CHUNK: usize = 1000;
    let _watchdog = watchdog::watch("a cancelled loop");
    for pool in pools() {
        let (token, after) = (CancelToken::new(), AtomicU64::new(0));
        let result = (0..MANY)
            .into_par_iter()
            .on(&pool)
            .chunk(Chunk::Exact(CHUNK))
            .with_cancel_token(&token)
            .try_for_each(|n| {
                if token.is_cancelled() {
                    after.fetch_add(1, Ordering::Relaxed);
                } else if n % 100_000 == 77_777 {
                    token.cancel();
                }
                Ok(())
            });
        assert_eq!(result, Err(Cancelled));
        let after = after.into_inner();
        let lanes = pool.current_num_threads() as u64;
        assert!(after <= 2 * CHUNK as u64 * lanes, "{after} items on {lanes} lanes");
    }
}

/// Chunks of the loop's own choosing, cancelled by a thread that is not part of it.
#[test]
fn from_another_thread_and_by_the_clock() {
    let _watchdog = watchdog::watch("cancelling from outside");
    for pool in pools() {
        let token = CancelToken::new();
        let begun = AtomicU64::new(0);
        let run = |token: &CancelToken| {
            let each = |_| {
                begun.fetch_add(1, Ordering::Relaxed);
                Ok(())
            };
            (0..4_000_000_000_u64).into_par_iter().on(&pool).with_cancel_token(token).try_for_each(each)
        };
        let result = thread::scope(|s| {
            s.spawn(|| {
                while begun.load(Ordering::Relaxed) < 1000 {
                    thread::yield_now();
                }
                token.cancel();
            });
            run(&token)
        });
        assert_eq!(result, Err(Cancelled));

        let (parent, clock) = (CancelToken::new(), CancelToken::new());
        let child = parent.child_token();
        parent.cancel_after(Duration::from_millis(5));
        assert_eq!(run(&child), Err(Cancelled));
        clock.cancel_after(Duration::from_secs(3600));
        assert!(!clock.is_cancelled());
        clock.cancel_after(Duration::ZERO);
        clock.cancel_after(Duration::MAX);
        assert_eq!(run(&clock), Err(Cancelled));
    }
}

/// A unit of this loop has four thousand million numbers.
#[test]
fn a_loop_over_all_64_bit_numbers_ends_as_soon_as_others() {
    let _watchdog = watchdog::watch("a loop over all 64-bit numbers");
    for pool in pools() {
        let numbers = || (0..usize::MAX).into_par_iter().on(&pool);
        assert_eq!(numbers().find_first(|&n| n == 100_000), Some(100_000));
        assert!(numbers().find_any(|n| n % 100_000 == 777).is_some());
        assert_eq!(numbers().take_any(1000).count(), 1000);
        let until = |n: usize| if n % 10_000 == 3 { None } else { Some(1) };
        assert!(numbers().map(until).while_some().sum::<usize>() > 0);
        let (token, after) = (CancelToken::new(), AtomicUsize::new(0));
        let result = numbers().with_cancel_token(&token).try_for_each(|n| {
            if token.is_cancelled() {
                after.fetch_add(1, Ordering::Relaxed);
            } else if n % 10_000 == 7777 {
                token.cancel();
            }
            Ok(())
        });
        assert_eq!(result, Err(Cancelled));
        let (after, lanes) = (after.into_inner(), pool.current_num_threads());
        assert!(after <= 4096 * lanes.max(2), "{after} items on {lanes} lanes");
    }
}

/// Deeper than any stack: each look, and the end of the line, goes through all generations.
#[test]
fn a_line_of_300_000_tokens() {
    let line = || {
        let mut tokens = vec![CancelToken::new()];
        for _ in 0..300_000 {
            tokens.push(tokens[tokens.len() - 1].child_token());
        }
        tokens
    };
    let youngest = |mut tokens: Vec<CancelToken>| tokens.pop().unwrap();

    let tokens = line();
    let (first, middle) = (tokens[0].clone(), tokens[150_000].clone());
    let last = youngest(tokens);
    assert!(!last.is_cancelled());
    middle.cancel();
    assert!(last.is_cancelled() && !first.is_cancelled());
    // The upper half outlives the lower one.
    drop(last);
    assert!(middle.child_token().child_token().is_cancelled());
    drop(middle);
    assert!(!first.is_cancelled());

    // A deadline that has passed is found once, and then known to the whole line.
    let tokens = line();
    let (first, between) = (tokens[0].clone(), tokens[1].clone());
    let last = youngest(tokens);
    first.cancel_after(Duration::ZERO);
    assert_eq!(format!("{last:?}"), "CancelToken { is_cancelled: true, .. }");
    assert!(between.is_cancelled() && first.is_cancelled());
    drop((first, between));
    assert!(last.is_cancelled());
    drop(last);

    // The last reference goes on two threads at once.
    let tokens = line();
    let (left, right) = (tokens[300_000].clone(), tokens[299_999].child_token());
    drop(tokens);
    thread::scope(|s| {
        s.spawn(|| drop(left));
        s.spawn(|| drop(right));
    });
}

#[test]
fn what_was_cancelled_before_does_not_begin() {
    let token = CancelToken::new();
    token.cancel();
    for pool in pools() {
        pool.install(|| {
            let ran = AtomicUsize::new(0);
            let run = || {
                ran.fetch_add(1, Ordering::Relaxed);
            };
            let result = (0..1000).into_par_iter().with_cancel_token(&token).try_for_each(|_| {
                run();
                Some(())
            });
            assert_eq!(result, None);
            assert_eq!(token.join(run, run), Err(Cancelled));
            assert_eq!(token.scope(|_| run()), Err(Cancelled));
            let child = token.child_token();
            assert_eq!(child.check(), Err(Cancelled));
            assert_eq!(ran.into_inner(), 0);
            // Nothing to do is done.
            assert_eq!(
                (0..0).into_par_iter().with_cancel_token(&token).try_for_each(|_| Ok(())),
                Ok::<(), Cancelled>(())
            );
        });
    }
}

/// What cannot say that it was cancelled unwinds; no item is lost, and the pool works on.
#[test]
fn everything_else_unwinds_with_cancelled() {
    let _watchdog = watchdog::watch("unwinding");
    for pool in pools() {
        for at in [0, 1, 50, 5_000] {
            let ledger = Ledger::default();
            let token = CancelToken::new();
            let collect = || {
                let things = ledger.things(20_000).into_par_iter();
                let things = things.on(&pool).with_cancel_token(&token).map(|thing| {
                    if thing.value == at {
                        token.cancel();
                    }
                    thing
                });
                things.collect::<Vec<_>>().len()
            };
            match catch_unwind(AssertUnwindSafe(collect)) {
                Ok(len) => assert_eq!(len, 20_000, "complete, or not at all"),
                Err(payload) => assert_eq!(payload.downcast_ref(), Some(&Cancelled)),
            }
            ledger.assert_balanced("collect");
            assert_eq!((0..1000).into_par_iter().on(&pool).sum::<u64>(), 499_500);
        }
    }
}

#[test]
fn error_types_that_can_hold_it() {
    let token = CancelToken::new();
    token.cancel();
    let items = || (0..10).into_par_iter().with_cancel_token(&token);
    type Boxed = Box<dyn std::error::Error + Send + Sync>;
    let boxed: Result<(), Boxed> = items().try_for_each(|_| Ok(()));
    assert!(boxed.unwrap_err().is::<Cancelled>());
    let reduced: Result<i32, Cancelled> = items().map(Ok).try_reduce(|| 0, |a, b| Ok(a + b));
    assert_eq!(reduced, Err(Cancelled));
    let foreign = catch_unwind(AssertUnwindSafe(|| items().try_for_each(|_| Ok::<(), String>(()))));
    assert!(foreign.unwrap_err().is::<Cancelled>());
}

/// `try_for_each` and `try_reduce` against their sequential counterparts.
#[test]
fn try_methods_agree_with_the_standard_library() {
    for pool in pools() {
        pool.install(|| {
            for len in [0, 1, 2, 10, 1000, 20_000_u64] {
                for bad in [0, 1, 7, 999, 15_000, u64::MAX] {
                    let check = |n: u64| if n == bad { Err(n) } else { Ok(()) };
                    assert_eq!((0..len).into_par_iter().try_for_each(check), (0..len).try_for_each(check));
                    let sum = (0..len)
                        .into_par_iter()
                        .map(|n| (n != bad).then_some(n))
                        .try_reduce(|| 0, |a, b| a.checked_add(b));
                    let expected = (0..len).try_fold(0, |a: u64, n| (n != bad).then_some(n)?.checked_add(a));
                    assert_eq!(sum, expected);
                }
                let words: Vec<String> = (0..len).map(|n| n.to_string()).collect();
                let joined = words
                    .par_iter()
                    .cloned()
                    .map(Ok::<String, ()>)
                    .try_reduce(String::new, |a, b| Ok(a + &b));
                assert_eq!(joined, Ok(words.concat()), "order is kept");
            }
        });
    }
}

#[test]
fn joins_and_scopes_begin_nothing_more() {
    let _watchdog = watchdog::watch("cancelled joins and scopes");
    for pool in pools() {
        pool.install(|| {
            for _ in 0..100 {
                let ledger = Ledger::default();
                let token = CancelToken::new();
                let (a, b) = (ledger.thing(1), ledger.thing(2));
                let first = || {
                    token.cancel();
                    a
                };
                // The second may have been begun by then.
                if let Ok((a, b)) = token.join(first, || b) {
                    assert_eq!((a.value, b.value), (1, 2));
                }
                ledger.assert_balanced("join");

                let (token, ran) = (CancelToken::new(), AtomicUsize::new(0));
                let result = token.scope(|s| {
                    for n in 0..100 {
                        let (thing, ran, token) = (ledger.thing(n), &ran, &token);
                        s.spawn(move |_| {
                            let _thing = thing;
                            if ran.fetch_add(1, Ordering::Relaxed) == 10 {
                                token.cancel();
                            }
                        });
                    }
                });
                let ran = ran.into_inner();
                assert!(result == Err(Cancelled) || ran == 100, "{result:?} after {ran}");
                ledger.assert_balanced("scope");
            }
        });
    }
}
