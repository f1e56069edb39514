//! Which program a process runs.

use std::fs::{File, Metadata};
use std::hash::Hasher;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use shm_lock::RegionMutex;
use twox_hash::XxHash64;

use crate::control::{Program, hold};
use crate::error::TeamError;
use crate::sync::{AtomicU64, Ordering};

/// Checks that this process runs the recorded program, or records its own if there is none.
///
/// Only the first rank reads the file. A rank that runs the same file need not. `ledger` has the
/// hash of an earlier run's program, or 0.
pub(crate) fn check(noted: &RegionMutex<Program>, ledger: &AtomicU64) -> Result<(), TeamError> {
    let (mut file, about) = own_file().map_err(TeamError::io("examine the program's file"))?;
    let mut noted = hold(noted)?;
    let same_file = Program { hash: noted.hash, ..identity(&about) };
    if noted.hash != 0 && *noted == same_file {
        return Ok(());
    }
    let hash = hash(&mut file).map_err(TeamError::io("read the program's file"))?;
    if noted.hash == 0 {
        let before = ledger.load(Ordering::Relaxed);
        if before != 0 && before != hash {
            return Err(TeamError::OtherProgram { expected: before, found: hash });
        }
        ledger.store(hash, Ordering::Relaxed);
        *noted = Program { hash, ..same_file };
    } else if noted.hash != hash {
        return Err(TeamError::OtherProgram { expected: noted.hash, found: hash });
    }
    Ok(())
}

/// Returns the hash of the program that this process runs.
pub(crate) fn own_hash() -> Result<u64, TeamError> {
    let (mut file, _) = own_file().map_err(TeamError::io("examine the program's file"))?;
    hash(&mut file).map_err(TeamError::io("read the program's file"))
}

/// Returns a hash of the program's arguments.
pub(crate) fn arguments_hash(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> u64 {
    hash_of(&format!("{:?}", arguments.into_iter().collect::<Vec<_>>()))
}

fn own_file() -> io::Result<(File, Metadata)> {
    let file = File::open("/proc/self/exe")?;
    let about = file.metadata()?;
    Ok((file, about))
}

fn identity(about: &Metadata) -> Program {
    let changed_ns = about.ctime().wrapping_mul(1_000_000_000).wrapping_add(about.ctime_nsec());
    Program {
        device: about.dev(),
        inode: about.ino(),
        size: about.size(),
        changed_ns: changed_ns as u64,
        hash: 0,
    }
}

/// Never returns 0.
fn hash(file: &mut impl Read) -> io::Result<u64> {
    let mut hasher = XxHash64::with_seed(0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish().max(1)),
            len => hasher.write(&buffer[..len]),
        }
    }
}

/// Returns a hash of a text, never 0.
pub(crate) fn hash_of(text: &str) -> u64 {
    XxHash64::oneshot(0, text.as_bytes()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        assert_eq!(hash(&mut &b"one"[..]).unwrap(), hash_of("one"));
        assert_ne!(hash_of("one"), hash_of("two"));
    }
}
