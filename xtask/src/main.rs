//! What the development of taskel needs and a line of shell cannot do: `cargo xtask --help`.

mod copy;
mod mutate;
mod orderings;
#[cfg(test)]
mod orderings_tests;
mod report;
mod source;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What the development of taskel needs and a line of shell cannot do")]
enum Task {
    /// Weaken every ordering of the protocols in turn, and print which loom model notices
    ///
    /// Prints ORDERINGS.md of the package; progress goes to standard error. The exit status is 1 when a mutant survives.
    MutateOrderings(mutate::Arguments),
}

fn main() -> Result<ExitCode> {
    match Task::parse() {
        Task::MutateOrderings(arguments) => mutate::orderings(&arguments),
    }
}
