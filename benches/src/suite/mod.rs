//! What `report` measures: a list of suites, each of which answers with groups of rows.

mod dispatch;
mod first_calls;
pub mod hot_paths;
mod idle;
mod instructions;
mod iters;
mod joins;
mod locks;
mod loops;
mod members;
mod predictions;
pub mod processes;
mod profiles;
mod spans;
mod streams;
pub mod teams;
mod trees;
pub mod workers;

use crate::{
    options::Choice,
    result::{Group, SERIAL},
    work::Calibration,
};
use std::{
    cell::RefCell,
    error::Error,
    process::{Command, Stdio},
};

/// One thing that `report` measures.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// What `--only` chooses.
    pub name: &'static str,
    /// What it answers, in a line.
    pub about: &'static str,
    /// Measures it. Rows and peers that [`Context`] does not want are left out, and so is a group
    /// without rows.
    pub run: fn(&Context) -> Vec<Group>,
}

/// All of them, in the order in which they run.
pub const ALL: &[Suite] = &[
    suite("loops", "parallel loops over loads with known answers", loops::run),
    suite("first-calls", "loops that are called for the first time", first_calls::run),
    suite("processes", "processes that make one small call", processes::run),
    suite("joins", "trees of joins that do nothing else", joins::run),
    suite("trees", "trees of tasks of public comparisons", trees::run),
    suite("workers", "whether 4 to 32 workers are all busy", workers::run),
    suite("members", "how many of 8 workers each member keeps busy", members::run),
    suite("dispatch", "how soon another thread has done something", dispatch::run),
    suite("idle", "what an idle pool costs", idle::run),
    suite("teams", "what processes that share a loop cost over threads", teams::run),
    suite("locks", "locks between threads and processes", locks::run),
    suite("instructions", "instructions of what one thread does most often", instructions::run),
    suite("iters", "parallel iterators", iters::run),
    suite("streams", "sequential sources in parallel", streams::run),
    suite("profiles", "what taking a profile costs", profiles::run),
    suite("spans", "what carrying spans of `tracing` costs", spans::run),
    suite("programs", "programs of which nothing but the `use` line changes", crate::programs::groups),
    suite("predictions", "what a recording of one worker predicts, and what is measured", predictions::run),
    suite("regions", "regions after serial work, and beside and inside of others", crate::regions::groups),
    suite("one-core", "regions in a process that has one core", crate::regions::groups_on_one_core),
];

const fn suite(name: &'static str, about: &'static str, run: fn(&Context) -> Vec<Group>) -> Suite {
    Suite { name, about, run }
}

/// What a suite's process prints: its groups, and who or what is left out.
pub type Measured = (Vec<Group>, Vec<String>);

/// Measures a suite, or the chosen part of it, in a process of its own.
///
/// # Errors
/// Says why there is no such process, or how it has failed.
pub fn in_its_own_process(suite: &str, choice: &Choice) -> Result<Measured, Box<dyn Error>> {
    let mut process = Command::new(std::env::current_exe()?);
    process.arg("suite").arg(suite).args(choice.to_args()).stderr(Stdio::inherit());
    let output = process.output()?;
    if !output.status.success() {
        return Err(output.status.to_string().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What a suite has to know.
#[derive(Debug)]
pub struct Context {
    /// How many threads each peer has: as many as there are cores.
    pub threads: usize,
    /// Samples of each peer in each row.
    pub reps: usize,
    /// What a taskel takes.
    pub calibration: Calibration,
    choice: Choice,
    left_out: RefCell<Vec<String>>,
}

impl Context {
    /// A context in which nothing is left out yet.
    #[must_use]
    pub fn new(threads: usize, choice: Choice, calibration: Calibration) -> Self {
        Context { threads, reps: choice.reps, calibration, choice, left_out: RefCell::default() }
    }

    /// What is wanted of the row of that name, and of no other.
    fn choice_of_row(&self, name: &str) -> Choice {
        Choice { row: name.to_owned(), ..self.choice.clone() }
    }

    /// Whether that row is wanted.
    #[must_use]
    pub fn wants_row(&self, name: &str) -> bool {
        name.contains(&self.choice.row)
    }

    /// Whether that peer is wanted; the serial one always is.
    #[must_use]
    pub fn wants_peer(&self, name: &str) -> bool {
        name == SERIAL || name.contains(&self.choice.peer)
    }

    /// Tells the report, in a line, who or what cannot take part, and why.
    pub fn leave_out(&self, line: impl Into<String>) {
        self.left_out.borrow_mut().push(line.into());
    }

    /// All lines that were told so far.
    #[must_use]
    pub fn left_out(&self) -> Vec<String> {
        self.left_out.borrow().clone()
    }
}
