//! [taskel](../taskel/index.html) in the place of rayon-core: whatever uses rayon, runs on taskel's
//! pool without a change.
//!
//! ```toml
//! [patch.crates-io]
//! rayon-core = { path = "PATH/TO/TASKEL/compat/rayon-core" }
//! ```
//!
//! The names, and what they mean, are rayon-core's, whose documentation holds here. What is
//! different is how work is scheduled:
//!
//! - Who waits runs only what it waits for, so a lock may be held across a parallel call. (Workers
//!   that call another pool also do what their own pool is called for from there.) So work that a
//!   task leaves to a *waiting* worker, by a channel or a flag and not by waiting for it, may not
//!   be begun. And a worker that waits long may do nothing meanwhile, although there are halves of
//!   joins to do: no other thread takes its place, as natively, since that would have no index.
//! - Idle workers use no processor time.
//! - [`FnContext::migrated`] also says yes where loops of this kind have lasted so long that it is
//!   worth splitting further. So rayon's loops have more and smaller pieces, up to one for each
//!   50 µs, and a long item holds back fewer others. (Never in a pool of one thread.)
//!
//! As with rayon, workers float between cores; the environment variable `TASKEL_PINNING=cores` pins
//! them. `TASKEL_NUM_THREADS`, `RAYON_NUM_THREADS` and `RAYON_RS_NUM_CPUS`, in this order, set how
//! many there are.

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
