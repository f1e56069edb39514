//! Locks in shared memory, between processes, that survive the death of their owner at any
//! instruction.
//!
//! ```
//! use shm_lock::{LockError, ShmMutex};
//!
//! // In each process; the name stands for a file in /dev/shm that only this user can open.
//! let experiments = ShmMutex::open_or_create("doc-experiments", || 0_u64)?;
//! match experiments.lock() {
//!     Ok(mut count) => *count += 1,
//!     // Its last owner was killed in the middle: look at the value, repair it, and go on.
//!     Err(LockError::OwnerDied(count)) => *count.mark_consistent() += 1,
//!     Err(error) => panic!("{error}"),
//! }
//! # ShmMutex::<u64>::unlink("doc-experiments").unwrap();
//! # Ok::<(), shm_lock::OpenError>(())
//! ```
//!
//! # Which tool for which job
//!
//! | type | for |
//! |---|---|
//! | [`ShmMutex`] | one value and its lock in a file, a name or a descriptor of its own |
//! | [`ShmRegion`], [`region!`] | several locks and values in one |
//! | [`ShmRwLock`] | the same for many readers or one writer |
//! | [`RegionMutex`], [`RegionRwLock`], [`ShmCondvar`], [`ShmSemaphore`], [`ShmBarrier`], [`ShmOnce`], [`ShmOnceLock`] | what lies in a region |
//! | [`ShmPod`] | what a lock may protect |
//! | `untyped` (feature) | a mutex whose value's type is known when the program runs, for tools and other languages |
//!
//! How they are used together with a pool of threads is a chapter of [taskel's
//! guide](https://docs.rs/taskel/latest/taskel/guide/processes/index.html).
//!
//! # What each failure gets
//!
//! | failure | answer |
//! |---|---|
//! | the owner is killed, its thread ends, it calls `exec` | [`LockError::OwnerDied`] for exactly one locker, which may be one that sleeps |
//! | a panic under the guard | [`LockError::Poisoned`] |
//! | a [`RecoverGuard`] is dropped unmarked | the next one is told `Poisoned` |
//! | … is [abandoned](RecoverGuard::abandon) | [`LockError::NotRecoverable`] for all |
//! | the owner dies just after a panic, or with the value already given back as torn | `Poisoned` |
//! | one who is recovering dies | `OwnerDied` again |
//! | a thread takes a lock that it has | [`LockError::Deadlock`] |
//! | a reader of a [`ShmRwLock`] dies, or a writer that waits | its lock is free at once; nobody is told |
//! | a writer dies that was in | [`RwLockError::OwnerDied`] for exactly one, reader or writer |
//! | the holder of a permit of a [`ShmSemaphore`] dies | the permit is back at once for who looks, within a tenth of a second for who waits |
//! | a member of a [`ShmBarrier`] dies | [`BarrierError::MembersDied`] for all others, within a tenth of a second, in the round in which it is missing |
//! | a guard is leaked | its thread keeps the lock until it ends, and the region stays mapped |
//! | a waiter is interrupted by signals all the time | it looks after the owner as often as without |
//! | a filter (seccomp) refuses `futex` | [`Unsupported::SystemCall`] for whoever would have to wait |
//! | a dead owner's thread number is used again | the new thread is not taken for the owner, nor its own locks for the dead one's |
//! | the links of a held lock are overwritten by a program that runs wild | its owner aborts before it writes anywhere through them; the next one is told `OwnerDied` |
//! | the word of a lock is overwritten with the number of a thread that lives | it is waited for |
//! | the file's name goes away, by `RemoveIPC` or a cleaner of `/tmp` | [`is_linked`](ShmRegion::is_linked) is false; who opens it anew has another lock |
//! | more than 2048 locks are held at death, the kernel cannot follow the list, or another thread than the first calls `exec` | found within a quarter of a second by whoever waits, and by `try_lock` (the first of a thread, then one in 128) once the thread's number is gone |
//! | the first thread calls `exec` with more than 2048 locks | the kernel marks 2048; the others stay locked as long as the new program lives, which has the number that they name |
//! | the owner is stopped (`SIGSTOP`, a debugger) | others wait, or time out; nothing is taken from the living |
//! | a fork while a lock is held | the parent keeps it; the child's copy of the guard does nothing |
//! | the file is truncated, damaged, foreign, of another type, user, boot or PID namespace, or no file | an [`OpenError`] that says which; [`open_or_replace_stale`](ShmRegion::open_or_replace_stale) replaces what nobody uses |
//! | the file is truncated while it is mapped | `SIGBUS`; a region of [`ShmRegion::memfd`] cannot be |
//!
//! # What it asks for
//!
//! 64-bit Linux with glibc, 4.14 or later. Elsewhere everything compiles, and every constructor
//! says [`Unsupported`]. Where the kernel does not wake another sleeper for one that dies between
//! being woken and taking the lock (before Linux 6.2 and the stable releases with "futex: Resend
//! potentially swallowed owner death notification"; tested on 6.18 alone), the others go on at
//! their next look, within a quarter of a second. Threads must be started by `std` or `pthread`.
//! All processes must be in one PID namespace. They trust each other: whoever can write the file
//! can make its users write anywhere in their memory, so a file that others can write is refused.
//! No function may be called in a signal handler.
//!
//! # Models
//!
//! With `--cfg loom` the same types work inside `loom::model`, in one process with loom's threads,
//! on a model of the kernel; `shm_lock::model::die_after` kills a thread there after a number of
//! steps. No time passes in a model: a timed wait that would have to sleep times out at once, so it
//! never sees a wake-up that comes in time.

