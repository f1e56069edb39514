//! The command `taskel-run`, which starts the processes of a team. Its README describes it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use taskel_team::{Launcher, Progress};

/// Runs a program as a team of processes that share its loops
///
/// The program calls taskel_team::Team::from_env(). When a process dies, the others do its
/// remaining work.
#[derive(Parser)]
#[command(name = "taskel-run", version)]
struct Arguments {
    /// How many processes
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    n: u16,
    /// How often each rank is restarted after a death
    #[arg(long, value_name = "K", default_value_t = 0)]
    restart: u64,
    /// How many threads each process has (default: an equal share of the cores)
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,
    /// How many processes may die in an item before it is given up
    #[arg(long, value_name = "D", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=255))]
    attempts: u64,
    /// Begin each line that a process prints with its rank in brackets
    #[arg(long)]
    prefix: bool,
    /// Keep finished work in this file, and run only what is missing when started with it again
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Show the progress of the last call
    #[arg(long)]
    progress: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    command: Vec<OsString>,
}

/// The exit status of `env(1)` and shells.
const CANNOT_RUN: u8 = 127;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut launcher = Launcher::new(arguments.n.into())
        .restarts(arguments.restart)
        .attempts(arguments.attempts)
        .prefix(arguments.prefix);
    if let Some(threads) = arguments.threads {
        launcher = launcher.threads(threads.into());
    }
    if let Some(file) = arguments.ledger {
        launcher = launcher.ledger(file);
    }
    if arguments.progress {
        launcher = launcher.watch(progress_line());
    }
    let Some((program, rest)) = arguments.command.split_first() else { return CANNOT_RUN.into() };
    match launcher.run(program, rest) {
        Ok(status) => u8::try_from(status).unwrap_or(u8::MAX).into(),
        Err(error) => {
            eprintln!("taskel-run: {}: {error}", program.to_string_lossy());
            CANNOT_RUN.into()
        }
    }
}

/// Shows a progress line on the terminal, if standard error is one.
fn progress_line() -> impl Fn(&Progress) + Send + Sync {
    let line = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} items, {elapsed} ({eta} left)");
    line.set_style(style.expect("a template of known parts"));
    let last_call = Mutex::new(0);
    move |progress| {
        let mut last_call = last_call.lock().unwrap_or_else(PoisonError::into_inner);
        if *last_call != progress.calls {
            line.reset();
            *last_call = progress.calls;
        }
        line.set_length(progress.items);
        line.set_position(progress.claimed);
        let died = if progress.deaths > 0 { format!(", {} died", progress.deaths) } else { String::new() };
        line.set_message(format!("call {}, {} processes{died}", progress.calls, progress.running));
        if progress.running == 0 {
            line.finish();
        }
    }
}
