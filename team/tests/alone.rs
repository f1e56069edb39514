//! The protocol files once more, with what they do on one thread: so that mutants of them are seen here,
//! too (`cargo xtask mutate-conditions team`).

#[path = "../src/sync/mod.rs"]
#[allow(dead_code, reason = "the tests do not use every operation")]
mod sync;

#[path = "../src/protocol"]
#[allow(dead_code, reason = "the tests do not use every operation")]
mod protocol {
    pub(crate) mod claims;

    mod claims_tests;
}
