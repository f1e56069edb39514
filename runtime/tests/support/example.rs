//! The examples, as programs to start.

use std::path::{Path, PathBuf};
use std::process::Output;

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
