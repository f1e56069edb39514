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
//! Where the system has no `membarrier`, both are full fences. So they are where the environment
//! variable `TASKEL_MEMBARRIER` is `off`: for sandboxes that kill who calls it.
//!
//! Of the commands of `membarrier(2)`, the one for a single processor (`PRIVATE_EXPEDITED_RSEQ`
//! with `FLAG_CPU`) would interrupt the owner alone; but what it promises is about restartable
//! sequences, not about memory.

use std::sync::OnceLock;
use std::sync::atomic::{Ordering, compiler_fence, fence};

/// How light and heavy fences are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fences {
    /// The system interrupts the light side.
    Asymmetric,
    /// Both are full fences.
    Symmetric,
}

impl Fences {
    /// What this system has, now and for the rest of the process.
    pub(crate) fn available() -> Self {
        static AVAILABLE: OnceLock<Fences> = OnceLock::new();
        *AVAILABLE.get_or_init(|| {
            let is_off = std::env::var_os("TASKEL_MEMBARRIER").is_some_and(|value| value == "off");
            if !is_off && register() { Fences::Asymmetric } else { Fences::Symmetric }
        })
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

/// The dear half of a pair, some 10 µs. False when the system refuses: then nothing is ordered.
#[must_use]
pub(crate) fn heavy_fence(fences: Fences) -> bool {
    // SeqCst: pairs with `light_fence`.
    fence(Ordering::SeqCst);
    fences == Fences::Symmetric || interrupt_all()
}

/// Prepares the process for `interrupt_all`, once; false where there is no such thing.
#[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
fn register() -> bool {
    // A sandbox may answer 0, "done", to calls that it does not let through. As the answer to this
    // question, that is "none".
    let commands = membarrier(libc::MEMBARRIER_CMD_QUERY);
    let has = |command| commands > 0 && commands & libc::c_long::from(command) != 0;
    has(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
        && membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0
}

/// Makes every running thread of the process pass a full fence.
#[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
fn interrupt_all() -> bool {
    membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
fn membarrier(command: std::ffi::c_int) -> libc::c_long {
    const NO_FLAGS: std::ffi::c_uint = 0;
    const NO_CPU: std::ffi::c_int = 0;
    // SAFETY: the call takes three numbers and touches no memory.
    unsafe { libc::syscall(libc::SYS_membarrier, command, NO_FLAGS, NO_CPU) }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(miri))))]
fn register() -> bool {
    false
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(miri))))]
fn interrupt_all() -> bool {
    false
}
