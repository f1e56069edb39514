//! Systems where new threads do not inherit the pinning, or where a thread can only prefer a core.

use std::io;

/// Does nothing: what a pinned thread starts is not confined to its core.
#[must_use]
pub(crate) struct Unpinned;

impl Unpinned {
    pub(crate) fn new() -> Self {
        Unpinned
    }
}

/// Returns the cores that this process may run on, in ascending order, or an empty list if they are
/// unknown.
pub(crate) fn usable_cores() -> Vec<usize> {
    let mut cores: Vec<usize> =
        core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect();
    cores.sort_unstable();
    cores
}

/// Pins the calling thread to `core`. If the system knows only preferences, the thread prefers this
/// core.
///
/// # Errors
/// The core does not exist, or the system does not let threads choose.
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

/// Fails: no call on these systems moves a thread and lets it leave again.
///
/// # Errors
/// Always.
pub(crate) fn place_current_thread(_: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns `None`: these systems have no cheap way to tell the current core.
#[inline]
pub(crate) fn current_core() -> Option<usize> {
    None
}
