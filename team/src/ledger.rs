//! The finished work of a team, in files that outlive it.
//!
//! A ledger is a folder. Each process appends to a file of its own, so no process waits for
//! another. A process that is killed while it writes damages only the end of its own file. A later
//! run reads all files, and begins new ones.
//!
//! # Files
//!
//! A header of three words: [`FORM`], the hash of the program, the hash of its arguments. Then
//! records of six words each, followed by their bytes.
//!
//! | word | of a record |
//! |---|---|
//! | 0 | the number of the call |
//! | 1 | a hash of the call's signature |
//! | 2, 3 | the first item, and the number of items |
//! | 4 | the number of bytes that follow |
//! | 5 | a hash of these words and bytes |

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use twox_hash::XxHash64;

use crate::error::TeamError;

/// The version of the file format. Change it with the format.
const FORM: u64 = u64::from_le_bytes(*b"taskel L");
const HEAD: usize = 3 * 8;
const WORDS: usize = 6;
/// How many files a rank may have, over all runs.
const MOST_FILES: usize = 1 << 20;

/// A run of finished items and their results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) start: u64,
    pub(crate) len: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Where a record of an earlier run is.
struct Known {
    signature: u64,
    start: u64,
    len: u64,
    file: usize,
    /// The offset of its words.
    at: u64,
    bytes: u64,
}

/// An open ledger.
pub(crate) struct Ledger {
    path: PathBuf,
    own: Mutex<File>,
    files: Vec<File>,
    /// The records of each call.
    known: HashMap<u64, Vec<Known>>,
}

impl Ledger {
    /// `program` and `arguments` are hashes of what runs. A process that does not `read` ignores
    /// earlier runs.
    pub(crate) fn open(
        path: &Path,
        rank: usize,
        (program, arguments): (u64, u64),
        reads: bool,
    ) -> Result<Ledger, TeamError> {
        let io = || TeamError::io("open the ledger");
        if path.exists() && !path.is_dir() {
            return Err(wrong(path, "it is not a folder"));
        }
        fs::create_dir_all(path).map_err(io())?;
        let head = [FORM, program, arguments];
        let (mut files, mut known) = (Vec::new(), HashMap::new());
        if reads {
            for entry in fs::read_dir(path).map_err(io())? {
                let file = File::open(entry.map_err(io())?.path()).map_err(io())?;
                read_head(&file, head).map_err(io())?.map_err(|reason| wrong(path, reason))?;
                index(&file, files.len(), &mut known).map_err(io())?;
                files.push(file);
            }
        }
        let mut own = new_file(path, rank).map_err(io())?;
        own.write_all(&bytes_of(&head)).map_err(io())?;
        Ok(Ledger { path: path.to_owned(), own: Mutex::new(own), files, known })
    }

    /// Records that items are done.
    pub(crate) fn append(&self, call: u64, signature: u64, part: &Part) -> Result<(), TeamError> {
        let words = [call, signature, part.start, part.len, part.bytes.len() as u64];
        let mut record = bytes_of(&words);
        let hash = hash_of(&record, &part.bytes);
        record.extend(hash.to_le_bytes());
        record.extend(&part.bytes);
        // In a single write, because threads share the file.
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.write_all(&record).map_err(TeamError::io("write to the ledger"))
    }

    /// Passes on what earlier runs have done of a call, each item once.
    pub(crate) fn done(
        &self,
        call: u64,
        signature: u64,
        see: &mut dyn FnMut(Part) -> Result<(), TeamError>,
    ) -> Result<(), TeamError> {
        let Some(known) = self.known.get(&call) else { return Ok(()) };
        if known.iter().any(|known| known.signature != signature) {
            return Err(wrong(&self.path, "it was begun with other calls"));
        }
        let mut known: Vec<&Known> = known.iter().collect();
        known.sort_unstable_by_key(|known| known.start);
        let mut next = 0;
        // Records overlap if an item was done twice.
        for known in known {
            if known.start < next {
                continue;
            }
            if let Some(part) = self.read(known).map_err(TeamError::io("read the ledger"))? {
                next = part.start + part.len;
                see(part)?;
            }
        }
        Ok(())
    }

    /// Reads a record. Returns `None` if the file has changed since it was written.
    fn read(&self, known: &Known) -> io::Result<Option<Part>> {
        let mut record = vec![0; WORDS * 8 + known.bytes as usize];
        self.files[known.file].read_exact_at(&mut record, known.at)?;
        let (words, bytes) = record.split_at(WORDS * 8);
        let (words, hash) = words.split_at((WORDS - 1) * 8);
        let is_whole = hash == hash_of(words, bytes).to_le_bytes();
        Ok(is_whole.then(|| Part { start: known.start, len: known.len, bytes: bytes.to_vec() }))
    }
}

fn wrong(path: &Path, reason: &'static str) -> TeamError {
    TeamError::Ledger { path: path.to_owned(), reason }
}

