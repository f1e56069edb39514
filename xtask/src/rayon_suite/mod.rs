//! rayon's and rayon-core's own tests, with taskel in the place of rayon-core.
//!
//! The sources are those that cargo has in its registry, copied into the build folder. rayon is
//! built as it is. Of rayon-core, the tests alone: the files of its unit tests become modules of a
//! crate that re-exports the replacement, and the examples in its documentation are collected from
//! its sources.

mod binaries;
mod doc_tests;
mod examples;
mod left_out;
mod sources;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use self::left_out::LEFT_OUT;

/// Tests that take longer hang. The longest sleeps for some seconds.
const LIMIT: Duration = Duration::from_secs(300);

#[derive(Args)]
pub(crate) struct Arguments {
    /// One of the two crates alone
    #[arg(long)]
    only: Option<Suite>,
    /// Without the examples in the documentation
    #[arg(long)]
    no_docs: bool,
}

/// Whose tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Suite {
    RayonCore,
    Rayon,
}

impl Suite {
    /// The package that has the tests.
    fn package(self) -> &'static str {
        match self {
            Suite::RayonCore => "rayon-core-tests",
            Suite::Rayon => "rayon",
        }
    }
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Ignored,
}

/// What became of the tests of a package, by the binary and their name.
type Outcomes = BTreeMap<String, Outcome>;

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

/// The outcomes in what the standard test harness prints, each name with `prefix` in front.
fn outcomes_in(output: &str, prefix: &str) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for line in output.lines() {
        let Some((name, outcome)) = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... "))
        else {
            continue;
        };
        let outcome = match outcome.split([',', ' ']).next() {
            Some("ok") => Outcome::Passed,
            Some("ignored") => Outcome::Ignored,
            _ => Outcome::Failed,
        };
        let name = name.trim_end_matches(" - should panic");
        outcomes.insert(format!("{prefix}{name}"), outcome);
    }
    outcomes
}
