//! A parameter sweep of wildly unequal runs: which rates of growth make the logistic map chaotic?
//!
//! Run *i* has a rate between 2.5 and 4, and as many steps as its Lyapunov exponent needs to
//! settle: from ten thousand to hundreds of millions. The same source runs on the threads of one
//! process, and as a team of processes:
//!
//! ```sh
//! cargo run --release -p taskel-team --example sweep -- --runs 200
//! cargo build --release -p taskel-team --example sweep
//! cargo run --release -p taskel-team -- -n 4 --restart 100 -- target/release/examples/sweep --runs 200
//! cargo build --release -p taskel-team --example sweep --features mpi
//! mpirun -n 4 target/release/examples/sweep --runs 200
//! ```
//!
//! With `--ledger FOLDER`, a run that was killed goes on where it was, in any of these ways.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use serde::{Deserialize, Serialize};
use taskel_team::{Team, TeamError};

#[derive(Parser)]
struct Arguments {
    /// How many runs
    #[arg(long, default_value_t = 200)]
    runs: usize,
    /// The steps of the longest run, in thousands
    #[arg(long, default_value_t = 50_000)]
    longest: u64,
    /// Keep what is done in this folder, and run only what is missing when started again
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// Append a line to this file for each run that is begun
    #[arg(long)]
    log: Option<PathBuf>,
}

/// What a run finds.
#[derive(Serialize, Deserialize)]
struct Row {
    rate: f64,
    steps: u64,
    exponent: f64,
}

impl Row {
    /// One in 50 runs is as long as all others together.
    fn run(i: usize, arguments: &Arguments) -> Row {
        // A golden-ratio sequence: evenly spread, whatever the number of runs.
        let spread = (i as f64 * 0.618_033_988_749_895).fract();
        let part = if i % 50 == 17 { 1.0 } else { 0.02 * (1.0 - spread).powi(4) };
        let steps = (arguments.longest as f64 * 1000.0 * part) as u64 + 10_000;
        let rate = 2.5 + 1.5 * spread;
        let (mut x, mut sum) = (0.3_f64, 0.0);
        for _ in 0..steps {
            x *= rate * (1.0 - x);
            sum += (rate * (1.0 - 2.0 * x)).abs().max(1e-300).ln();
        }
        Row { rate, steps, exponent: sum / steps as f64 }
    }
}

/// In one piece, since others append to the same file.
fn note(log: &Path, run: usize) {
    let file = OpenOptions::new().append(true).create(true).open(log);
    file.and_then(|mut file| file.write_all(format!("{run}\n").as_bytes()))
        .expect("a file that can be written");
}

fn main() -> ExitCode {
    match sweep(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sweep: {error}");
            ExitCode::FAILURE
        }
    }
}

fn sweep(arguments: &Arguments) -> Result<(), TeamError> {
    let mut team = Team::from_env()?;
    if let Some(folder) = &arguments.ledger {
        team = team.ledger(folder)?;
    }
    let began = Instant::now();
    let rows = team.map(0..arguments.runs, |i| {
        if let Some(log) = &arguments.log {
            note(log, i);
        }
        Row::run(i, arguments)
    })?;
    if team.rank() == 0 {
        println!("{:>4} {:>9} {:>10} {:>9}", "run", "rate", "steps", "exponent");
        for (i, Row { rate, steps, exponent }) in rows.iter().enumerate() {
            println!("{i:>4} {rate:>9.6} {steps:>10} {exponent:>9.5}");
        }
        let chaotic = rows.iter().filter(|row| row.exponent > 0.0).count();
        let (deaths, again) = team.deaths_and_repetitions();
        eprintln!(
            "{chaotic} of {} runs are chaotic; {} ranks, {:.1} s; {deaths} processes died, {again} runs were begun again",
            rows.len(),
            team.size(),
            began.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
