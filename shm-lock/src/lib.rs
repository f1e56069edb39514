//! Locks between processes, in shared memory. They survive the death of their owner at any
//! instruction.
//!
//! ```
//! use shm_lock::{LockError, ShmMutex};
//!
//! // In each process. The name stands for a file in /dev/shm that only this user can open.
//! let experiments = ShmMutex::open_or_create("doc-experiments", || 0_u64)?;
//! match experiments.lock() {
//!     Ok(mut count) => *count += 1,
//!     // The last owner was killed while it held the lock: check the value, repair it, and go on.
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
//! | [`ShmMutex`] | one value and its lock, in a file of its own, opened by name or descriptor |
//! | [`ShmRwLock`] | the same for many readers or one writer |
//! | [`ShmRegion`], [`region!`] | several locks and values in one file |
//! | [`RegionMutex`], [`RegionRwLock`], [`ShmCondvar`], [`ShmSemaphore`], [`ShmBarrier`], [`ShmOnce`], [`ShmOnceLock`] | the parts of a region |
//! | [`ShmPod`] | the values that a lock may protect |
//! | `untyped` (feature) | a mutex whose value has a type that is known only at run time, for tools and other languages |
//!
//! A chapter of [taskel's guide](https://docs.rs/taskel/latest/taskel/guide/processes/index.html)
//! shows how to use these locks together with a thread pool.
//!
//! # What happens at each failure
//!
//! | failure | result |
//! |---|---|
//! | the owner is killed, its thread ends, or it calls `exec` | [`LockError::OwnerDied`] for exactly one locker, which may be a sleeping one |
//! | a panic while a guard is held | [`LockError::Poisoned`] |
//! | a [`RecoverGuard`] is dropped without [`mark_consistent`](RecoverGuard::mark_consistent) | `Poisoned` for the next locker |
//! | a [`RecoverGuard`] is [abandoned](RecoverGuard::abandon) | [`LockError::NotRecoverable`] for all |
//! | the owner dies just after a panic, or after it has released a value that it did not repair | `Poisoned` |
//! | a locker dies while it recovers the value | `OwnerDied` again |
//! | a thread takes a lock that it holds | [`LockError::Deadlock`] |
//! | a reader of a [`ShmRwLock`] dies, or a waiting writer | its lock is free at once; no thread gets an error |
//! | a writer dies while it holds the lock | [`RwLockError::OwnerDied`] for exactly one reader or writer |
//! | the holder of a permit of a [`ShmSemaphore`] dies | the permit is available at once for a thread that tries, and within a tenth of a second for one that waits |
//! | a member of a [`ShmBarrier`] dies | [`BarrierError::MembersDied`] for all others, within a tenth of a second, in the round in which it is missing |
//! | a guard is leaked | its thread keeps the lock until the thread ends, and the region stays mapped |
//! | a waiter gets signals all the time | it checks the owner as often as without signals |
//! | a filter (seccomp) refuses `futex` | [`Unsupported::SystemCall`] for each thread that would have to wait |
//! | a dead owner's thread number is used again | the new thread is not mistaken for the owner, and its locks are not mistaken for the dead owner's |
//! | a faulty program overwrites the links of a held lock | the owner aborts before it writes through them; the next locker gets `OwnerDied` |
//! | a faulty program overwrites the word of a lock with the number of a living thread | lockers wait for that thread |
//! | the file's name is removed, by `RemoveIPC` or a cleaner of `/tmp` | [`is_linked`](ShmRegion::is_linked) is false; a process that opens the name again gets another lock |
//! | more than 2048 locks are held at death, the kernel cannot follow the list, or a thread other than the first calls `exec` | a waiter notices within a quarter of a second; so does `try_lock` (a thread's first call, then one in 128) once the thread's number is gone |
//! | the first thread calls `exec` with more than 2048 locks | the kernel marks 2048 of them; the others stay locked as long as the new program lives, because it has the same number |
//! | the owner is stopped (`SIGSTOP`, a debugger) | others wait or time out; a living owner never loses its lock |
//! | a fork while a lock is held | the parent keeps the lock; the child's copy of the guard does nothing |
//! | the file is truncated, damaged, foreign, of another type, user, boot or PID namespace, or no file | an [`OpenError`] that says which; [`open_or_replace_stale`](ShmRegion::open_or_replace_stale) replaces a file that nobody uses |
//! | the file is truncated while it is mapped | `SIGBUS`; this cannot happen to a region of [`ShmRegion::memfd`] |
//!
//! # Requirements
//!
//! - The crate needs 64-bit Linux 4.14 or later with glibc. Elsewhere everything compiles, and
//!   every constructor returns [`Unsupported`].
//! - Threads must be started by `std` or `pthread`.
//! - All processes must be in one PID namespace.
//! - The processes must trust each other. A process that can write the file can make the others
//!   write anywhere in their memory. So a file that other users can write is refused.
//! - No function may be called in a signal handler.
//!
//! A sleeper may die after it was woken and before it takes the lock. Since Linux 6.2, and in
//! stable releases with "futex: Resend potentially swallowed owner death notification", the kernel
//! then wakes another sleeper. On older kernels, the other sleepers find the free lock at their
//! next check, within a quarter of a second. (Only 6.18 was tested.)
//!
//! # Models
//!
//! With `--cfg loom`, the same types work inside `loom::model`, in one process with loom's threads,
//! on a model of the kernel. `shm_lock::model::die_after` kills a thread of a model after a number
//! of steps. No time passes in a model. So a timed wait that would have to sleep times out at once,
//! and never sees a wake-up that comes in time.

#![cfg_attr(docsrs, feature(doc_cfg), doc(auto_cfg(hide(loom))))]
#![cfg_attr(
    not(all(target_os = "linux", target_pointer_width = "64")),
    allow(dead_code, reason = "used only by regions, which do not exist here")
)]

// `derive(ShmPod)` refers to the crate by its public name.
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
/// Implements [`ShmPod`](trait@ShmPod) for a structure whose fields implement it.
#[cfg(feature = "derive")]
pub use shm_lock_derive::ShmPod;
#[cfg(not(loom))]
#[doc(hidden)]
pub use ticker::sleep_without_ticks;

/// Compiles the program in the README. It is not run, because it leaves a file behind.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
