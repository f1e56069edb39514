//! For models: the death of a thread.

/// Runs `body` on the calling thread of a model, which dies in it after `steps` steps; false if it
/// ended before.
///
/// A step is an access to a word of a lock, a change of the list of held locks, or a system call.
/// The thread dies without running what its guards would do when they are dropped; the kernel then
/// reports its death to the locks that it held. Afterwards it goes on as another thread. No time
/// passes: a timed wait that would have to sleep times out at once. Try `steps` from 0 upwards,
/// each in a model of its own, until this returns false.
pub fn die_after(steps: usize, body: impl FnOnce()) -> bool {
    crate::sync::mortal(steps, body).is_some()
}
