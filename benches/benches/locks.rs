//! What does a lock between processes cost, and one that survives its owner?

use std::process::ExitCode;
use taskel_benches::{
    locks::{self, measure::Contention},
    machine::Machine,
    noise::Noise,
    options::Options,
    report::Style,
    work::Calibration,
};

const USAGE: &str = "\
Usage: cargo bench -p taskel-benches --bench locks -- [OPTIONS]
  --load TEXT   only cases whose name contains TEXT
  --peer TEXT   only locks whose name contains TEXT
  --reps N      samples of each lock in each case [default: 31]
  --markdown    print Markdown, with the machine and the date
  --help        print this";

/// What the cases are called, who takes part, and how long the critical section is in nanoseconds.
const CASES: [(&str, Contention, f64); 9] = [
    ("alone, 0 ns", Contention::None, 0.0),
    ("alone, 100 ns", Contention::None, 100.0),
    ("alone, 1 µs", Contention::None, 1000.0),
    ("2 threads, 0 ns", Contention::Threads, 0.0),
    ("2 threads, 100 ns", Contention::Threads, 100.0),
    ("2 threads, 1 µs", Contention::Threads, 1000.0),
    ("2 processes, 0 ns", Contention::Processes, 0.0),
    ("2 processes, 100 ns", Contention::Processes, 100.0),
    ("2 processes, 1 µs", Contention::Processes, 1000.0),
];

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("locks: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if options.help {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let mut peers = locks::all();
    peers.retain(|peer| peer.name().contains(&options.peer));
    let cases: Vec<_> = CASES.iter().filter(|(name, ..)| name.contains(&options.load)).collect();
    if peers.is_empty() || cases.is_empty() {
        eprintln!("locks: no such lock or case; the locks are:");
        locks::all().iter().for_each(|peer| eprintln!("  {}", peer.name()));
        eprintln!("and the cases:");
        CASES.iter().for_each(|(name, ..)| eprintln!("  {name}"));
        return ExitCode::from(2);
    }
    let noise = Noise::watch();
    let calibration = Calibration::measure();
    let columns: Vec<_> = cases
        .iter()
        .map(|&&(name, contention, ns)| {
            eprintln!("{name}");
            let iterations = if ns > 0.0 { calibration.iterations(ns) } else { 0 };
            locks::measure::measure(&peers, contention, iterations, options.reps)
        })
        .collect();
    let style = if options.markdown { Style::Markdown } else { Style::Plain };
    println!("{}", Machine::here(std::thread::available_parallelism().map_or(1, usize::from)));
    println!(
        "{} samples; ns per acquisition, median [min–max]; more:less acquisitions of the two; work {:.3} ns per iteration\n",
        options.reps, calibration.iteration_ns
    );
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    // Nine columns are too many for a page.
    for (cases, columns) in cases.chunks(3).zip(columns.chunks(3)) {
        let cases: Vec<&str> = cases.iter().map(|case| case.0).collect();
        println!("{}", locks::report::text(&names, &cases, columns, style));
    }
    if let Some(cores) = noise.and_then(|noise| noise.cores_of_others()) {
        println!("Other processes used {cores:.2} cores meanwhile.");
    }
    ExitCode::SUCCESS
}
