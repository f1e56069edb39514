//! Everything that is asked of the operating system by a foreign function, and nothing else.
//!
//! `linux.rs` is for 64-bit Linux. `other.rs` has the same names for all other systems: no lock can
//! be placed there, so it only has to compile and to say why.

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(crate) use linux::*;

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod other;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(crate) use other::*;

/// The address of the pointer to the next held lock, in a lock or in the head of the list: what the
/// kernel calls `struct robust_list`. The word before it is the pointer to the one before.
#[repr(C)]
pub(crate) struct Link {
    /// The lowest bit is set if the lock it points to is one with priority inheritance.
    pub(crate) next: *mut Link,
}

/// `struct robust_list_head`: where the kernel begins when a thread dies.
#[repr(C)]
pub(crate) struct Head {
    pub(crate) first: Link,
    /// From the address of a link to that of its futex word, in bytes.
    pub(crate) offset: isize,
    /// The lock that the thread is about to take or release.
    pub(crate) pending: *mut Link,
}

/// How a wait for a futex ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// By a wake-up, perhaps without cause, or because the word was another one.
    Woken,
    /// The time is up.
    TimedOut,
    /// By a signal of this thread's own; nothing is known of the word.
    Interrupted,
    /// Nobody can wait: what the system says.
    Failed(i32),
}
