//! The README compares this crate with others; each of our cells names tests, which are there.

use std::fs;
use std::path::Path;

const README: &str = include_str!("../README.md");

/// Where tests are; the last two only in the repository.
const FOLDERS: [&str; 3] = ["tests", "../shm-lock-c/tests", "../shm-lock-cli/tests"];

/// Our cells of the table.
fn cells() -> Vec<&'static str> {
    let (_, section) = README.split_once("\n## Beside others\n").expect("the section");
    let rows =
        section.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|'));
    let columns: Vec<Vec<&str>> =
        rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect();
    assert_eq!(columns[0][1], "shm-lock");
    for row in columns.iter().filter(|row| row.len() > 1) {
        assert_eq!(row.len(), 7, "{row:?}");
    }
    columns[1..].iter().filter(|row| row.len() > 1).map(|row| row[1]).collect()
}

/// The tests that a cell names, by file and function.
fn tests(cell: &str) -> Vec<(&str, &str)> {
    cell.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::")).collect()
}

fn is_test(folder: &Path, file: &str, function: &str) -> bool {
    let text = fs::read_to_string(folder.join(file).with_extension("rs")).unwrap_or_default();
    let Some((before, _)) = text.split_once(&format!("\nfn {function}() {{")) else { return false };
    before.lines().rev().take_while(|line| line.starts_with("#[")).any(|line| line == "#[test]")
}

#[test]
fn each_of_our_cells_names_a_test_that_is_there() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders: Vec<_> =
        FOLDERS.iter().map(|folder| here.join(folder)).filter(|folder| folder.exists()).collect();
    let cells = cells();
    assert!(cells.len() >= 10, "{cells:?}");
    for cell in cells {
        let tests = tests(cell);
        assert!(!tests.is_empty(), "{cell} names no test");
        for (file, function) in tests {
            let is_there = folders.iter().any(|folder| is_test(folder, file, function));
            assert!(is_there || folders.len() < FOLDERS.len(), "{file}::{function} is not there");
        }
    }
    assert!(
        !is_test(&here.join("tests"), "death", "mutex") && !is_test(&here.join("tests"), "death", "none")
    );
}
