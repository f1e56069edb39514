//! A pair of fences between processes, of which one costs nothing.
//!
//! Where two threads each write a word and then read the other's, both need a full fence in between.
//! If one of the two does so rarely, it can pay for both: its *heavy* fence makes the system
//! interrupt every running thread of all processes that have registered for it, `membarrier(2)`, and
//! the *light* fence of the other only keeps the compiler from moving accesses across it.
//!
//! A process with several threads waits for its registration for 8 to 24 ms. Such a process does
//! without: its light fences are full ones, which is right beside any heavy one.
//!
//! Whether processes of a team may register is decided when it is made: where the system has no
//! `membarrier`, or the environment variable `TASKEL_MEMBARRIER` is `off`, all fences are full ones.

use std::sync::atomic::{Ordering, compiler_fence, fence};

/// How a process makes light fences; of a team, how any of its processes may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fences {
    /// The system interrupts it.
    Asymmetric,
    /// They are full fences.
    Symmetric,
}

impl Fences {
    /// Those of a team that is begun by this process.
    pub(crate) fn of_team() -> Fences {
        let is_off = std::env::var_os("TASKEL_MEMBARRIER").is_some_and(|value| value == "off");
        if !is_off && system::has_membarrier() { Fences::Asymmetric } else { Fences::Symmetric }
    }

    /// Those of this process in a team that has these. Registers the process, if that is no work.
    pub(crate) fn of_process(self) -> Fences {
        let is_registered = self == Fences::Asymmetric && system::is_alone() && system::register();
        if is_registered { Fences::Asymmetric } else { Fences::Symmetric }
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

/// The dear half of a pair, given the fences of the team. False when the system refuses: then nothing
/// is ordered.
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

    /// Whether the process is known to have this thread alone.
    pub(super) fn is_alone() -> bool {
        // As all folders, this one has two links, and one more for each folder in it: each thread.
        fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3)
    }

    /// A sandbox may answer 0, "done", to calls that it does not let through. As the answer to this
    /// question, that is "none".
    pub(super) fn has_membarrier() -> bool {
        let commands = membarrier(libc::MEMBARRIER_CMD_QUERY);
        commands > 0 && commands & libc::c_long::from(libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED) != 0
    }

    pub(super) fn register() -> bool {
        membarrier(libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0
    }

    /// Makes every running thread of all registered processes pass a full fence.
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
