//! Hints about a lane's deque, for thieves that have not looked into it yet.

use crate::sched::job::Rank;
use crate::sync::{AtomicU64, Ordering};

/// What is known of the oldest jobs in a lane's deque: how many runs they were born in, and whether
/// they are halves of joins. What is newer is as deep inside, or deeper.
///
/// In one word, rank and number, read and written without order by the lane and its thieves: a
/// hint, and a wrong one sends a thief to another lane first.
pub(super) struct Front(AtomicU64);

impl Front {
    pub(super) fn new() -> Self {
        Front(AtomicU64::new(0))
    }

    pub(super) fn get(&self) -> (Rank, u32) {
        let word = self.0.load(Ordering::Relaxed);
        (Rank((word >> 32) as u32), word as u32)
    }

    fn set(&self, rank: Rank, count: u32) {
        self.0.store(u64::from(rank.0) << 32 | u64::from(count), Ordering::Relaxed);
    }

    /// A job was pushed on top of `len` others.
    pub(super) fn pushed(&self, rank: Rank, len: usize) {
        let (front, count) = self.get();
        if len == 0 {
            self.set(rank, 1);
        } else if rank == front && count as usize == len {
            self.set(rank, count + 1);
        }
    }

    /// The oldest was taken.
    pub(super) fn taken(&self, rank: Rank) {
        let (front, count) = self.get();
        if rank > front {
            self.set(rank, 1);
        } else if count > 1 {
            self.set(front, count - 1);
        } else {
            self.set(Rank(front.0 + 1), 0);
        }
    }
}
