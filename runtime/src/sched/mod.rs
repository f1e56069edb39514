//! Workers and what they run: joins, scopes, tasks and broadcasts.
//!
//! Lanes, joins, scopes and waits name each other, because a waiting lane runs what others have
//! pushed, and that may wait in turn. They are one knot, and so one folder.

pub(crate) mod broadcast;
pub(crate) mod cancel;
pub(crate) mod carried;
pub(crate) mod counter;
pub(crate) mod error;
pub(crate) mod job;
pub(crate) mod join;
pub(crate) mod lane;
pub(crate) mod loop_slots;
#[cfg(all(loom, feature = "loom"))]
pub(crate) mod modelled;
pub(crate) mod outside;
pub(crate) mod pending;
pub(crate) mod pool;
pub(crate) mod recorded;
pub(crate) mod recorded_stream;
pub(crate) mod reentrancy;
pub(crate) mod run_on_worker;
pub(crate) mod scope;
pub(crate) mod task;
pub(crate) mod unwind;
pub(crate) mod wait;
pub(crate) mod with_lock;
pub(crate) mod worker_local;
pub(crate) mod yield_now;
