//! Bridges over sources that are slow, or that wait for what becomes of their items.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::sync::{Condvar, Mutex};
use std::thread::{self, sleep};
use std::time::Duration;

use taskel::ThreadPool;
use taskel::prelude::*;

use crate::watchdog;

fn on_pools(act: impl Fn(usize)) {
    for workers in [1, 2, 5, 16] {
        let pool = ThreadPool::builder().num_threads(workers).build().expect("a pool");
        pool.install(|| act(workers));
    }
}

const MS: Duration = Duration::from_millis(1);

/// Answers are awaited, by sources or items.
#[derive(Default)]
struct Answers {
    given: Mutex<HashSet<u32>>,
    more: Condvar,
}

impl Answers {
    fn give(&self, n: u32) {
        self.given.lock().unwrap().insert(n);
        self.more.notify_all();
    }

    fn wait(&self, n: u32) {
        let given = self.given.lock().unwrap();
        drop(self.more.wait_while(given, |given| !given.contains(&n)).unwrap());
    }
}

#[test]
fn a_source_may_wait_for_the_answer_to_its_last_item_after_any_backlog() {
    let _watchdog = watchdog::watch("bridges over sources that wait");
    on_pools(|_| {
        for backlog in [0, 1, 7, 100_000] {
            let answers = Answers::default();
            let asking = (0..300).inspect(|n| {
                if *n > 0 {
                    answers.wait(n - 1)
                }
            });
            let source = (0..backlog).map(|_| u32::MAX).chain(asking);
            source.par_bridge().for_each(|n| {
                if n < 300 {
                    answers.give(n);
                }
            });
            assert_eq!(answers.given.lock().unwrap().len(), 300);
        }
    });
}

/// The others are in an item for as long as the source waits: nobody else can take what was pulled.
#[test]
fn a_source_may_wait_while_all_other_lanes_are_in_long_items() {
    let _watchdog = watchdog::watch("bridges with long items");
    on_pools(|workers| {
        let long = workers as u32 - 1;
        let answers = Answers::default();
        let asking = (long..long + 2000).inspect(|n| {
            if *n > long {
                answers.wait(n - 1)
            }
        });
        (0..long).chain(asking).par_bridge().for_each(|n| match n < long {
            true => answers.wait(long + 1999),
            false => answers.give(n),
        });
        assert_eq!(answers.given.lock().unwrap().len(), 2000);
    });
}

#[test]
fn a_source_may_yield_what_its_items_send_and_end_when_they_are_done() {
    let _watchdog = watchdog::watch("bridges whose items feed the source");
    on_pools(|_| {
        let (tx, rx) = mpsc::channel();
        (0..16).for_each(|_| tx.send(100_u32).unwrap());
        let (pending, seen) = (&AtomicUsize::new(16), AtomicUsize::new(0));
        let source = std::iter::from_fn(move || {
            loop {
                match rx.try_recv() {
                    Ok(n) => return Some(n),
                    Err(_) if pending.load(SeqCst) == 0 => return None,
                    Err(_) => thread::yield_now(),
                }
            }
        });
        source.par_bridge().for_each(|n| {
            seen.fetch_add(1, SeqCst);
            if n > 0 {
                pending.fetch_add(1, SeqCst);
                tx.send(n - 1).unwrap();
            }
            pending.fetch_sub(1, SeqCst);
        });
        assert_eq!(seen.into_inner(), 16 * 101);
    });
}

#[test]
fn neighbours_of_a_slow_item_go_to_idle_lanes() {
    let _watchdog = watchdog::watch("bridges with a slow item");
    on_pools(|workers| {
        if workers == 1 {
            return;
        }
        // Each waits until all others are done, so that none may be behind another in a lane that
        // nobody takes from.
        let (len, slow) = (200_000, 100_000);
        let (done, all) = (Mutex::new(0), Condvar::new());
        (0..len).par_bridge().for_each(|n| {
            let mut done = done.lock().unwrap();
            if n == slow {
                drop(all.wait_while(done, |done| *done < len - 1).unwrap());
                return;
            }
            *done += 1;
            if *done == len - 1 {
                all.notify_all();
            }
        });
    });
}

#[test]
fn every_item_is_seen_or_dropped_once_when_a_source_or_an_item_panics() {
    struct Counted<'c>(&'c AtomicUsize, usize);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let _watchdog = watchdog::watch("bridges that panic");
    on_pools(|_| {
        for (source_panics_at, item_panics_at) in
            [(5000, usize::MAX), (usize::MAX, 5000), (0, 0), (5001, 5000)]
        {
            let (made, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let source = (0..20_000).map(|n| {
                assert!(n != source_panics_at, "in the source");
                made.fetch_add(1, SeqCst);
                Counted(&dropped, n)
            });
            let result = catch_unwind(AssertUnwindSafe(|| {
                source.par_bridge().for_each(|item| assert!(item.1 != item_panics_at, "in an item"));
            }));
            assert!(result.is_err());
            assert_eq!(made.into_inner(), dropped.into_inner());
        }
    });
}

#[test]
fn a_search_that_has_found_does_not_wait_for_the_end_of_the_source() {
    let _watchdog = watchdog::watch("searches in bridges");
    on_pools(|_| {
        let slow = (0..).inspect(|n| {
            if *n > 1000 {
                sleep(MS)
            }
        });
        assert_eq!(slow.par_bridge().find_any(|n| *n == 1010), Some(1010));
        assert!(
            (0..100)
                .par_bridge()
                .try_fold(|| 0, |_, n| if n == 50 { None } else { Some(n) })
                .any(|n| n.is_none())
        );
    });
}
