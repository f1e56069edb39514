//! A copy of a crate's protocols and models, in which files can be changed and the models run.
//!
//! The copy is a package of its own with the models as its only test, so that a change costs one small compilation; what
//! the models depend on is shared with the workspace through its target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use wait_timeout::ChildExt;

/// The version of loom is the one in the workspace's lock file, and the optimisation is the workspace's.
const MANIFEST: &str = r#"
[package]
name = "mutants"
edition = "2024"

[dev-dependencies]
loom = "*"

[profile.dev.package.loom]
opt-level = 3
[profile.dev.package.generator]
opt-level = 3

[workspace]
"#;

/// How a model ended.
pub(crate) enum Verdict {
    Passed,
    /// With the fault that the model reported.
    Failed(&'static str),
}

/// The copy.
pub(crate) struct Copy {
    folder: PathBuf,
    target: PathBuf,
}

/// A compiled copy.
pub(crate) struct Binary {
    path: PathBuf,
    errors: PathBuf,
}

impl Copy {
    /// Copies `package`, a folder of the workspace at `root`, into the build folder `target`.
    pub(crate) fn new(root: &Path, target: &Path, package: &str) -> Result<Copy> {
        let folder = target.join("mutants").join(package);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        copy_folder(&root.join(package).join("src"), &folder.join("src"))?;
        write(&folder.join("src/lib.rs"), "")?;
        fs::create_dir_all(folder.join("tests"))?;
        let models = root.join(package).join("tests/loom.rs");
        fs::copy(&models, folder.join("tests/loom.rs")).with_context(|| models.display().to_string())?;
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).context("copying Cargo.lock")?;
        write(&folder.join("Cargo.toml"), MANIFEST)?;
        Ok(Copy { folder, target: target.to_owned() })
    }

    /// Replaces a file, named relative to the package.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<()> {
        write(&self.folder.join(path), text)
    }

    pub(crate) fn build(&self) -> Result<Binary> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["test", "--test", "loom", "--no-run", "--message-format=json-render-diagnostics"])
            .arg("--target-dir")
            .arg(&self.target)
            .current_dir(&self.folder)
            .output()
            .context("running cargo")?;
        ensure!(
            output.status.success(),
            "the copy must compile:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let messages = String::from_utf8_lossy(&output.stdout);
        let mut messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let path = messages
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .context("cargo named no test binary")?;
        Ok(Binary { path, errors: self.folder.join("errors.txt") })
    }
}

impl Binary {
    /// The paths of all models.
    pub(crate) fn models(&self) -> Result<Vec<String>> {
        let output = Command::new(&self.path).arg("--list").output().context("listing the models")?;
        let listing = String::from_utf8(output.stdout)?;
        let names = listing.lines().filter_map(|line| line.strip_suffix(": test"));
        let models: Vec<_> =
            names.filter(|name| name.contains("_models::model_")).map(str::to_owned).collect();
        if models.is_empty() {
            bail!("no models in {}: is RUSTFLAGS set to --cfg loom?", self.path.display());
        }
        Ok(models)
    }

    /// Runs one model; one that takes longer than `limit` has failed.
    pub(crate) fn run(&self, model: &str, limit: Duration) -> Result<Verdict> {
        let mut child = Command::new(&self.path)
            .args(["--exact", model, "--nocapture"])
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::null())
            .stderr(File::create(&self.errors)?)
            .spawn()
            .with_context(|| format!("running {model}"))?;
        let Some(status) = child.wait_timeout(limit)? else {
            child.kill()?;
            child.wait()?;
            return Ok(Verdict::Failed("hang"));
        };
        if status.success() {
            return Ok(Verdict::Passed);
        }
        Ok(Verdict::Failed(fault(&String::from_utf8_lossy(&fs::read(&self.errors)?))))
    }
}

/// What a failed model complained about.
fn fault(errors: &str) -> &'static str {
    let kinds = [
        ("deadlock", "deadlock"),
        ("Causality violation", "data race"),
        ("exceeded maximum number of branches", "endless loop"),
    ];
    kinds.iter().find(|(mark, _)| errors.contains(mark)).map_or("assertion", |&(_, kind)| kind)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("creating {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("copying to {}", target.display()))?;
        }
    }
    Ok(())
}
