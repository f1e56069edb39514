//! What a call site has learned: the time per item that earlier calls of the same loop measured,
//! and whether one met an outlier.
//!
//! This is a small table. Its key is the address of the monomorphised function that drives the
//! loop, which differs with the closure and so is as good as a name. If two sites share an entry,
//! they overwrite each other, and then know nothing again. Entries are hints, read and written
//! without order. A wrong hint costs time, but never changes a result.

use taskel_adaptive::History;

use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// What the lanes of one loop have measured together.
#[derive(Debug, Default)]
pub(crate) struct Lesson {
    busy_ns: AtomicU64,
    taskels: AtomicU64,
    met_outlier: AtomicBool,
}

impl Lesson {
    /// Adds what one lane measured; it has not left the loop yet.
    pub(crate) fn add(&self, busy_ns: u64, taskels: u64) {
        self.busy_ns.fetch_add(busy_ns, Ordering::Relaxed);
        self.taskels.fetch_add(taskels, Ordering::Relaxed);
    }

    /// Notes that some chunk took far longer than expected.
    pub(crate) fn add_outlier(&self) {
        self.met_outlier.store(true, Ordering::Relaxed);
    }

    /// Whether some chunk took far longer than expected, once every lane is out.
    pub(crate) fn met_outlier(&self) -> bool {
        self.met_outlier.load(Ordering::Relaxed)
    }

    /// The mean time per item in nanoseconds, once every lane is out; `None` if there was no item.
    pub(crate) fn ns_per_taskel(&self) -> Option<f64> {
        let taskels = self.taskels.load(Ordering::Relaxed);
        (taskels > 0).then(|| self.busy_ns.load(Ordering::Relaxed) as f64 / taskels as f64)
    }
}

const ENTRIES: usize = 512;

/// The upper three bytes of an entry tell whose it is; then come a [`Caution`], and the time per
/// item as an `f32`.
static TABLE: [AtomicU64; ENTRIES] = [const { AtomicU64::new(0) }; ENTRIES];

/// For how many more calls that run in chunks a site is cautious, and why: because one met an
/// outlier, because one was a part of something, or only because it is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Caution(u8);

impl Caution {
    const OUTLIER: u8 = 0x80;
    const PART: u8 = 0x40;

    /// For how many calls an outlier is remembered. The system may have caused it by giving the
    /// core to another thread.
    const CALLS: u8 = 16;

    /// If loops are parts of something (loops inside a loop, or loops of several callers), the
    /// first may have only short items, and the next all the long ones. The last part may run when
    /// the others are over, so a site remembers that it has parts. Whole loops are usually like the
    /// last one.
    const NEW: Caution = Caution(Self::CALLS);

    fn after_a_call(self, met_outlier: bool, is_among_others: bool) -> Self {
        let why = self.0 & (Self::OUTLIER | Self::PART);
        match self.0 - why {
            _ if met_outlier => Caution(Self::CALLS | Self::OUTLIER),
            0 | 1 => Caution(0),
            few if is_among_others => Caution((few - 1) | why | Self::PART),
            few => Caution((few - 1) | why),
        }
    }

