//! How many lanes help, or are on their way to help, with the tasks of a scope.
//!
//! # State
//!
//! One count. It bounds how many lanes are invited. The deques decide what they find, and the
//! scope's [tickets](super::tickets) decide when the scope is over.
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`invite`](Helpers::invite) `+1` | a lane that has added a task | the count is below `limit` |
//! | [`leave`](Helpers::leave) `-1` | a helper that finds no task; it looks once more, and comes back through `invite` if there is one | |
//!
//! # Why no task is overlooked
//!
//! This is Dekker's pattern. A lane that adds a task fences, then reads the count. A lane that
//! leaves lowers the count, fences, then looks for tasks. Either the leaving lane sees the task, or
//! the adding lane sees the vacancy and invites a helper.
//!
//! # Orderings
//!
//! * `fence(SeqCst)` in `invite` and in `leave`: the pattern above. Without either, a task may wait
//!   until the owner of the scope runs it, though other lanes are idle. If the owner is not a lane,
//!   it waits for ever.
//! * The count itself is Relaxed: it publishes nothing.
//!
//! # Progress
//!
//! Lock-free. If no helper takes a task, the owner of the scope runs it, if the owner is a lane.
//! Otherwise there is always a helper for it.
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

    /// Counts one more helper, unless there are `limit`. Call it after a task was added or seen. If
    /// it returns true, the caller must bring a helper in.
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

    /// Uncounts a helper that found no task. It must look once more.
    pub(crate) fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        // SeqCst: pairs with `invite`.
        fence(Ordering::SeqCst);
    }
}
