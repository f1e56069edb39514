//! Fork and join: two closures, of which another lane may run the second while this one runs the
//! first.

mod context;
mod frame;
#[cfg(all(loom, feature = "loom"))]
mod modelled;

use std::any::type_name;
use std::mem::ManuallyDrop;
use std::panic;

pub use self::context::{FnContext, join_context};

use self::frame::Half;
#[cfg(not(all(loom, feature = "loom")))]
use self::join_inline as join_without_pool;
#[cfg(all(loom, feature = "loom"))]
use self::modelled::join_without_pool;
use crate::sched::carried::Carried;
use crate::sched::lane::LaneContext;
use crate::sched::pool::{
    ThreadPool, lane_for_joins, look_whether_joins_are_recorded, with_lane, with_pool,
    without_recording_joins,
};
use crate::sched::recorded::{Inside, as_half};
use crate::sched::unwind::{self, drop_quietly};

/// Runs two closures, potentially in parallel, and returns both results.
///
/// `oper_a` runs on the calling thread. `oper_b` runs on another worker of the pool if one takes it
/// before this thread comes to it, else on the calling thread as well. Nothing is allocated, and as
/// long as no other worker comes for work, a join costs a few nanoseconds more than calling the
/// closures one after the other: divide and conquer needs no sequential cut-off for its sake.
///
/// While the calling thread waits for an `oper_b` that another worker has taken, it runs only what
/// descends from that: never unrelated work. A lock may be held across a join, as long as the
/// closures themselves do not wait for it.
///
/// The two closures should not wait for each other (through a channel, say): whether they run at
/// the same time depends on who is idle. A long closure hides nothing, though: what is pending
/// around it can be taken by other workers, at the latest when it has run for 50 µs. (In a process
/// that had threads before its first pool, that holds some 120 ms later. Where the system has no
/// `membarrier(2)`, it holds only where halves have lasted long before, or the call was not run
/// before.)
///
/// # Panics
///
/// When a closure does, with its payload, and with that of `oper_a` if both do. If `oper_a` panics,
/// `oper_b` is dropped unless it has been started already, in which case it is waited for.
///
/// # Examples
///
/// ```
/// fn fib(n: u32) -> u64 {
///     if n < 2 {
///         return n.into();
///     }
///     let (a, b) = taskel::join(|| fib(n - 1), || fib(n - 2));
///     a + b
/// }
///
/// assert_eq!(fib(20), 6765);
/// ```
///
/// # Source
///
/// Pending halves that are over within microseconds are private to a worker and cost no atomic
/// operation: Acar, Charguéraud and Rainey, "Scheduling parallel programs by work stealing with
/// private deques" (2013). The oldest one is always public; those that last longer are, all of
/// them.
#[inline(always)]
pub fn join<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    // SAFETY: the reference ends with this call.
    let Some(lane) = (unsafe { lane_for_joins() }) else { return outermost((oper_a, oper_b)) };
    #[cfg(feature = "tracing")]
    if crate::sched::carried::may_be_any() {
        return carrying(lane, (oper_a, oper_b));
    }
    join_on(lane, oper_a, oper_b)
}

/// A join whose second closure is inside of the same span as the first, whoever runs it.
#[cfg(feature = "tracing")]
#[cold]
#[inline(never)]
fn carrying<A, B, RA, RB>(lane: &LaneContext<'_>, (oper_a, oper_b): (A, B)) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    let carried = Carried::from_here();
    join_on(lane, oper_a, move || carried.inside(oper_b))
}

#[inline(always)]
fn join_on<A, B, RA, RB>(lane: &LaneContext<'_>, oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    // A closure that is passed on by itself has an address, to which it is written before the
    // frame: hence the pair above, and no function in between.
    let half = Half::new(oper_b);
    // SAFETY: `half` stays in this frame, and the guard takes it back, or waits for it, on every
    // way out of it.
    unsafe { half.offer(lane) };
    let offered = TakeBackOnUnwind { half: &half, lane };
    let a = oper_a();
    std::mem::forget(offered);
    match half.take_back(lane) {
        Some(oper_b) => then(a, oper_b),
        None => match half.wait(lane) {
            Ok(b) => (a, b),
            Err(payload) => {
                drop_quietly(a);
                panic::resume_unwind(payload)
            }
        },
    }
}

