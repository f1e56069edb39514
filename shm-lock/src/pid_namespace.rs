//! Whether this process is still in the PID namespace in which it opened its locks.
//!
//! A region records the namespace in which it was created. A forked child inherits the mapping,
//! even if it is in another namespace (`unshare`, or `clone` with `CLONE_NEWPID`). Other users of
//! the lock would take its thread ids for those of other threads.

use std::io;
use std::sync::OnceLock;

use crate::error::Unsupported;
use crate::sys;

/// The namespace of this process, or of its ancestor, when it first created or opened a region.
static OF_REGIONS: OnceLock<u64> = OnceLock::new();

/// Returns the number of this process's namespace. The first call records it as that of its
/// regions.
pub(crate) fn of_new_region() -> io::Result<u64> {
    let here = sys::pid_namespace()?;
    OF_REGIONS.get_or_init(|| here);
    Ok(here)
}

/// Checks that threads of this process may take locks. If the namespace is unknown (no `/proc`), it
/// counts as the same.
pub(crate) fn check() -> Result<(), Unsupported> {
    match (OF_REGIONS.get(), sys::pid_namespace()) {
        (Some(&expected), Ok(found)) if found != expected => {
            Err(Unsupported::OtherPidNamespace { expected, found })
        }
        _ => Ok(()),
    }
}
