//! Which files are mutated, and which tests must notice.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// A folder of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// The folder with the mutated files.
    pub(crate) folder: &'static str,
    /// The tests that must notice, in the order in which they run.
    pub(crate) tests: &'static [&'static str],
    /// Other files that the tests read.
    pub(crate) read_by_tests: &'static [&'static str],
    /// What to call the tests in a text.
    pub(crate) tests_called: &'static str,
    /// A part of the name of each such test.
    pub(crate) test_name: &'static str,
    /// A part of the names of slow tests.
    pub(crate) long_tests: Option<&'static str>,
    /// The crate's name, if it is needed, and everything else to build the tests.
    pub(crate) manifest: &'static str,
}

const LOOM: &str = "[dev-dependencies]\nloom = \"*\"\n";

/// The dependencies of the protocols of `runtime`.
const LOOM_AND_PADDING: &str = "[dev-dependencies]\ncrossbeam-utils = \"*\"\nloom = \"*\"\n";

pub(crate) const PACKAGES: [Package; 4] = [
    Package {
        name: "runtime",
        folder: "src/protocol",
        tests: &["loom"],
        read_by_tests: &[],
        tests_called: "loom models",
        test_name: "_models::model_",
        long_tests: None,
        manifest: LOOM_AND_PADDING,
    },
    Package {
        name: "shm-lock",
        folder: "src/protocol",
        tests: &["loom"],
        read_by_tests: &[],
        tests_called: "loom models",
        test_name: "_models::model_",
        long_tests: Some("_death"), // which is tried at each step
        manifest: "[dev-dependencies]\nloom = \"*\"\n[profile.dev.package.mutants-of-shm-lock]\nopt-level = 2\n",
    },
    Package {
        name: "team",
        folder: "src/protocol",
        tests: &["loom", "alone"],
        read_by_tests: &[],
        tests_called: "loom models and tests",
        test_name: "::claims_",
        long_tests: Some("_death"),
        manifest: LOOM,
    },
    Package {
        name: "adaptive",
        folder: "src",
        tests: &["chunker", "chunker_properties", "golden"],
        read_by_tests: &["README.md"],
        tests_called: "tests",
        test_name: "",
        long_tests: None,
        manifest: "[lib]\nname = \"taskel_adaptive\"\n\
                   [dev-dependencies]\nproptest = { version = \"*\", default-features = false, features = [\"std\"] }\n\
                   [profile.dev.package.mutants-of-adaptive]\nopt-level = 2\n",
    },
];

impl Package {
    pub(crate) fn named(name: &str) -> &'static Package {
        PACKAGES.iter().find(|package| package.name == name).expect("the argument's values are these names")
    }

    /// Returns whether the models are the only code of the package that is built.
    pub(crate) fn has_models(&self) -> bool {
        self.folder == "src/protocol"
    }

    /// Returns the names of the mutated files in order, or only `only`.
    pub(crate) fn files(&self, root: &Path, only: Option<&str>) -> Result<Vec<String>> {
        let folder = root.join(self.name).join(self.folder);
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        let names: Vec<_> = entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_, _>>()?;
        let is_mutated = |name: &&String| {
            name.strip_suffix(".rs").is_some_and(|stem| {
                if self.has_models() { names.contains(&format!("{stem}_models.rs")) } else { stem != "lib" }
            })
        };
        let mut files: Vec<_> = names.iter().filter(is_mutated).cloned().collect();
        files.sort_unstable();
        if let Some(only) = only {
            let known = files.join(", ");
            files.retain(|file| file == only);
            ensure!(!files.is_empty(), "there is no {only}; there are {known}");
        }
        Ok(files)
    }

    /// Returns the current table of the orderings.
    pub(crate) fn orderings(&self, root: &Path) -> Result<String> {
        let path = root.join(self.name).join("ORDERINGS.md");
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    pub(crate) fn read(&self, root: &Path, file: &str) -> Result<String> {
        let path = root.join(self.name).join(self.folder).join(file);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}