    fn history(self, is_among_others: bool) -> History {
        match self.0 {
            0 => History::Even,
            few if few & Self::OUTLIER != 0 => History::Outliers,
            few if is_among_others || few & Self::PART != 0 => History::Unknown,
            _ => History::Even,
        }
    }
}

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
        let tag = (hash as u32 >> 8) | 1; // never the tag of an entry that is still zero
        Site { entry: &TABLE[(hash >> 32) as usize % ENTRIES], tag }
    }

    /// The time per item in nanoseconds, and how cautious this site is; if it has been measured.
    fn read(self) -> Option<(f64, Caution)> {
        // Each execution of a model is to do the same as the one before.
        if cfg!(all(loom, feature = "loom")) {
            return None;
        }
        let entry = self.entry.load(Ordering::Relaxed);
        let known = (entry >> 40) as u32 == self.tag;
        known.then(|| (f64::from(f32::from_bits(entry as u32)), Caution((entry >> 32) as u8)))
    }

    fn write(self, ns: f64, caution: Caution) {
        let entry = u64::from(self.tag) << 40 | u64::from(caution.0) << 32 | u64::from((ns as f32).to_bits());
        self.entry.store(entry, Ordering::Relaxed);
    }

    /// The time per item in nanoseconds, if this site has been measured.
    pub(crate) fn estimate_ns(self) -> Option<f64> {
        self.read().map(|(ns, _)| ns)
    }

    /// What is known about outliers at this site, for a loop that is inside other work or beside
    /// another loop, or for one by itself.
    pub(crate) fn history(self, is_among_others: bool) -> History {
        self.read().map_or(History::Unknown, |(_, caution)| caution.history(is_among_others))
    }

    /// Learns from a call that measured `ns` nanoseconds per item: rises at once, and falls by half
    /// of the distance.
    ///
    /// Writes only what differs by more than an eighth, so that many threads in the same small loop
    /// do not pass a cache line around.
    pub(crate) fn learn(self, ns: f64) {
        let known = self.read();
        let next = match known {
            Some((old, _)) if ns < old => old.midpoint(ns),
            _ => ns,
        };
        if known.is_none_or(|(old, _)| (next - old).abs() > old / 8.0) {
            self.write(next, known.map_or(Caution::NEW, |(_, caution)| caution));
        }
    }

    /// As `learn`, from a whole call that ran on one thread and took no longer than an interrupt
    /// may make it; rises by half at most, and falls at once. Such a call is the better witness: in
    /// shared ones, two hardware threads of one core take longer for each item.
    pub(crate) fn learn_alone(self, ns: f64) {
        match self.read() {
            Some((known, caution)) if ns < known => {
                if known - ns > known / 8.0 {
                    self.write(ns, caution);
                }
            }
            // A clock of coarse ticks may have shown nothing at all.
            Some((known, _)) if known > 0.0 => self.learn(ns.min(known * 1.5)),
            _ => self.learn(ns),
        }
    }

    /// As `learn`, from a call that ran in chunks; `is_among_others` as in
    /// [`history`](Self::history).
    pub(crate) fn learn_from(self, lesson: &Lesson, is_among_others: bool) {
        let Some(ns) = lesson.ns_per_taskel() else { return };
        self.learn(ns);
        let Some((ns, caution)) = self.read() else { return };
        let next = caution.after_a_call(lesson.met_outlier(), is_among_others);
        if next != caution {
            self.write(ns, next);
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
    fn one_long_call_on_one_thread_raises_a_site_by_half() {
        let site = Site::at(0x1111_2220);
        site.learn_alone(100.0);
        assert_eq!(site.estimate_ns(), Some(100.0));
        site.learn_alone(1000.0);
        assert_eq!(site.estimate_ns(), Some(150.0));
        site.learn_alone(100.0);
        assert_eq!(site.estimate_ns(), Some(100.0), "what shared calls showed is forgotten");
        site.learn_alone(0.0);
        assert_eq!(site.estimate_ns(), Some(0.0));
        site.learn_alone(100.0);
        assert_eq!(site.estimate_ns(), Some(100.0), "nothing is not half of anything");
    }

    #[test]
    fn an_outlier_is_remembered_for_some_calls_and_that_a_site_is_new() {
        let site = Site::at(0x2222_3330);
        let lesson = |met_outlier| {
            let lesson = Lesson::default();
            lesson.add(1000, 10);
            if met_outlier {
                lesson.add_outlier();
            }
            lesson
        };
        let (alone, among_others) = (false, true);
        assert_eq!((site.history(alone), site.history(among_others)), (History::Unknown, History::Unknown));
        for _ in 0..Caution::CALLS - 1 {
            site.learn_from(&lesson(false), alone);
            assert_eq!((site.history(alone), site.estimate_ns()), (History::Even, Some(100.0)));
            assert_eq!(site.history(among_others), History::Unknown);
        }
        site.learn_from(&lesson(false), alone);
        assert_eq!((site.history(alone), site.history(among_others)), (History::Even, History::Even));
        site.learn_from(&lesson(true), alone);
        for _ in 0..Caution::CALLS {
            assert_eq!(
                (site.history(alone), site.history(among_others)),
                (History::Outliers, History::Outliers)
            );
            site.learn_from(&lesson(false), among_others);
        }
        assert_eq!((site.history(alone), site.history(among_others)), (History::Even, History::Even));
    }

    #[test]
    fn a_site_whose_loops_were_parts_expects_another_part_for_some_calls() {
        let site = Site::at(0x2222_4440);
        let (alone, among_others) = (false, true);
        let even = Lesson::default();
        even.add(1000, 10);
        site.learn_from(&even, alone);
        assert_eq!(site.history(alone), History::Even, "a whole loop");
        site.learn_from(&even, among_others);
        for _ in 2..Caution::CALLS {
            assert_eq!(site.history(alone), History::Unknown);
            site.learn_from(&even, alone);
        }
        assert_eq!((site.history(alone), site.history(among_others)), (History::Even, History::Even));
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
