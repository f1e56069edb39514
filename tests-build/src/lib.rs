//! Programs that must not compile: see `tests/`. A package of its own, because trybuild builds all
//! that its package depends on once more.

/// The program in the workspace's README is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
