//! Is a program faster if its `use rayon` becomes `use taskel`?

use std::process::ExitCode;

use taskel_benches::machine::Machine;
use taskel_benches::noise::Noise;
use taskel_benches::options::Options;
use taskel_benches::programs::{self, By, Pools};
use taskel_benches::turns::Spread;

const USAGE: &str =
    "Usage: cargo bench -p taskel-benches --bench programs -- [--load TEXT] [--reps N] [--help]";

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) if options.help => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(options) if !options.peer.is_empty() || options.markdown => {
            eprintln!("programs: it has neither --peer nor --markdown\n{USAGE}");
            return ExitCode::from(2);
        }
        Ok(options) => options,
        Err(error) => {
            eprintln!("programs: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let programs = programs::all(&options.load);
    if programs.is_empty() {
        eprintln!("programs: no program's name contains {:?}", options.load);
        return ExitCode::from(2);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pools = Pools::new(threads);
    let noise = Noise::watch();
    println!("{}; {} samples\n", Machine::here(threads), options.reps);
    println!("| ms, median [min–max] | {} | taskel / rayon |", By::ALL.map(By::name).join(" | "));
    println!("|---|{}---|", "---|".repeat(By::ALL.len()));
    for program in programs {
        // Whoever comes first would pay for what is learned and allocated once.
        for by in By::ALL {
            let _ = program.run(by, &pools);
        }
        let spreads = programs::samples(&program, &pools, options.reps).map(|samples| Spread::of(&samples));
        let cells =
            spreads.map(|Spread { median, min, max }| format!("{median:.2} [{min:.2}–{max:.2}]")).join(" | ");
        let [_, rayon, taskel] = spreads;
        println!("| {} | {cells} | {:.3} |", program.name, taskel.median / rayon.median);
    }
    if let Some(cores) = noise.and_then(|noise| noise.cores_of_others()) {
        println!("\nOther processes used {cores:.2} cores meanwhile.");
    }
    ExitCode::SUCCESS
}
