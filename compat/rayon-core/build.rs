//! A package with `links` must have one.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
