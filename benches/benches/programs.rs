//! Is a program faster if its `use rayon` becomes `use taskel`?

use std::process::ExitCode;

use taskel_benches::machine::Machine;
use taskel_benches::options::Options;
use taskel_benches::programs;
use taskel_benches::result::Row;
use taskel_benches::suite::Context;
use taskel_benches::turns::Spread;
use taskel_benches::work::Calibration;

const USAGE: &str = "Usage: cargo bench -p taskel-benches --bench programs -- [--load TEXT] [--peer TEXT] [--reps N] [--help]";

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(options) if options.help => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(options) if options.markdown => {
            eprintln!("programs: it has no --markdown, since it prints nothing else\n{USAGE}");
            return ExitCode::from(2);
        }
        Ok(options) => options,
        Err(error) => {
            eprintln!("programs: {error}\n{USAGE}");
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
    let groups = programs::groups(&context);
    if groups.is_empty() {
        eprintln!("programs: no program's name contains {:?}", context.row);
        return ExitCode::from(2);
    }
    for group in groups {
        println!(
            "\n| {}, median [min–max] | {} | taskel / rayon |",
            group.unit,
            peers(&group.rows[0]).join(" | ")
        );
        println!("|---|{}---|", "---|".repeat(group.rows[0].cells.len()));
        group.rows.iter().for_each(print);
        if let Some(cores) = group.cores_of_others {
            println!("\nOther processes used {cores:.2} cores meanwhile.");
        }
    }
    ExitCode::SUCCESS
}

fn peers(row: &Row) -> Vec<&str> {
    row.cells.iter().map(|cell| cell.peer.as_str()).collect()
}

fn print(row: &Row) {
    let cell = |samples: &Vec<f64>| {
        let Spread { median, min, max } = Spread::of(samples);
        format!("{median:.2} [{min:.2}–{max:.2}]")
    };
    let cells: Vec<String> = row.cells.iter().map(|it| cell(&it.samples)).collect();
    let median = |peer| row.cell(peer).map(|cell| cell.median());
    let ratio = median("taskel").zip(median("rayon")).map(|(taskel, rayon)| format!("{:.3}", taskel / rayon));
    println!("| {} | {} | {} |", row.name, cells.join(" | "), ratio.unwrap_or_default());
}
