//! The words that threads share: one file per protocol, with its loom models beside it.
//!
//! A protocol file has no unsafe code and knows nothing about loops or pools. It says which states
//! its words have, who may change them, and what each ordering publishes. The safety arguments of
//! the rest of the crate rely on these files, and the models check them. For each ordering stronger
//! than Relaxed, `ORDERINGS.md` names a model that fails without it.

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
