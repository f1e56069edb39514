//! A package's own tests, with rayon and with taskel.

use anyhow::Result;

use super::apps::Tests;
use super::package::{Core, Package};
use crate::own_tests::{self, Outcome, Outcomes};

/// Runs the tests with both, and prints a row. Tests that pass only with rayon are added to
/// `faults`.
pub(super) fn compare(package: &Package, other: Core, repeat: usize, faults: &mut Vec<String>) {
    let name = package.app.name;
    if let Tests::Not(reason) = package.app.tests {
        eprintln!("{name}: none of its tests: {reason}");
        return;
    }
    let expected = match outcomes(package, Core::Rayon) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            println!("| {name} | does not build with rayon | | |");
            eprintln!("{name}: {error:#}");
            return;
        }
    };
    let passed: Vec<&String> =
        expected.iter().filter(|(_, outcome)| **outcome == Outcome::Passed).map(|(name, _)| name).collect();
    let mut pass_with_both = passed.len();
    for _ in 0..repeat {
        let found = match outcomes(package, other) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                println!("| {name} | {} | does not build | |", passed.len());
                faults.push(format!("{name}: {error:#}"));
                return;
            }
        };
        let missed = passed.iter().filter(|test| found.get(**test) != Some(&Outcome::Passed));
        let missed: Vec<_> = missed.map(|test| test.as_str()).collect();
        pass_with_both = pass_with_both.min(passed.len() - missed.len());
        let expected = if other == Core::Renamed { package.app.fail_renamed } else { &[] };
        for test in missed {
            match expected.iter().find(|(known, _)| *known == test) {
                Some((_, reason)) => eprintln!("{name}: {test} fails renamed: {reason}"),
                None => faults.push(format!("{name}: {test} passes only with rayon")),
            }
        }
    }
    let failed: Vec<&String> =
        expected.iter().filter(|(_, outcome)| **outcome == Outcome::Failed).map(|(name, _)| name).collect();
    println!("| {name} | {} | {pass_with_both} | {} |", passed.len(), failed.len());
    explain(package, &failed);
}

/// Reports why tests are not run, or also fail with rayon.
fn explain(package: &Package, failed: &[&String]) {
    let (app, name) = (package.app, package.app.name);
    if let Tests::These(options, reason) = app.tests {
        eprintln!("{name}: of its tests, {}: {reason}", options.join(" "));
    }
    for test in failed {
        let known = app.fail_anyway.iter().find(|(known, _)| known == test);
        let reason = known.map_or("the list does not say why", |(_, reason)| reason);
        eprintln!("{name}: {test} fails with rayon, too: {reason}");
    }
    for (known, _) in app.fail_anyway {
        if !failed.iter().any(|test| *test == known) {
            eprintln!("{name}: {known} is listed as failing with rayon, but does not");
        }
    }
}

fn outcomes(package: &Package, core: Core) -> Result<Outcomes> {
    let options = match package.app.tests {
        Tests::All => &["--tests"],
        Tests::These(options, _) => options,
        Tests::Not(_) => return Ok(Outcomes::new()),
    };
    let mut outcomes = Outcomes::new();
    let log = package.beside(&format!("output-{}", core.name()));
    let binaries = own_tests::build(package.cargo_build(core, &["test"]), options)?;
    package.check(core)?;
    for binary in binaries {
        match binary.run(&package.sources(core), &log, &[]) {
            Ok((these, _)) => outcomes.extend(these),
            Err(error) => {
                eprintln!("{} with {}: {error:#}", package.app.name, core.name());
                outcomes.insert(format!("{} as a whole", binary.target), Outcome::Failed);
            }
        }
    }
    Ok(outcomes)
}
