//! Parallel loops that need no tuning.
//!
//! A loop over equal tiny items runs like a plain vectorised loop split over the cores. One over
//! wildly unequal items ends about as early as the longest of them allows. Nobody chooses a chunk
//! size: workers measure how long items take, and claim about 8 µs worth at a time; what nobody has
//! claimed can be stolen at any moment.
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
//! | the same for each item of a collection, slice, string or range | [`par_iter`, `par_iter_mut`, `into_par_iter`](prelude), [`par_chunks`](iter::ParallelSlice::par_chunks), [`par_lines`](iter::ParallelString::par_lines), … |
//! | sort | [`par_sort`, `par_sort_unstable`](iter::ParallelSliceMut), … |
//! | divide and conquer | [`join`](join()) |
//! | tasks that borrow, and spawn further ones | [`scope`](scope()) |
//! | lines, files, messages: a source of unknown length, with bounded memory | [`par_stream`](ParallelStream::par_stream) |
//! | something in the background, with or without a result | [`submit`], [`spawn`] |
//! | the same once on each worker | [`broadcast`](broadcast()) |
//! | a value for each worker | [`map_init`](iter::ParallelIterator::map_init), [`WorkerLocal`] |
//! | to stop early | [`CancelToken`], [`try_for_each`](iter::ParallelIterator::try_for_each), [`find_any`](iter::ParallelIterator::find_any) |
//! | float sums with the same bits in each run | [`deterministic`](iter::ParallelIterator::deterministic) |
//! | a number of threads, names, stacks, cores | [`ThreadPoolBuilder`] |
//! | items that take much memory | [`MemoryBudget`], [`memory_guard`](ThreadPoolBuilder::memory_guard) |
//! | to know what more cores would bring | [`Profile::scaling`] |
//! | to see who did what | [`ThreadPool::profile`], [`ThreadPool::metrics`], [`progress_with`](iter::IndexedParallelIterator::progress_with) |
//! | locks between processes | the crate [`shm-lock`](https://docs.rs/shm-lock) |
//! | the chunk policy by itself, and simulated schedules | the crate [`taskel-adaptive`](https://docs.rs/taskel-adaptive) |
//!
//! # Guide
//!
//! | chapter | |
//! |---|---|
//! | [First loop](guide::first_loop) | from a `for` loop to `par_iter` |
//! | [Choosing](guide::choosing) | between loop, join, scope, stream and task |
//! | [Long items](guide::long_items) | what happens to them, and how to see them |
//! | [Scaling](guide::scaling) | what more cores would bring, and what to do if that is little |
//! | [Floats that stay the same](guide::same_floats) | why sums differ in the last digit, and what to do about it |
//! | [Cancelling](guide::cancelling) | errors, tokens, deadlines |
//! | [Embedding](guide::embedding) | in a library, beside other pools |
//! | [Processes](guide::processes) | locks between them |
//! | [Teams](guide::teams) | one loop in several processes, or on several machines with MPI |
//! | [Models](guide::models) | checking parallel code with loom |
//! | [Own types](guide::own_types) | that are iterated over in parallel, beside rayon's `plumbing` |
//! | Coming from | [rayon](guide::from_rayon), [OpenMP](guide::from_openmp), [Python's Pool](guide::from_python) |
//!
//! # Pools
//!
//! A [`ThreadPool`] has one worker for each core that the process may use, or fewer if a control
//! group's quota allows fewer, unless its [`ThreadPoolBuilder`] says otherwise. With one for each
//! core, it [places](Pinning::Auto) them there without pinning them. Code inside
//! [`install`](ThreadPool::install) runs its loops on that pool; code outside of any pool, on a
//! global one that is made when it is first needed. The calling thread always takes part, and
//! dropping a pool joins its threads.
//!
//! # When something goes wrong
//!
//! A panic in parallel code continues in the caller, when everything else that it began is over;
//! items that nobody has processed are dropped. A panic that nobody waits for goes to the
//! [`panic_handler`](ThreadPoolBuilder::panic_handler), or aborts the process if there is none; so
//! does one in the `Drop` of what a [`spawn`]ed closure or a handler owns. When memory runs out,
//! the process is aborted, as everywhere in the standard library; nothing has been spawned then. A
//! worker that overflows its stack aborts the process with a message that names its thread. Where
//! no thread can be had, a pool fails to build with the system's reason, and parallel calls without
//! a pool run on the calling thread; as they do in a forked child. A clock that goes back, as in a
//! virtual machine that is moved, costs time only.
//!
//! # Coming from rayon
//!
//! A program that uses rayon's iterators, `join`, `scope` and pools usually compiles with
//! `use taskel::prelude::*` in place of `use rayon::prelude::*`: names, order of arguments and
//! order of results are the same. [The chapter](guide::from_rayon) has more ways, and what is not
//! there. What differs:
//!
#![doc = include_str!("../docs/guide/from_rayon_table.md")]
//!
//! # Features
//!
//! None is on unless asked for. `svg`: pictures of profiles. `trace`: profiles for Perfetto.
//! `html`: pages of profiles. `record`: recordings of profiles as files. `tracing`:
//! [spans](guide::embedding#spans-of-tracing) carried to workers. `loom`: [models](guide::models).
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
pub use crate::sched::join::{FnContext, join, join_context};
pub use crate::sched::pool::{
    Cores, HotGuard, IdlePolicy, Pinning, PoolMetrics, ThreadBuilder, ThreadPool, ThreadPoolBuilder,
    WorkerMetrics, current_num_threads, current_thread_index, max_num_threads,
};
pub use crate::sched::scope::{Scope, ScopeFifo, in_place_scope, in_place_scope_fifo, scope, scope_fifo};
pub use crate::sched::task::{Task, spawn, spawn_fifo, submit};
pub use crate::sched::worker_local::WorkerLocal;
pub use crate::sched::yield_now::{Yield, current_thread_has_pending_tasks, yield_local, yield_now};
pub use taskel_adaptive::recording::Recording;
pub use taskel_adaptive::{Limit, Prediction, Scaling};

/// What a program needs in scope to iterate in parallel.
pub mod prelude {
    pub use crate::iter::{
        FromParallelIterator, IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator,
        IntoParallelRefMutIterator, ParallelBridge, ParallelDrainFull, ParallelDrainRange, ParallelExtend,
        ParallelIterator, ParallelSlice, ParallelSliceMut, ParallelString,
    };
    pub use crate::stream::ParallelStream;
}

/// How to do things, chapter by chapter; [the first page](crate#guide) lists them.
///
/// There is nothing in here to call: the module is made for the documentation alone.
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

    // Its programs are run by `taskel-team`, which this crate cannot depend on.
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

/// The programs in the README are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
