//! Runs the tests of the protocols on every mutant.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::copy::{Binaries, Copy, Test, Verdict};
use crate::listed::Listed;
use crate::package::Package;
use crate::report::{self, Fate, Row};
use crate::source::{Mutant, all_in_one};
use crate::survivors::{argument, out_of_sight};
use crate::{conditions, orderings};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The package whose protocols are mutated, as a folder of the workspace
    #[arg(default_value = "runtime", value_parser = ["runtime", "shm-lock", "team"])]
    package: String,
    /// Run only the model that ORDERINGS.md names for each mutant. If all rows are still right,
    /// this prints the same table in a tenth of the time
    #[arg(long)]
    as_listed: bool,
    #[command(flatten)]
    run: Run,
}

#[derive(clap::Args)]
pub(crate) struct ConditionArguments {
    /// The package whose protocols, or chunk policy, are mutated, as a folder of the workspace
    #[arg(default_value = "runtime", value_parser = ["runtime", "shm-lock", "team", "adaptive"])]
    package: String,
    /// Mutate only functions with these names
    #[arg(long = "function", value_name = "NAME")]
    functions: Vec<String>,
    #[command(flatten)]
    run: Run,
}

#[derive(clap::Args)]
struct Run {
    /// Mutate only this file, such as sleep.rs
    #[arg(long, value_name = "FILE")]
    only: Option<String>,
    /// Seconds after which a test counts as hanging
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// Weakens each ordering in turn. Fails if no model notices one of them.
///
/// Weakened code always compiles. So all mutants are built in one program, which is told at run
/// time which mutant to be.
pub(crate) fn orderings(arguments: &Arguments) -> Result<ExitCode> {
    let package = Package::named(&arguments.package);
    let start = Start::new(package, &arguments.run)?;
    let mut mutants = Vec::new();
    for file in &start.files {
        let text = package.read(&start.root, file)?;
        let here = orderings::mutants(&text).with_context(|| file.clone())?;
        start.copy.write(file, &all_in_one(&text, &here, mutants.len() + 1))?;
        mutants.extend(here.into_iter().map(|mutant| (file.clone(), mutant)));
    }
    let (binaries, tests) = start.build()?;
    let to_run: Vec<Vec<&Test>> = if arguments.as_listed {
        let mut listed = Listed::of(&package.orderings(&start.root)?);
        let mut named = |(file, mutant): &(String, Mutant)| {
            let name = listed.take(&report::site(file, mutant))?;
            tests.iter().find(|test| test.called() == name)
        };
        mutants.iter().map(|mutant| named(mutant).into_iter().collect()).collect()
    } else {
        mutants.iter().map(|(file, _)| tests_for(package, file, &tests)).collect()
    };
    let used: BTreeSet<&Test> = to_run.iter().flatten().copied().collect();
    start.assert_passed(&binaries, used)?;
    let numbered: Vec<_> = (1..).zip(mutants.into_iter().zip(to_run)).collect();
    let rows = side_by_side(&numbered, |(number, ((file, mutant), tests))| {
        let fate = fate(&binaries, *number, tests, start.limit)?;
        let row = Row { file: file.clone(), mutant: mutant.clone(), fate };
        eprintln!("{row}");
        Ok(row)
    })?;
    print!("{}", report::orderings(package, &rows, tests.len()));
    Ok(exit_code(&rows))
}

/// Makes each condition wrong in turn. Fails if no test notices one of them and no argument covers
/// it.
pub(crate) fn conditions(arguments: &ConditionArguments) -> Result<ExitCode> {
    let package = Package::named(&arguments.package);
    let start = Start::new(package, &arguments.run)?;
    let (binaries, tests) = start.build()?;
    start.assert_passed(&binaries, &tests)?;
    let mut rows = Vec::new();
    for file in &start.files {
        let text = package.read(&start.root, file)?;
        let wanted = |mutant: &Mutant| {
            arguments.functions.is_empty() || arguments.functions.contains(&mutant.function)
        };
        for mutant in conditions::mutants(&text).into_iter().filter(wanted) {
            let fate = fate_of_condition(&start, file, &text, &mutant, &tests)?;
            let row = Row { file: file.clone(), mutant, fate };
            eprintln!("{row}");
            rows.push(row);
        }
    }
    print!("{}", report::conditions(package, &rows, tests.len()));
    Ok(exit_code(&rows))
}

/// Tests a wrong condition. Unlike a weaker ordering, this needs a compilation.
fn fate_of_condition(start: &Start, file: &str, text: &str, mutant: &Mutant, tests: &[Test]) -> Result<Fate> {
    if let Some(reason) = out_of_sight(start.package, file, mutant) {
        return Ok(Fate::OutOfSight { reason });
    }
    start.copy.write(file, &mutant.of(text))?;
    let binaries = start.copy.build()?;
    start.copy.write(file, text)?;
    let Some(binaries) = binaries else { return Ok(Fate::NotCompiled) };
    let fate = fate(&binaries, 0, &tests_for(start.package, file, tests), start.limit)?;
    Ok(match (fate, argument(start.package, file, mutant)) {
        (Fate::Survived, Some(reason)) => Fate::Argued { reason },
        (fate, _) => fate,
    })
}

fn exit_code(rows: &[Row]) -> ExitCode {
    ExitCode::from(u8::from(rows.iter().any(|row| matches!(row.fate, Fate::Survived))))
}

/// The state before the first mutant.
struct Start {
    package: &'static Package,
    root: PathBuf,
    /// The files that are mutated.
    files: Vec<String>,
    copy: Copy,
    limit: Duration,
}

impl Start {
    fn new(package: &'static Package, run: &Run) -> Result<Start> {
        let (root, target) = workspace()?;
        let files = package.files(&root, run.only.as_deref())?;
        let copy = Copy::new(&root, &target, package)?;
        Ok(Start { package, root, files, copy, limit: Duration::from_secs(run.timeout) })
    }

