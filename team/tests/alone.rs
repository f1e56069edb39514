//! The protocol files once more, with what they do on one thread: so that mutants of them are seen here,
//! too (`cargo xtask mutate-conditions team`).

/// One thread is in order without fences.
#[allow(dead_code, reason = "the tests do not use every operation")]
mod sync {
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Fences {
        Symmetric,
    }

    pub(crate) fn light_fence(_: Fences) {}

    pub(crate) fn heavy_fence(_: Fences) -> bool {
        true
    }
}

#[path = "../src/protocol"]
#[allow(dead_code, reason = "the tests do not use every operation")]
mod protocol {
    pub(crate) mod claims;

    mod claims_tests;
}
