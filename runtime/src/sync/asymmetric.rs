//! A pair of fences of which one costs nothing.
//!
//! Where two threads each write a word and then read the other's (Dekker's pattern), both need a
//! full fence in between. If one of the two runs rarely, it can pay for both: its *heavy* fence
//! makes the system interrupt every other running thread of the process, `membarrier(2)`, and the
//! *light* fence of the other only keeps the compiler from moving accesses across it. A heavy fence
//! orders against every light one, for each thread has then either passed its light fence or has
//! not come to the write before it. Two light fences order nothing, and nobody may rely on such a
//! pair.
//!
//! A process has to register before, which takes microseconds as long as it has one thread; with
//! more, the system waits until each processor has switched tasks: 8 to 24 ms. No pool is worth
//! waiting for that, so another thread does, and what is heavy is refused meanwhile.
//!
//! Where the system has no `membarrier`, both are full fences. So they are where the environment
//! variable `TASKEL_MEMBARRIER` is `off`: for sandboxes that kill who calls it.
//!
//! Of the commands of `membarrier(2)`, the one for a single processor (`PRIVATE_EXPEDITED_RSEQ`
//! with `FLAG_CPU`) would interrupt the owner alone; but what it promises is about restartable
//! sequences, not about memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};

/// How light and heavy fences are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fences {
    /// The system interrupts the light side.
    Asymmetric,
    /// Both are full fences.
    Symmetric,
}

/// Somebody waits for the system to have registered the process. A hint: who asks the system before
/// is refused.
static REGISTERING: AtomicBool = AtomicBool::new(false);

impl Fences {
    /// What this system has, now and for the rest of the process.
    pub(crate) fn available() -> Self {
        static AVAILABLE: OnceLock<Fences> = OnceLock::new();
        *AVAILABLE.get_or_init(|| {
            let is_off = std::env::var_os("TASKEL_MEMBARRIER").is_some_and(|value| value == "off");
            let is_there =
                !is_off && system::has_membarrier() && (register_elsewhere() || system::register());
            if is_there { Fences::Asymmetric } else { Fences::Symmetric }
        })
    }

    /// Whether heavy fences are refused now, and may not be soon.
    pub(crate) fn are_on_their_way(self) -> bool {
        self == Fences::Asymmetric && REGISTERING.load(Ordering::Relaxed)
    }
}

/// True if the registration is left to another thread, because it would take long.
fn register_elsewhere() -> bool {
    if system::is_alone() {
        return false;
    }
    REGISTERING.store(true, Ordering::Relaxed);
    let register = || {
        // If that fails, so does each heavy fence.
        let _ = system::register();
        REGISTERING.store(false, Ordering::Relaxed);
    };
    let has_begun = std::thread::Builder::new().name("taskel-fences".to_owned()).spawn(register).is_ok();
    REGISTERING.fetch_and(has_begun, Ordering::Relaxed);
    has_begun
}

/// Called in a forked child, which has one thread. It makes a system call at most, and touches
/// static atomics, as is allowed there.
#[cfg(all(unix, not(miri)))]
pub(crate) fn register_in_child() {
    if REGISTERING.load(Ordering::Relaxed) {
        let _ = system::register();
        REGISTERING.store(false, Ordering::Relaxed);
    }
}

/// The cheap half of a pair.
#[inline]
pub(crate) fn light_fence(fences: Fences) {
    match fences {
        // SeqCst: pairs with `heavy_fence`, which adds the processor's half.
        Fences::Asymmetric => compiler_fence(Ordering::SeqCst),
        // SeqCst: pairs with `heavy_fence`.
        Fences::Symmetric => fence(Ordering::SeqCst),
    }
}

/// The dear half of a pair, some 10 µs. False when the system refuses, for good or [for
/// now](Fences::are_on_their_way): then nothing is ordered.
#[must_use]
pub(crate) fn heavy_fence(fences: Fences) -> bool {
    // SeqCst: pairs with `light_fence`.
    fence(Ordering::SeqCst);
    fences == Fences::Symmetric || system::interrupt_all()
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
mod system {
    use std::ffi::{c_int, c_uint};
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    /// A sandbox may answer 0, "done", to calls that it does not let through. As the answer to this
    /// question, that is "none".
    pub(super) fn has_membarrier() -> bool {
        let commands = membarrier(libc::MEMBARRIER_CMD_QUERY);
        commands > 0 && commands & libc::c_long::from(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0
    }

    /// Whether the process is known to have this thread alone.
    pub(super) fn is_alone() -> bool {
        // As all folders, this one has two links, and one more for each folder in it: each thread.
        fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3)
    }

    /// Prepares the process for `interrupt_all`, once.
    pub(super) fn register() -> bool {
        membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0
    }

    /// Makes every running thread of the process pass a full fence.
    pub(super) fn interrupt_all() -> bool {
        membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0
    }

    fn membarrier(command: c_int) -> libc::c_long {
        const NO_FLAGS: c_uint = 0;
        const NO_CPU: c_int = 0;
        // SAFETY: the call takes three numbers and touches no memory.
        unsafe { libc::syscall(libc::SYS_membarrier, command, NO_FLAGS, NO_CPU) }
    }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(miri))))]
mod system {
    pub(super) fn has_membarrier() -> bool {
        false
    }

    pub(super) fn is_alone() -> bool {
        true
    }

    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn interrupt_all() -> bool {
        false
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android"), not(miri)))]
mod tests {
    use std::thread;

    use super::*;

    /// In a process that has several threads by then.
    #[test]
    fn heavy_fences_are_there_when_they_are_no_longer_on_their_way() {
        thread::scope(|threads| {
            threads.spawn(|| assert!(!system::is_alone())).join().expect("the test's closure");
        });
        let fences = Fences::available();
        while fences.are_on_their_way() {
            thread::yield_now();
        }
        assert!(heavy_fence(fences));
        assert!(!fences.are_on_their_way());
        register_in_child();
        assert!(heavy_fence(fences), "who is registered stays so");
    }
}
