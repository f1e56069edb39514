//! Fork and join.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::Result;

use crate::worker::in_worker;

/// What a closure of a [`join_context`] knows of its place.
#[derive(Debug)]
pub struct FnContext {
    migrated: bool,
    _not_send: PhantomData<*mut ()>,
}

impl FnContext {
    #[inline]
    fn new(migrated: bool) -> Self {
        FnContext { migrated, _not_send: PhantomData }
    }

    /// Whether the closure runs on another thread than the one that it was given to
    /// [`join_context`] by.
    #[inline]
    pub fn migrated(&self) -> bool {
        self.migrated
    }
}

/// Runs two closures, perhaps in parallel, and returns both results.
///
/// Both are run, also if the other one panics. If both do, the payload is the first one's.
///
/// ```
/// let (sum, product) = rayon_core::join(|| 2 + 3, || 2 * 3);
/// assert_eq!((sum, product), (5, 6));
/// ```
#[inline]
pub fn join<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    in_worker(|_| {
        let (a, b) = taskel::join(
            || catch_unwind(AssertUnwindSafe(oper_a)),
            || catch_unwind(AssertUnwindSafe(oper_b)),
        );
        results(a, b)
    })
}

/// As [`join`], for closures that are told whether they have moved to another thread.
#[inline]
pub fn join_context<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce(FnContext) -> RA + Send,
    B: FnOnce(FnContext) -> RB + Send,
    RA: Send,
    RB: Send,
{
    in_worker(move |moved| {
        let (a, b) = taskel::join_context(
            |context| catch_unwind(AssertUnwindSafe(|| oper_a(FnContext::new(moved || context.migrated())))),
            |context| catch_unwind(AssertUnwindSafe(|| oper_b(FnContext::new(moved || context.migrated())))),
        );
        results(a, b)
    })
}

#[inline]
fn results<A, B>(a: Result<A>, b: Result<B>) -> (A, B) {
    match (a, b) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(payload), other) => {
            // What its drop may panic with comes too late.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(other)));
            resume_unwind(payload)
        }
        (Ok(_), Err(payload)) => resume_unwind(payload),
    }
}
