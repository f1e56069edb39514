//! Runs the tests of the protocols on every mutant of them.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::copy::{Binaries, Copy, Test, Verdict};
use crate::package::Package;
use crate::report::{self, Fate, Row};
use crate::source::Mutant;
use crate::survivors::{argument, out_of_sight};
use crate::{conditions, orderings};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The package whose protocols are mutated, as a folder of the workspace
    #[arg(default_value = "runtime", value_parser = ["runtime", "shm-lock"])]
    package: String,
    #[command(flatten)]
    run: Run,
}

#[derive(clap::Args)]
pub(crate) struct ConditionArguments {
    /// The package whose protocols, or chunk policy, are mutated, as a folder of the workspace
    #[arg(default_value = "runtime", value_parser = ["runtime", "shm-lock", "adaptive"])]
    package: String,
    #[command(flatten)]
    run: Run,
}

#[derive(clap::Args)]
struct Run {
    /// Mutate this file alone, such as sleep.rs
    #[arg(long, value_name = "FILE")]
    only: Option<String>,
    /// Seconds after which a test counts as hanging
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// Weakens each ordering in turn; fails when no model notices.
pub(crate) fn orderings(arguments: &Arguments) -> Result<ExitCode> {
    let package = Package::named(&arguments.package);
    let (rows, tests) = run(package, &arguments.run, orderings::mutants, |_, _| None)?;
    print!("{}", report::orderings(package, &rows, tests));
    Ok(exit_code(&rows))
}

/// Gets each condition wrong in turn; fails when no test notices one and no argument says why.
pub(crate) fn conditions(arguments: &ConditionArguments) -> Result<ExitCode> {
    let package = Package::named(&arguments.package);
    let mutants = |text: &str| Ok(conditions::mutants(text));
    let unseen = |file: &str, mutant: &Mutant| out_of_sight(package, file, mutant);
    let (mut rows, tests) = run(package, &arguments.run, mutants, unseen)?;
    for row in &mut rows {
        if let (Fate::Survived, Some(reason)) = (&row.fate, argument(package, &row.file, &row.mutant)) {
            row.fate = Fate::Argued { reason };
        }
    }
    print!("{}", report::conditions(package, &rows, tests));
    Ok(exit_code(&rows))
}

fn exit_code(rows: &[Row]) -> ExitCode {
    ExitCode::from(u8::from(rows.iter().any(|row| matches!(row.fate, Fate::Survived))))
}

/// What became of each mutant, and how many tests there are. What is out of sight of all tests is not tried.
fn run(
    package: &'static Package,
    run: &Run,
    mutants: impl Fn(&str) -> Result<Vec<Mutant>>,
    out_of_sight: impl Fn(&str, &Mutant) -> Option<&'static str>,
) -> Result<(Vec<Row>, usize)> {
    let (root, target) = workspace()?;
    let files = package.files(&root, run.only.as_deref())?;
    let copy = Copy::new(&root, &target, package)?;
    let limit = Duration::from_secs(run.timeout);
    let original = copy.build()?.context("the copy must compile")?;
    let tests = original.tests(package.test_name)?;
    for test in &tests {
        if let Verdict::Failed(fault) = original.run(test, limit)? {
            bail!("{} fails without any mutation: {fault}", test.name);
        }
    }
    let mut rows = Vec::new();
    for file in files {
        let text = package.read(&root, &file)?;
        for mutant in mutants(&text).with_context(|| file.clone())? {
            let fate = if let Some(reason) = out_of_sight(&file, &mutant) {
                Fate::OutOfSight { reason }
            } else {
                copy.write(&file, &mutant.text)?;
                let binaries = copy.build()?;
                copy.write(&file, &text)?;
                match binaries {
                    Some(binaries) => fate(&binaries, &tests_for(package, &file, &tests), limit)?,
                    None => Fate::NotCompiled,
                }
            };
            let row = Row { file: file.clone(), mutant, fate };
            eprintln!("{row}");
            rows.push(row);
        }
    }
    Ok((rows, tests.len()))
}

/// The first test that fails, if one does.
fn fate(mutant: &Binaries, tests: &[&Test], limit: Duration) -> Result<Fate> {
    for &test in tests {
        if let Verdict::Failed(fault) = mutant.run(test, limit)? {
            return Ok(Fate::Killed { test: test.name.replace("protocol::", ""), fault });
        }
    }
    Ok(Fate::Survived)
}

/// All tests, the models of `file` first, of which those that take long come last.
fn tests_for<'a>(package: &Package, file: &str, tests: &'a [Test]) -> Vec<&'a Test> {
    let own = format!("::{}_models::", file.trim_end_matches(".rs"));
    let (mut sorted, others): (Vec<_>, Vec<_>) = tests.iter().partition(|test| test.name.contains(&own));
    sorted.sort_by_key(|test| package.long_tests.is_some_and(|part| test.name.contains(part)));
    sorted.extend(others);
    sorted
}

/// The folders of the workspace and of what is built.
fn workspace() -> Result<(PathBuf, PathBuf)> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--format-version=1"])
        .output()
        .context("running cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let folder = |key: &str| metadata[key].as_str().map(PathBuf::from).with_context(|| format!("no {key}"));
    Ok((folder("workspace_root")?, folder("target_directory")?))
}
