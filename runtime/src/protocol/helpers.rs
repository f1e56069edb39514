//! How many lanes are on their way into a scope, or inside, to help with its tasks.
//!
//! # State
//!
//! One count. It bounds how many lanes are invited; what they find, and when the scope is over, is
//! decided elsewhere (by the deques, and by the scope's [tickets](super::tickets)).
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`invite`](Helpers::invite) `+1` | whoever has added a task | fewer than `limit` are counted |
//! | [`leave`](Helpers::leave) `-1` | a helper that finds no task; it looks once more, and comes back through `invite` if there is one | |
//!
//! # Why no task is overlooked
//!
//! Dekker's pattern. Who adds a task fences, then reads the count; who leaves lowers the count,
//! fences, then looks for tasks. Either the one that leaves sees the task, or the one that adds it
//! sees the vacancy and invites somebody.
//!
//! # Orderings
//!
//! * `fence(SeqCst)` in `invite` and in `leave`: the pattern above. Without either, a task may lie
//!   there until the scope's owner comes to it, though others are idle; for ever, if the owner is
//!   no lane.
//! * The count itself is Relaxed: nothing is read on the strength of it.
//!
//! # Progress
//!
//! Lock-free. A task that no helper takes is run by the scope's owner at the latest, if that is a
//! lane; else there is always a helper for it.
//!
//! # Models
//!
//! `helpers_models.rs`: a task added while the only helper leaves; the limit.

use crate::sync::{AtomicU32, Ordering, fence};

/// The word.
#[derive(Debug)]
pub(crate) struct Helpers(AtomicU32);

impl Helpers {
    pub(crate) fn new() -> Self {
        Helpers(AtomicU32::new(0))
    }

    /// After a task was added, or seen: counts one helper more, unless `limit` are counted. Who is
    /// told so brings one in.
    #[must_use = "a helper that is counted must come"]
    pub(crate) fn invite(&self, limit: u32) -> bool {
        // SeqCst: pairs with `leave`.
        fence(Ordering::SeqCst);
        let mut count = self.0.load(Ordering::Relaxed);
        while count < limit {
            match self.0.compare_exchange_weak(count, count + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }

    /// A helper has found no task. It looks once more.
    pub(crate) fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        // SeqCst: pairs with `invite`.
        fence(Ordering::SeqCst);
    }
}
