//! The pending halves of the joins that a lane is inside of, as far as nobody else knows of them yet: a list through the
//! frames on its stack.
//!
//! Only the lane touches the list, without atomics. Its oldest entry becomes public (a job in the lane's deque) whenever
//! nothing else of the lane's is; then it leaves the list. So each frame is either private, that is in the list, or public, and a
//! frame that is older than a private one is private or public too, never the other way round.

use std::cell::Cell;
use std::ptr::{self, NonNull};

use crate::job::JobHead;

/// A place in the list, which is also the head of a join's frame.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Pending {
    pub(crate) head: JobHead,
    older: Cell<*mut Pending>,
    newer: Cell<*mut Pending>,
}

impl Pending {
    #[inline]
    pub(crate) fn new(head: JobHead) -> Self {
        Pending { head, older: Cell::new(ptr::null_mut()), newer: Cell::new(ptr::null_mut()) }
    }
}

/// The list. Null stands for nothing.
#[derive(Debug)]
pub(crate) struct PendingList {
    newest: Cell<*mut Pending>,
    oldest: Cell<*mut Pending>,
}

impl PendingList {
    pub(crate) const fn new() -> Self {
        PendingList { newest: Cell::new(ptr::null_mut()), oldest: Cell::new(ptr::null_mut()) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.newest.get().is_null()
    }

    /// Adds `pending` as the newest.
    ///
    /// # Safety
    ///
    /// It stays where it is until it has left the list, through one of the other methods. The pointer may be used for all that
    /// the job's `execute` expects, of which this is the beginning.
    #[inline]
    pub(crate) unsafe fn push(&self, pending: NonNull<Pending>) {
        let newest = self.newest.get();
        // SAFETY: it is alive (this method's contract), and nobody else knows of it yet.
        unsafe { pending.as_ref() }.older.set(newest);
        // SAFETY: what is in the list is alive.
        match unsafe { newest.as_ref() } {
            Some(newest) => newest.newer.set(pending.as_ptr()),
            None => self.oldest.set(pending.as_ptr()),
        }
        self.newest.set(pending.as_ptr());
    }

    /// Removes `pending` if it is still in the list, where it can only be the newest.
    #[inline]
    pub(crate) fn pop(&self, pending: NonNull<Pending>) -> bool {
        if !ptr::eq(self.newest.get(), pending.as_ptr()) {
            return false;
        }
        // SAFETY: what is in the list is alive.
        self.newest.set(unsafe { pending.as_ref() }.older.get());
        true
    }

    /// Removes the oldest.
    pub(crate) fn take_oldest(&self) -> Option<NonNull<Pending>> {
        if self.is_empty() {
            return None;
        }
        let oldest = self.oldest.get();
        if ptr::eq(self.newest.get(), oldest) {
            self.newest.set(ptr::null_mut());
        } else {
            // SAFETY: what is in the list is alive (`push`), and the oldest is not the newest, so there is a newer one.
            let next = unsafe { &*oldest }.newer.get();
            // SAFETY: as above: the next one is in the list.
            unsafe { &*next }.older.set(ptr::null_mut());
            self.oldest.set(next);
        }
        NonNull::new(oldest)
    }
}
