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
//! A [`ThreadPool`] has one worker per core, unless its [`ThreadPoolBuilder`] says otherwise, and [places](Pinning::Auto) it there without pinning it. Code inside
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
//! # Limited memory
//!
//! Items that take much memory each are in memory once per worker. Under a limit, as containers have one, a stream can be told by [`MemoryBudget`] how much may be
//! [in flight](stream::Stream::max_in_flight_bytes), and a pool by its [`memory_guard`](ThreadPoolBuilder::memory_guard) to have fewer workers at work while memory
//! is short.
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

#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(loom, feature = "loom"))))]
#![cfg_attr(
    all(loom, feature = "loom"),
    allow(dead_code, reason = "there, only the protocols and their models are compiled")
)]

mod protocol;
mod sync;
mod table;

#[cfg(not(all(loom, feature = "loom")))]
mod affinity;
#[cfg(all(test, not(all(loom, feature = "loom"))))]
mod bad_clock_tests;
mod batch;
#[cfg(not(all(loom, feature = "loom")))]
mod brief;
#[cfg(not(all(loom, feature = "loom")))]
mod broadcast;
#[cfg(not(all(loom, feature = "loom")))]
mod cancel;
#[cfg(not(all(loom, feature = "loom")))]
mod clock;
#[cfg(not(all(loom, feature = "loom")))]
mod counter;
#[cfg(not(all(loom, feature = "loom")))]
mod drive;
#[cfg(not(all(loom, feature = "loom")))]
mod error;
mod feed;
#[cfg(not(all(loom, feature = "loom")))]
mod fork;
#[cfg(not(all(loom, feature = "loom")))]
pub mod iter;
#[cfg(not(all(loom, feature = "loom")))]
mod job;
#[cfg(not(all(loom, feature = "loom")))]
mod join;
#[cfg(not(all(loom, feature = "loom")))]
mod lane;
#[cfg(not(all(loom, feature = "loom")))]
mod look;
#[cfg(not(all(loom, feature = "loom")))]
mod memory;
mod pace;
#[cfg(not(all(loom, feature = "loom")))]
mod pending;
#[cfg(not(all(loom, feature = "loom")))]
mod pool;
#[cfg(not(all(loom, feature = "loom")))]
mod profile;
#[cfg(not(all(loom, feature = "loom")))]
mod run_on_worker;
#[cfg(not(all(loom, feature = "loom")))]
mod scope;
#[cfg(not(all(loom, feature = "loom")))]
mod segments;
#[cfg(not(all(loom, feature = "loom")))]
mod site;
#[cfg(not(all(loom, feature = "loom")))]
mod slab;
#[cfg(not(all(loom, feature = "loom")))]
mod sort;
#[cfg(not(all(loom, feature = "loom")))]
pub mod stream;
#[cfg(all(test, not(all(loom, feature = "loom"))))]
mod table_tests;
#[cfg(not(all(loom, feature = "loom")))]
mod task;
#[cfg(not(all(loom, feature = "loom")))]
mod topology;
#[cfg(not(all(loom, feature = "loom")))]
mod underneath;
#[cfg(not(all(loom, feature = "loom")))]
mod unwind;
#[cfg(not(all(loom, feature = "loom")))]
mod wait;
#[cfg(not(all(loom, feature = "loom")))]
mod worker_local;
#[cfg(not(all(loom, feature = "loom")))]
mod yield_now;

#[cfg(not(all(loom, feature = "loom")))]
pub use self::{
    affinity::unpinned,
    broadcast::{BroadcastContext, broadcast, spawn_broadcast},
    cancel::{CancelToken, Cancelled},
    error::ThreadPoolBuildError,
    iter::Chunk,
    join::join,
    memory::{MemoryBudget, MemoryGuard, MemoryUnknown},
    pool::{
        Cores, HotGuard, IdlePolicy, Pinning, PoolMetrics, ThreadBuilder, ThreadPool, ThreadPoolBuilder,
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
#[cfg(not(all(loom, feature = "loom")))]
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
