//! Unit and integration tests: built, and run binary by binary.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Suite;
use super::left_out::{Kind, LEFT_OUT, LeftOut};
use crate::own_tests::{self, Outcome, Outcomes};

/// Runs all tests of a suite. Errors in the list of left-out tests are added to `faults`.
pub(super) fn run(folder: &Path, suite: Suite, faults: &mut Vec<String>) -> Result<Outcomes> {
    let (mut outcomes, mut alone_outcomes) = (Outcomes::new(), Outcomes::new());
    let left_out: Vec<&LeftOut> = LEFT_OUT.iter().filter(|test| test.suite == suite).collect();
    let log = folder.join("output");
    let mut cargo_test = cargo(folder);
    cargo_test.arg("test");
    let options = ["--lib", "--tests", "--package", suite.package()];
    for binary in own_tests::build(cargo_test, &options)? {
        let prefix = format!("{} ", binary.target);
        let skipped = left_out.iter().filter_map(|test| test.name.strip_prefix(&prefix));
        let skipped: Vec<&str> = skipped.flat_map(|name| ["--skip", name]).collect();
        let options: &[&str] = if skipped.is_empty() { &[] } else { &["--exact"] };
        let (these, output) = binary.run(folder, &log, &[options, &skipped].concat())?;
        if these.values().any(|outcome| *outcome == Outcome::Failed) {
            eprintln!("{output}");
        }
        outcomes.extend(these);
        for test in left_out.iter().filter(|test| matches!(test.kind, Kind::Fails)) {
            let Some(name) = test.name.strip_prefix(&prefix) else { continue };
            let (alone, _) = binary.run(folder, &log, &["--exact", name])?;
            alone_outcomes.extend(alone);
        }
    }
    for test in left_out.iter().filter(|test| matches!(test.kind, Kind::Fails)) {
        match alone_outcomes.get(test.name) {
            Some(Outcome::Failed) => (),
            Some(_) => faults.push(format!("{} is left out, but passes: remove it from the list", test.name)),
            None => faults.push(format!("{} is left out, but there is no such test", test.name)),
        }
    }
    Ok(outcomes)
}

pub(super) fn cargo(folder: &Path) -> Command {
    own_tests::cargo(folder, &folder.join("target"))
}
