//! A lock that is named on the command line, and how it is taken.
//!
//! # The record of a run
//!
//! The lock belongs to the process `shm-lock`, and its command runs in another one. If the first is
//! killed, the kernel gives the lock on and then kills the second, unless that one has put itself
//! beyond its reach (setuid programs do). So that never two run at a time, a lock that this command
//! has made holds a [record](Record), one word, of the process in which a command runs:
//!
//! * Before it executes the command, that process puts itself into the record, and then looks
//!   whether the lock still belongs to its parent; if not, it ends.
//! * Who has got the lock looks at the record, and waits until the process that is in it has ended.
//!
//! Both do the second thing after the first (a fence between them), so at least one sees the other.
//! A process that puts itself into the record too late finds one there that lives, or ends at its
//! second step; who finds one of these there waits until it has ended.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

use shm_lock::untyped::{UntypedMutex, ValueType};
use shm_lock::{LockError, OpenError, RecoverGuard, ShmMutexGuard};

use crate::arguments::Deadline;
use crate::failure::Failure;
use crate::process::Process;

/// What a lock protects that this command makes, as `derive(ShmPod)` describes it.
const RECORD: &str = "ShmLockRun{command@0: u32, started@4: u32}";
const RECORD_SIZE: usize = 8;

/// After what time to look whether a dead holder's command is gone: first, and at most.
const LOOK: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(64)];

/// What the command line calls a lock.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Bare(String),
    Path(PathBuf),
}

impl Name {
    pub(crate) fn new(name: OsString) -> Result<Name, &'static str> {
        if name.is_empty() {
            return Err("expected the name or the path of a lock, found nothing");
        }
        if name.as_bytes().contains(&b'/') {
            return Ok(Name::Path(name.into()));
        }
        let told = "expected a name in UTF-8, or a path, found other bytes; put ./ before it for a file in this directory";
        name.into_string().map(Name::Bare).map_err(|_| told)
    }

    /// The lock that is there.
    pub(crate) fn open(&self) -> Result<UntypedMutex, OpenError> {
        match self {
            Name::Bare(name) => UntypedMutex::open_found(name),
            Name::Path(path) => UntypedMutex::open_found(path),
        }
    }

    /// The lock that is there; a new one if there is none, or none of this boot.
    pub(crate) fn open_or_create(&self) -> Result<UntypedMutex, OpenError> {
        let record = ValueType::new(RECORD, RECORD_SIZE, 4).expect("two numbers");
        match self {
            Name::Bare(name) => UntypedMutex::open_found_or_create(name, record),
            Name::Path(path) => UntypedMutex::open_found_or_create(path, record),
        }
    }
}

/// A lock that this process has.
pub(crate) enum Taken<'a> {
    Whole(ShmMutexGuard<'a, [u8; 24]>),
    /// Whoever had it before died or gave up halfway.
    Torn(RecoverGuard<'a, [u8; 24]>, Cause),
}

/// Why a lock is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    OwnerDied,
    Poisoned,
}

impl Cause {
    /// For `SHM_LOCK_ABANDONED`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Cause::OwnerDied => "owner-died",
            Cause::Poisoned => "poisoned",
        }
    }

    pub(crate) fn told(self) -> &'static str {
        match self {
            Cause::OwnerDied => "its last holder died",
            Cause::Poisoned => "what it protects was left torn",
        }
    }
}

/// Takes the lock, under which nothing runs any more; `None` if it was not to be had in time.
pub(crate) fn take(lock: &UntypedMutex, deadline: Deadline) -> Result<Option<Taken<'_>>, Failure> {
    let head = lock.head();
    let outcome = match deadline {
        Deadline::Now => head.try_lock(),
        Deadline::At(time) => head.lock_deadline(time),
        Deadline::Never => head.lock(),
    };
    let taken = match outcome {
        Ok(guard) => Taken::Whole(guard),
        Err(LockError::OwnerDied(guard)) => Taken::Torn(guard, Cause::OwnerDied),
        Err(LockError::Poisoned(guard)) => Taken::Torn(guard, Cause::Poisoned),
        Err(LockError::WouldBlock | LockError::TimedOut) => return Ok(None),
        Err(other) => return Err(other.into_reason().into()),
    };
    // SeqCst: the lock is this process's before it looks at the record; pairs with `enter`.
    fence(Ordering::SeqCst);
    // There is none but that of a dead holder.
    let command = Record::of(lock).and_then(Record::read);
    let [mut look, longest] = LOOK;
    while command.is_some_and(Process::is_alive) {
        if deadline.is_over() {
            return Ok(None);
        }
        std::thread::sleep(look);
        look = (2 * look).min(longest);
    }
    Ok(Some(taken))
}

/// Where a lock that this command has made says what runs under it.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a>(&'a AtomicU64);

impl<'a> Record<'a> {
    pub(crate) fn of(lock: &'a UntypedMutex) -> Option<Record<'a>> {
        let word: NonNull<u64> = lock.value().filter(|_| is_ours(lock))?.cast();
        // SAFETY: eight bytes at offset 40 of what is aligned to 64, mapped as long as the lock is
        // borrowed, and accessed by atomic instructions alone.
        Some(Record(unsafe { AtomicU64::from_ptr(word.as_ptr()) }))
    }

    /// The process in which a command runs, or ran when its holder died.
    pub(crate) fn read(self) -> Option<Process> {
        let word = self.0.load(Ordering::Relaxed).to_ne_bytes();
        let half = |at: usize| u32::from_ne_bytes(word[at..at + 4].try_into().expect("four bytes"));
        let process = Process { id: half(0), started: half(4) };
        (process.id != 0).then_some(process)
    }

    /// Nothing runs any more. By whoever has the lock.
    pub(crate) fn clear(self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Puts `process` in the place of `last`, if that is there.
    fn replace(self, last: Option<Process>, process: Process) -> bool {
        let word = |process: Option<Process>| {
            let Process { id, started } = process.unwrap_or(Process { id: 0, started: 0 });
            let mut word = [0; 8];
            word[..4].copy_from_slice(&id.to_ne_bytes());
            word[4..].copy_from_slice(&started.to_ne_bytes());
            u64::from_ne_bytes(word)
        };
        let (last, process) = (word(last), word(Some(process)));
        self.0.compare_exchange(last, process, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The calling process is about to execute a command for `holder`, which has the lock; false if
/// that is dead, and nothing may be executed.
pub(crate) fn enter(lock: &UntypedMutex, holder: u32) -> io::Result<bool> {
    let is_held = || lock.state().owner == Some(holder);
    let Some(record) = Record::of(lock) else { return Ok(is_held()) };
    let current = Process::current().ok_or(io::Error::other("cannot read /proc/self/stat"))?;
    while is_held() {
        match record.read() {
            // One that is too late, and is about to end.
            Some(other) if other.is_alive() => std::thread::sleep(LOOK[0]),
            last if record.replace(last, current) => break,
            _ => (),
        }
    }
    // SeqCst: the record is there before the look at the lock; pairs with `take`.
    fence(Ordering::SeqCst);
    Ok(is_held())
}

/// Whether this command has made the lock.
pub(crate) fn is_ours(lock: &UntypedMutex) -> bool {
    let value = lock.description().strip_prefix("RegionMutex<").and_then(|rest| rest.strip_suffix(">@40"));
    value == Some(RECORD)
}
