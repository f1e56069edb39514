//! How many bytes are in a directory and all below it: `du`, in parallel.
//!
//! `cargo run --release --example dirsize -- DIR` prints what `du -sb DIR` prints: the sizes of
//! files, directories and symbolic links as `ls -l` shows them, whatever they take on the disk.
//! (From coreutils 9.2 on, `du` leaves out what directories themselves have.) Nobody knows how
//! large a directory is before it is read, and it may hold anything from nothing to a million
//! others: that is what a scope with a task per directory is for.
//!
//! Start reading at [`count::count`], the parallel part.

mod count;
mod long_path;
mod seen;
mod subtree;

use std::error::Error;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use taskel::ThreadPool;

use crate::count::{Failure, Report};
use crate::seen::Seen;

/// Prints how many bytes are in directories and all below them, as du -sb would.
#[derive(Parser)]
struct Args {
    /// Directories to count, or files; symbolic links are not followed
    #[arg(value_name = "DIR", default_value = ".")]
    roots: Vec<PathBuf>,
    /// Threads that count [default: one per usable core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// A line for each directory below as well, in the order of their paths
    #[arg(long)]
    per_dir: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(format_args!("dirsize: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Returns whether everything could be looked at.
fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    let pool = match args.threads {
        Some(threads) => ThreadPool::builder().num_threads(threads.get()).build()?,
        None => ThreadPool::new()?,
    };
    let seen = Seen::new(args.roots.len());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut all_read = true;
    for root in &args.roots {
        let Report { mut lines, mut failures } = count::count(&pool, root, &seen, args.per_dir);
        // Workers are done with them in any order.
        lines.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        failures.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        for Failure { path, doing, error } in &failures {
            complain(path, doing, error);
        }
        all_read &= failures.is_empty();
        let printed = lines.iter().try_for_each(|line| print(&mut out, line.bytes, &line.path));
        match printed.and_then(|()| out.flush()) {
            // The reader has had enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                drop(out.into_parts()); // without another attempt to write what is left
                return Ok(all_read);
            }
            printed => printed.map_err(|error| format!("standard output: {error}"))?,
        }
    }
    Ok(all_read)
}

/// The path byte for byte, as `du` has it.
fn print(out: &mut impl Write, bytes: u64, path: &Path) -> io::Result<()> {
    write!(out, "{bytes}\t")?;
    out.write_all(path.as_os_str().as_encoded_bytes())?;
    out.write_all(b"\n")
}

/// One line on standard error, whatever is in the name.
fn complain(path: &Path, doing: &str, error: &io::Error) {
    say(format_args!("dirsize: cannot {doing} {path:?}: {error}"));
}

/// Prints to standard error. Unlike `eprintln!`, does not panic when nobody listens there any more:
/// the sizes on standard output and the exit status are still good.
fn say(message: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{message}");
}
