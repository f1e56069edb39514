//! Prints the output of ranks, line by line.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Threads that read the output of ranks, if each line should have a prefix.
pub(super) struct Lines {
    readers: Option<Mutex<Vec<JoinHandle<()>>>>,
}

impl Lines {
    pub(super) fn new(prefix: bool) -> Lines {
        Lines { readers: prefix.then(Mutex::default) }
    }

    pub(super) fn are_prefixed(&self) -> bool {
        self.readers.is_some()
    }

    /// Reads the output of a process that was just started.
    pub(super) fn read(&self, rank: usize, child: &mut Child) {
        let Some(readers) = &self.readers else { return };
        let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(output) = child.stdout.take() {
            readers.push(thread::spawn(move || copy(rank, output, io::stdout)));
        }
        if let Some(errors) = child.stderr.take() {
            readers.push(thread::spawn(move || copy(rank, errors, io::stderr)));
        }
    }

    /// Waits until all output is printed.
    pub(super) fn finish(self) {
        let readers =
            self.readers.map(|readers| readers.into_inner().unwrap_or_else(PoisonError::into_inner));
        for reader in readers.into_iter().flatten() {
            // The thread has no result, and an error while printing cannot be reported.
            let _ = reader.join();
        }
    }
}

/// Prints each line as a whole, even if it is not UTF-8 or has no line break.
fn copy<W: Write>(rank: usize, from: impl Read, to: impl Fn() -> W) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        let whole = [format!("[{rank}] ").as_bytes(), &line].concat();
        if to().write_all(&whole).is_err() {
            return;
        }
        line.clear();
    }
}
