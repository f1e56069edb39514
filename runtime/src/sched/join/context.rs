//! Joins whose closures know whether they have moved to another thread.

use std::marker::PhantomData;

use super::join;
use crate::sched::pool::this_thread;

/// What a closure of a [`join_context`] knows of its place.
#[derive(Debug)]
pub struct FnContext {
    migrated: bool,
    /// It is about the thread that it was given to.
    _not_send: PhantomData<*mut ()>,
}

impl FnContext {
    fn new(migrated: bool) -> Self {
        FnContext { migrated, _not_send: PhantomData }
    }

    /// Whether the closure runs on another thread than the one that called [`join_context`].
    #[inline]
    pub fn migrated(&self) -> bool {
        self.migrated
    }
}

/// As [`join`](crate::join()), for closures that are told whether another thread runs them: where
/// none has come for the second half of something, nobody seems to be idle, and to split it further
/// may not be worth it.
///
/// The first closure always runs on the calling thread, and the second one does so if nobody has
/// taken it before the calling thread comes to it.
///
/// # Panics
///
/// As [`join`](crate::join()).
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
    let caller = this_thread();
    join(move || oper_a(FnContext::new(false)), move || oper_b(FnContext::new(this_thread() != caller)))
}
