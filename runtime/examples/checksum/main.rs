//! BLAKE3 sums of all files below some directories, in parallel.
//!
//! `cargo run --release --example checksum -- DIR…` prints what
//! `find DIR… -type f | LC_ALL=C sort | xargs b3sum` prints, and then, on standard error, who
//! hashed how much. File sizes differ by many orders of magnitude and nobody chooses a chunk size:
//! a loop over files is what taskel is for.
//!
//! Start reading at [`hash_all`], the parallel part.

mod hash;
mod line;
mod progress;
mod walk;

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use taskel::prelude::*;
use taskel::{Chunk, Profile, ThreadPool};

use crate::hash::FileHasher;
use crate::progress::Progress;

/// Prints the BLAKE3 sums of all regular files below some directories, as b3sum would.
#[derive(Parser)]
struct Args {
    /// Directories to walk through, or files; symbolic links are not followed
    #[arg(value_name = "DIR", default_value = ".")]
    roots: Vec<PathBuf>,
    /// Threads that hash [default: one per usable core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Files that a thread takes at once: a number, or auto
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = parse_chunk)]
    chunk: Chunk,
    /// Draw who hashed when into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page about who hashed when into this file, for a browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write who hashed when into this file, for <https://ui.perfetto.dev>
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write what was done into this file, for the example `replay` of taskel-adaptive
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// A file or directory that could not be read.
struct Failure {
    path: PathBuf,
    error: io::Error,
}

type HashResult = io::Result<blake3::Hash>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(format_args!("checksum: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Returns whether every file could be read.
fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    let pool = match args.threads {
        Some(threads) => ThreadPool::builder().num_threads(threads.get()).build()?,
        None => ThreadPool::new()?,
    };
    let (files, unwalkable) = walk::regular_files(&args.roots, &Progress::of_unknown_length());
    for Failure { path, error } in &unwalkable {
        complain(path, error);
    }
    let progress = Progress::of(files.len());
    let (results, profile) = pool.profile(|| hash_all(&pool, args.chunk, &files, &progress));
    drop(progress); // takes the bar off the terminal

    print_sums(&files, &results).map_err(|error| format!("standard output: {error}"))?;
    let mut all_read = unwalkable.is_empty();
    for (path, result) in files.iter().zip(&results) {
        if let Err(error) = result {
            complain(path, error);
            all_read = false;
        }
    }
    say(format_args!("{profile}"));
    if let Some(svg) = &args.svg {
        write(svg, profile.to_svg())?;
    }
    if let Some(html) = &args.html {
        write(html, profile.to_html())?;
    }
    if let Some(trace) = &args.trace {
        write_trace(&profile, trace)?;
    }
    if let Some(record) = &args.record {
        write(record, profile.recording().to_json())?;
    }
    Ok(all_read)
}

/// The sum of each file, in the order of `files`, whoever computed it.
fn hash_all(pool: &ThreadPool, chunk: Chunk, files: &[Box<Path>], progress: &Progress) -> Vec<HashResult> {
    files
        .par_iter()
        .on(pool)
        .chunk(chunk)
        // One hasher with its read buffer for each worker, not for each of perhaps a million files.
        .map_init(FileHasher::new, |hasher, path| {
            let result = hasher.hash(path);
            progress.advance();
            result
        })
        .collect()
}

fn print_sums(files: &[Box<Path>], results: &[HashResult]) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let printed = files
        .iter()
        .zip(results)
        .filter_map(|(path, result)| Some((path, result.as_ref().ok()?)))
        .try_for_each(|(path, hash)| line::write(&mut out, hash, path.as_os_str()))
        .and_then(|()| out.flush());
    match printed {
        // The reader has had enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            drop(out.into_parts()); // without another attempt to write what is left
            Ok(())
        }
        printed => printed,
    }
}

fn write(file: &Path, content: String) -> Result<(), String> {
    fs::write(file, content).map_err(|error| format!("{}: {error}", file.display()))
}

fn write_trace(profile: &Profile, file: &Path) -> Result<(), String> {
    let written = File::create(file).and_then(|out| profile.write_trace(out));
    written.map_err(|error| format!("{}: {error}", file.display()))
}

/// One line about a file, its name byte for byte but for line breaks.
fn complain(path: &Path, error: &io::Error) {
    let mut message = b"checksum: ".to_vec();
    message.extend_from_slice(&line::escape(path.as_os_str()));
    // A failure to write is ignored for the reason given in `say`.
    let _ = writeln!(message, ": {error}").and_then(|()| io::stderr().write_all(&message));
}

/// Prints to standard error. Unlike `eprintln!`, does not panic when nobody listens there any more:
/// the sums on standard output and the exit status are still good.
fn say(message: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{message}");
}

fn parse_chunk(text: &str) -> Result<Chunk, String> {
    if text == "auto" {
        return Ok(Chunk::Auto);
    }
    let exact = text.parse::<NonZeroUsize>();
    exact.map(|n| Chunk::Exact(n.get())).map_err(|_| "expected auto or a number of at least 1".to_owned())
}
