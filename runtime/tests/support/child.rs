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
    program.args(["--exact", test, "--nocapture"]).env(CASE, case)
}
