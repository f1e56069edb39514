//! How close do parallel loops come to the best time possible, whatever their taskels take?

use std::{process::ExitCode, thread};
use taskel_benches::{
    load::{DECLARATIONS, Load},
    machine::Machine,
    measure::{Row, measure},
    noise::Noise,
    options::{Options, USAGE},
    peer::{self, Peer, SERIAL},
    report::{self, Style},
    work::Calibration,
};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("loops: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if options.help {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let threads = match thread::available_parallelism() {
        Ok(threads) => threads.get(),
        Err(error) => {
            eprintln!("loops: cannot find out how many cores there are: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut peers: Vec<Box<dyn Peer>> = peer::all(threads);
    let names: Vec<&str> = peers.iter().map(|peer| peer.name()).collect();
    if !names.iter().any(|name| name.contains(&options.peer)) {
        return no_such("peer", &options.peer, &names);
    }
    peers.retain(|peer| peer.name() == SERIAL || peer.name().contains(&options.peer));
    let names: Vec<&str> = DECLARATIONS.iter().map(|declaration| declaration.name).collect();
    if !names.iter().any(|name| name.contains(&options.load)) {
        return no_such("load", &options.load, &names);
    }
    let noise = Noise::watch();
    let calibration = Calibration::measure();
    let rows = measure_all(&options, &mut peers, threads, &calibration);
    let others = noise.and_then(|noise| noise.cores_of_others());
    print(&rows, &options, threads, &calibration);
    match others {
        Some(cores) => println!("Other processes used {cores:.2} cores meanwhile."),
        None => println!("What other processes did meanwhile is unknown: there is no /proc."),
    }
    ExitCode::SUCCESS
}

fn no_such(kind: &str, asked_for: &str, names: &[&str]) -> ExitCode {
    eprintln!("loops: no {kind} is called {asked_for:?}; there are:");
    names.iter().for_each(|name| eprintln!("  {name}"));
    ExitCode::from(2)
}

fn measure_all(
    options: &Options,
    peers: &mut [Box<dyn Peer>],
    threads: usize,
    calibration: &Calibration,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for declaration in DECLARATIONS.iter().filter(|declaration| declaration.name.contains(&options.load)) {
        eprintln!("{}", declaration.name);
        let load = Load::build(declaration, calibration);
        rows.push(measure(&load, peers, threads, options.reps, calibration));
    }
    rows
}

fn print(rows: &[Row], options: &Options, threads: usize, calibration: &Calibration) {
    let style = if options.markdown { Style::Markdown } else { Style::Plain };
    println!("{}", Machine::here(threads));
    let Calibration { iteration_ns, call_ns } = calibration;
    println!(
        "{} samples; a taskel takes {call_ns:.2} ns + {iteration_ns:.3} ns per iteration\n",
        options.reps
    );
    println!("Time / max(sum / {threads}, longest taskel), median [min–max]:\n");
    println!("{}", report::ratios(rows, style));
    let short = report::short_loops(rows, style);
    if !short.is_empty() {
        println!(
            "Short loops, called back to back (× calls per sample), ns per call, median [min–max]:\n\n{short}"
        );
    }
}
