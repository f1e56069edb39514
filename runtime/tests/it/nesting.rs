//! Loops inside loops, pools inside pools, many callers at once: is every result right, and does
//! every call return?

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use taskel::ThreadPool;
use taskel::prelude::*;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

/// 0 + 1 + … + (n - 1), in parallel on the surrounding pool.
fn triangle(n: usize) -> usize {
    (0..n).into_par_iter().sum()
}

fn triangle_formula(n: usize) -> usize {
    n * n.saturating_sub(1) / 2
}

#[test]
fn loops_in_loops_in_loops() {
    for threads in [1, 2, 3, 8] {
        let pool = pool(threads);
        pool.install(|| {
            for _ in 0..5 {
                let two: Vec<usize> = (0..200).into_par_iter().map(|i| triangle(i * 10)).collect();
                assert!(two.iter().enumerate().all(|(i, &sum)| sum == triangle_formula(i * 10)));
                let three: Vec<Vec<usize>> = (0..20_usize)
                    .into_par_iter()
                    .map(|i| (0..20).into_par_iter().map(|j| triangle(i * j + 100)).collect())
                    .collect();
                for (i, row) in three.iter().enumerate() {
                    assert!(row.iter().enumerate().all(|(j, &sum)| sum == triangle_formula(i * j + 100)));
                }
            }
        });
    }
}

/// The state of `map_init` belongs to one loop: an inner one must not disturb it.
#[test]
fn inner_loops_leave_the_states_of_outer_ones_alone() {
    let pool = pool(4);
    let order: Vec<(usize, usize)> = (0..300_usize)
        .into_par_iter()
        .on(&pool)
        .map_init(Vec::new, |seen, i| {
            seen.push(i);
            (i, triangle(500) + seen.len() - triangle_formula(500))
        })
        .collect();
    assert!(order.iter().enumerate().all(|(i, &(item, nth))| item == i && (1..=300).contains(&nth)));
    let firsts = order.iter().filter(|(_, nth)| *nth == 1).count();
    assert!((1..=4).contains(&firsts), "{firsts} states in a pool of four");
}

#[test]
fn loops_on_another_pool() {
    for (outer, inner) in [(2, 2), (2, 1), (1, 3), (4, 2)] {
        let (outer, inner) = (pool(outer), pool(inner));
        for _ in 0..5 {
            let sums = (0..100).into_par_iter().on(&outer).map(|n| {
                let on = (0..n).into_par_iter().on(&inner).sum::<usize>();
                let installed = inner.install(|| triangle(n));
                assert_eq!(on, installed);
                // Back on the outer pool, from whose worker the inner one was called.
                assert_eq!(outer.install(|| triangle(n)), on);
                assert_eq!(taskel::current_num_threads(), outer.current_num_threads());
                on
            });
            assert_eq!(sums.sum::<usize>(), (0..100).map(triangle_formula).sum());
        }
    }
}

#[test]
fn installs_in_installs() {
    let (a, b) = (pool(2), pool(3));
    a.install(|| {
        assert_eq!(taskel::current_num_threads(), 2);
        b.install(|| {
            assert_eq!(taskel::current_num_threads(), 3);
            assert_eq!(triangle(1000), 499_500);
            a.install(|| {
                assert_eq!(taskel::current_num_threads(), 2);
                a.install(|| assert_eq!(triangle(1000), 499_500));
            });
            let panics = AssertUnwindSafe(|| a.install(|| resume_unwind(Box::new(7))));
            let payload = catch_unwind::<_, ()>(panics);
            assert_eq!(*payload.unwrap_err().downcast::<i32>().unwrap(), 7);
            assert_eq!(taskel::current_num_threads(), 3);
        });
        assert_eq!(taskel::current_num_threads(), 2);
    });
}

/// Two callers share the workers; so do twelve, more than the pool was made for.
#[test]
fn callers_from_outside_at_once() {
    let pool = pool(2);
    for callers in [2, 12] {
        let start = Barrier::new(callers);
        thread::scope(|scope| {
            for caller in 0..callers {
                let (pool, start) = (&pool, &start);
                scope.spawn(move || {
                    for round in 0..30 {
                        let len = 1000 + 10 * caller + round;
                        start.wait();
                        let collected: Vec<usize> =
                            (0..len).into_par_iter().on(pool).map(|n| n ^ caller).collect();
                        assert!(collected.into_iter().eq((0..len).map(|n| n ^ caller)));
                        let nested = (0..20).into_par_iter().on(pool).map(|n| triangle(n * caller));
                        assert_eq!(
                            nested.sum::<usize>(),
                            (0..20).map(|n| triangle_formula(n * caller)).sum()
                        );
                    }
                });
            }
        });
    }
}

/// rayon #592: who waits for an inner loop must not start another outer item, which would lock the
/// mutex again.
#[test]
fn a_mutex_held_around_an_inner_loop() {
    for threads in [2, 3, 8] {
        let pool = pool(threads);
        let total = Mutex::new(0);
        for _ in 0..30 {
            (0..24).into_par_iter().on(&pool).for_each(|n| {
                let mut total = total.lock().unwrap();
                // Slow enough for the call site to learn that sharing pays.
                let slow = |n| {
                    thread::sleep(Duration::from_micros(20));
                    n
                };
                *total += (0..n % 5 + 2).into_par_iter().map(slow).sum::<usize>();
            });
        }
        let expected: usize = (0..24).map(|n| triangle_formula(n % 5 + 2)).sum();
        assert_eq!(total.into_inner().unwrap(), 30 * expected);
    }
}

/// Two pools whose workers call each other, both ways at once.
#[test]
fn pools_that_call_each_other() {
    let (a, b) = (pool(2), pool(2));
    thread::scope(|scope| {
        for (first, second) in [(&a, &b), (&b, &a)] {
            scope.spawn(move || {
                for _ in 0..50 {
                    let inner =
                        |n: usize| (0..n).into_par_iter().on(second).map(|n| first.install(|| triangle(n)));
                    let outer = (0..30).into_par_iter().on(first).map(|n| inner(n).sum::<usize>());
                    let expected = (0..30).map(|n| (0..n).map(triangle_formula).sum::<usize>()).sum();
                    assert_eq!(outer.sum::<usize>(), expected);
                }
            });
        }
    });
}

#[test]
fn workers_know_who_they_are() {
    let (a, b) = (pool(3), pool(2));
    let both = Barrier::new(2);
    let indices: Vec<_> = (0..2)
        .into_par_iter()
        .on(&a)
        .map(|_| {
            both.wait();
            (taskel::current_thread_index(), b.install(taskel::current_thread_index))
        })
        .collect();
    // The caller is in no pool; the other is a worker of `a`, and in no place of `b`.
    assert_eq!(indices.iter().filter(|(index, _)| index.is_none()).count(), 1, "{indices:?}");
    assert!(
        indices.iter().all(|(index, inside_b)| index.is_none_or(|index| index < 3) && inside_b.is_none())
    );
}
