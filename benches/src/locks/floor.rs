//! The least that a lock costs which survives its owner: two atomic instructions, and before each
//! of them what the kernel must find in memory if the owner dies there. It is no such lock: the
//! kernel is not told, and nobody waits.

use super::{Peer, section};
use std::{
    cell::UnsafeCell,
    hint::{black_box, spin_loop},
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
};

/// The word, the links and the value, laid out as ours.
#[derive(Default)]
#[repr(C, align(64))]
pub(super) struct Floor {
    word: AtomicU32,
    previous: AtomicUsize,
    next: AtomicUsize,
    value: UnsafeCell<u64>,
}

// SAFETY: `value` is accessed by whoever has set the word.
unsafe impl Sync for Floor {}

/// What the kernel would read, which belongs to a thread.
#[derive(Default)]
#[repr(C, align(64))]
struct Head {
    first: AtomicUsize,
    pending: AtomicUsize,
}

const TID: u32 = 7;

impl Floor {
    #[inline]
    fn visit(&self, head: &Head, act: impl FnOnce(&mut u64)) {
        let (own, end) = ((&raw const self.next).addr(), (&raw const *head).addr());
        head.pending.store(own, Ordering::Relaxed);
        while self.word.compare_exchange(0, TID, Ordering::Acquire, Ordering::Relaxed).is_err() {
            spin_loop();
        }
        self.next.store(end, Ordering::Relaxed);
        self.previous.store(end, Ordering::Relaxed);
        head.first.store(own, Ordering::Release);
        // SAFETY: this thread has set the word, and all accesses are made here.
        act(unsafe { &mut *self.value.get() });
        head.first.store(end, Ordering::Release);
        self.word.fetch_sub(TID, Ordering::Release);
        head.pending.store(0, Ordering::Release);
    }
}

impl Peer for Floor {
    fn name(&self) -> &'static str {
        "floor of robust locks"
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn visitor(&self, iterations: u32) -> Box<dyn FnMut(u32) + '_> {
        let head = Head::default();
        Box::new(move |times| {
            let head = black_box(&head);
            for _ in 0..times {
                self.visit(head, |value| section(value, iterations));
            }
        })
    }

    fn count(&self) -> u64 {
        let mut count = 0;
        self.visit(&Head::default(), |value| count = *value);
        count
    }
}
