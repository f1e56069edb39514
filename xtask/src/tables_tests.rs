//! Whether the tables in the repository are about the sources as they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::conditions::mutants;
use crate::package::PACKAGES;
use crate::report::condition;
use crate::survivors::{ARGUMENTS, argument};

#[test]
fn every_condition_is_in_its_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for package in &PACKAGES {
        let table = fs::read_to_string(root.join(package.name).join("CONDITIONS.md")).unwrap();
        let listed: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
        let mut written = Vec::new();
        for file in package.files(&root, None).unwrap() {
            let text = package.read(&root, &file).unwrap();
            written.extend(mutants(&text).iter().map(|mutant| condition(&file, mutant)));
        }
        let remake = format!("cargo xtask mutate-conditions {0} > {0}/CONDITIONS.md", package.name);
        assert_eq!(listed.len(), written.len(), "outdated: {remake}");
        for (listed, written) in listed.iter().zip(&written) {
            assert!(listed.starts_with(written.as_str()), "no row {written}: {remake}");
        }
        assert!(!table.contains("**SURVIVED**"), "{} has a condition that no test checks", package.name);
    }
}

#[test]
fn every_argument_is_about_a_condition() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut used = BTreeSet::new();
    for package in &PACKAGES {
        for file in package.files(&root, None).unwrap() {
            for mutant in mutants(&package.read(&root, &file).unwrap()) {
                used.extend(argument(package, &file, &mutant));
            }
        }
    }
    for argument in ARGUMENTS {
        assert!(used.contains(argument.reason), "no such condition: {}", argument.reason);
    }
}
