//! Hints about a lane's deque, for thieves that have not looked into it yet.

use std::ptr;

use crate::sched::job::{Ancestor, Rank};
use crate::sync::{AtomicPtr, AtomicU64, Ordering};

/// What is known of the oldest jobs in a lane's deque: how many runs they were born in, and whether
/// they are halves of joins. What is newer is as deep inside, or deeper.
///
/// Rank and number are in one word. The lane and its thieves read and write both words without
/// order: a hint, and a wrong one sends a thief to another lane first.
pub(super) struct Front {
    oldest: AtomicU64,
    /// The innermost region of joins that the oldest job was born in when it was pushed. What is
    /// newer is in the same region, or in one inside it.
    region: AtomicPtr<()>,
}

impl Front {
    pub(super) fn new() -> Self {
        Front { oldest: AtomicU64::new(0), region: AtomicPtr::new(ptr::null_mut()) }
    }

    pub(super) fn get(&self) -> (Rank, u32) {
        let word = self.oldest.load(Ordering::Relaxed);
        (Rank((word >> 32) as u32), word as u32)
    }

    pub(super) fn region(&self) -> Ancestor {
        self.region.load(Ordering::Relaxed)
    }

    fn set(&self, rank: Rank, count: u32) {
        self.oldest.store(u64::from(rank.0) << 32 | u64::from(count), Ordering::Relaxed);
    }

    /// A job was pushed on top of `len` others.
    pub(super) fn pushed(&self, rank: Rank, len: usize, region: Ancestor) {
        let (front, count) = self.get();
        if len == 0 {
            self.set(rank, 1);
            self.region.store(region.cast_mut(), Ordering::Relaxed);
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
