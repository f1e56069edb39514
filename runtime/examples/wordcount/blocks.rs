//! Files, one after the other, in blocks that end between words.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use walkdir::{IntoIter, WalkDir};

/// A block has about this many bytes; more if it is all one word.
const BLOCK: usize = 64 << 10;

/// The blocks of all files below some paths.
pub(crate) struct Blocks {
    /// Back to front.
    paths: Vec<PathBuf>,
    walk: Option<IntoIter>,
    file: Option<Box<dyn Read + Send>>,
    /// The beginning of a word that goes on in the next block.
    rest: Vec<u8>,
}

impl Blocks {
    /// Standard input, if there is no path.
    pub(crate) fn of(mut paths: Vec<PathBuf>) -> Self {
        if paths.is_empty() {
            paths.push(PathBuf::from("-"));
        }
        paths.reverse();
        Blocks { paths, walk: None, file: None, rest: Vec::new() }
    }

    /// Opens the next file; false if there is none.
    fn open(&mut self) -> io::Result<bool> {
        loop {
            if let Some(entry) = self.walk.as_mut().and_then(Iterator::next) {
                let entry = entry?;
                if entry.file_type().is_file() {
                    self.file = Some(Box::new(File::open(entry.path())?));
                    return Ok(true);
                }
                continue;
            }
            match self.paths.pop() {
                None => return Ok(false),
                Some(path) if path.as_os_str() == "-" => {
                    self.file = Some(Box::new(io::stdin()));
                    return Ok(true);
                }
                Some(path) => self.walk = Some(WalkDir::new(path).into_iter()),
            }
        }
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut block = std::mem::take(&mut self.rest);
        loop {
            let Some(file) = &mut self.file else {
                if self.open()? {
                    continue;
                }
                return Ok((!block.is_empty()).then_some(block));
            };
            let read = file.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
            if read == 0 {
                self.file = None;
                // A word does not go on in another file.
                block.push(b'\n');
                return Ok(Some(block));
            }
            if let Some(end) = block.iter().rposition(|byte| !byte.is_ascii_alphabetic()) {
                self.rest = block.split_off(end + 1);
                return Ok(Some(block));
            }
        }
    }
}

impl Iterator for Blocks {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
