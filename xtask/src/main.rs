//! Development tasks that need more than a line of shell: `cargo xtask --help`.

mod conditions;
#[cfg(test)]
mod conditions_tests;
mod copy;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod docs_claims;
#[cfg(test)]
mod docs_tests;
mod layers;
#[cfg(test)]
mod layers_tests;
mod listed;
#[cfg(test)]
mod listed_tests;
mod mutate;
mod orderings;
#[cfg(test)]
mod orderings_tests;
mod own_tests;
mod package;
mod rayon_apps;
mod rayon_suite;
mod report;
mod source;
#[cfg(test)]
mod surface_tests;
mod survivors;
#[cfg(test)]
mod tables_tests;
mod weight;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What the development of taskel needs and a line of shell cannot do")]
enum Task {
    /// Weaken every ordering of the protocols in turn, and print which loom model notices
    ///
    /// Prints ORDERINGS.md of the package. Progress goes to standard error. The exit status is 1 if
    /// a mutant survives.
    MutateOrderings(mutate::Arguments),
    /// Make every condition of the protocols, or of the chunk policy, wrong in turn, and print
    /// which test notices
    ///
    /// Prints CONDITIONS.md of the package. Progress goes to standard error. The exit status is 1
    /// if a mutant survives without an argument.
    MutateConditions(mutate::ConditionArguments),
    /// Run programs and libraries of crates.io with rayon and with taskel instead: their own tests,
    /// and programs on real input, with times
    ///
    /// The exit status is 1 if a test fails that passes with rayon, or if a result differs.
    /// Packages that cannot be fetched, or do not build with rayon, are reported and left out.
    RayonApps(rayon_apps::Arguments),
    /// Run rayon's and rayon-core's own tests on taskel, by way of compat/rayon-core
    ///
    /// The exit status is 1 if a test fails that is not listed as left out, or if a listed one
    /// passes or does not exist.
    RayonSuite(rayon_suite::Arguments),
    /// Print the layers of each crate, and which imports violate them
    Layers(layers::Arguments),
    /// Build the same program with taskel and with rayon, and print what each costs: packages,
    /// seconds, bytes
    Weight(weight::Arguments),
}

fn main() -> Result<ExitCode> {
    match Task::parse() {
        Task::MutateOrderings(arguments) => mutate::orderings(&arguments),
        Task::MutateConditions(arguments) => mutate::conditions(&arguments),
        Task::RayonApps(arguments) => rayon_apps::rayon_apps(&arguments),
        Task::RayonSuite(arguments) => rayon_suite::rayon_suite(&arguments),
        Task::Layers(arguments) => layers::layers(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Weight(arguments) => weight::weight(&arguments).map(|()| ExitCode::SUCCESS),
    }
}
