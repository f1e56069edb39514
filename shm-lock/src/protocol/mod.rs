//! The words that processes share, a file for each protocol, each with its loom models beside it.
//!
//! A protocol file has no unsafe code and knows nothing of files or mappings: it says which states
//! its word has, who may move it from one to the next, and which ordering carries what. The rest of
//! the crate argues its safety from these files; the models check them. `ORDERINGS.md` names, for
//! every ordering stronger than Relaxed, a model that fails without it.

pub(crate) mod barrier;
pub(crate) mod condvar;
pub(crate) mod mutex;
pub(crate) mod once;
pub(crate) mod rwlock;
pub(crate) mod semaphore;
pub(crate) mod slots;

#[cfg(all(test, loom))]
mod barrier_models;
#[cfg(all(test, loom))]
mod condvar_models;
#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, loom))]
mod mutex_models;
#[cfg(all(test, loom))]
mod mutex_promise_models;
#[cfg(all(test, loom))]
mod once_models;
#[cfg(all(test, loom))]
mod rwlock_models;
#[cfg(all(test, loom))]
mod semaphore_models;
#[cfg(all(test, loom))]
mod slots_models;
