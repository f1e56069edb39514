//! How signals are handled while a team runs.
//!
//! The launcher passes a signal that would end it to the ranks, and waits for the result. The
//! terminal sends signals such as Ctrl-C to the ranks itself, because they are in the same process
//! group.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

const FORWARDED: [i32; 6] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

/// The signals after which no rank is restarted.
pub(super) const ENDING: [i32; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// Blocks signals until this is dropped, and receives them by waiting.
pub(super) struct Signals {
    held: libc::sigset_t,
    before: Released,
}

/// The signal mask from before.
#[derive(Clone, Copy)]
pub(super) struct Released(libc::sigset_t);

/// A received signal.
pub(super) struct Signal {
    pub(super) number: i32,
    from_process: bool,
}

impl Signal {
    pub(super) fn is_to_be_forwarded(&self) -> bool {
        self.from_process && FORWARDED.contains(&self.number)
    }
}

impl Released {
    /// Restores the earlier signal mask.
    pub(super) fn restore(&self) -> io::Result<()> {
        mask(libc::SIG_SETMASK, &self.0).map(|_| ())
    }
}

/// Changes which signals are blocked. Returns the mask from before.
fn mask(how: i32, signals: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut before = empty();
    // SAFETY: one set is readable, the other one writable.
    match unsafe { libc::pthread_sigmask(how, signals, &raw mut before) } {
        0 => Ok(before),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn empty() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the set is writable.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the call above has filled it.
    unsafe { set.assume_init() }
}

impl Signals {
    pub(super) fn hold() -> io::Result<Signals> {
        let mut held = empty();
        for signal in FORWARDED.into_iter().chain([libc::SIGCHLD]) {
            // SAFETY: a set, and signals that exist.
            unsafe { libc::sigaddset(&raw mut held, signal) };
        }
        // The parent may have made this process ignore SIGCHLD. Then the ends of children would not
        // be reported. SAFETY: no function is installed.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        let before = Released(mask(libc::SIG_BLOCK, &held)?);
        Ok(Signals { held, before })
    }

    pub(super) fn released(&self) -> Released {
        self.before
    }

    /// Returns the next signal, if one comes in time.
    pub(super) fn wait(&self, patience: Duration) -> Option<Signal> {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let patience =
            libc::timespec { tv_sec: patience.as_secs() as _, tv_nsec: patience.subsec_nanos().into() };
        // SAFETY: the set and the time are readable, and `info` is writable.
        let number =
            unsafe { libc::sigtimedwait(&raw const self.held, info.as_mut_ptr(), &raw const patience) };
        // SAFETY: zeros are valid, as is what the call writes.
        let from_process = unsafe { info.assume_init() }.si_code <= 0;
        (number > 0).then_some(Signal { number, from_process })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // The mask was that of this thread.
        let _ = self.before.restore();
    }
}
