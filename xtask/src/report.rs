//! The table of mutants as a document.

use std::fmt;

use crate::source::Mutant;

/// What became of a mutant.
pub(crate) enum Fate {
    Killed { model: String, fault: &'static str },
    Survived,
}

/// A mutant, where it was, and what became of it.
pub(crate) struct Row {
    pub(crate) site: String,
    pub(crate) mutant: Mutant,
    pub(crate) fate: Fate,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mutant { function, change, .. } = &self.mutant;
        write!(f, "| `{}` | `{function}` | {change} | ", self.site)?;
        match &self.fate {
            Fate::Killed { model, fault } => write!(f, "`{model}` | {fault} |"),
            Fate::Survived => write!(f, "**SURVIVED** | |"),
        }
    }
}

/// The document, with a newline at its end.
pub(crate) fn report(package: &str, rows: &[Row], models: usize) -> String {
    let survivors = rows.iter().filter(|row| matches!(row.fate, Fate::Survived)).count();
    let argument = if package == "runtime" { String::new() } else { format!(" {package}") };
    let mut text = format!(
        "# Orderings that are necessary\n\
         \n\
         Made by `cargo xtask mutate-orderings{argument} > {package}/ORDERINGS.md`; run it again when a file in `src/protocol/` changes.\n\
         \n\
         Every ordering in `src/protocol/` that is stronger than Relaxed, and every fence, is weakened by itself, one step\n\
         at a time, and the {models} loom models run on the result: those beside the protocol first, then the others, until\n\
         one fails. An ordering without which no model fails is too strong, or lacks a model.\n\
         \n\
         {} mutants, {survivors} survived.\n\
         \n\
         | site | function | mutation | first model to fail | with |\n\
         |---|---|---|---|---|\n",
        rows.len()
    );
    for row in rows {
        text += &format!("{row}\n");
    }
    text
}
