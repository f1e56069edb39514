//! `progress_with`: how often it calls, and with what. Bars of `indicatif`, by the file that the example has for that.

#[path = "../examples/progress/bars.rs"]
mod bars;

use std::hint::black_box;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bars::ParallelProgressIterator;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use taskel::ThreadPool;
use taskel::prelude::*;

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
    for threads in [1, 2, 4] {
        for len in [1, 2, 7, 1000, 100_000, 3_000_000] {
            check(&reports(threads, len, || _ = black_box(len)), len);
        }
    }
    assert_eq!(reports(2, 0, || ()).0, []);
}

#[test]
fn a_loop_of_slow_items_tells_on_its_way_how_far_it_is() {
    for threads in [1, 4] {
        let len = 40 * threads;
        let seen = reports(threads, len, || sleep(Duration::from_millis(10)));
        check(&seen, len);
        assert!(seen.0.len() >= 4, "{seen:?}");
    }
}

#[test]
fn what_a_report_takes_is_not_the_items_time() {
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
    let pool = ThreadPool::builder().num_threads(3).build().unwrap();
    let panicked = std::panic::catch_unwind(|| {
        pool.install(|| (0..1000).into_par_iter().progress_with(|_, _| panic!("a report")).for_each(|_| ()))
    });
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"a report"));
}

#[test]
fn the_example_says_how_fast_it_is_and_how_long_it_takes_where_nobody_looks() {
    let this_test = std::env::current_exe().unwrap();
    let program = this_test.ancestors().nth(2).unwrap().join("examples/progress");
    let output = Command::new(&program).arg("300000").output().expect("built by `cargo test`");
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    assert_eq!(out, "from 230631, in 442 steps\n");
    let last = err.lines().last().unwrap();
    assert!(last.starts_with("299999 of 299999, ") && last.contains(" a second, 0 seconds left"), "{err}");
}

/// What would be on a terminal, and was.
#[derive(Clone, Debug, Default)]
struct Written(Arc<Mutex<String>>);

impl TermLike for Written {
    fn width(&self) -> u16 {
        80
    }

    fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }

    fn write_line(&self, line: &str) -> std::io::Result<()> {
        self.write_str(&format!("{line}\n"))
    }

    fn write_str(&self, text: &str) -> std::io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_bar_shows_the_rate_and_the_time_left() {
    let written = Written::default();
    let bar =
        ProgressBar::with_draw_target(Some(60), ProgressDrawTarget::term_like(Box::new(written.clone())));
    bar.set_style(ProgressStyle::with_template("{pos} of {len}, {per_sec}, {eta} left").unwrap());
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    pool.install(|| {
        (0..60).into_par_iter().progress_bar(bar.clone()).for_each(|_| sleep(Duration::from_millis(10)));
    });
    assert_eq!(bar.position(), 60);
    let written = written.0.lock().unwrap();
    let on_the_way = |text: &&str| text.contains("/s, ") && !text.starts_with("60 of 60");
    assert!(written.split_inclusive("left").filter(on_the_way).count() >= 2, "{written}");
}

#[test]
fn a_bar_counts_the_items_where_it_stands_whatever_the_pool() {
    for threads in [1, 2, 4] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        pool.install(|| {
            let hidden = ProgressBar::hidden;
            let (all, even, some) = (hidden(), hidden(), hidden());
            let numbers = || (0..10_000_u32).into_par_iter();
            let sum: u32 =
                numbers().progress_bar(all.clone()).filter(|n| n % 2 == 0).progress_bar(even.clone()).sum();
            assert_eq!((sum, all.position(), even.position()), (24_995_000, 10_000, 5_000));
            // Also where only some of them are asked for, from behind, and at their places.
            let taken: Vec<u32> = numbers().progress_bar(some.clone()).rev().take(10).collect();
            assert_eq!((taken[0], taken.len(), some.position()), (9_999, 10, 10));
            assert_eq!(numbers().progress_count(10_000).filter(|&n| n > 9_990).count(), 9);
            assert_eq!(numbers().progress().max(), Some(9_999));
            assert_eq!(numbers().progress_with_style(ProgressStyle::default_bar()).min(), Some(0));
        });
    }
}
