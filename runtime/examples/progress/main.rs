//! Shows how far a long loop is, how fast it goes, and when it will be over.
//!
//! ```sh
//! cargo run --release --example progress
//! ```
//!
//! Where standard error is no terminal, the same comes as lines. `bars.rs` is what to copy for bars of `indicatif`.

mod bars;

use std::time::{Duration, Instant};

use bars::ParallelProgressIterator;
use clap::Parser;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use taskel::prelude::*;

/// Finds how many steps the Collatz sequence that takes longest has, of those that begin below a
/// number.
#[derive(Parser)]
struct Options {
    /// The first number that is not looked at.
    #[arg(default_value_t = 30_000_000)]
    below: u64,
}

fn main() {
    let Options { below } = Options::parse();
    let bar = ProgressBar::new(below.saturating_sub(1));
    let style = "{wide_bar} {percent} %, {per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).expect("a template"));
    let numbers = (1..below).into_par_iter();
    let longest = if bar.is_hidden() {
        let start = Instant::now();
        let report = |done: usize, total: usize| {
            let rate = done as f64 / start.elapsed().as_secs_f64();
            let left = Duration::from_secs_f64((total - done) as f64 / rate);
            eprintln!("{done} of {total}, {rate:.0} a second, {} left", HumanDuration(left));
        };
        numbers.progress_with(report).map(|n| (steps(n), n)).max()
    } else {
        numbers.progress_bar(bar.clone()).map(|n| (steps(n), n)).max()
    };
    bar.finish_and_clear();
    match longest {
        Some((steps, n)) => println!("from {n}, in {steps} steps"),
        None => println!("there are none"),
    }
}

/// How often a number is halved, or tripled and increased, until it is 1.
fn steps(mut n: u64) -> u32 {
    let mut steps = 0;
    while n > 1 {
        n = if n.is_multiple_of(2) { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}
