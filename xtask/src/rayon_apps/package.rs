//! A copy of a package of crates.io, and how to build it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::apps::App;
use crate::copy::copy_folder;
use crate::own_tests;
use crate::rayon_suite::RAYON_CORE;

/// Which library the program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Core {
    Rayon,
    /// taskel in place of rayon-core.
    Patched,
    /// taskel in place of rayon.
    Renamed,
}

impl Core {
    pub(super) fn name(self) -> &'static str {
        match self {
            Core::Rayon => "rayon",
            Core::Patched => "patched",
            Core::Renamed => "renamed",
        }
    }
}

/// The copy.
pub(super) struct Package<'a> {
    pub(super) app: &'a App,
    /// The folder of all its files.
    folder: PathBuf,
    root: &'a Path,
    target: &'a Path,
    /// Whether its programs already exist.
    built: bool,
}

impl<'a> Package<'a> {
    /// Fetches the package with cargo, and copies the sources into folders in `scratch`: one per
    /// library, so that each has its own `Cargo.lock`. (In a shared folder, cargo would choose
    /// versions again whenever the other one was built before.)
    pub(super) fn fetch(
        app: &'a App,
        root: &'a Path,
        scratch: &Path,
        target: &'a Path,
        built: bool,
    ) -> Result<Self> {
        let package = Package { app, folder: scratch.join(app.name), root, target, built };
        let original = package.original()?;
        let manifest = fs::read_to_string(original.join("Cargo.toml"))? + "\n[workspace]\n";
        let renamed = renamed(&manifest, &root.join("runtime"));
        let copies = [(Core::Rayon, &manifest), (Core::Patched, &manifest), (Core::Renamed, &renamed)];
        for (core, manifest) in copies {
            let copy = package.sources(core);
            // An existing copy need not be built again.
            if fs::read_to_string(copy.join("Cargo.toml")).is_ok_and(|there| there == *manifest) {
                continue;
            }
            if copy.exists() {
                fs::remove_dir_all(&copy)?;
            }
            copy_folder(&original, &copy)?;
            // The newest versions that it accepts, which a user of the package gets, too.
            let _ = fs::remove_file(copy.join("Cargo.lock"));
            for file in app.lacks {
                let path = copy.join(file);
                fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
                fs::write(path, "")?;
            }
            fs::write(copy.join("Cargo.toml"), manifest)?;
            if core != Core::Renamed {
                package.lock_core(core)?;
            }
        }
        Ok(package)
    }

    /// Makes the lock file name the rayon-core that can be replaced, instead of an older one.
    fn lock_core(&self, core: Core) -> Result<()> {
        let precisely = ["update", "--quiet", "--precise", RAYON_CORE, "rayon-core"];
        let output = self.cargo(core, &precisely).output().context("running cargo update")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Returns where cargo has the sources. (No package depends on a program, so `cargo metadata`
    /// does not list it.)
    fn original(&self) -> Result<PathBuf> {
        let App { name, version, .. } = self.app;
        let output =
            Command::new(env!("CARGO")).args(["info", "--quiet", &format!("{name}@{version}")]).output();
        let output = output.context("running cargo info")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let registries = registry_sources()?;
        let mut folders =
            fs::read_dir(&registries).with_context(|| format!("reading {}", registries.display()))?;
        let folder = folders.find_map(|registry| {
            let folder = registry.ok()?.path().join(format!("{name}-{version}"));
            folder.is_dir().then_some(folder)
        });
        folder.with_context(|| format!("cargo has no sources of the package in {}", registries.display()))
    }

    /// Returns the folder with its sources.
    pub(super) fn sources(&self, core: Core) -> PathBuf {
        self.folder.join(format!("sources-{}", core.name()))
    }

    /// Returns a file or folder beside the sources.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Creates a cargo command in its folder.
    fn cargo(&self, core: Core, command: &[&str]) -> Command {
        let mut cargo = own_tests::cargo(&self.sources(core), self.target);
        // The newest versions of dependencies may need a newer compiler.
        cargo.env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback").args(command);
        cargo
    }

    /// Creates a cargo command that builds it.
    pub(super) fn cargo_build(&self, core: Core, command: &[&str]) -> Command {
        let mut cargo = self.cargo(core, command);
        cargo
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        if core == Core::Patched {
            let path = self.root.join("compat/rayon-core");
            cargo.arg("--config").arg(format!("patch.crates-io.rayon-core.path={path:?}"));
        }
        if !self.app.default_features {
            cargo.arg("--no-default-features");
        }
        if !self.app.features.is_empty() {
            cargo.arg("--features").arg(self.app.features.join(","));
        }
        cargo
    }

    /// Checks that the last build used the right rayon-core. Cargo only warns about a patch that is
    /// not used.
    pub(super) fn check(&self, core: Core) -> Result<()> {
        let lock = fs::read_to_string(self.sources(core).join("Cargo.lock")).context("reading Cargo.lock")?;
        let entry = lock.split("[[package]]").find(|entry| entry.contains("name = \"rayon-core\""));
        let is_patched = entry.is_some_and(|entry| !entry.contains("source = "));
        ensure!(
            is_patched == (core == Core::Patched),
            "built with another rayon-core than wanted: {}",
            entry.unwrap_or("none").trim()
        );
        Ok(())
    }

    /// Builds the release version of the program. Returns its path.
    pub(super) fn release(&self, core: Core, binary: &str) -> Result<PathBuf> {
        let copy = self.beside(&format!("program-{}", core.name()));
        if self.built {
            ensure!(copy.is_file(), "{} is not built yet", copy.display());
            return Ok(copy);
        }
        let output = self.cargo_build(core, &["build", "--release", "--bin", binary]).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.check(core)?;
        fs::copy(self.target.join("release").join(binary), &copy).context("copying the program")?;
        Ok(copy)
    }
}

/// Returns where cargo has the sources of all fetched packages, in one folder per registry.
pub(super) fn registry_sources() -> Result<PathBuf> {
    let default = || Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(default);
    Ok(home.context("neither CARGO_HOME nor HOME says where cargo has its files")?.join("registry/src"))
}

/// Returns the manifest with taskel in place of rayon. In published manifests, each dependency has
/// its own table.
fn renamed(manifest: &str, taskel: &Path) -> String {
    let mut text = String::new();
    let mut is_rayon = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_rayon = line.ends_with("dependencies.rayon]");
        }
        if is_rayon && line.starts_with("version = ") {
            text.push_str(&format!("package = \"taskel\"\npath = {taskel:?}\n"));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::renamed;

    #[test]
    fn only_the_dependency_on_rayon_is_renamed() {
        let manifest = "[dependencies.rand]\nversion = \"0.9\"\n\n[dev-dependencies.rayon]\nversion = \"1.2\"\noptional = true\n\n[dependencies.regex]\nversion = \"1\"\n";
        let expected = "[dependencies.rand]\nversion = \"0.9\"\n\n[dev-dependencies.rayon]\npackage = \"taskel\"\npath = \"/t\"\noptional = true\n\n[dependencies.regex]\nversion = \"1\"\n";
        assert_eq!(renamed(manifest, Path::new("/t")), expected);
    }
}
