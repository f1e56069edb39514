//! Parallel loops that need no tuning.
//!
//! A loop over equal tiny items runs like a plain vectorised loop split over the cores; one over wildly unequal items ends about as
//! early as the longest of them allows. Nobody chooses a chunk size: workers measure how long items take, and claim
//! about 8 µs worth at a time; what nobody has claimed can be stolen at any moment.
//!
//! ```
//! use taskel::prelude::*;
//!
//! let lengths: Vec<usize> = ["one", "two", "three"].par_iter().map(|word| word.len()).collect();
//! assert_eq!(lengths, [3, 3, 5]);
//! ```
//!
//! The names are rayon's: `use taskel::prelude::*` in place of `use rayon::prelude::*` compiles for everything that taskel has.
//!
//! # Pools
//!
//! A [`ThreadPool`] has one worker per core, pinned to it, unless its [`ThreadPoolBuilder`] says otherwise. Code inside
//! [`install`](ThreadPool::install) runs its loops on that pool; code outside of any pool, on a global one that is
//! made when it is first needed. The calling thread always takes part, and dropping a pool joins its threads.
//!
//! # Long items among short ones
//!
//! Items that took nanoseconds so far are claimed by the dozen, and then a few of them may take milliseconds. A worker that finds
//! nothing else to do takes over what is not begun of such a chunk, after 50 µs, wherever chunks can be cut: in the first
//! millisecond of a loop that was not run before, and at call sites where such a chunk was met during the last 16 calls. Elsewhere it is
//! run to its end, since cutting has its price: some per cent of the time of short items.
//!
//! On Linux this uses `membarrier(2)`. Where that is not to be had, what can be cut is coarser: pieces of 500 ns of what was expected instead
//! of 125.
//!
//! # Seeing what happened
//!
//! [`ThreadPool::profile`] returns a [`Profile`]: who did what and when, as a table or a picture.
//!
//! # When something goes wrong
//!
//! A panic in parallel code continues in the caller, when everything else that it began is over; items that nobody has processed are
//! dropped. A panic that nobody waits for goes to the [`panic_handler`](ThreadPoolBuilder::panic_handler), or aborts the process if there is none;
//! so does one in the `Drop` of what a [`spawn`]ed closure or a handler owns. When memory runs out, the process is aborted, as everywhere
//! in the standard library; nothing has been spawned then. A worker that overflows its stack aborts the process with a message that names
//! its thread. Where no thread can be had, a pool fails to build with the system's reason, and parallel calls without a pool run on the
//! calling thread; as they do in a forked child. A clock that goes back, as in a virtual machine that is moved, costs time only.
//!
//! # Words
//!
//! A *taskel* is the processing of one item. A *chunk* is a run of neighbouring taskels that a worker claims at once.

#![cfg_attr(loom, allow(dead_code, reason = "under loom, only the protocols and their models are compiled"))]

mod protocol;
mod sync;
mod table;

#[cfg(not(loom))]
mod affinity;
#[cfg(all(test, not(loom)))]
mod bad_clock_tests;
#[cfg(not(loom))]
mod brief;
#[cfg(not(loom))]
mod broadcast;
#[cfg(not(loom))]
mod cancel;
#[cfg(not(loom))]
mod clock;
#[cfg(not(loom))]
mod counter;
#[cfg(not(loom))]
mod drive;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod fork;
#[cfg(not(loom))]
pub mod iter;
#[cfg(not(loom))]
mod job;
#[cfg(not(loom))]
mod join;
#[cfg(not(loom))]
mod lane;
#[cfg(not(loom))]
mod pending;
#[cfg(not(loom))]
mod pool;
#[cfg(not(loom))]
mod profile;
#[cfg(not(loom))]
mod scope;
#[cfg(not(loom))]
mod segments;
#[cfg(not(loom))]
mod site;
#[cfg(not(loom))]
mod slab;
#[cfg(not(loom))]
mod sort;
#[cfg(not(loom))]
pub mod stream;
#[cfg(all(test, not(loom)))]
mod table_tests;
#[cfg(not(loom))]
mod task;
#[cfg(not(loom))]
mod topology;
#[cfg(not(loom))]
mod underneath;
#[cfg(not(loom))]
mod unwind;
#[cfg(not(loom))]
mod wait;
#[cfg(not(loom))]
mod worker_local;
#[cfg(not(loom))]
mod yield_now;

#[cfg(not(loom))]
pub use self::{
    broadcast::{BroadcastContext, broadcast, spawn_broadcast},
    cancel::{CancelToken, Cancelled},
    error::ThreadPoolBuildError,
    iter::Chunk,
    join::join,
    pool::{
        HotGuard, IdlePolicy, Pinning, PoolMetrics, ThreadBuilder, ThreadPool, ThreadPoolBuilder,
        WorkerMetrics, current_num_threads, current_thread_index,
    },
    profile::{Profile, WorkerProfile},
    scope::{Scope, in_place_scope, scope},
    stream::ParallelStream,
    task::{Task, spawn, submit},
    worker_local::WorkerLocal,
    yield_now::{Yield, yield_now},
};

/// What a program needs in scope to iterate in parallel.
#[cfg(not(loom))]
pub mod prelude {
    pub use crate::iter::{
        FromParallelIterator, IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator,
        IntoParallelRefMutIterator, ParallelBridge, ParallelExtend, ParallelIterator, ParallelSlice,
        ParallelSliceMut, ParallelString,
    };
    pub use crate::stream::ParallelStream;
}

/// The programs in the README are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
