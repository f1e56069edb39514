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
//! # Models
//!
//! [loom](https://docs.rs/loom) runs a small piece of a program again and again, with its threads in every order that matters, and finds what
//! goes wrong in one of them. With the feature `loom`, parallel calls work inside of `loom::model`:
//!
//! ```toml
//! [dependencies]
//! taskel = "0.1"
//!
//! [target.'cfg(loom)'.dependencies]
//! loom = "0.7"
//! taskel = { version = "0.1", features = ["loom"] }
//! ```
//!
//! The program takes its atomics, locks and cells from loom when it is built for models, as always with loom. This one counts words, and loses some:
//!
//! ```no_run
//! use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
//! use taskel::prelude::*;
//!
//! fn count(words: &[&str]) -> usize {
//!     let total = AtomicUsize::new(0);
//!     words.par_iter().for_each(|_| {
//!         let so_far = total.load(Relaxed);
//!         total.store(so_far + 1, Relaxed); // another lane may have counted meanwhile
//!     });
//!     total.into_inner()
//! }
//!
//! // In a test:
//! loom::model(|| assert_eq!(count(&["one", "two"]), 2));
//! ```
//!
//! `RUSTFLAGS="--cfg loom" cargo test` finds an execution in which `count` returns 1, and fails. With `total.fetch_add(1, Relaxed)` in place of the
//! two lines, it passes.
//!
//! In a model, a pool has two lanes, or three if [`num_threads`](ThreadPoolBuilder::num_threads) says three or more: the calling thread, and one
//! or two of loom's threads, of which there are five at most. All pools share them.
//!
//! - Loops are cut into a share for each lane, neighbouring items in one, and not cut again: two items that are to meet must be in
//!   different shares, as in a loop over two. [`join`], [`scope`], [`spawn`] and [`submit`], [`broadcast`] and [`CancelToken`] work as in a program.
//! - Streams, bridges ([`par_bridge`](iter::ParallelBridge)), loops inside of `flat_map` and those over more than a million indices run on the lane
//!   that calls them, and so does what is [run on a worker](ThreadPool::run_on_worker).
//! - No time passes: nothing is slow, and a [deadline](CancelToken::cancel_after) comes at once or never.
//! - Pools must be made inside of the model. What was [spawned](spawn) on the global pool, and has not begun when the model ends, is dropped.
//! - Each call takes steps of the model, some ten for each piece. Keep models small, and limit their preemptions if they take long
//!   (`LOOM_MAX_PREEMPTIONS=2`). loom's main thread has 32 KiB of stack: in an unoptimised build, deep nesting overflows that.
//! - When loom gives up in a wait of taskel's, for any reason but a deadlock or a model that is too large, the process is aborted, with what loom said.
//!
//! Outside of a model, a program that is built so runs everything on the calling thread. With the flag alone, and without the feature, nothing is different
//! from any other program.
//!
//! # Words
//!
//! A *taskel* is the processing of one item. A *chunk* is a run of neighbouring taskels that a worker claims at once.

#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(loom, feature = "loom"))))]

#[cfg(test)]
mod bad_clock_tests;
mod containers;
mod engine;
mod feed;
pub mod iter;
mod memory;
mod os;
mod policy;
mod profile;
mod protocol;
mod sched;
pub mod stream;
mod sync;

pub use self::memory::{MemoryBudget, MemoryGuard, MemoryUnknown};
pub use self::profile::{Profile, WorkerProfile};
pub use self::stream::ParallelStream;
pub use crate::engine::options::Chunk;
pub use crate::os::affinity::unpinned;
pub use crate::sched::broadcast::{BroadcastContext, broadcast, spawn_broadcast};
pub use crate::sched::cancel::{CancelToken, Cancelled};
pub use crate::sched::error::{ThreadPoolBuildError, ThreadPoolBuildErrorKind};
pub use crate::sched::join::{FnContext, join, join_context};
pub use crate::sched::pool::{
    Cores, HotGuard, IdlePolicy, Pinning, PoolMetrics, ThreadBuilder, ThreadPool, ThreadPoolBuilder,
    WorkerMetrics, current_num_threads, current_thread_index, max_num_threads,
};
pub use crate::sched::scope::{Scope, ScopeFifo, in_place_scope, in_place_scope_fifo, scope, scope_fifo};
pub use crate::sched::task::{Task, spawn, spawn_fifo, submit};
pub use crate::sched::worker_local::WorkerLocal;
pub use crate::sched::yield_now::{Yield, current_thread_has_pending_tasks, yield_local, yield_now};

/// What a program needs in scope to iterate in parallel.
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
