//! What lies in a deque: a pointer to something that a lane can take part in.

use std::ptr::NonNull;

use crate::lane::LaneContext;

/// The head of everything that a [`Job`] can point to, by which it is run without knowing its type.
#[derive(Debug)]
pub(crate) struct JobHead {
    execute: unsafe fn(NonNull<JobHead>, &LaneContext<'_>),
}

impl JobHead {
    /// # Safety
    ///
    /// `execute` is called with a pointer to this head, which must be the first field of what `execute` expects.
    pub(crate) unsafe fn new(execute: unsafe fn(NonNull<JobHead>, &LaneContext<'_>)) -> Self {
        JobHead { execute }
    }
}

/// A promise that what it points to stays alive until the job is executed or taken back.
///
/// The promise is kept by whoever pushed the job: a loop does not end while a [ticket](crate::protocol::tickets) is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job(NonNull<JobHead>);

// SAFETY: `Job::new` requires what the job points to be usable from any thread.
unsafe impl Send for Job {}

impl Job {
    /// # Safety
    ///
    /// The pointee may be used from any thread and stays alive until this job is executed or taken back.
    pub(crate) unsafe fn new(head: NonNull<JobHead>) -> Self {
        Job(head)
    }

    /// Takes part in what the job points to.
    ///
    /// # Safety
    ///
    /// The job was just taken off a deque, and is executed only this once for each time it was pushed.
    pub(crate) unsafe fn execute(self, lane: &LaneContext<'_>) {
        // SAFETY: `new` was promised that the pointee lives until now.
        let execute = unsafe { self.0.as_ref() }.execute;
        // SAFETY: the head was made for this function, and it is the pointee's first field (`JobHead::new`).
        unsafe { execute(self.0, lane) }
    }
}
