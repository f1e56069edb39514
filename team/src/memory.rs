//! The memory of a team: the words that ranks share, and records of finished work.
//!
//! It is a file without a name, which every rank inherits and maps as a whole. The file is sparse:
//! it uses only the pages that were written. Its size is sealed, so nobody can truncate it.
//!
//! A *ledger* is the same in a file of the user. The finished work is available when a team is
//! started with it again.
//!
//! # Layout
//!
//! | from | what | size |
//! |---|---|---|
//! | 0 | [`TeamWords`] | a page |
//! | [`RANKS`] | [`RankWords`] for each rank | |
//! | [`ENDS`] | how each incarnation of a rank ended | one word each |
//! | [`CALLS`] | [`Call`] for each call | one line each |
//! | [`ARENA`] | what was [allocated](Memory::allocate): words of calls, records | |
//!
//! All words are 0 at first.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use memmap2::{Advice, MmapOptions, MmapRaw};

use crate::error::TeamError;
use crate::protocol::claims::Claims;
use crate::sync::{AtomicU64, Ordering};

/// The largest number of ranks.
pub(crate) const MOST_RANKS: usize = 256;
/// The largest number of calls in a team.
pub(crate) const MOST_CALLS: u64 = 1 << 20;
/// The largest number of processes over time, of all ranks together.
const MOST_INCARNATIONS: u64 = 1 << 24;

const RANKS: u64 = 1 << 12;
const ENDS: u64 = RANKS + (MOST_RANKS as u64) * 64;
const CALLS: u64 = ENDS + MOST_INCARNATIONS * 8;
const ARENA: u64 = CALLS + MOST_CALLS * 64;
/// The size in bytes. Records are addressed by 40 bits.
const SIZE: u64 = 1 << 38;
/// The version of a ledger. Change it with the layout of anything in this file.
const FORM: u64 = u64::from_le_bytes(*b"taskel 1");

/// The words of the team.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct TeamWords {
    /// How much of the arena is used.
    used: AtomicU64,
    /// How many processes have had a rank.
    pub(crate) incarnations: AtomicU64,
    /// How many of them have died and were taken over.
    pub(crate) deaths: AtomicU64,
    /// How often items became free: by deaths, by errors, and when ranks gave some back or were
    /// stopped.
    pub(crate) lapses: AtomicU64,
    /// How many items were claimed again.
    pub(crate) again: AtomicU64,
    /// How many calls there were.
    pub(crate) calls: AtomicU64,
    /// How many runs there were with this memory.
    pub(crate) runs: AtomicU64,
    /// The version of the ledger; 0 in memory that is not a ledger.
    form: AtomicU64,
    /// Hashes of the program that created the ledger, and of its arguments.
    pub(crate) program: AtomicU64,
    arguments: AtomicU64,
    /// How many items were given back, or taken from a stopped rank, before they had begun.
    pub(crate) given_back: AtomicU64,
    /// When a rank last asked for items of others, in milliseconds of the system's clock.
    pub(crate) asked_ms: AtomicU64,
}

/// What other ranks see of a rank. Hints, except for `call`, which is reliable for the holder of
/// its seat.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct RankWords {
    /// [`Status`].
    pub(crate) status: AtomicU64,
    /// Which of the team's processes has the rank, or had it last; from 1.
    pub(crate) incarnation: AtomicU64,
    /// The current call plus 1, or 0.
    pub(crate) call: AtomicU64,
    /// How many barriers and calls it has reached.
    pub(crate) reached: AtomicU64,
}

/// Whether others must wait for a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Status {
    /// Its process has not come yet.
    Expected = 0,
    Alive = 1,
    /// It has ended its part.
    Left = 2,
    /// It is dead, and will not be restarted.
    Gone = 3,
}

impl RankWords {
    pub(crate) fn is_waited_for(&self) -> bool {
        // Acquire: what a rank did before it left happens before the end of a barrier.
        let status = self.status.load(Ordering::Acquire);
        status != Status::Left as u64 && status != Status::Gone as u64
    }

    pub(crate) fn set_status(&self, status: Status) {
        // Release: pairs with `is_waited_for`.
        self.status.store(status as u64, Ordering::Release);
    }
}

/// The words of a call, written and read under a lock.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Call {
    pub(crate) kind: AtomicU64,
    pub(crate) start: AtomicU64,
    pub(crate) items: AtomicU64,
    /// A hash of the result type.
    pub(crate) results: AtomicU64,
    /// Where the words of its items are.
    pub(crate) place: AtomicU64,
    /// Where the words of its lanes are.
    pub(crate) lanes: AtomicU64,
    /// The run of the team that these lanes belong to.
    pub(crate) run: AtomicU64,
}

/// A type made of words that may have any value, at any time.
///
/// # Safety
/// The type is `repr(C)`, consists of atomic words, and needs no larger alignment than a line.
pub(crate) unsafe trait Words {}

