//! Programs and libraries of crates.io with rayon, and with taskel in its place: their own tests,
//! and what they make of real input.
//!
//! The sources are those that cargo has in its registry, copied into the build folder. Nothing of
//! them is changed: cargo is told of the replacement on its command line (`--config`).

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
    /// These packages alone
    #[arg(long)]
    only: Vec<String>,
    /// `rayon = { package = "taskel" }` where that compiles, instead of a patch of rayon-core
    #[arg(long)]
    renamed: bool,
    /// How often the tests are run with taskel
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// Without the packages' own tests
    #[arg(long)]
    no_tests: bool,
    /// How often each program is run, in turns; 0 to run none
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// The programs that an earlier call has built, so that nothing is built between measurements
    #[arg(long)]
    built: bool,
    /// What the programs that read folders are run on (cargo's copy of the sources of all packages)
    #[arg(long)]
    input: Option<PathBuf>,
}

pub(crate) fn rayon_apps(arguments: &Arguments) -> Result<ExitCode> {
    for name in &arguments.only {
        ensure!(APPS.iter().any(|app| app.name == name), "{name} is none of the packages that are tried");
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
