//! Lets a thread of a model die.

/// Runs `body` on the calling thread of a model, which dies after `steps` steps. Returns false if
/// `body` ended before that.
///
/// A step is an access to a word of a lock, a change of the list of held locks, or a system call.
/// The thread dies without dropping its guards. The kernel then marks the locks that it held.
/// Afterwards the thread continues as another thread. No time passes: a timed wait that would have
/// to sleep times out at once. Run a model for each number of steps from 0 upwards until this
/// returns false.
pub fn die_after(steps: usize, body: impl FnOnce()) -> bool {
    crate::sync::mortal(steps, body).is_some()
}
