//! Parallel iterators beside their peers' and the standard library's, row by row in one run.

use std::process::ExitCode;
use std::time::Duration;

use taskel_benches::iters::{self, Peer, Pools, Row};
use taskel_benches::machine::Machine;
use taskel_benches::measure::median;
use taskel_benches::noise::Noise;
use taskel_benches::options::Options;

/// A sample lasts about this long at least: what is shorter is called repeatedly.
const SAMPLE: Duration = Duration::from_millis(2);

const USAGE: &str = "Usage: cargo bench -p taskel-benches --bench iters -- [--load TEXT] [--reps N] [--help]";

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) if options.help => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(options) if !options.peer.is_empty() => {
            eprintln!("iters: it has no --peer, since each row has its own\n{USAGE}");
            return ExitCode::from(2);
        }
        Ok(options) if options.markdown => {
            eprintln!("iters: it has no --markdown, since it prints nothing else\n{USAGE}");
            return ExitCode::from(2);
        }
        Ok(options) => options,
        Err(error) => {
            eprintln!("iters: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pools = Pools::new(threads);
    let noise = Noise::watch();
    println!("{}; {} samples\n", Machine::here(threads), options.reps);
    println!("| µs, median [min–max] | {} |", Peer::ALL.map(Peer::name).join(" | "));
    println!("|---|{}", "---|".repeat(Peer::ALL.len()));
    for row in iters::rows(&options.load) {
        println!("{}", line(&row, &pools, options.reps));
    }
    if let Some(cores) = noise.and_then(|noise| noise.cores_of_others()) {
        println!("\nOther processes used {cores:.2} cores meanwhile.");
    }
    ExitCode::SUCCESS
}

fn line(row: &Row, pools: &Pools, reps: usize) -> String {
    let expected = pools.run(Peer::Std, &row.samples[0].1, 1).1;
    let calls: Vec<u32> = row
        .samples
        .iter()
        .map(|(peer, sample)| {
            let mut calls = 1;
            while pools.run(*peer, sample, calls).0 < SAMPLE {
                calls *= 2;
            }
            calls
        })
        .collect();
    let mut times = vec![Vec::with_capacity(reps); row.samples.len()];
    for rep in 0..reps {
        for turn in 0..row.samples.len() {
            let index = (rep + turn) % row.samples.len();
            let (peer, sample) = &row.samples[index];
            // The threads of the peer before go to sleep meanwhile.
            std::thread::sleep(Duration::from_micros(300));
            let (elapsed, answer) = pools.run(*peer, sample, calls[index]);
            let close = (answer - expected).abs() <= row.tolerance * expected.abs();
            assert!(close, "{} answers {answer} instead of {expected} on {}", peer.name(), row.name);
            times[index].push(elapsed.as_secs_f64() * 1e6 / f64::from(calls[index]));
        }
    }
    let cell = |peer: Peer| {
        let index = row.samples.iter().position(|(who, _)| *who == peer)?;
        let times = &times[index];
        let (min, max) = times.iter().fold((f64::MAX, 0.0_f64), |(min, max), &t| (min.min(t), max.max(t)));
        Some(format!("{} [{}–{}]", number(median(times.iter().copied())), number(min), number(max)))
    };
    let cells = Peer::ALL.map(|peer| cell(peer).unwrap_or_else(|| "–".to_owned()));
    format!("| {} | {} |", row.name, cells.join(" | "))
}

/// Three digits, where they are before the point.
fn number(value: f64) -> String {
    match value {
        0.0..10.0 => format!("{value:.3}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
