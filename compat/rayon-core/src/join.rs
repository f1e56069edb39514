//! Fork and join.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::Result;

use crate::pieces::{Kind, Sides};
use crate::worker::in_worker;

/// What a closure of [`join_context`] knows about its place.
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

    /// Returns whether the closure runs on another thread than the caller of [`join_context`]. Also
    /// returns true if closures of this kind have taken so long that more splitting pays.
    #[inline]
    pub fn migrated(&self) -> bool {
        self.migrated
    }
}

/// Runs two closures, possibly in parallel, and returns both results.
///
/// Each closure runs even if the other one panics. If both panic, the first one's payload is
/// propagated.
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

/// Does the same as [`join`], and tells each closure whether it has moved to another thread.
///
/// This is what rayon's loops are split by. While it waits, it runs other pieces of the same loop:
/// closures of joins that are nested in the same outermost call with closures of these types.
#[inline]
pub fn join_context<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce(FnContext) -> RA + Send,
    B: FnOnce(FnContext) -> RB + Send,
    RA: Send,
    RB: Send,
{
    in_worker(move |moved| {
        let sides = Sides::of(Kind::of(first::<A, RA> as *const () as usize));
        sides.in_region(|region, sides| {
            let (a, (b, b_has_migrated)) = region.join_context(
                |context| first(sides, moved || context.migrated(), oper_a),
                |context| (side(sides, moved || context.migrated(), oper_b), context.migrated()),
            );
            if b_has_migrated {
                sides.have_waited();
            }
            results(a, b)
        })
    })
}

/// The first side of a join. Its address identifies the kind of the join.
#[inline(never)]
fn first<A, RA>(sides: Sides, has_migrated: bool, oper: A) -> Result<RA>
where
    A: FnOnce(FnContext) -> RA,
{
    side(sides, has_migrated, oper)
}

#[inline]
fn side<A, RA>(sides: Sides, has_migrated: bool, oper: A) -> Result<RA>
where
    A: FnOnce(FnContext) -> RA,
{
    sides.run(has_migrated, |split| catch_unwind(AssertUnwindSafe(|| oper(FnContext::new(split)))))
}

#[inline]
fn results<A, B>(a: Result<A>, b: Result<B>) -> (A, B) {
    match (a, b) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(payload), other) => {
            // A panic in its drop comes too late.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(other)));
            resume_unwind(payload)
        }
        (Ok(_), Err(payload)) => resume_unwind(payload),
    }
}
