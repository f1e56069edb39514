//! What a call site has taught: the time per item that earlier calls of the same loop measured.
//!
//! A small table, keyed by the address of the monomorphised function that drives the loop, which is as good as a name: it
//! differs with the closure. Two sites that fall on the same entry overwrite each other, and then know nothing again.
//! Entries are hints, read and written without order: a wrong one costs time, never a result.

use crate::sync::{AtomicU64, Ordering};

/// What the lanes of one loop have measured together.
#[derive(Debug, Default)]
pub(crate) struct Lesson {
    busy_ns: AtomicU64,
    taskels: AtomicU64,
}

impl Lesson {
    /// Adds what one lane measured; it has not left the loop yet.
    pub(crate) fn add(&self, busy_ns: u64, taskels: u64) {
        self.busy_ns.fetch_add(busy_ns, Ordering::Relaxed);
        self.taskels.fetch_add(taskels, Ordering::Relaxed);
    }

    /// The mean time per item in nanoseconds, once every lane is out; `None` if there was no item.
    pub(crate) fn ns_per_taskel(&self) -> Option<f64> {
        let taskels = self.taskels.load(Ordering::Relaxed);
        (taskels > 0).then(|| self.busy_ns.load(Ordering::Relaxed) as f64 / taskels as f64)
    }
}

const ENTRIES: usize = 512;

/// The upper half of an entry tells whose it is, the lower half is the time per item as an `f32`.
static TABLE: [AtomicU64; ENTRIES] = [const { AtomicU64::new(0) }; ENTRIES];

/// A call site's place in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    entry: &'static AtomicU64,
    tag: u32,
}

impl Site {
    /// The site whose drive function is at `address`.
    pub(crate) fn at(address: usize) -> Self {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
        let hash = (address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let tag = (hash as u32) | 1; // never the tag of an entry that is still zero
        Site { entry: &TABLE[(hash >> 32) as usize % ENTRIES], tag }
    }

    /// The time per item in nanoseconds, if this site has been measured.
    pub(crate) fn estimate_ns(self) -> Option<f64> {
        let entry = self.entry.load(Ordering::Relaxed);
        ((entry >> 32) as u32 == self.tag).then(|| f64::from(f32::from_bits(entry as u32)))
    }

    /// Learns from a call that measured `ns` nanoseconds per item: rises at once, and falls by half of the distance.
    ///
    /// Writes only what differs by more than an eighth, so that many threads in the same small loop do not pass a cache
    /// line around.
    pub(crate) fn learn(self, ns: f64) {
        let known = self.estimate_ns();
        let next = match known {
            Some(old) if ns < old => old.midpoint(ns),
            _ => ns,
        };
        if known.is_none_or(|old| (next - old).abs() > old / 8.0) {
            let entry = u64::from(self.tag) << 32 | u64::from((next as f32).to_bits());
            self.entry.store(entry, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_rises_at_once_and_falls_slowly() {
        let site = Site::at(0x1234_5670);
        assert_eq!(site.estimate_ns(), None);
        site.learn(100.0);
        assert_eq!(site.estimate_ns(), Some(100.0));
        site.learn(1000.0);
        assert_eq!(site.estimate_ns(), Some(1000.0));
        site.learn(200.0);
        assert_eq!(site.estimate_ns(), Some(600.0));
        site.learn(590.0);
        assert_eq!(site.estimate_ns(), Some(600.0), "too small a change to write");
    }

    #[test]
    fn sites_on_the_same_entry_do_not_read_each_other() {
        let site = Site::at(0x4321_0000);
        let other = Site { tag: site.tag ^ 2, ..site };
        site.learn(5.0);
        assert_eq!(other.estimate_ns(), None);
        other.learn(7.0);
        assert_eq!(site.estimate_ns(), None);
    }
}
