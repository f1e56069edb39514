//! `cargo run --release -p taskel-benches -- help`

use std::{
    error::Error,
    fs::File,
    io::BufReader,
    panic,
    path::Path,
    process::{self, ExitCode},
    thread,
};
use taskel_benches::{
    compare,
    machine::Machine,
    noise::Noise,
    options::{self, Choice, Command, USAGE},
    peer, report,
    report::tables,
    result::Report,
    suite::{self, Context, Suite, hot_paths, processes, teams, workers},
    work::Calibration,
};

fn main() -> ExitCode {
    let command = match options::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("taskel-benches: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("taskel-benches: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Report { only, choice, out } => report(&only, &choice, out.as_deref()),
        Command::Suite { name, choice } => measure(&name, choice),
        Command::HotPaths => {
            hot_paths::run_all();
            Ok(())
        }
        Command::Calls { row, peer, tiny_steps } => {
            // Threads that wait for each other would wait for ever for one that has panicked.
            let tell = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                tell(info);
                process::abort();
            }));
            let times = if processes::has(&row) {
                processes::call(&row, &peer, tiny_steps)?;
                None
            } else if teams::has(&row) {
                teams::calls(&row, &peer, tiny_steps)?
            } else {
                Some(workers::calls(&row, &peer, tiny_steps)?)
            };
            if let Some(times) = times {
                println!("{}", serde_json::to_string(&times)?);
            }
            Ok(())
        }
        Command::Merge { old, new, out } => {
            report::write(&read(&old)?.merged(read(&new)?), &out)?;
            eprintln!("written to {}", out.display());
            Ok(())
        }
        Command::Compare { old, new } => {
            let comparison = compare::compare(&read(&old)?, &read(&new)?);
            print!("{}", compare::text(&comparison));
            Ok(())
        }
        Command::Help => {
            println!("{USAGE}\n\nSuites:");
            suite::ALL.iter().for_each(|suite| println!("  {:14} {}", suite.name, suite.about));
            Ok(())
        }
    }
}

fn read(path: &Path) -> Result<Report, Box<dyn Error>> {
    let named = |error: &dyn Error| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| named(&error))?;
    Ok(serde_json::from_reader(BufReader::new(file)).map_err(|error| named(&error))?)
}

/// Measures each suite in a process of its own, so that no thread, no warm cache and no crash of
/// one reaches the next.
fn report(only: &[String], choice: &Choice, out: Option<&Path>) -> Result<(), Box<dyn Error>> {
    if let Some(unknown) = only.iter().find(|name| suite_named(name).is_none()) {
        let names: Vec<&str> = suite::ALL.iter().map(|suite| suite.name).collect();
        return Err(format!("no suite is called {unknown:?}; there are: {}", names.join(", ")).into());
    }
    let mut report = Report {
        machine: Machine::here(threads()?).to_string(),
        calibration: Calibration::measure().to_string(),
        left_out: peer::left_out(),
        groups: Vec::new(),
    };
    let mut failed = Vec::new();
    for suite in
        suite::ALL.iter().filter(|suite| only.is_empty() || only.iter().any(|name| name == suite.name))
    {
        eprintln!("{}: {}", suite.name, suite.about);
        match suite::in_its_own_process(suite.name, choice) {
            Ok((groups, left_out)) => {
                report.groups.extend(groups);
                report.left_out.extend(left_out);
            }
            Err(error) => {
                eprintln!("{} failed: {error}", suite.name);
                report.left_out.push(format!("{} is left out: it failed", suite.name));
                failed.push(suite.name);
            }
        }
    }
    if report.groups.is_empty() && report.left_out.len() == peer::left_out().len() {
        return Err(format!("there is no row with {:?} of a peer with {:?}", choice.row, choice.peer).into());
    }
    print!("{}", tables::report(&report));
    if let Some(out) = out {
        report::write(&report, out)?;
        eprintln!("written to {}", out.display());
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

fn suite_named(name: &str) -> Option<&'static Suite> {
    suite::ALL.iter().find(|suite| suite.name == name)
}

fn threads() -> Result<usize, Box<dyn Error>> {
    let threads = thread::available_parallelism();
    Ok(threads.map_err(|error| format!("cannot find out how many cores there are: {error}"))?.get())
}

fn measure(name: &str, choice: Choice) -> Result<(), Box<dyn Error>> {
    let suite = suite_named(name).ok_or_else(|| format!("no suite is called {name:?}"))?;
    let noise = Noise::watch();
    let context = Context::new(threads()?, choice, Calibration::measure());
    let mut groups = (suite.run)(&context);
    let others = noise.and_then(|noise| noise.cores_of_others());
    for group in &mut groups {
        group.rows.retain(|row| row.cells.iter().any(|cell| !cell.samples.is_empty()));
        group.cores_of_others = others;
    }
    groups.retain(|group| !group.rows.is_empty());
    let measured: suite::Measured = (groups, context.left_out());
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}
