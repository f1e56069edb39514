//! What do parallel regions take, and what processor time do they burn, between serial work, beside others, inside of others?

use std::process::ExitCode;

use taskel_benches::machine::Machine;
use taskel_benches::options::Options;
use taskel_benches::regions;
use taskel_benches::result::{Cell, Group};
use taskel_benches::suite::Context;
use taskel_benches::turns::Spread;
use taskel_benches::work::Calibration;

const USAGE: &str = "\
Usage: cargo bench -p taskel-benches --bench regions -- [--load TEXT] [--peer TEXT] [--reps N] [--help]
fork_union takes part with --features fork-union, which needs a C++ compiler.";

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) if options.help => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(options) if options.markdown => {
            eprintln!("regions: it has no --markdown, since it prints nothing else\n{USAGE}");
            return ExitCode::from(2);
        }
        Ok(options) => options,
        Err(error) => {
            eprintln!("regions: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let context = Context {
        threads,
        reps: options.reps,
        row: options.load,
        peer: options.peer,
        calibration: Calibration::measure(),
    };
    println!("{}; {} samples", Machine::here(threads), options.reps);
    println!("µs, median [min–max]; then processor time, median\n");
    let groups = regions::groups(&context);
    if groups.is_empty() {
        eprintln!("regions: nothing's name contains {:?}", context.row);
        return ExitCode::from(2);
    }
    groups.iter().for_each(print);
    ExitCode::SUCCESS
}

fn print(group: &Group) {
    let peers: Vec<&str> = group.rows[0].cells.iter().map(|cell| cell.peer.as_str()).collect();
    println!("| {} | {} |", group.title, peers.join(" | "));
    println!("|---|{}", "---|".repeat(peers.len()));
    for row in &group.rows {
        let cells: Vec<String> = row.cells.iter().map(shown).collect();
        println!("| {} | {} |", row.name, cells.join(" | "));
    }
    if let Some(cores) = group.cores_of_others {
        println!("\nOther processes used {cores:.2} cores meanwhile.\n");
    }
}

fn shown(cell: &Cell) -> String {
    let Spread { median, min, max } = Spread::of(&cell.samples);
    let time = format!("{} [{}–{}]", number(median), number(min), number(max));
    let cpu = cell.cpu.as_deref().map(|cpu| number(Spread::of(cpu).median));
    format!("{time}; {}", cpu.unwrap_or_default())
}

fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
