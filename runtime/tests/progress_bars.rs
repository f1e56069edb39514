//! Bars of `indicatif`, by the file that the example `progress` has for that.

#[path = "../examples/progress/bars.rs"]
mod bars;

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use bars::ParallelProgressIterator;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use taskel::ThreadPool;
use taskel::prelude::*;

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
