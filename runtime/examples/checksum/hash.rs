//! The sum of one file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What one worker needs to hash one file after the other, allocated once.
pub(crate) struct FileHasher {
    hasher: blake3::Hasher,
    buffer: Box<[u8]>,
}

impl FileHasher {
    pub(crate) fn new() -> Self {
        // Large enough for BLAKE3's widest vector code and for few system calls, small enough for a
        // core's own cache.
        const BUFFER_BYTES: usize = 128 * 1024;
        Self { hasher: blake3::Hasher::new(), buffer: vec![0; BUFFER_BYTES].into() }
    }

    /// Reads the file at `path` to its end.
    pub(crate) fn hash(&mut self, path: &Path) -> io::Result<blake3::Hash> {
        let mut file = File::open(path)?;
        self.hasher.reset(); // here, not at the end: a read error leaves half a file in it
        loop {
            match file.read(&mut self.buffer) {
                Ok(0) => return Ok(self.hasher.finalize()),
                Ok(n) => self.hasher.update(&self.buffer[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
        }
    }
}
