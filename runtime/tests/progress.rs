//! `progress_with`: how often it calls, and with what.

use std::hint::black_box;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use taskel::ThreadPool;
use taskel::prelude::*;

/// Held by a test whose items are so short that what others do on these cores seems to be theirs.
static ALONE: RwLock<()> = RwLock::new(());

fn beside_others() -> RwLockReadGuard<'static, ()> {
    ALONE.read().unwrap_or_else(PoisonError::into_inner)
}

/// What a loop of `len` items reports on `threads` workers, and how long it takes.
fn reports(threads: usize, len: usize, item: impl Fn() + Sync) -> (Vec<(usize, usize)>, Duration) {
    let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
    let reports = Mutex::new(vec![]);
    let begun = Instant::now();
    pool.install(|| {
        let report = |done, total| reports.lock().unwrap().push((done, total));
        (0..len).into_par_iter().progress_with(report).for_each(|_| item());
    });
    (reports.into_inner().unwrap(), begun.elapsed())
}

fn check((reports, elapsed): &(Vec<(usize, usize)>, Duration), len: usize) {
    assert!(reports.is_sorted(), "one went back: {reports:?}");
    assert!(reports.iter().all(|&(done, total)| 0 < done && done <= len && total == len));
    assert_eq!(reports.iter().filter(|&&(done, _)| done == len).count(), 1, "the last one: {reports:?}");
    let most = elapsed.as_millis() / 50 + 1;
    assert!(reports.len() as u128 <= most, "{} reports in {elapsed:?}", reports.len());
}

#[test]
fn reports_are_few_never_go_back_and_end_with_the_total() {
    let _beside = beside_others();
    for threads in [1, 2, 4] {
        for len in [1, 2, 7, 1000, 100_000, 3_000_000] {
            check(&reports(threads, len, || _ = black_box(len)), len);
        }
    }
    assert_eq!(reports(2, 0, || ()).0, []);
}

#[test]
fn a_loop_of_slow_items_tells_on_its_way_how_far_it_is() {
    let _beside = beside_others();
    for threads in [1, 4] {
        let len = 40 * threads;
        let seen = reports(threads, len, || sleep(Duration::from_millis(10)));
        check(&seen, len);
        assert!(seen.0.len() >= 4, "{seen:?}");
    }
}

#[test]
fn what_a_report_takes_is_not_the_items_time() {
    let _alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let items = || (0..3_000_000).into_par_iter();
    let ((), profile) = pool.profile(|| {
        items().progress_with(|_, _| sleep(Duration::from_millis(60))).for_each(|n: u32| _ = black_box(n));
    });
    // Were it, a chunk would have one item from the first report on.
    assert!(profile.chunks() < 300_000, "{}", profile.chunks());
}

#[test]
fn a_loop_that_ends_early_does_not_report_the_total() {
    let _beside = beside_others();
    let pool = ThreadPool::builder().num_threads(3).build().unwrap();
    let all = || Mutex::new(vec![]);
    let (found, failed) = (all(), all());
    pool.install(|| {
        let items = || (0..100_000_u32).into_par_iter();
        assert!(items().progress_with(|done, _| found.lock().unwrap().push(done)).any(|n| n == 50));
        let panicked = std::panic::catch_unwind(|| {
            let report = |done, _| failed.lock().unwrap_or_else(|e| e.into_inner()).push(done);
            items().progress_with(report).for_each(|n| assert!(n != 50, "a panic"));
        });
        assert!(panicked.is_err());
    });
    for seen in [found, failed] {
        assert!(!seen.into_inner().unwrap().contains(&100_000));
    }
}

#[test]
fn a_report_that_panics_ends_the_loop() {
    let _beside = beside_others();
    let pool = ThreadPool::builder().num_threads(3).build().unwrap();
    let panicked = std::panic::catch_unwind(|| {
        pool.install(|| (0..1000).into_par_iter().progress_with(|_, _| panic!("a report")).for_each(|_| ()))
    });
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"a report"));
}