    /// Returns the binaries of the unmodified copy, and its tests.
    fn build(&self) -> Result<(Binaries, Vec<Test>)> {
        let binaries = self.copy.build()?.context("the copy must compile")?;
        let tests = binaries.tests(self.package.test_name)?;
        Ok((binaries, tests))
    }

    /// Fails unless `tests` pass without a mutation.
    fn assert_passed<'a>(
        &self,
        binaries: &Binaries,
        tests: impl IntoIterator<Item = &'a Test>,
    ) -> Result<()> {
        let tests: Vec<_> = tests.into_iter().collect();
        side_by_side(&tests, |test| match binaries.run(0, test, self.limit)? {
            Verdict::Passed => Ok(()),
            Verdict::Failed(fault) => bail!("{} fails without any mutation: {fault}", test.name),
        })?;
        Ok(())
    }
}

/// Applies `f` to each of `items`, on all cores. The results are in order.
fn side_by_side<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let take = || {
        let taken = (0..).map(|_| next.fetch_add(1, Ordering::Relaxed));
        taken.map_while(|at| Some((at, f(items.get(at)?)))).collect::<Vec<_>>()
    };
    let mut made = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it returns errors")).collect::<Vec<_>>()
    });
    made.sort_by_key(|&(at, _)| at);
    made.into_iter().map(|(_, made)| made).collect()
}

/// Returns the first test that fails, if any.
fn fate(binaries: &Binaries, mutant: usize, tests: &[&Test], limit: Duration) -> Result<Fate> {
    for &test in tests {
        if let Verdict::Failed(fault) = binaries.run(mutant, test, limit)? {
            return Ok(Fate::Killed { test: test.called(), fault });
        }
    }
    Ok(Fate::Survived)
}

/// Returns all tests: first the models of `file`, and last the slow ones.
fn tests_for<'a>(package: &Package, file: &str, tests: &'a [Test]) -> Vec<&'a Test> {
    let own = format!("::{}_models::", file.trim_end_matches(".rs"));
    let (mut sorted, others): (Vec<_>, Vec<_>) = tests.iter().partition(|test| test.name.contains(&own));
    sorted.sort_by_key(|test| package.long_tests.is_some_and(|part| test.name.contains(part)));
    sorted.extend(others);
    sorted
}

/// Returns the workspace's root and its target folder.
fn workspace() -> Result<(PathBuf, PathBuf)> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--format-version=1"])
        .output()
        .context("running cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let folder = |key: &str| metadata[key].as_str().map(PathBuf::from).with_context(|| format!("no {key}"));
    Ok((folder("workspace_root")?, folder("target_directory")?))
}