fn bytes_of(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn words_of<const N: usize>(bytes: &[u8]) -> [u64; N] {
    std::array::from_fn(|i| {
        let word = bytes[8 * i..].first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(word)
    })
}

fn hash_of(words: &[u8], bytes: &[u8]) -> u64 {
    XxHash64::oneshot(XxHash64::oneshot(0, words), bytes)
}

/// Creates a file that no process has used.
fn new_file(path: &Path, rank: usize) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true).mode(0o600);
    for number in 0..MOST_FILES {
        match options.open(path.join(format!("{rank}.{number}"))) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            outcome => return outcome,
        }
    }
    Err(io::Error::other("the rank already has too many files there"))
}

/// Checks the header of a file. A file whose process was killed before it wrote anything is valid.
fn read_head(file: &File, expected: [u64; 3]) -> io::Result<Result<(), &'static str>> {
    let mut head = [0; HEAD];
    if file.metadata()?.len() < HEAD as u64 {
        return Ok(Ok(()));
    }
    file.read_exact_at(&mut head, 0)?;
    let [form, program, arguments] = words_of(&head);
    Ok(match expected {
        [expected, ..] if form != expected => Err("it has a file of another kind or version"),
        [_, expected, _] if program != expected => Err("it was begun by another program"),
        [.., expected] if arguments != expected => Err("it was begun with other arguments"),
        _ => Ok(()),
    })
}

/// Indexes the records of a file.
fn index(file: &File, number: usize, known: &mut HashMap<u64, Vec<Known>>) -> io::Result<()> {
    let len = file.metadata()?.len();
    let mut at = HEAD as u64;
    let mut words = [0; WORDS * 8];
    while at + words.len() as u64 <= len {
        file.read_exact_at(&mut words, at)?;
        let [call, signature, start, items, bytes, _] = words_of(&words);
        let end = at.checked_add(words.len() as u64).and_then(|end| end.checked_add(bytes));
        // The incomplete end of a file whose process was killed.
        let Some(end) = end.filter(|&end| end <= len) else { break };
        known.entry(call).or_default().push(Known { signature, start, len: items, file: number, at, bytes });
        at = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: u64, len: u64) -> Part {
        Part { start, len, bytes: vec![start as u8; len as usize] }
    }

    fn done(ledger: &Ledger, call: u64) -> Vec<Part> {
        let mut all = Vec::new();
        ledger
            .done(call, 7, &mut |part| {
                all.push(part);
                Ok(())
            })
            .unwrap();
        all
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no such files")]
    fn a_later_run_knows_what_was_done_once_each() {
        let path = std::env::temp_dir().join(format!("taskel-ledger-{}", std::process::id()));
        let open = |rank, reads| Ledger::open(&path, rank, (1, 2), reads);
        let first = open(0, true).unwrap();
        let other = open(1, false).unwrap();
        first.append(0, 7, &part(4, 2)).unwrap();
        other.append(0, 7, &part(0, 3)).unwrap();
        other.append(3, 7, &part(0, 1)).unwrap();
        // Done twice, by two processes that did not know of each other.
        first.append(0, 7, &part(2, 3)).unwrap();
        assert_eq!(done(&first, 0), []);

        // A process killed during a write.
        let torn = OpenOptions::new().append(true).open(path.join("1.0")).unwrap();
        other.append(0, 7, &part(9, 5)).unwrap();
        torn.set_len(torn.metadata().unwrap().len() - 1).unwrap();
        // A part was overwritten.
        first.append(0, 7, &part(20, 5)).unwrap();
        let spoilt = OpenOptions::new().write(true).open(path.join("0.0")).unwrap();
        spoilt.write_all_at(b"?", spoilt.metadata().unwrap().len() - 1).unwrap();

        let second = open(0, true).unwrap();
        assert_eq!(done(&second, 0), [part(0, 3), part(4, 2)]);
        assert_eq!(done(&second, 3), [part(0, 1)]);
        assert_eq!(done(&second, 1), []);
        assert!(matches!(second.done(0, 8, &mut |_| Ok(())), Err(TeamError::Ledger { .. })));

        let reason = |program, arguments| match Ledger::open(&path, 0, (program, arguments), true) {
            Err(TeamError::Ledger { reason, .. }) => reason,
            _ => panic!("it was opened"),
        };
        assert_eq!(reason(3, 2), "it was begun by another program");
        assert_eq!(reason(1, 3), "it was begun with other arguments");
        fs::write(path.join("note"), "a foreign file in this folder").unwrap();
        assert_eq!(reason(1, 2), "it has a file of another kind or version");
        let note = Ledger::open(&path.join("note"), 0, (1, 2), true).err().unwrap();
        assert!(note.to_string().contains("it is not a folder"), "{note}");
        fs::remove_dir_all(&path).unwrap();
    }
}
