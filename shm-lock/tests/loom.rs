//! The loom models, in plain `cargo test`: the protocol files once more, on top of a modelled
//! kernel.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p shm-lock --lib` runs the same models inside the crate.
#![cfg(not(loom))]

#[path = "../src/sync/loom_types.rs"]
#[allow(dead_code, reason = "the models do not use every operation")]
mod sync;

#[path = "../src/error.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "only what a thread says of itself is used")]
mod error;

#[path = "../src/protocol"]
#[allow(dead_code, reason = "the models do not use every operation")]
mod protocol {
    pub(crate) mod barrier;
    pub(crate) mod condvar;
    pub(crate) mod mutex;
    pub(crate) mod once;
    pub(crate) mod rwlock;
    pub(crate) mod semaphore;
    pub(crate) mod slots;

    mod model;

    mod barrier_models;
    mod condvar_models;
    mod mutex_models;
    mod mutex_promise_models;
    mod once_models;
    mod rwlock_models;
    mod semaphore_models;
    mod slots_models;
}

/// A flag that switches models off, or a file that nobody includes, would otherwise go unnoticed.
#[test]
fn every_model_is_in_this_binary() {
    let listing =
        std::process::Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let listing = String::from_utf8(listing.stdout).unwrap();
    let here = listing.lines().filter(|line| line.contains("_models::model_")).count();

    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocol");
    let written: usize = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with("_models.rs"))
        .map(|path| std::fs::read_to_string(path).unwrap().matches("fn model_").count())
        .sum();
    assert_eq!(here, written, "models written and models compiled in:\n{listing}");
    assert!(here >= 15, "{here} models");
}
