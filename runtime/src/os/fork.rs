//! Whether this is still the process in which a pool's threads were started.
//!
//! Only the thread that calls `fork` lives on in the child. A pool's workers are not there, its
//! locks may be held for ever, and so what is called on such a pool runs on the calling thread
//! alone.

#[cfg(all(unix, not(miri)))]
use crate::os::affinity::AtWork;
#[cfg(all(unix, not(miri)))]
use crate::sync::forget_in_child;
use crate::sync::{AtomicU32, Ordering};

/// How many forks lie between the first process and this one; written by the one thread of a new
/// child.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// A process, as told apart from the children that it forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u32);

impl Generation {
    /// That of this process. From the first call on, forks are noticed.
    pub(crate) fn watched() -> Self {
        #[cfg(all(unix, not(miri)))] // Miri knows no `fork`
        watch();
        Self::current()
    }

    #[inline]
    fn current() -> Self {
        Generation(GENERATION.load(Ordering::Relaxed))
    }

    /// Whether this process is the one.
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