#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(loom))))]
#![cfg_attr(
    not(all(target_os = "linux", target_pointer_width = "64")),
    allow(dead_code, reason = "what only a region that is placed uses")
)]

// What `derive(ShmPod)` writes names the crate from outside.
#[cfg(test)]
extern crate self as shm_lock;

#[cfg(feature = "bytemuck")]
#[doc(hidden)]
pub use bytemuck;
#[cfg(feature = "zerocopy")]
#[doc(hidden)]
pub use zerocopy;

mod barrier;
mod condvar;
mod error;
mod guard;
#[cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]
mod header;
mod layout;
#[cfg(not(loom))]
mod liveness;
mod lock_error;
#[cfg(loom)]
pub mod model;
mod mutex;
mod name;
mod once;
mod once_lock;
#[cfg(not(loom))]
mod pid_namespace;
mod place;
mod pod;
mod protocol;
mod region;
#[cfg(not(loom))]
mod robust_list;
mod rwlock;
mod semaphore;
mod slots;
mod sync;
#[cfg(not(loom))]
mod sys;
mod thread;
#[cfg(not(loom))]
mod ticker;
#[cfg(all(feature = "untyped", not(loom), target_os = "linux", target_pointer_width = "64"))]
pub mod untyped;

pub use barrier::{BarrierError, BarrierSeat, DeadMember, ShmBarrier};
pub use condvar::{ShmCondvar, TimedWait};
pub use error::{OpenError, Unsupported};
pub use guard::{RecoverGuard, ShmMutexGuard};
pub use layout::{Locks, ShmLayout};
pub use lock_error::{LockError, LockFailure};
pub use mutex::{RegionMutex, ShmMutex};
pub use name::RegionName;
pub use once::ShmOnce;
pub use once_lock::ShmOnceLock;
#[doc(hidden)]
pub use pod::describe_fields;
pub use pod::{ShmBool, ShmPod};
pub use region::ShmRegion;
pub use rwlock::{RegionRwLock, RwLockError, RwRecoverGuard, ShmReadGuard, ShmRwLock, ShmWriteGuard};
pub use semaphore::{Permit, ShmSemaphore};
/// Implements [`ShmPod`](trait@ShmPod) for a structure of fields that do.
#[cfg(feature = "derive")]
pub use shm_lock_derive::ShmPod;
#[cfg(not(loom))]
#[doc(hidden)]
pub use ticker::sleep_without_ticks;

/// The program in the README is compiled. It is not run, since it leaves a file behind.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
