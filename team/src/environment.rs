//! How a process finds the team that it belongs to.

use std::env;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use shm_lock::{OpenError, ShmRegion};

use crate::control::Control;
use crate::error::TeamError;
use crate::memory::Memory;
use crate::seats::Shared;

/// `LOCKS:MEMORY:RANK`, two descriptors and a number.
pub(crate) const VARIABLE: &str = "TASKEL_TEAM";

/// What a launcher of MPI tells the processes that it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MpiRun {
    pub(crate) variable: &'static str,
    /// The number of processes, if the launcher says so.
    pub(crate) ranks: Option<usize>,
}

/// The variables of Open MPI, of MPICH and compatible launchers, and of launchers with PMIx.
const MPI_VARIABLES: [(&str, bool); 3] =
    [("OMPI_COMM_WORLD_SIZE", true), ("PMI_SIZE", true), ("PMIX_RANK", false)];

/// Returns whether a launcher of MPI has started this process.
pub(crate) fn mpi_run() -> Option<MpiRun> {
    mpi_run_of(|variable| env::var(variable).ok())
}

fn mpi_run_of(variable: impl Fn(&str) -> Option<String>) -> Option<MpiRun> {
    MPI_VARIABLES.iter().find_map(|&(name, is_size)| {
        let text = variable(name)?;
        Some(MpiRun { variable: name, ranks: text.parse().ok().filter(|_| is_size) })
    })
}

/// Returns the team that this process was started for, and its rank there, or `None`.
pub(crate) fn inherited() -> Result<Option<(Shared, usize)>, TeamError> {
    let Some(told) = env::var_os(VARIABLE) else { return Ok(None) };
    let told = told.to_string_lossy().into_owned();
    let wrong = |reason| TeamError::Environment { found: told.clone(), reason };
    let numbers: Vec<u32> = told.split(':').filter_map(|number| number.parse().ok()).collect();
    let [locks, memory, rank] = numbers[..] else { return Err(wrong("it is not three numbers")) };
    let locks = keep(locks as RawFd).ok_or(wrong("the first file is not open"))?;
    let memory = keep(memory as RawFd).ok_or(wrong("the second file is not open"))?;
    let locks = ShmRegion::<Control>::from_fd(locks).map_err(|error| match error {
        OpenError::Io { .. } | OpenError::Untrusted { .. } => wrong("the first file is of no team"),
        error => error.into(),
    })?;
    let memory = Memory::open(memory)?.ok_or(wrong("the second file is of no team"))?;
    let rank = rank as usize;
    if rank as u64 >= locks.settings().ranks {
        return Err(wrong("the team has fewer ranks"));
    }
    let fences = locks.settings().fences().of_process();
    Ok(Some((Shared { memory: memory.into(), locks: locks.into(), fences }, rank)))
}

/// Duplicates an inherited descriptor. Programs that this process starts do not inherit the
/// duplicate.
fn keep(descriptor: RawFd) -> Option<OwnedFd> {
    // SAFETY: any number will do.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
    if flags < 0 {
        return None;
    }
    // SAFETY: the descriptor is open, by the look above, and this process was started to have it: it
    // is closed nowhere.
    let inherited = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let own = inherited.try_clone_to_owned().ok()?;
    // SAFETY: as above.
    unsafe { libc::fcntl(descriptor, libc::F_SETFD, flags | libc::FD_CLOEXEC) };
    Some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_of_mpi_are_known_by_their_variables() {
        let of = |name: &'static str, text: &'static str| {
            mpi_run_of(|variable| (variable == name).then(|| text.to_owned()))
        };
        assert_eq!(of("HOME", "4"), None);
        let open_mpi = MpiRun { variable: "OMPI_COMM_WORLD_SIZE", ranks: Some(4) };
        assert_eq!(of("OMPI_COMM_WORLD_SIZE", "4"), Some(open_mpi));
        assert_eq!(of("PMI_SIZE", "2"), Some(MpiRun { variable: "PMI_SIZE", ranks: Some(2) }));
        assert_eq!(of("PMIX_RANK", "3"), Some(MpiRun { variable: "PMIX_RANK", ranks: None }));
    }
}
