//! The loom models, in plain `cargo test`: the protocol files once more, on top of loom's types.
#![cfg(not(loom))]

#[path = "../src/sync/loom_types.rs"]
#[allow(dead_code, reason = "the models do not use every operation")]
mod sync;

#[path = "../src/protocol"]
#[allow(dead_code, reason = "the models do not use every operation")]
mod protocol {
    pub(crate) mod claims;

    mod model;

    mod claims_models;
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
    assert!(here >= 6, "{here} models");
}
