//! An asymmetric pair of fences between processes: one of them is almost free.
//!
//! If two threads each write a word and then read the other's, both need a full fence in between.
//! If one of them does this rarely, it can pay for both. Its *heavy* fence makes the system
//! interrupt every running thread of all registered processes (`membarrier(2)`). The *light* fence
//! of the other thread then only keeps the compiler from moving accesses across it.
//!
//! In a process with several threads, the registration takes 8 to 24 ms. Such a process does not
//! register. Its light fences are full fences, which is correct together with any heavy fence.
//!
//! When a team is created, it decides whether its processes may register. If the system has no
//! `membarrier`, or the environment variable `TASKEL_MEMBARRIER` is `off`, all fences are full
//! fences.

use std::sync::atomic::{Ordering, compiler_fence, fence};

/// How a process makes light fences or, for a team, how any of its processes may make them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fences {
    /// Compiler fences: the system interrupts the process.
    Asymmetric,
    /// Full fences.
    Symmetric,
}

impl Fences {
    /// Returns the fences of a team that this process creates.
    pub(crate) fn of_team() -> Fences {
        let is_off = std::env::var_os("TASKEL_MEMBARRIER").is_some_and(|value| value == "off");
        if !is_off && system::has_membarrier() { Fences::Asymmetric } else { Fences::Symmetric }
    }

    /// Returns the fences of this process in such a team. Registers the process if this is cheap.
    pub(crate) fn of_process(self) -> Fences {
        let is_registered = self == Fences::Asymmetric && system::is_alone() && system::register();
        if is_registered { Fences::Asymmetric } else { Fences::Symmetric }
    }
}

/// The cheap fence of a pair.
#[inline]
pub(crate) fn light_fence(fences: Fences) {
    match fences {
        // SeqCst: pairs with `heavy_fence`, which adds the processor's half.
        Fences::Asymmetric => compiler_fence(Ordering::SeqCst),
        // SeqCst: pairs with `heavy_fence`.
        Fences::Symmetric => fence(Ordering::SeqCst),
    }
}

/// The expensive fence of a pair. `of_team` is the setting of the team. Returns false if the system
/// refuses; then nothing is ordered.
#[must_use]
pub(crate) fn heavy_fence(of_team: Fences) -> bool {
    // SeqCst: pairs with `light_fence`.
    fence(Ordering::SeqCst);
    of_team == Fences::Symmetric || system::interrupt_all()
}

#[cfg(not(miri))]
mod system {
    use std::ffi::{c_int, c_uint};
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    /// Returns whether this is known to be the only thread of the process.
    pub(super) fn is_alone() -> bool {
        // A folder has two links, and one more per subfolder. Here, each thread has a subfolder.
        fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3)
    }

    /// A sandbox may return 0 ("success") for calls that it blocks. For this query, 0 means "no
    /// commands".
    pub(super) fn has_membarrier() -> bool {
        let commands = membarrier(libc::MEMBARRIER_CMD_QUERY);
        commands > 0 && commands & libc::c_long::from(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED) != 0
    }

    pub(super) fn register() -> bool {
        membarrier(libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0
    }

    /// Makes every running thread of all registered processes execute a full fence.
    pub(super) fn interrupt_all() -> bool {
        membarrier(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED) == 0
    }

    fn membarrier(command: c_int) -> libc::c_long {
        const NO_FLAGS: c_uint = 0;
        const NO_CPU: c_int = 0;
        // SAFETY: the call takes three numbers and touches no memory.
        unsafe { libc::syscall(libc::SYS_membarrier, command, NO_FLAGS, NO_CPU) }
    }
}

#[cfg(miri)]
mod system {
    pub(super) fn has_membarrier() -> bool {
        false
    }

    pub(super) fn is_alone() -> bool {
        false
    }

    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn interrupt_all() -> bool {
        false
    }
}
