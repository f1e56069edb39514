//! [taskel](../taskel/index.html) in the place of rayon-core. Programs that use rayon run on
//! taskel's pool without a change.
//!
//! ```toml
//! [patch.crates-io]
//! rayon-core = { path = "PATH/TO/TASKEL/compat/rayon-core" }
//! ```
//!
//! The names, and what they mean, are rayon-core's, so its documentation applies. Scheduling
//! differs:
//!
//! - A waiting worker runs only the work that it waits for, so a lock may be held across a parallel
//!   call. (A worker that calls another pool also runs calls that come from that pool to its own.)
//!   If a program waits through a channel or a flag for other work, a *waiting* worker may not
//!   begin that work.
//! - A worker that waits in one of rayon's loops also runs other pieces of this loop. Only rayon's
//!   own code lies between them, so no lock is held there. A loop that is called by items of the
//!   same loop (a recursive walk, for example) counts as a part of it. So only there may a lock be
//!   met again that is held across a loop, as with rayon.
//! - In a wait of any other kind (`join`, `scope`), a worker may do nothing for long although there
//!   are halves of joins to do. No other thread takes its place, as one does in taskel itself,
//!   since it would have no index.
//! - Idle workers use no processor time.
//! - [`FnContext::migrated`] is also true if loops of this kind have taken so long that more
//!   splitting pays. So rayon's loops have more and smaller pieces, up to one for each 50 µs, and a
//!   long item holds back fewer others. (This never happens in a pool of one thread.)
//!
//! As with rayon, workers float between cores. The environment variable `TASKEL_PINNING=cores` pins
//! them. The number of workers comes from the first of `TASKEL_NUM_THREADS`, `RAYON_NUM_THREADS`
//! and `RAYON_RS_NUM_CPUS` that is set.

mod broadcast;
mod builder;
mod configuration;
mod error;
mod join;
mod pieces;
mod pool;
mod scope;
mod spawned;
mod worker;

pub use taskel::{BroadcastContext, Scope, ScopeFifo, ThreadBuilder, Yield};

#[allow(deprecated)]
pub use self::configuration::{Configuration, initialize};
pub use self::{
    broadcast::{broadcast, spawn_broadcast},
    builder::{ThreadPoolBuilder, max_num_threads},
    error::ThreadPoolBuildError,
    join::{FnContext, join, join_context},
    pool::ThreadPool,
    scope::{in_place_scope, in_place_scope_fifo, scope, scope_fifo},
    spawned::{spawn, spawn_fifo},
    worker::{
        current_num_threads, current_thread_has_pending_tasks, current_thread_index, yield_local, yield_now,
    },
};
