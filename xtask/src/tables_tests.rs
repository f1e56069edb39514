//! Checks that the tables in the repository match the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::conditions;
use crate::orderings;
use crate::package::{PACKAGES, Package};
use crate::report::site;
use crate::source::Mutant;
use crate::survivors::{ARGUMENTS, argument};

/// Asserts that a package's table has a row for each mutant of its current sources, and that each
/// was noticed.
fn assert_listed(package: &Package, table: &str, command: &str, mutants: impl Fn(&str) -> Vec<Mutant>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let remake = format!("cargo xtask {command} {0} > {0}/{table}", package.name);
    let table = fs::read_to_string(root.join(package.name).join(table)).unwrap();
    let listed: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let mut written = Vec::new();
    for file in package.files(&root, None).unwrap() {
        let text = package.read(&root, &file).unwrap();
        written.extend(mutants(&text).iter().map(|mutant| site(&file, mutant)));
    }
    assert_eq!(listed.len(), written.len(), "outdated: {remake}");
    for (listed, written) in listed.iter().zip(&written) {
        assert!(listed.starts_with(written.as_str()), "no row {written}: {remake}");
    }
    assert!(!table.contains("**SURVIVED**"), "{}: a mutant that no test notices: {remake}", package.name);
}

#[test]
fn every_condition_is_in_its_table() {
    for package in &PACKAGES {
        assert_listed(package, "CONDITIONS.md", "mutate-conditions", conditions::mutants);
    }
}

#[test]
fn every_ordering_is_in_its_table() {
    for package in ["runtime", "shm-lock", "team"] {
        let mutants = |text: &str| orderings::mutants(text).unwrap();
        assert_listed(Package::named(package), "ORDERINGS.md", "mutate-orderings", mutants);
    }
}

#[test]
fn every_argument_is_about_a_condition() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut used = BTreeSet::new();
    for package in &PACKAGES {
        for file in package.files(&root, None).unwrap() {
            for mutant in conditions::mutants(&package.read(&root, &file).unwrap()) {
                used.extend(argument(package, &file, &mutant));
            }
        }
    }
    for argument in ARGUMENTS {
        assert!(used.contains(argument.reason), "no such condition: {}", argument.reason);
    }
}
