//! Does nothing: a package that `links` must have a build script. It links to nothing either; but
//! Cargo then refuses a program with two versions of taskel, which would have two global pools,
//! each with a worker for every core.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
