//! rayon's and rayon-core's own tests, with taskel in place of rayon-core.
//!
//! The sources are copied from cargo's registry into the build folder. rayon is built unchanged. Of
//! rayon-core, only the tests are used: the files of its unit tests become modules of a crate that
//! re-exports the replacement, and the examples are collected from the documentation of its
//! sources.

mod binaries;
mod doc_tests;
mod examples;
mod left_out;
mod sources;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use self::left_out::LEFT_OUT;
pub(crate) use self::sources::RAYON_CORE;
use crate::own_tests::{Outcome, Outcomes};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only one of the two crates
    #[arg(long)]
    only: Option<Suite>,
    /// Skip the examples in the documentation
    #[arg(long)]
    no_docs: bool,
}

/// Which crate's tests to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Suite {
    RayonCore,
    Rayon,
}

impl Suite {
    /// The package that contains the tests.
    fn package(self) -> &'static str {
        match self {
            Suite::RayonCore => "rayon-core-tests",
            Suite::Rayon => "rayon",
        }
    }
}

pub(crate) fn rayon_suite(arguments: &Arguments) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let folder = sources::copy(root)?;
    let mut faults = Vec::new();
    for suite in [Suite::RayonCore, Suite::Rayon] {
        if arguments.only.is_some_and(|only| only != suite) {
            continue;
        }
        let start = Instant::now();
        let mut outcomes = binaries::run(&folder, suite, &mut faults)?;
        if !arguments.no_docs {
            outcomes.extend(doc_tests::run(&folder, suite)?);
        }
        report(suite, &outcomes, start.elapsed());
        let failed = outcomes.iter().filter(|(_, outcome)| **outcome == Outcome::Failed);
        faults.extend(failed.map(|(name, _)| format!("{}: {name} failed", suite.package())));
    }
    println!("{} tests are left out:", LEFT_OUT.len());
    LEFT_OUT.iter().for_each(|test| println!("  {}: {}", test.name, test.reason));
    if faults.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    Ok(ExitCode::FAILURE)
}

fn report(suite: Suite, outcomes: &Outcomes, took: Duration) {
    let count = |wanted| outcomes.values().filter(|outcome| **outcome == wanted).count();
    println!(
        "{}: {} passed, {} failed, {} ignored; {:.0} s",
        suite.package(),
        count(Outcome::Passed),
        count(Outcome::Failed),
        count(Outcome::Ignored),
        took.as_secs_f64()
    );
}