impl ThreadPool {
    /// As [`join`](crate::join), on this pool.
    ///
    /// # Panics
    ///
    /// As [`join`](crate::join).
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// let (sum, product) = pool.join(|| 2 + 3, || 2 * 3);
    /// assert_eq!((sum, product), (5, 6));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn join<A, B, RA, RB>(&self, oper_a: A, oper_b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        self.install(|| join(oper_a, oper_b))
    }
}

/// Runs `oper_b`, and should it panic, drops `a` as if that could not.
#[inline(always)]
fn then<A, B>(a: A, oper_b: impl FnOnce() -> B) -> (A, B) {
    struct Quiet<A>(ManuallyDrop<A>);

    impl<A> Drop for Quiet<A> {
        fn drop(&mut self) {
            // SAFETY: it is dropped, or taken out and forgotten, once.
            drop_quietly(unsafe { ManuallyDrop::take(&mut self.0) });
        }
    }

    let mut a = Quiet(ManuallyDrop::new(a));
    let b = oper_b();
    // SAFETY: `a` is forgotten below.
    let a_out = unsafe { ManuallyDrop::take(&mut a.0) };
    std::mem::forget(a);
    (a_out, b)
}

/// `oper_a` panics: `oper_b` is dropped or waited for before its frame goes.
struct TakeBackOnUnwind<'h, 'p, B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    half: &'h Half<B, RB>,
    lane: &'h LaneContext<'p>,
}

impl<B, RB> Drop for TakeBackOnUnwind<'_, '_, B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    // Inlined, so that the guard need not be put together in memory.
    #[inline(always)]
    fn drop(&mut self) {
        abandon(self.half, self.lane);
    }
}

#[cold]
#[inline(never)]
fn abandon<B, RB>(half: &Half<B, RB>, lane: &LaneContext<'_>)
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    match half.take_back(lane) {
        Some(oper_b) => drop_quietly(oper_b),
        // The first closure's panic wins.
        None => drop_quietly(half.wait(lane)),
    }
}

/// A join that is not inside of anything on its pool, or that is recorded.
#[cold]
#[inline(never)]
fn outermost<A, B, RA, RB>((oper_a, oper_b): (A, B)) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    with_pool(None, |pool| match pool {
        Some(pool) => with_lane(pool, |lane| {
            if pool.profiling() {
                return recorded(lane, (oper_a, oper_b));
            }
            look_whether_joins_are_recorded();
            join(oper_a, oper_b)
        }),
        None => join_without_pool(oper_a, oper_b),
    })
}

/// Tells profiles of a join, if they want to know of it.
#[cold]
#[inline(never)]
fn recorded<A, B, RA, RB>(lane: &LaneContext<'_>, (oper_a, oper_b): (A, B)) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    let carried = Carried::from_here();
    let oper_b = move || carried.inside(oper_b);
    match lane.begin_join(type_name::<A>()) {
        Ok(call) => {
            let both = join_on(lane, || as_half(call, 0, oper_a), || as_half(call, 1, oper_b));
            lane.end_call(call);
            both
        }
        Err(Inside::Recorded) => join_on(lane, oper_a, oper_b),
        Err(Inside::NotRecorded) => without_recording_joins(|| join_on(lane, oper_a, oper_b)),
    }
}

/// Runs the closures one after the other.
fn join_inline<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce() -> RA,
    B: FnOnce() -> RB,
{
    match unwind::catch(oper_a) {
        Ok(a) => then(a, oper_b),
        Err(payload) => {
            drop_quietly(oper_b);
            unwind::resume(payload)
        }
    }
}
