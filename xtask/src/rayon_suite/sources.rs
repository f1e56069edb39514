//! Builds a workspace of the two test packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::examples;
use super::left_out::{Kind, LEFT_OUT};
use crate::copy::copy_folder;

const RAYON: &str = "1.12.0";
/// The version whose interface the replacement has.
pub(crate) const RAYON_CORE: &str = "1.13.0";

const WORKSPACE: &str = r#"
[workspace]
members = ["rayon", "rayon-core-tests"]
resolver = "3"

[patch.crates-io]
rayon-core = { path = ROOT }

[profile.dev]
debug = "line-tables-only"
"#;

const CORE_TESTS: &str = r#"
[package]
name = "rayon-core-tests"
version = "0.0.0"
edition = "2021"

[dependencies]
rayon-core = "1.13"

[dev-dependencies]
crossbeam-utils = "0.8"
libc = "0.2"
rand = "0.9"
rand_xorshift = "0.4"
scoped-tls = "1.0"
"#;

/// What the unit tests find around them: the replacement's items, and stand-ins for internal items.
const CORE_LIB: &str = r#"
#![allow(unused_imports)]
pub use rayon_core::*;

mod unwind {
    pub fn halt_unwinding<R>(op: impl FnOnce() -> R) -> std::thread::Result<R> {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(op))
    }
}

mod registry {
    pub fn in_worker<R: Send>(op: impl FnOnce((), bool) -> R + Send) -> R {
        rayon_core::scope(|_| op((), false))
    }
}

"#;

/// Modules with a file of unit tests.
const MODULES: [&str; 5] = ["broadcast", "join", "scope", "spawn", "thread_pool"];

/// Copies everything. Returns the folder of the workspace.
pub(super) fn copy(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target/rayon-suite");
    let [rayon, core] = fetch(&folder.join("fetch"))?;
    write(
        &folder.join("Cargo.toml"),
        &WORKSPACE.replace("ROOT", &format!("{:?}", root.join("compat/rayon-core"))),
    )?;
    for package in ["rayon", "rayon-core-tests"] {
        if folder.join(package).exists() {
            fs::remove_dir_all(folder.join(package))?;
        }
    }
    copy_folder(&rayon, &folder.join("rayon"))?;
    copy_core_tests(&core, &folder.join("rayon-core-tests"))?;
    Ok(folder)
}

/// Returns where cargo has the sources.
fn fetch(scratch: &Path) -> Result<[PathBuf; 2]> {
    let manifest = format!(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
         [dependencies]\nrayon = \"={RAYON}\"\nrayon-core = \"={RAYON_CORE}\"\n"
    );
    write(&scratch.join("Cargo.toml"), &manifest)?;
    write(&scratch.join("src/lib.rs"), "")?;
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .current_dir(scratch)
        .output()
        .context("running cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let folder = |name: &str| -> Result<PathBuf> {
        let package = packages.iter().find(|package| package["name"] == name);
        let manifest = package.and_then(|package| package["manifest_path"].as_str());
        let manifest = Path::new(manifest.with_context(|| format!("cargo has no {name}"))?);
        Ok(manifest.parent().context("a manifest lies in a folder")?.to_owned())
    };
    Ok([folder("rayon")?, folder("rayon-core")?])
}

fn copy_core_tests(core: &Path, folder: &Path) -> Result<()> {
    copy_folder(&core.join("tests"), &folder.join("tests"))?;
    write(&folder.join("Cargo.toml"), CORE_TESTS)?;
    let mut lib = CORE_LIB.to_owned() + &examples::collect(&core.join("src"), &folder.join("examples"))?;
    lib += "#[cfg(test)]\nmod test;\n";
    let mut switched_off = copy_tests(&core.join("src/test.rs"), &folder.join("src/test.rs"), "test")?;
    for module in MODULES {
        lib += &format!(
            "#[cfg(test)]\nmod {module} {{\n    use crate::unwind;\n    use rayon_core::*;\n\n    mod test;\n}}\n"
        );
        let file = format!("{module}/test.rs");
        switched_off += copy_tests(
            &core.join("src").join(&file),
            &folder.join("src").join(&file),
            &format!("{module}::test"),
        )?;
    }
    let named = LEFT_OUT.iter().filter(|test| matches!(test.kind, Kind::Names(_))).count();
    ensure!(switched_off == named, "{named} listed tests use internal names, but {switched_off} were found");
    write(&folder.join("src/lib.rs"), &lib)
}

/// Copies a file of unit tests, and disables those that cannot compile. Returns how many these are.
fn copy_tests(from: &Path, to: &Path, module: &str) -> Result<usize> {
    let mut text = fs::read_to_string(from).with_context(|| format!("reading {}", from.display()))?;
    let mut switched_off = 0;
    for test in LEFT_OUT {
        let Kind::Names(what) = test.kind else { continue };
        let Some(name) = test.name.strip_prefix(&format!("lib {module}::")) else { continue };
        let head = format!("fn {name}() {{");
        let start = text
            .find(&head)
            .with_context(|| format!("{} is left out, but there is no such test", test.name))?;
        let body = &text[start..text[start..].find("\n}").map_or(text.len(), |end| start + end)];
        ensure!(body.contains(what), "{} is left out, but does not name {what}", test.name);
        text.insert_str(start, "#[cfg(any())]\n");
        switched_off += 1;
    }
    write(to, &text)?;
    Ok(switched_off)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
