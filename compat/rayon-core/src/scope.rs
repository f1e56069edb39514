//! Scopes.

use taskel::{Scope, ScopeFifo};

use crate::worker::{global, in_worker, is_worker};

/// Calls `op` on a worker with a scope, in which it can spawn tasks that borrow from outside.
/// Returns when `op` and all tasks have ended.
///
/// ```
/// let mut words = vec!["one"];
/// let mut count = 0;
/// rayon_core::scope(|s| {
///     s.spawn(|_| words.push("two"));
///     s.spawn(|_| count += 1);
/// });
/// assert_eq!((words.len(), count), (2, 1));
/// ```
pub fn scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R + Send,
    R: Send,
{
    in_worker(|_| taskel::scope(op))
}

/// Does the same as [`scope`], but each worker runs the oldest of its tasks first.
pub fn scope_fifo<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R + Send,
    R: Send,
{
    in_worker(|_| taskel::scope_fifo(op))
}

/// Does the same as [`scope`], but `op` runs on the calling thread. Workers run the tasks.
pub fn in_place_scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    if is_worker() { taskel::in_place_scope(op) } else { global().in_place_scope(op) }
}

/// Does the same as [`in_place_scope`], but each worker runs the oldest of its tasks first.
pub fn in_place_scope_fifo<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R,
{
    if is_worker() { taskel::in_place_scope_fifo(op) } else { global().in_place_scope_fifo(op) }
}
