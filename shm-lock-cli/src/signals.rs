//! What becomes of signals while a command runs.
//!
//! The lock must be held as long as the command runs, so a signal that would end this process goes
//! to the command, and this process waits for what comes of it. What the terminal sends, such as
//! Ctrl-C, the command has got already: it is in the same group.

use std::io;
use std::mem::MaybeUninit;
use std::process::{Child, ExitStatus};

/// What would end this process, as far as people send it. `SIGKILL` cannot be held back: the kernel
/// kills the command, too.
const FORWARDED: [i32; 6] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];

/// Signals wait to be [passed on](Held::wait_for), from now on and until the process ends. A child
/// must [let them through](Released).
pub(crate) struct Held {
    signals: libc::sigset_t,
    before: Released,
}

/// The signals that were held back when this process was started.
#[derive(Clone, Copy)]
pub(crate) struct Released(libc::sigset_t);

impl Released {
    /// Lets all others through again, in a child.
    pub(crate) fn restore(&self) -> io::Result<()> {
        mask(libc::SIG_SETMASK, &self.0).map(|_| ())
    }
}

/// Changes which signals are held back; returns which were before.
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

impl Held {
    pub(crate) fn new() -> io::Result<Held> {
        let mut signals = empty();
        for signal in FORWARDED.into_iter().chain([libc::SIGCHLD]) {
            // SAFETY: a set, and signals that exist.
            unsafe { libc::sigaddset(&raw mut signals, signal) };
        }
        // Whoever started this process may have it ignore the ends of children, of which nobody
        // would be told then. SAFETY: no function is installed.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        let before = Released(mask(libc::SIG_BLOCK, &signals)?);
        Ok(Held { signals, before })
    }

    pub(crate) fn before(&self) -> Released {
        self.before
    }

    /// Waits until `child` has ended, and passes on what comes meanwhile.
    pub(crate) fn wait_for(&self, child: &mut Child) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
            // SAFETY: the set is readable, and `info` writable.
            let signal = unsafe { libc::sigwaitinfo(&raw const self.signals, info.as_mut_ptr()) };
            // SAFETY: zeros are valid, as is what the call writes.
            let from_process = unsafe { info.assume_init() }.si_code <= 0;
            if FORWARDED.contains(&signal) && from_process {
                // SAFETY: a child that was not waited for yet, so the number is its own.
                unsafe { libc::kill(child.id() as libc::pid_t, signal) };
            }
        }
    }
}
