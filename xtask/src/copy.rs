//! A copy of a crate and the tests of its protocols, in which files can be changed and the tests
//! run.
//!
//! The copy is a separate package with only these tests, so a change costs one small compilation.
//! Dependencies are shared with the workspace through its target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use wait_timeout::ChildExt;

use crate::package::Package;
use crate::source::CHOICE;

/// Dependencies have the versions of the workspace's lock file, and its optimisation level.
const MANIFEST: &str = r#"
[package]
name = "mutants-of-PACKAGE"
edition = "2024"
autobins = false

[profile.dev.package.loom]
opt-level = 3
[profile.dev.package.generator]
opt-level = 3

[workspace]

"#;

/// How a test ended.
pub(crate) enum Verdict {
    Passed,
    /// With this fault.
    Failed(&'static str),
}

/// The copy.
pub(crate) struct Copy {
    folder: PathBuf,
    target: PathBuf,
    package: &'static Package,
}

/// A compiled copy.
pub(crate) struct Binaries {
    paths: Vec<PathBuf>,
    folder: PathBuf,
}

/// A test of a compiled copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    /// The index of its binary.
    binary: usize,
    pub(crate) name: String,
}

impl Test {
    /// Its name in a table.
    pub(crate) fn called(&self) -> String {
        self.name.replace("protocol::", "")
    }
}

impl Copy {
    /// Copies `package` of the workspace at `root` into the build folder `target`.
    pub(crate) fn new(root: &Path, target: &Path, package: &'static Package) -> Result<Copy> {
        let folder = target.join("mutants").join(package.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        let original = root.join(package.name);
        copy_folder(&original.join("src"), &folder.join("src"))?;
        if package.has_models() {
            write(&folder.join("src/lib.rs"), "")?;
        }
        fs::create_dir_all(folder.join("tests"))?;
        for test in package.tests {
            let file = format!("tests/{test}.rs");
            fs::copy(original.join(&file), folder.join(&file)).context(file)?;
        }
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).context("copying Cargo.lock")?;
        for file in package.read_by_tests {
            fs::copy(original.join(file), folder.join(file)).context(*file)?;
        }
        let manifest = MANIFEST.replace("PACKAGE", package.name) + package.manifest;
        write(&folder.join("Cargo.toml"), &manifest)?;
        Ok(Copy { folder, target: target.to_owned(), package })
    }

    /// Replaces a mutated file.
    pub(crate) fn write(&self, file: &str, text: &str) -> Result<()> {
        write(&self.folder.join(self.package.folder).join(file), text)
    }

    /// Compiles the copy. Returns `None` if this fails.
    pub(crate) fn build(&self) -> Result<Option<Binaries>> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["test", "--no-run", "--message-format=json-render-diagnostics"]);
        for test in self.package.tests {
            cargo.args(["--test", test]);
        }
        let output = cargo
            .arg("--target-dir")
            .arg(&self.target)
            .current_dir(&self.folder)
            .output()
            .context("running cargo")?;
        if !output.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            return Ok(None);
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let messages: Vec<Value> =
            messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let path = |test: &&str| {
            let built = messages.iter().filter(|message| message["target"]["name"] == **test);
            let mut paths = built.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
            paths.next().with_context(|| format!("cargo reported no binary of the test {test}"))
        };
        let paths = self.package.tests.iter().map(path).collect::<Result<_>>()?;
        Ok(Some(Binaries { paths, folder: self.folder.clone() }))
    }
}

impl Binaries {
    /// Returns the tests whose names contain `part`.
    pub(crate) fn tests(&self, part: &str) -> Result<Vec<Test>> {
        let mut tests = Vec::new();
        for (binary, path) in self.paths.iter().enumerate() {
            let output = Command::new(path).arg("--list").output().context("listing the tests")?;
            let listing = String::from_utf8(output.stdout)?;
            let names = listing.lines().filter_map(|line| line.strip_suffix(": test"));
            let names = names.filter(|name| name.contains(part));
            tests.extend(names.map(|name| Test { binary, name: name.to_owned() }));
        }
        if tests.is_empty() {
            bail!("no tests in {:?}: is RUSTFLAGS set to --cfg loom?", self.paths);
        }
        Ok(tests)
    }

    /// Runs one test with the mutant of this number, if the sources have it. A test that takes
    /// longer than `limit` fails.
    pub(crate) fn run(&self, mutant: usize, test: &Test, limit: Duration) -> Result<Verdict> {
        let errors = self.folder.join(format!("errors-{mutant}-{}.txt", test.name.replace("::", "-")));
        let mut child = Command::new(&self.paths[test.binary])
            .args(["--exact", &test.name, "--nocapture"])
            .env(CHOICE, mutant.to_string())
            .env("RUST_BACKTRACE", "0")
            // The same examples each time.
            .env("PROPTEST_RNG_SEED", "1")
            .env("PROPTEST_FAILURE_PERSISTENCE", "off")
            .stdout(Stdio::null())
            .stderr(File::create(&errors)?)
            .spawn()
            .with_context(|| format!("running {}", test.name))?;
        let Some(status) = child.wait_timeout(limit)? else {
            child.kill()?;
            child.wait()?;
            return Ok(Verdict::Failed("hang"));
        };
        if status.success() {
            return Ok(Verdict::Passed);
        }
        Ok(Verdict::Failed(fault(&String::from_utf8_lossy(&fs::read(&errors)?))))
    }
}

/// Returns the kind of failure of a model.
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

pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
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
