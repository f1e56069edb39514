//! Programs and libraries of crates.io with rayon and with taskel instead: their own tests, and
//! their results on real input.
//!
//! The sources are copied from cargo's registry into the build folder, and are not changed. The
//! replacement is set on cargo's command line (`--config`).

mod apps;
mod inputs;
mod package;
mod programs;
mod tests_of;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use self::apps::{APPS, App, Renamed};
use self::package::{Core, Package};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only these packages
    #[arg(long)]
    only: Vec<String>,
    /// Use `rayon = { package = "taskel" }` where that compiles, instead of a patch of rayon-core
    #[arg(long)]
    renamed: bool,
    /// How often to run the tests with taskel
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// Skip the packages' own tests
    #[arg(long)]
    no_tests: bool,
    /// How often to run each program, alternately; 0 for never
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// Use the programs of an earlier call, so that nothing is built between measurements
    #[arg(long)]
    built: bool,
    /// The input of programs that read folders (default: cargo's copy of the sources of all
    /// packages)
    #[arg(long)]
    input: Option<PathBuf>,
}

pub(crate) fn rayon_apps(arguments: &Arguments) -> Result<ExitCode> {
    for name in &arguments.only {
        ensure!(APPS.iter().any(|app| app.name == name), "{name} is not one of the tested packages");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let scratch = root.join("target/rayon-apps");
    let target = scratch.join("target");
    fs::create_dir_all(&target).with_context(|| format!("creating {}", target.display()))?;
    let other = if arguments.renamed { Core::Renamed } else { Core::Patched };
    let (mut packages, mut faults) = (Vec::new(), Vec::new());
    for app in APPS.iter().filter(|app| arguments.wants(app)) {
        match Package::fetch(app, root, &scratch, &target, arguments.built) {
            Ok(package) => packages.push(package),
            Err(error) => faults.push(format!("{} {} cannot be fetched: {error:#}", app.name, app.version)),
        }
    }
    if !arguments.no_tests {
        println!("| package | tests that pass with rayon | of them {} | fail with both |", other.name());
        println!("|---|---|---|---|");
        for package in &packages {
            tests_of::compare(package, other, arguments.repeat, &mut faults);
        }
    }
    let programs = packages.iter().filter_map(|package| Some((package, package.app.program.as_ref()?)));
    let programs: Vec<_> = programs.collect();
    if arguments.runs > 0 && !programs.is_empty() {
        let inputs = inputs::inputs(arguments.input.as_deref(), &scratch)?;
        let name = other.name();
        println!(
            "| program | result | wall ms, rayon | {name} | quotient | processor ms, rayon | {name} | quotient |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        for (package, program) in programs {
            programs::compare(package, program, &inputs, other, arguments.runs, &mut faults);
        }
    }
    if arguments.renamed {
        for (app, reason) in APPS.iter().filter_map(|app| Some((app, app.not_renamed()?))) {
            println!("{} is not renamed: {reason}", app.name);
        }
    }
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Arguments {
    fn wants(&self, app: &App) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|name| name == app.name);
        named && !(self.renamed && app.not_renamed().is_some())
    }
}

impl App {
    fn not_renamed(&self) -> Option<&'static str> {
        match self.renamed {
            Renamed::Compiles => None,
            Renamed::Not(reason) => Some(reason),
        }
    }
}
