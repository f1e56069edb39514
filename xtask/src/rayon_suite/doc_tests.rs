//! The examples in the documentation.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use wait_timeout::ChildExt;

use super::Suite;
use super::binaries::cargo;
use crate::own_tests::{LIMIT, Outcome, Outcomes, outcomes_in};

/// Each example is a separate program, and most of its time is linking.
const LIMIT_OF_ALL: u32 = 4;

pub(super) fn run(folder: &Path, suite: Suite) -> Result<Outcomes> {
    let log = folder.join("output");
    let output = File::create(&log)?;
    let mut child = cargo(folder)
        .args(["test", "--doc", "--package", suite.package()])
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("running cargo")?;
    let Some(status) = child.wait_timeout(LIMIT * LIMIT_OF_ALL)? else {
        child.kill()?;
        child.wait()?;
        bail!("the examples of {} hang after:\n{}", suite.package(), fs::read_to_string(&log)?);
    };
    let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let outcomes = outcomes_in(&output, "example ");
    let has_failed = outcomes.values().any(|outcome| *outcome == Outcome::Failed);
    if has_failed {
        eprintln!("{output}");
    }
    ensure!(status.success() || has_failed, "cargo test --doc ended with {status}:\n{output}");
    Ok(outcomes)
}
