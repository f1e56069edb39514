//! The tests of third-party packages: built, run binary by binary, with the outcome of each.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use wait_timeout::ChildExt;

/// Tests that take longer count as hanging. The longest one sleeps for some seconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Ignored,
}

/// The outcomes of a package's tests, by binary and name.
pub(crate) type Outcomes = BTreeMap<String, Outcome>;

/// A binary of tests.
pub(crate) struct TestBinary {
    /// What it tests: `lib`, or the name of the program or test file.
    pub(crate) target: String,
    pub(crate) path: PathBuf,
}

/// Builds what `cargo test` would run with these options.
pub(crate) fn build(mut cargo_test: Command, options: &[&str]) -> Result<Vec<TestBinary>> {
    let output = cargo_test
        .args(["--no-run", "--message-format=json-render-diagnostics"])
        .args(options)
        .output()
        .context("running cargo")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let binary = |message: Value| {
        let path = PathBuf::from(message["executable"].as_str()?);
        let is_lib = message["target"]["kind"][0] == "lib";
        let target = if is_lib { "lib" } else { message["target"]["name"].as_str()? }.to_owned();
        (message["profile"]["test"] == true).then_some(TestBinary { target, path })
    };
    Ok(messages.filter_map(binary).collect())
}

impl TestBinary {
    /// Runs it in `folder`. Returns the outcomes and the output. Each name starts with the name of
    /// the target.
    pub(crate) fn run(&self, folder: &Path, log: &Path, arguments: &[&str]) -> Result<(Outcomes, String)> {
        let output = File::create(log)?;
        let mut child = Command::new(&self.path)
            .args(arguments)
            .current_dir(folder)
            .env("CARGO_MANIFEST_DIR", folder)
            .env("RUST_BACKTRACE", "0")
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("running {}", self.path.display()))?;
        let Some(status) = child.wait_timeout(LIMIT)? else {
            child.kill()?;
            child.wait()?;
            bail!("{} hangs after:\n{}", self.path.display(), fs::read_to_string(log)?);
        };
        let output = String::from_utf8_lossy(&fs::read(log)?).into_owned();
        let outcomes = outcomes_in(&output, &format!("{} ", self.target));
        let has_failed = outcomes.values().any(|outcome| *outcome == Outcome::Failed);
        ensure!(status.success() || has_failed, "{} ended with {status}:\n{output}", self.path.display());
        Ok((outcomes, output))
    }
}

/// Creates a cargo command in a folder, with another target folder. It does not inherit settings
/// for the workspace's own builds.
pub(crate) fn cargo(folder: &Path, target: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder).env_remove("RUSTFLAGS").env("CARGO_TARGET_DIR", target);
    cargo
}

/// Parses the outcomes from the output of the standard test harness, and adds `prefix` to each
/// name.
pub(crate) fn outcomes_in(output: &str, prefix: &str) -> Outcomes {
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