// SAFETY: a word.
unsafe impl Words for AtomicU64 {}
// SAFETY: words.
unsafe impl Words for TeamWords {}
// SAFETY: words.
unsafe impl Words for RankWords {}
// SAFETY: words.
unsafe impl Words for Call {}
// SAFETY: words.
unsafe impl Words for crate::protocol::claims::Lane {}

/// The mapped memory.
#[derive(Debug)]
pub(crate) struct Memory {
    map: MmapRaw,
    file: File,
}

impl Memory {
    pub(crate) fn create() -> Result<Memory, TeamError> {
        let file = memfd().map_err(TeamError::io("make a team's memory"))?;
        file.set_len(SIZE).map_err(TeamError::io("make a team's memory"))?;
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        // SAFETY: a descriptor of our own, and numbers.
        if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } != 0 {
            return Err(TeamError::io("seal a team's memory")(io::Error::last_os_error()));
        }
        let memory = Memory::map(file)?;
        memory.begin_run();
        Ok(memory)
    }

    /// Opens the ledger in a file, for a new run of the team. `arguments` is a hash of the
    /// program's arguments.
    pub(crate) fn ledger(path: &Path, arguments: u64) -> Result<Memory, TeamError> {
        let wrong = |reason| TeamError::Ledger { path: path.to_owned(), reason };
        let io = || TeamError::io("open the ledger");
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
        let file = options.open(path).map_err(io())?;
        // SAFETY: a descriptor of our own. The lock is the file's as long as any rank has it open.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
            return Err(wrong("a team has it open"));
        }
        let about = file.metadata().map_err(io())?;
        let is_new = about.is_file() && about.len() == 0;
        if is_new {
            file.set_len(SIZE).map_err(TeamError::io("make the ledger"))?;
        } else if !about.is_file() || about.len() != SIZE {
            return Err(wrong("it is not a ledger of this version"));
        }
        let memory = Memory::map(file)?;
        let words = memory.team();
        if words.form.load(Ordering::Relaxed) == 0 && memory.is_unused() {
            words.arguments.store(arguments, Ordering::Relaxed);
            words.form.store(FORM, Ordering::Relaxed);
        }
        if words.form.load(Ordering::Relaxed) != FORM {
            return Err(wrong("it is not a ledger of this version"));
        }
        if words.arguments.load(Ordering::Relaxed) != arguments {
            return Err(wrong("it was begun with other arguments"));
        }
        memory.begin_run();
        Ok(memory)
    }

    /// Returns whether it is a ledger.
    pub(crate) fn is_kept(&self) -> bool {
        self.team().form.load(Ordering::Relaxed) == FORM
    }

    fn is_unused(&self) -> bool {
        self.team().used.load(Ordering::Relaxed) == 0
    }

    /// Resets ranks and claims. Lost items will be tried again.
    fn begin_run(&self) {
        let words = self.team();
        words.runs.fetch_add(1, Ordering::Relaxed);
        for rank in self.ranks() {
            let all = [&rank.status, &rank.incarnation, &rank.call, &rank.reached];
            all.into_iter().for_each(|word| word.store(0, Ordering::Relaxed));
        }
        // Acquire: pairs with `calls::begin`.
        for number in 0..words.calls.load(Ordering::Acquire) {
            let call = self.call(number);
            let items = call.items.load(Ordering::Relaxed) as usize;
            Claims::forget_losses(self.words(call.place.load(Ordering::Relaxed) + 64, items));
            // Items that were claimed and not done are free.
            words.lapses.store(1, Ordering::Relaxed);
        }
    }

    /// Opens the memory of a descriptor. Returns `None` if the descriptor is something else.
    pub(crate) fn open(descriptor: OwnedFd) -> Result<Option<Memory>, TeamError> {
        let file = File::from(descriptor);
        // SAFETY: a descriptor of our own.
        let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
        let len = file.metadata().map_err(TeamError::io("examine a team's memory"))?.len();
        if len != SIZE {
            return Ok(None);
        }
        let is_sealed = seals >= 0 && seals & libc::F_SEAL_SHRINK != 0;
        let memory = Memory::map(file)?;
        let is_memory = is_sealed || memory.team().form.load(Ordering::Relaxed) == FORM;
        Ok(is_memory.then_some(memory))
    }

    fn map(file: File) -> Result<Memory, TeamError> {
        let map = MmapOptions::new().len(SIZE as usize).map_raw(&file);
        let map = map.map_err(TeamError::io("map a team's memory"))?;
        // Otherwise, a crashing rank would search for pages to dump for minutes.
        map.advise(Advice::DontDump).map_err(TeamError::io("keep a team's memory out of dumps"))?;
        Ok(Memory { map, file })
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Returns `count` consecutive words from `place` on.
    ///
    /// # Panics
    /// Panics if they are outside the memory or misaligned.
    pub(crate) fn words<T: Words>(&self, place: u64, count: usize) -> &[T] {
        let bytes = (count as u64).checked_mul(size_of::<T>() as u64);
        let end = bytes.and_then(|bytes| place.checked_add(bytes));
        assert!(end.is_some_and(|end| end <= SIZE), "words outside the team's memory");
        assert_eq!(place % align_of::<T>() as u64, 0, "misaligned words");
        let first = self.map.as_ptr().wrapping_add(place as usize).cast::<T>();
        // SAFETY: the range lies in the mapping, which is aligned to a page, by the assertions, and
        // stays while `self` is borrowed; it is as long as the sealed file. What lies there may be
        // any bytes, and is changed by atomic instructions alone (`Words`, and `write`, which says
        // who else may write).
        unsafe { std::slice::from_raw_parts(first, count) }
    }

    pub(crate) fn team(&self) -> &TeamWords {
        &self.words(0, 1)[0]
    }

    pub(crate) fn ranks(&self) -> &[RankWords] {
        self.words(RANKS, MOST_RANKS)
    }

    /// How the process of this incarnation ended: 0 if unknown, otherwise 1 + its wait status.
    pub(crate) fn end_of(&self, incarnation: u64) -> &AtomicU64 {
        &self.words(ENDS + incarnation.min(MOST_INCARNATIONS - 1) * 8, 1)[0]
    }

    pub(crate) fn call(&self, number: u64) -> &Call {
        &self.words(CALLS + number.min(MOST_CALLS - 1) * 64, 1)[0]
    }

    /// Allocates bytes in the arena, at the start of a line. No other caller gets them.
    pub(crate) fn allocate(&self, bytes: u64) -> Result<u64, TeamError> {
        let full = |found| TeamError::TooMany { what: "bytes of results", most: SIZE - ARENA, found };
        let whole = bytes.checked_next_multiple_of(64).filter(|&whole| whole < SIZE).ok_or(full(bytes))?;
        let used = self.team().used.fetch_add(whole, Ordering::Relaxed);
        let end = used.saturating_add(whole);
        if end > SIZE - ARENA { Err(full(end)) } else { Ok(ARENA + used) }
    }

    /// Writes bytes to a place that nobody reads yet.
    ///
    /// # Safety
    /// The caller has allocated the whole place for records, and has told nobody where it is.
    pub(crate) unsafe fn write(&self, place: u64, bytes: &[u8]) {
        assert!(place >= ARENA && place + bytes.len() as u64 <= SIZE, "a record outside the team's memory");
        let to = self.map.as_mut_ptr().wrapping_add(place as usize);
        // SAFETY: it lies in the mapping, by the assertion; nobody else reads or writes there, as
        // this function demands.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Reads bytes that nobody writes any more.
    ///
    /// # Safety
    /// They were written before their place was told, and the caller has been told it.
    pub(crate) unsafe fn read(&self, place: u64, len: u64) -> &[u8] {
        let end = place.checked_add(len);
        assert!(place >= ARENA && end.is_some_and(|end| end <= SIZE), "a record outside the team's memory");
        let from = self.map.as_ptr().wrapping_add(place as usize);
        // SAFETY: it lies in the mapping, by the assertion, which stays while `self` is borrowed;
        // nobody writes there any more, as this function demands.
        unsafe { std::slice::from_raw_parts(from, len as usize) }
    }
}

fn memfd() -> io::Result<File> {
    // SAFETY: a string with its end, and flags.
    let descriptor =
        unsafe { libc::memfd_create(c"taskel-team".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that was just made, and that nobody else has.
    Ok(unsafe { File::from(OwnedFd::from_raw_fd(descriptor)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri maps no files")]
    fn what_was_written_is_read_and_pieces_do_not_overlap() {
        let memory = Memory::create().unwrap();
        let (first, second) = (memory.allocate(3).unwrap(), memory.allocate(100).unwrap());
        assert_eq!((first % 64, second - first), (0, 64));
        // SAFETY: just allocated.
        unsafe { memory.write(first, b"one") };
        // SAFETY: written above, by this thread.
        assert_eq!(unsafe { memory.read(first, 3) }, b"one");
        let again = Memory::open(memory.descriptor().try_clone_to_owned().unwrap()).unwrap().unwrap();
        // SAFETY: as above.
        assert_eq!(unsafe { again.read(first, 3) }, b"one");
        assert!(matches!(memory.allocate(SIZE), Err(TeamError::TooMany { .. })));
        assert!(matches!(memory.allocate(u64::MAX), Err(TeamError::TooMany { .. })));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no such files")]
    fn other_files_are_refused() {
        let file = File::open("/proc/self/exe").unwrap();
        assert!(Memory::open(file.into()).unwrap().is_none());
    }
}
