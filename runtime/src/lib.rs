//! Parallel loops that need no tuning.
//!
//! A loop over tiny equal items runs like a plain vectorised loop split over the cores. A loop over
//! very unequal items ends about as early as its longest item allows. You choose no chunk size:
//! workers measure how long items take, and claim about 8 µs worth at a time. An idle worker can
//! steal what nobody has claimed, at any moment.
//!
//! ```
//! use taskel::prelude::*;
//!
//! let lengths: Vec<usize> = ["one", "two", "three"].par_iter().map(|word| word.len()).collect();
//! assert_eq!(lengths, [3, 3, 5]);
//! ```
//!
//! # Which tool for which job
//!
//! | job | tool |
//! |---|---|
//! | do the same for each item of a collection, slice, string or range | [`par_iter`, `par_iter_mut`, `into_par_iter`](prelude), [`par_chunks`](iter::ParallelSlice::par_chunks), [`par_lines`](iter::ParallelString::par_lines), … |
//! | sort | [`par_sort`, `par_sort_unstable`](iter::ParallelSliceMut), … |
//! | divide and conquer | [`join`](join()) |
//! | run tasks that borrow local variables and spawn further tasks | [`scope`](scope()) |
//! | process lines, files, messages or another source of unknown length in bounded memory | [`par_stream`](ParallelStream::par_stream) |
//! | run something in the background, with or without a result | [`submit`], [`spawn`] |
//! | run a closure once on each worker | [`broadcast`](broadcast()) |
//! | keep a value for each worker | [`map_init`](iter::ParallelIterator::map_init), [`WorkerLocal`] |
//! | stop early | [`CancelToken`], [`try_for_each`](iter::ParallelIterator::try_for_each), [`find_any`](iter::ParallelIterator::find_any) |
//! | get float sums with the same bits in every run | [`deterministic`](iter::ParallelIterator::deterministic) |
//! | set the number of threads, their names, stacks or cores | [`ThreadPoolBuilder`] |
//! | process items that need much memory | [`MemoryBudget`], [`memory_guard`](ThreadPoolBuilder::memory_guard) |
//! | find out what more cores would bring | `Profile::scaling`, with the feature `scaling` |
//! | see what each worker did | [`ThreadPool::profile`], [`ThreadPool::metrics`], [`progress_with`](iter::IndexedParallelIterator::progress_with) |
//! | lock between processes | the crate [`shm-lock`](https://docs.rs/shm-lock) |
//! | use the chunk policy alone, or simulate schedules | the crate [`taskel-adaptive`](https://docs.rs/taskel-adaptive) |
//!
//! # Guide
//!
//! | chapter | about |
//! |---|---|
//! | [First loop](guide::first_loop) | from a `for` loop to `par_iter` |
//! | [Choosing](guide::choosing) | between loop, join, scope, stream and task |
//! | [Long items](guide::long_items) | what happens to them, and how to see them |
//! | [Scaling](guide::scaling) | what more cores would bring, and what to do if that is little |
//! | [Floats that stay the same](guide::same_floats) | why sums differ in the last digit, and how to avoid it |
//! | [Cancelling](guide::cancelling) | errors, tokens, deadlines |
//! | [Embedding](guide::embedding) | in a library, beside other pools |
//! | [Processes](guide::processes) | locks between processes |
//! | [Teams](guide::teams) | one loop in several processes, or on several machines with MPI |
//! | [Models](guide::models) | checking parallel code with loom |
//! | [Own types](guide::own_types) | how to iterate over your own types in parallel; compared with rayon's `plumbing` |
//! | Coming from | [rayon](guide::from_rayon), [OpenMP](guide::from_openmp), [Python's Pool](guide::from_python) |
//!
//! # Pools
//!
//! A [`ThreadPool`] has one worker for each core that the process may use, or fewer if a control
//! group's quota allows fewer. Its [`ThreadPoolBuilder`] can set another number. With one worker
//! for each core, the pool [places](Pinning::Auto) each worker on a core without pinning it. Code
//! inside [`install`](ThreadPool::install) runs its loops on that pool. Code outside any pool runs
//! them on a global pool, which is made when it is first needed. The calling thread always takes
//! part. Dropping a pool joins its threads.
//!
//! # When something goes wrong
//!
//! - **A closure panics.** The panic continues in the caller when everything else that the call
//!   began has ended. Items that nobody has processed are dropped.
//! - **A panic that nobody waits for** goes to the
//!   [`panic_handler`](ThreadPoolBuilder::panic_handler), or aborts the process if there is none.
//!   The same holds for a panic in the `Drop` of what a [`spawn`]ed closure or a handler owns.
//! - **Memory runs out.** The process aborts, as everywhere in the standard library. Nothing has
//!   been spawned then.
//! - **A worker's stack overflows.** The process aborts with a message that names the thread.
//! - **The system gives no threads.** Building a pool fails with the system's reason. Calls
//!   without a pool run on the calling thread.
//! - **The process forks.** The child runs parallel calls on the calling thread.
//! - **The clock goes back**, as in a virtual machine that is moved. This only costs time.
//!
//! # Coming from rayon
//!
//! A program that uses rayon's iterators, `join`, `scope` and pools usually compiles with
//! `use taskel::prelude::*` in place of `use rayon::prelude::*`. The names, the order of arguments
//! and the order of results are the same. [The guide](guide::from_rayon) shows other ways, and
//! lists what is missing. The differences:
//!
#![doc = include_str!("../docs/guide/from_rayon_table.md")]
//!
//! # Features
//!
//! All features are off by default.
//!
//! - `svg`: profiles as pictures.
//! - `trace`: profiles as traces for Perfetto.
//! - `html`: profiles as pages for a browser.
//! - `scaling`: predictions for other numbers of workers.
//! - `record`: recordings of profiles as files.
//! - `tracing`: [spans](guide::embedding#spans-of-tracing) that are carried to workers.
//! - `loom`: parallel calls in [models](guide::models).
//!
//! # Words
//!
//! A *taskel* is the processing of one item. A *chunk* is a run of neighbouring taskels that a
//! worker claims at once.

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

