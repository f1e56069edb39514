//! Joins whose closures know whether they have moved to another thread.

use std::marker::PhantomData;

use super::JoinRegion;

/// Tells a closure of a [`join_context`] on which thread it runs.
#[derive(Debug)]
pub struct FnContext {
    migrated: bool,
    /// It is about the thread that it was given to.
    _not_send: PhantomData<*mut ()>,
}

impl FnContext {
    pub(super) fn new(migrated: bool) -> Self {
        FnContext { migrated, _not_send: PhantomData }
    }

    /// Tells whether the closure runs on a thread other than the one that called [`join_context`].
    #[inline]
    pub fn migrated(&self) -> bool {
        self.migrated
    }
}

/// Runs two closures like [`join`](crate::join()), and tells each whether another thread runs it.
/// If no other thread has come for the second half of some work, no thread seems to be idle, and
/// splitting it further may not pay.
///
/// The first closure always runs on the calling thread. The second one also does, unless another
/// thread has taken it before the calling thread comes to it.
///
/// # Panics
///
/// Panics like [`join`](crate::join()).
///
/// ```
/// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
/// let migrated = pool.install(|| taskel::join_context(|a| a.migrated(), |b| b.migrated()));
/// assert_eq!(migrated, (false, false), "there is nobody else");
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[inline]
#[track_caller]
pub fn join_context<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce(FnContext) -> RA + Send,
    B: FnOnce(FnContext) -> RB + Send,
    RA: Send,
    RB: Send,
{
    JoinRegion::NONE.join_context(oper_a, oper_b)
}
