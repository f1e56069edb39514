//! Systems where threads do not inherit the core that another is pinned to, or that know only
//! preferences.

use std::io;

/// Does nothing: what is started in a pinned thread is not confined to its core.
#[must_use]
pub(crate) struct Unpinned;

impl Unpinned {
    pub(crate) fn new() -> Self {
        Unpinned
    }
}

/// The cores that this process may run on, ascending; empty when that cannot be found out.
pub(crate) fn usable_cores() -> Vec<usize> {
    let mut cores: Vec<usize> =
        core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect();
    cores.sort_unstable();
    cores
}

/// Lets the calling thread run on `core` alone, or asks the system to prefer it where it knows only
/// preferences.
///
/// # Errors
/// No such core, or a system that does not let threads choose.
pub(crate) fn pin_current_thread(core: usize) -> io::Result<()> {
    if !usable_cores().contains(&core) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not one of the cores this process may use"));
    }
    if core_affinity::set_for_current(core_affinity::CoreId { id: core }) {
        Ok(())
    } else {
        Err(io::Error::other("the system refused to pin the thread"))
    }
}

/// Nothing is known here that would move a thread and let it go again.
///
/// # Errors
/// Always.
pub(crate) fn place_current_thread(_: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The core that the calling thread is on right now, if the system tells cheaply: it does not.
#[inline]
pub(crate) fn current_core() -> Option<usize> {
    None
}
