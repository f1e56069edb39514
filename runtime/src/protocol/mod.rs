//! The words that threads share, a file for each protocol, each with its loom models beside it.
//!
//! A protocol file has no unsafe code and knows nothing of loops or pools: it says which states its
//! word has, who may move it from one to the next, and which ordering carries what. The rest of the
//! crate argues its safety from these files; the models check them. `ORDERINGS.md` names, for every
//! ordering stronger than Relaxed, a model that fails without it.

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
