//! Things that are counted as they come and go.

use std::sync::atomic::{AtomicU64, Ordering};

/// Who was made and who was dropped. Numbers alone would let a leak make up for a double drop, so it keeps sums of
/// scrambled names, too.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: AtomicU64,
    made_names: AtomicU64,
    dropped: AtomicU64,
    dropped_names: AtomicU64,
}

impl Ledger {
    pub(crate) fn thing(&self, value: usize) -> Thing<'_> {
        let name = self.made.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let name = name ^ name >> 29;
        self.made_names.fetch_add(name, Ordering::Relaxed);
        Thing { value, name, ledger: self }
    }

    pub(crate) fn things(&self, len: usize) -> Vec<Thing<'_>> {
        (0..len).map(|value| self.thing(value)).collect()
    }

    /// Fails unless everything that was made was dropped once.
    #[track_caller]
    pub(crate) fn assert_balanced(&self, what: &str) {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        assert_eq!(now(&self.dropped), now(&self.made), "dropped and made: {what}");
        assert_eq!(now(&self.dropped_names), now(&self.made_names), "a double drop: {what}");
    }
}

/// Something whose making and dropping is counted.
#[derive(Debug)]
pub(crate) struct Thing<'l> {
    pub(crate) value: usize,
    name: u64,
    ledger: &'l Ledger,
}

impl Clone for Thing<'_> {
    fn clone(&self) -> Self {
        self.ledger.thing(self.value)
    }
}

impl Drop for Thing<'_> {
    fn drop(&mut self) {
        self.ledger.dropped.fetch_add(1, Ordering::Relaxed);
        self.ledger.dropped_names.fetch_add(self.name, Ordering::Relaxed);
    }
}
