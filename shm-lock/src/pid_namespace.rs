//! Whether this process is still in the PID namespace in which it has opened its locks.
//!
//! A region remembers the namespace that it was made in. A mapping goes through a fork, also into a
//! child that is in another namespace (`unshare`, `clone` with `CLONE_NEWPID`); its threads have
//! numbers that mean other threads to the lock's other users.

use std::io;
use std::sync::OnceLock;

use crate::error::Unsupported;
use crate::sys;

/// That of this process, or of the one it was forked from, when it first made or opened a region.
static OF_REGIONS: OnceLock<u64> = OnceLock::new();

/// The number of this process's namespace, which is that of its regions if they are its first.
pub(crate) fn of_new_region() -> io::Result<u64> {
    let here = sys::pid_namespace()?;
    OF_REGIONS.get_or_init(|| here);
    Ok(here)
}

/// Whether threads of this process may take locks. Where the namespace cannot be known (no
/// `/proc`), it is taken for the same.
pub(crate) fn check() -> Result<(), Unsupported> {
    match (OF_REGIONS.get(), sys::pid_namespace()) {
        (Some(&expected), Ok(found)) if found != expected => {
            Err(Unsupported::OtherPidNamespace { expected, found })
        }
        _ => Ok(()),
    }
}
