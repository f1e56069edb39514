//! What must not compile: uses that would be a data race, or a use after free. What the compiler
//! says is kept beside each program; `TRYBUILD=overwrite cargo test -p tests-build` writes it anew.

use std::process::Command;

/// Whose messages they are. Those of another version are worded otherwise.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn what_would_be_unsound_does_not_compile() {
    let version = Command::new("rustc").arg("--version").output().expect("a compiler").stdout;
    let version = String::from_utf8_lossy(&version);
    if !version.starts_with(COMPILER) {
        println!("SKIPPED: the messages are {COMPILER}x's, this is {version}");
        return;
    }
    let programs = trybuild::TestCases::new();
    programs.compile_fail("tests/taskel/*.rs");
    programs.compile_fail("tests/shm_lock/*.rs");
}
