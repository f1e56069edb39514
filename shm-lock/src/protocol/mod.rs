//! The words that processes share: one file per protocol, with its loom models beside it.
//!
//! A protocol file has no unsafe code and knows nothing about files or mappings. It says which
//! states its words have, who may change them, and what each ordering publishes. The safety
//! arguments of the rest of the crate rely on these files, and the models check them. For each
//! ordering stronger than Relaxed, `ORDERINGS.md` names a model that fails without it.

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
