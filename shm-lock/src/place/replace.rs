//! Replaces a refused file. Two processes never use different files under one name.
//!
//! A user of a file holds a shared lock on it (`flock`), from before its content is examined until
//! it is unmapped. A process that replaces the file takes an exclusive lock on the old file, which
//! it gets only if nobody uses it. With this lock it checks that the name still leads to that file,
//! and that the file is still refused. Then it puts the new file in its place in one step. A
//! process that waited for the same lock, or that opened the old file meanwhile, finds that the
//! name leads to another file, and starts again.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::create::Hidden;
use super::open::{self, io_error};
use crate::error::OpenError;
use crate::header::Header;
use crate::sys;

/// How long to wait for processes that have the old file open for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes the shared lock. Until `file` is closed, others can also open it, and no process can
/// replace it. Returns false if a process is replacing it.
pub(super) fn share(file: &File) -> bool {
    // On a file system without such locks, nobody can get the exclusive one, either.
    !matches!(sys::lock_file(file, false), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// Returns whether a file that was refused for this reason may be replaced.
pub(super) fn is_replaceable(refusal: &OpenError) -> bool {
    matches!(refusal, OpenError::Stale { .. } | OpenError::Damaged { .. } | OpenError::Mismatch { .. })
}

/// Returns whether no process can ever use the file again, whatever it contains.
#[cfg(feature = "untyped")]
pub(super) fn is_stale(refusal: &OpenError) -> bool {
    matches!(refusal, OpenError::Stale { .. })
}

/// Replaces the file at `path` with `new`. The file was refused because it does not hold what
/// `header` returns for it. Returns this refusal if a process uses the file. Returns false if
/// another process has replaced it meanwhile.
pub(super) fn replace(
    path: &Path,
    new: &Hidden,
    header: impl Fn(&File) -> Result<Header, OpenError>,
    may_replace: impl Fn(&OpenError) -> bool,
) -> Result<bool, OpenError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let old = match open::open(path) {
            Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(false);
            }
            old => old?,
        };
        let locked = match sys::lock_file(&old, true) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            outcome => outcome.map(|()| true).map_err(io_error(path, "lock"))?,
        };
        if locked && !open::leads_to(path, &old).map_err(io_error(path, "examine"))? {
            return Ok(false);
        }
        match header(&old).and_then(|expected| open::examine(&old, path, &expected)) {
            // Another process has replaced it, and may have closed it again.
            Ok(_) => return Ok(false),
            Err(refusal) if !may_replace(&refusal) => return Err(refusal),
            Err(_) if locked => {
                return new.publish_over(path).map(|()| true).map_err(io_error(path, "replace"));
            }
            Err(refusal) if Instant::now() >= deadline => return Err(refusal),
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}
