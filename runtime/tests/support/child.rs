//! Tests that need a process to themselves, because a fault ends or limits it.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::process::{Command, Output};

const CASE: &str = "TASKEL_TEST_CASE";

/// Which case of a test this process is for; `None` in the process that runs them all.
pub(crate) fn case() -> Option<String> {
    std::env::var(CASE).ok()
}

/// Runs the one test again, in a process of its own, as `case`.
pub(crate) fn run(test: &str, case: &str) -> Output {
    let mut program = Command::new(std::env::current_exe().expect("the path of this test"));
    as_case(&mut program, test, case).output().expect("the program to start")
}

/// `program`, which is this one, to be run as `case` of the one test.
pub(crate) fn as_case<'c>(program: &'c mut Command, test: &str, case: &str) -> &'c mut Command {
    with_case(program.args(["--exact", test, "--nocapture"]), case)
}

/// `program`, which starts this one as one test, to be that as `case`.
pub(crate) fn with_case<'c>(program: &'c mut Command, case: &str) -> &'c mut Command {
    program.env(CASE, case)
}

/// What `case` of the test says, as `SAID …` on a line of its own, in a process of its own with
/// these environment variables.
pub(crate) fn said(test: &str, case: &str, variables: &[(&str, &str)]) -> String {
    let mut program = Command::new(std::env::current_exe().expect("the path of this test"));
    program.env_remove("TASKEL_NUM_THREADS").env_remove("RAYON_NUM_THREADS");
    program.envs(variables.iter().copied());
    let output = as_case(&mut program, test, case).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{variables:?}: {told}");
    let said = told.lines().find_map(|line| line.split_once("SAID ")).expect("the case says something").1;
    said.to_owned()
}
