//! Quicksort with [`taskel::join`], on a file of numbers or on made-up ones.
//!
//! `cargo run --release --example quicksort -- FILE` prints the whole numbers in FILE, one per
//! line, as `sort -n FILE` does. Without a file, it sorts 10 million made-up numbers, checks them
//! against `slice::sort_unstable`, and says how long both took and who did how much.
//!
//! Start reading at [`sort::quicksort`], the parallel part.

mod sort;

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use taskel::{Profile, ThreadPool, ThreadPoolBuildError, WorkerLocal};

use crate::sort::quicksort;

/// Sorts whole numbers in parallel.
#[derive(Parser)]
struct Args {
    /// A file with one whole number per line, to be printed in order; - is standard input [default:
    /// made-up numbers]
    file: Option<PathBuf>,
    /// Threads that sort [default: one per usable core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// How many numbers to make up
    #[arg(long, value_name = "N", default_value_t = 10_000_000, conflicts_with = "file")]
    count: usize,
    /// Which numbers to make up
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "file")]
    seed: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match &args.file {
        Some(file) => sort_file(file, args.threads),
        None => sort_made_up(args.count, args.seed, args.threads),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("quicksort: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn sort_file(file: &Path, threads: Option<NonZeroUsize>) -> Result<(), Box<dyn Error>> {
    let mut numbers = if file == "-" {
        read_numbers(io::stdin().lock()).map_err(|error| format!("standard input: {error}"))?
    } else {
        let opened = File::open(file).map_err(ReadError::Io);
        opened
            .and_then(|open| read_numbers(BufReader::with_capacity(1 << 16, open)))
            .map_err(|error| format!("{}: {error}", file.display()))?
    };
    pool(threads)?.install(|| quicksort(&mut numbers, &|_| ()));
    print_numbers(&numbers).map_err(|error| format!("standard output: {error}").into())
}

enum ReadError {
    Io(io::Error),
    /// The line, from 1, and what is in it.
    NoNumber(u64, String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => error.fmt(f),
            ReadError::NoNumber(line, found) => {
                let (min, max) = (i64::MIN, i64::MAX);
                write!(f, "line {line}: expected a whole number from {min} to {max}, found {found:?}")
            }
        }
    }
}

/// One number per line; blanks around it are ignored, and so is whether the last line ends.
fn read_numbers(mut input: impl BufRead) -> Result<Vec<i64>, ReadError> {
    const SHOWN: usize = 40; // of a line that is no number: it may be a whole file
    let (mut numbers, mut line) = (Vec::new(), Vec::new());
    while input.read_until(b'\n', &mut line).map_err(ReadError::Io)? > 0 {
        let text = line.trim_ascii();
        match std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
            Some(number) => numbers.push(number),
            None => {
                let mut found = String::from_utf8_lossy(&text[..text.len().min(SHOWN)]).into_owned();
                if text.len() > SHOWN {
                    found.push('…');
                }
                return Err(ReadError::NoNumber(numbers.len() as u64 + 1, found));
            }
        }
        line.clear();
    }
    Ok(numbers)
}

fn print_numbers(numbers: &[i64]) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let printed = numbers.iter().try_for_each(|number| writeln!(out, "{number}")).and_then(|()| out.flush());
    match printed {
        // The reader has had enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            drop(out.into_parts()); // without another attempt to write what is left
            Ok(())
        }
        printed => printed,
    }
}

fn sort_made_up(count: usize, seed: u64, threads: Option<NonZeroUsize>) -> Result<(), Box<dyn Error>> {
    let pool = pool(threads)?;
    let mut numbers = made_up(count, seed)?;
    let mut expected = made_up(count, seed)?;
    let shares = WorkerLocal::new_in(&pool, Share::new);
    let ((), profile) = pool.profile(|| quicksort(&mut numbers, &|len| shares.with(|share| share.add(len))));
    let start = Instant::now();
    expected.sort_unstable();
    let alone = start.elapsed();
    if numbers != expected {
        return Err("the numbers are not as sort_unstable has them; this is a bug".into());
    }
    let taken = profile.wall_time();
    let times = alone.as_secs_f64() / taken.as_secs_f64();
    say(format_args!("{count} numbers, all where sort_unstable has them"));
    say(format_args!("quicksort: {taken:.3?}, threads: {}", profile.threads()));
    say(format_args!("sort_unstable: {alone:.3?}, {times:.2} times as long\n"));
    report(&profile, shares);
    Ok(())
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn made_up(count: usize, seed: u64) -> Result<Vec<i64>, String> {
    let mut numbers = Vec::new();
    numbers.try_reserve_exact(count).map_err(|error| format!("{count} numbers: {error}"))?;
    let mut state = seed;
    numbers.extend((0..count).map(|_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31).cast_signed()
    }));
    Ok(numbers)
}

/// What one worker sorted.
struct Share {
    worker: Option<usize>,
    pieces: Cell<usize>,
    numbers: Cell<usize>,
}

impl Share {
    fn new() -> Self {
        Share { worker: taskel::current_thread_index(), pieces: Cell::new(0), numbers: Cell::new(0) }
    }

    fn add(&self, numbers: usize) {
        self.pieces.set(self.pieces.get() + 1);
        self.numbers.set(self.numbers.get() + numbers);
    }
}

/// Who did how much. The profile knows who slept and woke; times and chunks it has of loops alone.
fn report(profile: &Profile, shares: WorkerLocal<Share>) {
    let mut shares: Vec<Share> = shares.into_iter().collect();
    shares.sort_unstable_by_key(|share| share.worker);
    for Share { worker, pieces, numbers } in shares {
        let name = worker.map_or("caller".to_owned(), |worker| format!("worker {worker}"));
        let (pieces, numbers) = (pieces.get(), numbers.get());
        say(format_args!("{name}: {numbers} numbers in {pieces} pieces"));
    }
    for worker in profile.workers() {
        say(format_args!("{}: woken {} times, parked {}", worker.label(), worker.wakeups(), worker.parks()));
    }
}

fn pool(threads: Option<NonZeroUsize>) -> Result<ThreadPool, ThreadPoolBuildError> {
    match threads {
        Some(threads) => ThreadPool::builder().num_threads(threads.get()).build(),
        None => ThreadPool::new(),
    }
}

/// Prints to standard error. Unlike `eprintln!`, does not panic when nobody listens there any more.
fn say(message: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{message}");
}
