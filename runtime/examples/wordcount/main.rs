//! Counts words in files, in directories with all they hold, or in standard input, with little
//! memory however much there is to read.
//!
//! ```sh
//! cargo run --release --example wordcount -- DIRECTORY
//! ```
//!
//! prints the same as
//!
//! ```sh
//! grep -rha '' DIRECTORY | tr -cs A-Za-z '\n' | tr A-Z a-z | grep . | sort | uniq -c | sort -k1,1nr -k2 | head
//! ```
//!
//! (but for the blanks in front of the counts), in the C locale. Files that are no text are
//! counted, too: what is not an ASCII letter stands between words.
//!
//! A thread at a time reads; blocks of 64 KiB, cut between words, go through a stream in which no
//! more than 16 MiB are in flight; the calling thread adds the counts up.

mod blocks;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use taskel::prelude::*;

use blocks::Blocks;

/// Counts words.
#[derive(Parser)]
struct Options {
    /// Files and directories; standard input if there are none, or for `-`.
    paths: Vec<PathBuf>,
    /// How many of the most frequent words to print.
    #[arg(short = 'n', long, default_value_t = 10)]
    top: usize,
    /// Show how much was read.
    #[arg(short, long)]
    progress: bool,
}

/// The most bytes between reading and adding up.
const IN_FLIGHT: usize = 16 << 20;

fn main() -> io::Result<()> {
    let options = Options::parse();
    let bar = if options.progress { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{spinner} {bytes} ({bytes_per_sec})");
    bar.set_style(style.expect("a template that is right"));
    let counts = count(Blocks::of(options.paths), &bar)?;
    bar.finish_and_clear();
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.par_sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut out = io::stdout().lock();
    for (word, count) in counts.iter().take(options.top) {
        writeln!(out, "{count} {word}")?;
    }
    Ok(())
}

/// The number of times that each word is in the blocks.
fn count(
    blocks: impl Iterator<Item = io::Result<Vec<u8>>> + Send,
    bar: &ProgressBar,
) -> io::Result<HashMap<String, u64>> {
    let mut total = HashMap::new();
    let weight = |block: &io::Result<Vec<u8>>| block.as_ref().map_or(1, |block| block.len().max(1));
    let counted = blocks.par_stream().map(|block| block.map(|block| (count_block(&block), block.len())));
    counted.max_in_flight_bytes(IN_FLIGHT, weight).try_for_each_unordered(|counts| {
        let (counts, bytes) = counts?;
        bar.inc(bytes as u64);
        for (word, count) in counts {
            *total.entry(word).or_default() += count;
        }
        Ok::<(), io::Error>(())
    })?;
    Ok(total)
}

fn count_block(block: &[u8]) -> HashMap<String, u64> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut word = String::new();
    for text in block.split(|byte| !byte.is_ascii_alphabetic()).filter(|text| !text.is_empty()) {
        word.clear();
        word.extend(text.iter().map(|&byte| char::from(byte.to_ascii_lowercase())));
        match counts.get_mut(&word) {
            Some(count) => *count += 1,
            None => drop(counts.insert(word.clone(), 1)),
        }
    }
    counts
}