pub use self::iter::modules::{
    array, collections, option, range, range_inclusive, result, slice, str, string, vec,
};
pub use self::memory::{MemoryBudget, MemoryGuard, MemoryUnknown};
pub use self::profile::{LoopProfile, Profile, WhyAlone, WorkerProfile};
pub use self::stream::ParallelStream;
pub use crate::engine::options::Chunk;
pub use crate::os::affinity::unpinned;
pub use crate::sched::broadcast::{BroadcastContext, broadcast, spawn_broadcast};
pub use crate::sched::cancel::{CancelToken, Cancelled};
pub use crate::sched::error::{ThreadPoolBuildError, ThreadPoolBuildErrorKind};
pub use crate::sched::join::{FnContext, JoinRegion, join, join_context, join_region};
pub use crate::sched::pool::{
    Cores, HotGuard, IdlePolicy, Pinning, PoolMetrics, ThreadBuilder, ThreadPool, ThreadPoolBuilder,
    WorkerMetrics, current_num_threads, current_thread_index, max_num_threads,
};
pub use crate::sched::scope::{Scope, ScopeFifo, in_place_scope, in_place_scope_fifo, scope, scope_fifo};
pub use crate::sched::task::{Task, spawn, spawn_fifo, submit};
pub use crate::sched::worker_local::WorkerLocal;
pub use crate::sched::yield_now::{Yield, current_thread_has_pending_tasks, yield_local, yield_now};
#[cfg(feature = "scaling")]
pub use taskel_adaptive::recording::Recording;
#[cfg(feature = "scaling")]
pub use taskel_adaptive::{Limit, Prediction, Scaling};

/// Brings into scope what a program needs to iterate in parallel.
pub mod prelude {
    pub use crate::iter::{
        FromParallelIterator, IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator,
        IntoParallelRefMutIterator, ParallelBridge, ParallelDrainFull, ParallelDrainRange, ParallelExtend,
        ParallelIterator, ParallelSlice, ParallelSliceMut, ParallelString,
    };
    pub use crate::stream::ParallelStream;
}

/// Shows how to do things, chapter by chapter; [the first page](crate#guide) lists the chapters.
///
/// This module has nothing to call. It exists for the documentation only.
#[cfg(any(doc, doctest))]
pub mod guide {
    #[doc = include_str!("../docs/guide/first_loop.md")]
    pub mod first_loop {}

    #[doc = include_str!("../docs/guide/choosing.md")]
    pub mod choosing {}

    #[doc = include_str!("../docs/guide/long_items.md")]
    pub mod long_items {}

    #[doc = include_str!("../docs/guide/scaling.md")]
    pub mod scaling {}

    #[doc = include_str!("../docs/guide/same_floats.md")]
    pub mod same_floats {}

    #[doc = include_str!("../docs/guide/cancelling.md")]
    pub mod cancelling {}

    #[doc = include_str!("../docs/guide/embedding.md")]
    pub mod embedding {}

    #[doc = include_str!("../docs/guide/processes.md")]
    pub mod processes {}

    // `taskel-team` runs the programs of this chapter. This crate cannot depend on it.
    #[cfg_attr(doctest, doc = "Teams.")]
    #[cfg_attr(not(doctest), doc = include_str!("../docs/guide/teams.md"))]
    pub mod teams {}

    #[doc = include_str!("../docs/guide/models.md")]
    pub mod models {}

    #[doc = include_str!("../docs/guide/own_types.md")]
    pub mod own_types {}

    #[doc = include_str!("../docs/guide/from_rayon.md")]
    pub mod from_rayon {}

    #[doc = include_str!("../docs/guide/from_openmp.md")]
    pub mod from_openmp {}

    #[doc = include_str!("../docs/guide/from_python.md")]
    pub mod from_python {}
}

/// Compiles and runs the programs in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
