//! Slots in a region, for the calling thread.

use crate::layout::Locks;
use crate::protocol::mutex::Mutex;
use crate::protocol::slots::Slots;
use crate::thread::{Claim, RawLock, Thread};

/// A place that one thread holds at a time. It is free again when the thread dies.
///
/// It has its own cache line, so holders of different slots do not slow each other down.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Slot(RawLock);

impl Slot {
    /// Creates `N` slots, to be put into a region.
    pub(crate) fn row<const N: usize>() -> [Slot; N] {
        const { assert!(N > 0, "there must be a slot") };
        std::array::from_fn(|_| Slot(RawLock::new()))
    }

    #[inline(always)]
    pub(crate) fn raw(&self) -> &RawLock {
        &self.0
    }

    pub(crate) fn show(row: &[Slot], locks: &mut Locks<'_>) {
        row.iter().for_each(|slot| locks.see(&slot.0));
    }
}

/// A row of slots, and the calling thread.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    slots: &'a [Slot],
    thread: Thread,
}

impl<'a> Row<'a> {
    /// # Safety
    /// As for [`Thread::claim`], of each slot: it is placed in a region, and stays mapped until it
    /// is given back by the same thread, or this process no longer has that thread.
    #[inline(always)]
    pub(crate) unsafe fn new(slots: &'a [Slot], thread: Thread) -> Self {
        Row { slots, thread }
    }
}

impl Slots for Row<'_> {
    type Me<'b>
        = Claim<'b>
    where
        Self: 'b;

    fn count(&self) -> u32 {
        self.slots.len() as u32
    }

    #[inline(always)]
    fn slot(&self, index: u32) -> (&Mutex, Claim<'_>) {
        let lock = &self.slots[index as usize].0;
        // SAFETY: `new` demands it.
        (lock.mutex(), unsafe { self.thread.claim(lock) })
    }
}

/// The slot that the calling thread got last, in any row: it tries that one first. So threads that
/// are in at the same time tend to use different slots, each in a cache line that no other thread
/// writes.
#[cfg(not(loom))]
mod usual {
    use std::cell::Cell;

    thread_local! {
        static USUAL: Cell<u32> = const { Cell::new(0) };
    }

    #[inline(always)]
    pub(crate) fn usual() -> u32 {
        USUAL.get()
    }

    pub(crate) fn set_usual(index: u32) {
        USUAL.set(index);
    }
}

/// Every execution of a model begins in the same state.
#[cfg(loom)]
mod usual {
    pub(crate) fn usual() -> u32 {
        0
    }

    pub(crate) fn set_usual(_index: u32) {}
}

pub(crate) use usual::{set_usual, usual};
