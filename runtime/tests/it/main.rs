//! Integration tests that need no process of their own: nothing in them counts the threads, allocations or
//! system calls of the process, compares times, or starts a child.

mod bridge;
mod broadcast;
mod cancel;
mod deterministic;
mod faults;
mod fork_join_panic;
mod iter;
mod iter_ends;
mod join;
mod long_range;
mod nesting;
mod next_item;
mod rayon_calls;
mod rich_streams;
mod sort;
mod spawn_handler;
mod split;
mod stream;
mod vectors;
mod worker_local;
mod yielding;

#[path = "../support/ledger.rs"]
mod ledger;
#[path = "../support/trap.rs"]
mod trap;
#[path = "../support/watchdog.rs"]
mod watchdog;
