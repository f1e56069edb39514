//! All foreign function calls to the operating system, and nothing else.
//!
//! `linux.rs` is for 64-bit Linux. `other.rs` has the same names for all other systems. No lock can
//! be placed there, so it only has to compile and to return the reason.

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(crate) use linux::*;

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod other;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(crate) use other::*;

/// Points to the next held lock. It is part of each lock and of the head of the list, and the
/// kernel calls it `struct robust_list`. The word before it points to the previous lock.
#[repr(C)]
pub(crate) struct Link {
    /// The lowest bit is set if it points to a lock with priority inheritance.
    pub(crate) next: *mut Link,
}

/// `struct robust_list_head`: where the kernel starts when a thread dies.
#[repr(C)]
pub(crate) struct Head {
    pub(crate) first: Link,
    /// The offset from a link to its futex word, in bytes.
    pub(crate) offset: isize,
    /// The lock that the thread is about to take or release.
    pub(crate) pending: *mut Link,
}

/// How a wait for a futex ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A wake-up, possibly spurious, or the word had another value.
    Woken,
    /// The time is up.
    TimedOut,
    /// A signal of this thread. Nothing is known about the word.
    Interrupted,
    /// The thread cannot wait: the system's error.
    Failed(i32),
}
