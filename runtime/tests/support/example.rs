//! The examples, as programs to start.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The example of this name, built with the same profile as this test.
pub(crate) fn program(name: &str) -> PathBuf {
    let this_test = std::env::current_exe().expect("the path of this test");
    let profile = this_test.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
    let program = profile.join("examples").join(name);
    assert!(
        program.exists(),
        "{} is missing; `cargo test` builds it, `cargo test --test {name}` needs `cargo build --examples` first",
        program.display()
    );
    program
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
pub(crate) fn assert_prints(output: &Output, expected: &[u8]) {
    // Both as text, since a difference of thousands of numbers tells nothing.
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(expected));
    assert!(output.stdout == expected, "equal but for bytes that are not UTF-8");
}

/// Runs a program whose standard output nobody reads.
pub(crate) fn run_unread(command: &mut Command) -> Output {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program to start");
    drop(child.stdout.take());
    child.wait_with_output().expect("its end")
}

/// Runs a program whose standard output takes nothing.
pub(crate) fn run_unwritable(command: &mut Command) -> Output {
    let full = File::options().write(true).open("/dev/full").expect("a device that is always full");
    command.stdout(full).output().expect("the program to start")
}
