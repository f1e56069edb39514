//! Unit and integration tests: built, and run binary by binary.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use wait_timeout::ChildExt;

use super::left_out::{Kind, LEFT_OUT, LeftOut};
use super::{LIMIT, Outcome, Outcomes, Suite, outcomes_in};

/// Runs all tests of a suite. What is wrong with the list of those that are left out is added to
/// `faults`.
pub(super) fn run(folder: &Path, suite: Suite, faults: &mut Vec<String>) -> Result<Outcomes> {
    let (mut outcomes, mut alone_outcomes) = (Outcomes::new(), Outcomes::new());
    let left_out: Vec<&LeftOut> = LEFT_OUT.iter().filter(|test| test.suite == suite).collect();
    for (target, binary) in build(folder, suite)? {
        let prefix = format!("{target} ");
        let skipped = left_out.iter().filter_map(|test| test.name.strip_prefix(&prefix));
        let skipped: Vec<&str> = skipped.flat_map(|name| ["--skip", name]).collect();
        let options: &[&str] = if skipped.is_empty() { &[] } else { &["--exact"] };
        let (these, output) = run_binary(folder, &binary, &[options, &skipped].concat(), &prefix)?;
        if these.values().any(|outcome| *outcome == Outcome::Failed) {
            eprintln!("{output}");
        }
        outcomes.extend(these);
        for test in left_out.iter().filter(|test| matches!(test.kind, Kind::Fails)) {
            let Some(name) = test.name.strip_prefix(&prefix) else { continue };
            let (alone, _) = run_binary(folder, &binary, &["--exact", name], &prefix)?;
            alone_outcomes.extend(alone);
        }
    }
    for test in left_out.iter().filter(|test| matches!(test.kind, Kind::Fails)) {
        match alone_outcomes.get(test.name) {
            Some(Outcome::Failed) => (),
            Some(_) => faults.push(format!("{} is left out, but passes: take it from the list", test.name)),
            None => faults.push(format!("{} is left out, but there is no such test", test.name)),
        }
    }
    Ok(outcomes)
}

/// The test binaries of the suite's package, with the names of their targets.
fn build(folder: &Path, suite: Suite) -> Result<Vec<(String, PathBuf)>> {
    let output = cargo(folder)
        .args([
            "test",
            "--no-run",
            "--lib",
            "--tests",
            "--message-format=json-render-diagnostics",
            "--package",
        ])
        .arg(suite.package())
        .output()
        .context("running cargo")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let binary = |message: Value| {
        let path = PathBuf::from(message["executable"].as_str()?);
        let is_lib = message["target"]["kind"][0] == "lib";
        let name = if is_lib { "lib" } else { message["target"]["name"].as_str()? };
        Some((name.to_owned(), path))
    };
    Ok(messages.filter_map(binary).collect())
}

fn run_binary(folder: &Path, binary: &Path, arguments: &[&str], prefix: &str) -> Result<(Outcomes, String)> {
    let log = folder.join("output");
    let output = File::create(&log)?;
    let mut child = Command::new(binary)
        .args(arguments)
        .current_dir(folder)
        .env("RUST_BACKTRACE", "0")
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("running {}", binary.display()))?;
    let Some(status) = child.wait_timeout(LIMIT)? else {
        child.kill()?;
        child.wait()?;
        bail!("{} hangs after:\n{}", binary.display(), fs::read_to_string(&log)?);
    };
    let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let outcomes = outcomes_in(&output, prefix);
    let has_failed = outcomes.values().any(|outcome| *outcome == Outcome::Failed);
    ensure!(status.success() || has_failed, "{} ended with {status}:\n{output}", binary.display());
    Ok((outcomes, output))
}

/// What is set for the workspace's own builds is not theirs.
pub(super) fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder).env_remove("RUSTFLAGS").env("CARGO_TARGET_DIR", folder.join("target"));
    cargo
}
