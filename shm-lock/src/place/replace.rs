//! Replaces a file that is refused, so that never two processes use different ones under one name.
//!
//! Who uses a file holds a shared lock on it (`flock`), from before its content is examined until
//! it is unmapped; who replaces one, an exclusive lock on the old file, which it gets only if
//! nobody uses that. With the lock in hand it looks whether the name still leads to that file, and
//! whether that is still refused, and then puts the new one in its place in one step. So one who
//! waited for the same lock, or has opened the old file meanwhile, finds that the name leads
//! elsewhere, and begins again.

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

/// How long to wait for those who have the old file open for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lets `file` be used together with others that open it, and be replaced by nobody, until it is
/// closed. False if somebody replaces it just now.
pub(super) fn share(file: &File) -> bool {
    // On a file system without such locks, nobody can get the exclusive one, either.
    !matches!(sys::lock_file(file, false), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// Whether a file that was refused so may be replaced.
pub(super) fn is_replaceable(refusal: &OpenError) -> bool {
    matches!(refusal, OpenError::Stale { .. } | OpenError::Damaged { .. } | OpenError::Mismatch { .. })
}

/// Whether nobody can ever use it again, whatever it holds.
#[cfg(feature = "untyped")]
pub(super) fn is_stale(refusal: &OpenError) -> bool {
    matches!(refusal, OpenError::Stale { .. })
}

/// Puts `new` in the place of the file at `path`, which was refused since it does not hold what
/// `header` says of it; the refusal if somebody uses that one. Whether it was replaced by this
/// caller: if not, another file may have its name by now.
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
            // Another one has replaced it, and may have closed it again.
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
