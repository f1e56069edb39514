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
//! waiting for that, and a process that ends waits for it, too. So a process that has several
//! threads when it first asks registers by another thread, which does nothing else, and not before
//! somebody needs it: a heavy fence was wanted when the process had been [at it](WORTH_IT) for a
//! while. What begins before uses full fences on both sides, to its end; or does without, where
//! those would cost too much, and [waits](Heavy::Later).
//!
//! Where the system has no `membarrier`, both are full fences for ever. So they are where the
//! environment variable `TASKEL_MEMBARRIER` is `off`: for sandboxes that kill who calls it.
//!
//! Of the commands of `membarrier(2)`, the one for a single processor (`PRIVATE_EXPEDITED_RSEQ`
//! with `FLAG_CPU`) would interrupt the owner alone; but what it promises is about restartable
//! sequences, not about memory.
//!
//! # State
//!
//! One word, `REGISTRATION`, a hint: who is misled by it is refused by the system, or uses full
//! fences for a moment longer.
//!
//! | from | to | who | when |
//! |---|---|---|---|
//! | `UNKNOWN` | `REGISTERED`, `POSSIBLE` or `IMPOSSIBLE` | the first who asks | the process has one thread, or several; the system has no `membarrier` |
//! | `POSSIBLE` | `BEGUN` | who first needs it after a while | |
//! | `BEGUN` | `REGISTERED` or `IMPOSSIBLE` | the thread that registers | the system has answered |
//! | `BEGUN` | `POSSIBLE` | a forked child | it has not got that thread |

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering, compiler_fence, fence};
use std::time::{Duration, Instant};

/// How light and heavy fences are made. Both sides of a pair agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fences {
    /// The system interrupts the light side.
    Asymmetric,
    /// Both are full fences.
    Symmetric,
}

/// When there are heavy fences that interrupt the light side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heavy {
    Now,
    Later,
    Never,
}

/// A process is registered when it has used pools for so long: its end may have to wait for the
/// registration's, 8 ms, so this is what that is small against.
const WORTH_IT: Duration = Duration::from_millis(100);

static REGISTRATION: AtomicU8 = AtomicU8::new(UNKNOWN);

const UNKNOWN: u8 = 0;
const POSSIBLE: u8 = 1;
const BEGUN: u8 = 2;
const REGISTERED: u8 = 3;
const IMPOSSIBLE: u8 = 4;

/// When the process first asked; none where that is of no account.
static FIRST_ASKED: OnceLock<Option<Instant>> = OnceLock::new();

impl Fences {
    /// Those for what begins now. The first call registers the process if that takes no time.
    #[inline]
    pub(crate) fn now() -> Self {
        match REGISTRATION.load(Ordering::Relaxed) {
            UNKNOWN => Self::first(),
            REGISTERED => Fences::Asymmetric,
            _ => Fences::Symmetric,
        }
    }

    #[cold]
    fn first() -> Self {
        FIRST_ASKED.get_or_init(|| {
            let is_off = std::env::var_os("TASKEL_MEMBARRIER").is_some_and(|value| value == "off");
            if is_off || !system::has_membarrier() {
                REGISTRATION.store(IMPOSSIBLE, Ordering::Relaxed);
            } else if system::is_alone() {
                register();
            } else {
                REGISTRATION.store(POSSIBLE, Ordering::Relaxed);
                return Some(Instant::now());
            }
            None
        });
        Self::now()
    }
}

impl Heavy {
    /// Said by who needs them.
    pub(crate) fn needed() -> Self {
        match REGISTRATION.load(Ordering::Relaxed) {
            REGISTERED => Heavy::Now,
            IMPOSSIBLE => Heavy::Never,
            POSSIBLE => {
                let asked = FIRST_ASKED.get().copied().flatten();
                if asked.is_some_and(|asked| asked.elapsed() >= WORTH_IT) {
                    register_elsewhere();
                }
                Heavy::Later
            }
            _ => Heavy::Later,
        }
    }
}

/// In a thread of its own, which ends with it.
#[cold]
fn register_elsewhere() {
    if REGISTRATION.compare_exchange(POSSIBLE, BEGUN, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        let thread = std::thread::Builder::new().name("taskel-fences".to_owned()).spawn(register);
        // Where threads are that short, full fences must do.
        if thread.is_err() {
            REGISTRATION.store(IMPOSSIBLE, Ordering::Relaxed);
        }
    }
}

fn register() {
    let answer = if system::register() { REGISTERED } else { IMPOSSIBLE };
    REGISTRATION.store(answer, Ordering::Relaxed);
}

/// Called in a forked child. It touches static atomics alone, as is allowed there.
#[cfg(all(unix, not(miri)))]
pub(crate) fn forget_in_child() {
    let _ = REGISTRATION.compare_exchange(BEGUN, POSSIBLE, Ordering::Relaxed, Ordering::Relaxed);
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
    match fences {
        Fences::Asymmetric => system::interrupt_all(),
        Fences::Symmetric => {
            // What begins later may be spared the full fences.
            Heavy::needed();
            true
        }
    }
}

#[cfg(all(any(target_os = "linux", target_os = "android"), not(miri)))]
mod system {
    use std::ffi::{c_char, c_int, c_uint};
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
        c_library_says().unwrap_or_else(process_says)
    }

    /// Glibc's knows since 2.32, which costs 2 µs to ask.
    fn c_library_says() -> Option<bool> {
        // SAFETY: both arguments are what the function expects; the name ends with a 0.
        let variable = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) };
        let variable = variable.cast::<c_char>();
        // SAFETY: the library exports it as a `char`, for ever. Only the library writes it, before
        // it makes the second thread: not while this one is in here, if there is no other; and if
        // there are others, 0 upon 0.
        (!variable.is_null()).then(|| unsafe { variable.read_volatile() } != 0)
    }

    /// The system knows, which costs 13 µs to ask.
    fn process_says() -> bool {
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
    fn a_process_registers_when_somebody_needs_it_after_a_while() {
        thread::scope(|threads| {
            threads.spawn(|| assert!(!system::is_alone())).join().expect("the test's closure");
        });
        Fences::now();
        let since = FIRST_ASKED.get().copied().flatten().expect("it is possible");
        while Heavy::needed() != Heavy::Now {
            assert!(heavy_fence(Fences::Symmetric), "a full fence is never refused");
            thread::yield_now();
        }
        assert!(since.elapsed() >= WORTH_IT);
        assert_eq!(Fences::now(), Fences::Asymmetric);
        assert!(heavy_fence(Fences::Asymmetric));
        forget_in_child();
        assert_eq!(Fences::now(), Fences::Asymmetric, "who is registered stays so");
    }
}
