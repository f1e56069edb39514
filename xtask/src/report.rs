//! Formats the tables of mutants as documents.

use std::fmt;

use crate::package::Package;
use crate::source::Mutant;

/// The outcome of a mutant.
pub(crate) enum Fate {
    Killed { test: String, fault: &'static str },
    NotCompiled,
    Survived,
    Argued { reason: &'static str },
    OutOfSight { reason: &'static str },
}

/// A mutant, its place, and its outcome.
pub(crate) struct Row {
    pub(crate) file: String,
    pub(crate) mutant: Mutant,
    pub(crate) fate: Fate,
}

/// For progress output: shows the place of the mutant.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mutant { line, function, change, .. } = &self.mutant;
        write!(f, "{}:{line}, {function}: {change}: {}", self.file, self.fate)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Killed { test, fault } => write!(f, "`{test}` | {fault}"),
            Fate::NotCompiled => write!(f, "the compiler | "),
            Fate::Survived => write!(f, "**SURVIVED** | "),
            Fate::Argued { reason } => write!(f, "survives | {reason}"),
            Fate::OutOfSight { reason } => write!(f, "not tried | {reason}"),
        }
    }
}

/// Returns a table row up to the outcome. It contains the line of code itself, so the table stays
/// valid when lines move.
pub(crate) fn site(file: &str, mutant: &Mutant) -> String {
    let Mutant { function, code, change, .. } = mutant;
    format!("| `{file}` | `{function}` | `{}` | {} |", escaped(code), escaped(change))
}

/// A bar ends a table cell, even in a code span.
fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|")
}

/// Returns ORDERINGS.md, with a final newline.
pub(crate) fn orderings(package: &Package, rows: &[Row], tests: usize) -> String {
    let survivors = rows.iter().filter(|row| matches!(row.fate, Fate::Survived)).count();
    let package = package.name;
    let argument = if package == "runtime" { String::new() } else { format!(" {package}") };
    let mut text = format!(
        "# Orderings that are necessary\n\
         \n\
         Made by `cargo xtask mutate-orderings{argument} > {package}/ORDERINGS.md`; run it again when a file in `src/protocol/` changes.\n\
         \n\
         Every ordering in `src/protocol/` that is stronger than Relaxed, and every fence, is weakened by itself, one step\n\
         at a time, and the {tests} loom models run on the result: those beside the protocol first, then the others, until\n\
         one fails. An ordering without which no model fails is too strong, or lacks a model.\n\
         \n\
         {} mutants, {survivors} survived.\n\
         \n\
         | file | function | line | mutation | first model to fail | with |\n\
         |---|---|---|---|---|---|\n",
        rows.len()
    );
    text += &table(rows);
    text
}

/// Returns CONDITIONS.md, with a final newline.
pub(crate) fn conditions(package: &Package, rows: &[Row], tests: usize) -> String {
    let Package { name, folder, tests_called, .. } = package;
    let argued = rows.iter().filter(|row| matches!(row.fate, Fate::Argued { .. })).count();
    let survivors = rows.iter().filter(|row| matches!(row.fate, Fate::Survived)).count();
    let unseen = rows.iter().filter(|row| matches!(row.fate, Fate::OutOfSight { .. })).count();
    let tried = rows.len() - unseen;
    let not_tried = if unseen == 0 {
        String::new()
    } else {
        format!(" {unseen} more were not tried, since no test can see them.")
    };
    let mut text = format!(
        "# Conditions that are checked\n\
         \n\
         Made by `cargo xtask mutate-conditions {name} > {name}/CONDITIONS.md`; run it again when a condition in `{folder}/` changes.\n\
         \n\
         Every condition and every sum is made wrong by itself (a comparison negated, moved by one, `&&` for `||`, `!` left out,\n\
         `+` for `-`, …) and the {tests} {tests_called} run on the result until one fails. A mutant that none notices lacks a\n\
         test, unless it does the same by other means; then the last column says why.\n\
         \n\
         {tried} mutants, {} survived: {argued} with an argument, {survivors} without.{not_tried}\n\
         \n\
         | file | function | line | mutation | first to fail | with |\n\
         |---|---|---|---|---|---|\n",
        argued + survivors
    );
    text += &table(rows);
    text
}

fn table(rows: &[Row]) -> String {
    rows.iter().map(|row| format!("{} {} |\n", site(&row.file, &row.mutant), row.fate)).collect()
}
