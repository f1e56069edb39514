//! `MemoryBudget`: a share of the memory that this process may use.

use std::fmt;

use super::system::{Sources, System, Use};

/// The amount of memory that this process can still take.
///
/// In a container, or in another control group with a limit (version 1 or 2; `memory.max`,
/// `memory.high`, `memory.limit_in_bytes`), this is the rest of the limit. The limits of all
/// enclosing groups count as well. It is never more than the machine has left (`MemAvailable`).
/// Without a limit, it is what the machine has left. File caches do not count as used, because the
/// system reclaims them when memory is needed.
///
/// Use a share of it to limit the items that a stream has [in
/// flight](crate::stream::Stream::max_in_flight_bytes):
///
/// ```no_run
/// use taskel::{MemoryBudget, prelude::*};
///
/// let quarter = MemoryBudget::detect()?.share(0.25);
/// let files = std::fs::read_dir(".")?.flatten().map(|entry| std::fs::read(entry.path()).unwrap_or_default());
/// files.par_stream().max_in_flight_bytes(quarter, Vec::len).for_each_unordered(|file| println!("{}", file.len()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A memory allocator may keep freed memory, which does not count as available here. glibc's may
/// keep blocks of up to 32 MiB in each thread, unless `MALLOC_MMAP_THRESHOLD_` is set.
///
/// The value does not change after detection. To make a pool watch the memory in use, see
/// [`memory_guard`](crate::ThreadPoolBuilder::memory_guard).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBudget {
    available: u64,
    limit: Option<u64>,
}

impl MemoryBudget {
    /// Asks the system how much memory is available.
    ///
    /// # Errors
    ///
    /// Returns an error if this is unknown: on systems other than Linux and Android, and if `/proc`
    /// is not mounted.
    ///
    /// ```
    /// match taskel::MemoryBudget::detect() {
    ///     Ok(budget) => println!("{} MiB", budget.available() >> 20),
    ///     Err(unknown) => println!("{unknown}"),
    /// }
    /// ```
    pub fn detect() -> Result<MemoryBudget, MemoryUnknown> {
        let system = System::here();
        Self::of(&system, &system.sources())
    }

    pub(super) fn of(system: &System, sources: &Sources) -> Result<MemoryBudget, MemoryUnknown> {
        let (groups, machine) = system.uses(sources);
        let available =
            groups.iter().copied().chain(machine).map(Use::left).min().ok_or(MemoryUnknown(()))?;
        Ok(MemoryBudget { available, limit: groups.iter().map(|group| group.limit).min() })
    }

    /// Returns the number of available bytes.
    pub fn available(&self) -> u64 {
        self.available
    }

    /// Returns the smallest limit of the control groups of this process, in bytes, or `None` if no
    /// limit is below what the machine has.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Returns a share of the [available](Self::available) memory, in bytes, and at least 1.
    ///
    /// # Panics
    ///
    /// Panics unless `share` is above 0 and at most 1.
    ///
    /// ```
    /// if let Ok(budget) = taskel::MemoryBudget::detect() {
    ///     assert!(budget.share(0.5) as u64 <= budget.available());
    /// }
    /// ```
    #[track_caller]
    pub fn share(&self, share: f64) -> usize {
        assert!(share > 0.0 && share <= 1.0, "share: a share is above 0 and at most 1, not {share}");
        ((self.available as f64 * share) as usize).max(1)
    }
}

/// The error when the system does not say how much memory is available.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryUnknown(pub(super) ());

impl fmt::Display for MemoryUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "how much memory there is can be known on Linux and Android, with /proc/meminfo, which could not be read here; \
             set a limit in bytes, or mount /proc",
        )
    }
}

impl std::error::Error for MemoryUnknown {}
