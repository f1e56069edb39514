//! Detects whether this is still the process that started a pool's threads.
//!
//! In a forked child, only the thread that called `fork` exists. The workers of a pool are missing,
//! and its locks may be held for ever. So calls on such a pool run on the calling thread alone.

#[cfg(all(unix, not(miri)))]
use crate::os::affinity::AtWork;
#[cfg(all(unix, not(miri)))]
use crate::sync::forget_in_child;
use crate::sync::{AtomicU32, Ordering};

/// How many forks lie between the first process and this one. Only the single thread of a new child
/// writes it.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Identifies a process among the children that it forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u32);

impl Generation {
    /// Returns the generation of this process. Forks are counted from the first call on.
    pub(crate) fn watched() -> Self {
        #[cfg(all(unix, not(miri)))] // Miri knows no `fork`
        watch();
        Self::current()
    }

    #[inline]
    fn current() -> Self {
        Generation(GENERATION.load(Ordering::Relaxed))
    }

    /// Returns whether this is the generation of the current process.
    #[inline]
    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }
}

#[cfg(all(unix, not(miri)))]
fn watch() {
    static WATCHING: std::sync::Once = std::sync::Once::new();
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
        AtWork::forget_all();
        forget_in_child();
    }
    WATCHING.call_once(|| {
        // SAFETY: the handler only touches static atomics and makes a system call, which is allowed
        // between `fork` and `exec`.
        let _out_of_memory = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}
