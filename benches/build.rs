//! Hands the compiler's version to the report: a figure without it cannot be compared.

use std::{env, process::Command};

fn main() {
    let rustc = env::var_os("RUSTC").expect("cargo tells build scripts which rustc it runs");
    let output = Command::new(rustc).arg("--version").output().expect("rustc prints its version");
    let version = String::from_utf8_lossy(&output.stdout);
    println!("cargo::rustc-env=BENCH_RUSTC_VERSION={}", version.trim());
    println!("cargo::rerun-if-changed=build.rs");
}
