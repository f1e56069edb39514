//! The loom models, in plain `cargo test`: the protocol files once more, on top of loom's types.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p taskel --lib` runs the same models inside the crate.
#![cfg(not(loom))]

#[path = "../src/sync/loom_types.rs"]
#[allow(dead_code, reason = "the models do not use every operation")]
mod sync;

#[path = "../src/containers"]
#[allow(dead_code, reason = "the protocols do not use every operation")]
mod containers {
    pub(crate) mod table;
}

#[path = "../src/policy"]
#[allow(dead_code, reason = "the protocols do not use every operation")]
mod policy {
    pub(crate) mod batch;
    pub(crate) mod pace;
    pub(crate) mod times;
}

#[path = "../src/feed/mod.rs"]
#[allow(dead_code, reason = "the models do not use every operation")]
mod feed;

#[path = "../src/protocol"]
#[allow(dead_code, reason = "the models do not use every operation")]
mod protocol {
    pub(crate) mod answers;
    pub(crate) mod chain;
    pub(crate) mod chunk_position;
    pub(crate) mod desk;
    pub(crate) mod external_slot;
    pub(crate) mod handover;
    pub(crate) mod helpers;
    pub(crate) mod lease;
    pub(crate) mod panic_slot;
    pub(crate) mod parker;
    pub(crate) mod permits;
    pub(crate) mod range;
    pub(crate) mod seats;
    pub(crate) mod shutdown;
    pub(crate) mod sleep;
    pub(crate) mod task;
    pub(crate) mod tickets;
    pub(crate) mod tray;
    pub(crate) mod waiters;
    pub(crate) mod window;

    mod model;

    mod answers_models;
    mod chain_models;
    mod chunk_position_models;
    mod desk_models;
    mod external_slot_models;
    mod handover_models;
    mod helpers_models;
    mod lease_models;
    mod panic_slot_models;
    mod parker_models;
    mod permits_models;
    mod range_models;
    mod seats_models;
    mod shutdown_models;
    mod sleep_models;
    mod task_models;
    mod tickets_models;
    mod tray_models;
    mod waiters_models;
    mod window_models;
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
    assert!(here >= 20, "{here} models");
}
