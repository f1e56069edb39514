//! A lock that is named on the command line, and how it is taken.
//!
//! # The record of a run
//!
//! The lock belongs to the process `shm-lock`, and its command runs in another one. If the first is killed, the kernel gives the lock on and then kills the second, unless that one
//! has put itself beyond its reach (setuid programs do). So that never two run at a time, a lock that this command has made holds a [record](Record)
//! of the command, which writes it before it begins; who gets the lock of a dead process waits until that command is gone.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shm_lock::untyped::{UntypedMutex, ValueType};
use shm_lock::{LockError, OpenError, RecoverGuard, ShmMutexGuard};

use crate::arguments::Deadline;
use crate::failure::Failure;
use crate::process::Process;

/// What a lock protects that this command makes, as `derive(ShmPod)` describes it.
const RECORD: &str = "ShmLockRun{command@0: u64, started@8: u64}";
const RECORD_SIZE: usize = 16;

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
        let record = ValueType::new(RECORD, RECORD_SIZE, 8).expect("two numbers");
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
pub(crate) struct Record<'a> {
    command: &'a AtomicU64,
    started: &'a AtomicU64,
}

impl<'a> Record<'a> {
    pub(crate) fn of(lock: &'a UntypedMutex) -> Option<Record<'a>> {
        let number = |at: usize| {
            let start: NonNull<u64> = lock.value().filter(|_| is_ours(lock))?.cast();
            // SAFETY: the lock's value is two numbers, which are mapped as long as it is borrowed.
            let number = unsafe { start.add(at) };
            // SAFETY: it is aligned to eight, and accessed by atomic instructions alone.
            Some(unsafe { AtomicU64::from_ptr(number.as_ptr()) })
        };
        Some(Record { command: number(0)?, started: number(1)? })
    }

    /// The command that runs, or the last one that ran if its holder died; a mixture of two for one who does not have the lock.
    pub(crate) fn read(self) -> Option<Process> {
        let process = Process {
            id: self.command.load(Ordering::Relaxed),
            started: self.started.load(Ordering::Relaxed),
        };
        (process.id != 0).then_some(process)
    }

    /// By whoever has the lock, or its child that nobody else knows yet.
    pub(crate) fn write(self, process: Option<Process>) {
        let Process { id, started } = process.unwrap_or(Process { id: 0, started: 0 });
        // A death between the two leaves a process that is not there.
        self.command.store(0, Ordering::Relaxed);
        self.started.store(started, Ordering::Relaxed);
        self.command.store(id, Ordering::Relaxed);
    }
}

/// Whether this command has made the lock.
pub(crate) fn is_ours(lock: &UntypedMutex) -> bool {
    let value = lock.description().strip_prefix("RegionMutex<").and_then(|rest| rest.strip_suffix(">@40"));
    value == Some(RECORD)
}
