//! Fork and join of two closures. This lane runs the first; another lane may run the second at the
//! same time.

mod context;
mod frame;
#[cfg(all(loom, feature = "loom"))]
mod modelled;
mod region;

use std::mem::ManuallyDrop;
use std::panic::{self, Location};

pub use self::context::{FnContext, join_context};
pub use self::region::{JoinRegion, join_region};

use self::frame::Half;
#[cfg(not(all(loom, feature = "loom")))]
use self::join_inline as join_without_pool;
#[cfg(all(loom, feature = "loom"))]
use self::modelled::join_without_pool;
use crate::profile::calls::{CallSite, Caller};
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
/// `oper_a` runs on the calling thread. If another worker of the pool takes `oper_b` before the
/// calling thread comes to it, it runs there; otherwise it runs on the calling thread. A join
/// allocates nothing. As long as no other worker comes for work, it costs a few nanoseconds more
/// than calling the closures one after the other. So divide and conquer needs no sequential cut-off
/// because of `join`.
///
/// While the calling thread waits for an `oper_b` that another worker has taken, it runs only work
/// that descends from that `oper_b`, never unrelated work. So a lock may be held across a join, as
/// long as the closures themselves do not wait for it.
///
/// The two closures should not wait for each other, for example through a channel: they run at the
/// same time only if another worker is idle. A long closure does not hide pending work, though.
/// Other workers can take the pending closures of the joins around it, at the latest when it has
/// run for 50 µs. (In a process that had threads before its first pool, this holds after about 120
/// ms. On systems without `membarrier(2)`, it holds only at a call site that is new, or whose
/// second closures have taken long before.)
///
/// # Panics
///
/// Panics when a closure panics, with the same payload. If both panic, the payload is that of
/// `oper_a`. If `oper_a` panics and `oper_b` has not begun, `oper_b` is dropped. If it has begun,
/// the call waits for it.
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
/// Pending halves that end within microseconds are private to a worker and cost no atomic
/// operation: Acar, Charguéraud and Rainey, "Scheduling parallel programs by work stealing with
/// private deques" (2013). The oldest half is always public. Halves that last longer are all
/// public.
#[inline(always)]
#[track_caller]
pub fn join<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    join_at(Location::caller(), JoinRegion::NONE, oper_a, oper_b)
}

/// Does the same for a join whose call site and region are passed in.
#[inline(always)]
pub(crate) fn join_at<A, B, RA, RB>(caller: Caller, region: JoinRegion, oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    // SAFETY: the reference ends with this call.
    let Some(lane) = (unsafe { lane_for_joins() }) else {
        return outermost((oper_a, oper_b), region, caller);
    };
    #[cfg(feature = "tracing")]
    if crate::sched::carried::may_be_any() {
        return carrying(lane, region, (oper_a, oper_b));
    }
    join_on(lane, region, oper_a, oper_b)
}

/// Joins so that the second closure is in the same span as the first, on any thread.
#[cfg(feature = "tracing")]
#[cold]
#[inline(never)]
fn carrying<A, B, RA, RB>(lane: &LaneContext<'_>, region: JoinRegion, (oper_a, oper_b): (A, B)) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    let carried = Carried::from_here();
    join_on(lane, region, oper_a, move || carried.inside(oper_b))
}

#[inline(always)]
fn join_on<A, B, RA, RB>(lane: &LaneContext<'_>, region: JoinRegion, oper_a: A, oper_b: B) -> (RA, RB)
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
    let offered = TakeBackOnUnwind { half: &half, lane, region };
    let a = oper_a();
    std::mem::forget(offered);
    match half.take_back(lane) {
        Some(oper_b) => then(a, oper_b),
        None => match half.wait(lane, region) {
            Ok(b) => (a, b),
            Err(payload) => {
                drop_quietly(a);
                panic::resume_unwind(payload)
            }
        },
    }
}

impl ThreadPool {
    /// Runs two closures like [`join`](crate::join), on this pool.
    ///
    /// # Panics
    ///
    /// Panics like [`join`](crate::join).
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// let (sum, product) = pool.join(|| 2 + 3, || 2 * 3);
    /// assert_eq!((sum, product), (5, 6));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    #[track_caller]
    pub fn join<A, B, RA, RB>(&self, oper_a: A, oper_b: B) -> (RA, RB)
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        let caller = Location::caller();
        self.install(|| join_at(caller, JoinRegion::NONE, oper_a, oper_b))
    }
}

/// Runs `oper_b`. If it panics, drops `a`, and ignores a panic of that drop.
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

/// Handles a panic of `oper_a`: drops `oper_b` or waits for it, before its frame goes.
struct TakeBackOnUnwind<'h, 'p, B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    half: &'h Half<B, RB>,
    lane: &'h LaneContext<'p>,
    region: JoinRegion,
}

impl<B, RB> Drop for TakeBackOnUnwind<'_, '_, B, RB>
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    // Inlined, so that the guard need not be put together in memory.
    #[inline(always)]
    fn drop(&mut self) {
        abandon(self.half, self.lane, self.region);
    }
}

#[cold]
#[inline(never)]
fn abandon<B, RB>(half: &Half<B, RB>, lane: &LaneContext<'_>, region: JoinRegion)
where
    B: FnOnce() -> RB + Send,
    RB: Send,
{
    match half.take_back(lane) {
        Some(oper_b) => drop_quietly(oper_b),
        // The first closure's panic wins.
        None => drop_quietly(half.wait(lane, region)),
    }
}

/// Runs a join that is not inside other work of its pool, or that is recorded.
#[cold]
#[inline(never)]
fn outermost<A, B, RA, RB>((oper_a, oper_b): (A, B), region: JoinRegion, caller: Caller) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    with_pool(None, |pool| match pool {
        Some(pool) => with_lane(pool, |lane| {
            if pool.profiling() {
                return recorded(lane, (oper_a, oper_b), region, caller);
            }
            look_whether_joins_are_recorded();
            join_at(caller, region, oper_a, oper_b)
        }),
        None => join_without_pool(oper_a, oper_b),
    })
}

/// Records a join, if a profile is being taken.
#[cold]
#[inline(never)]
fn recorded<A, B, RA, RB>(
    lane: &LaneContext<'_>,
    (oper_a, oper_b): (A, B),
    region: JoinRegion,
    caller: Caller,
) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    let carried = Carried::from_here();
    let oper_b = move || carried.inside(oper_b);
    match lane.begin_join(CallSite::of::<A>(caller)) {
        Ok(call) => {
            let both = join_on(lane, region, || as_half(call, 0, oper_a), || as_half(call, 1, oper_b));
            lane.end_call(call);
            both
        }
        Err(Inside::Recorded) => join_on(lane, region, oper_a, oper_b),
        Err(Inside::NotRecorded) => without_recording_joins(|| join_on(lane, region, oper_a, oper_b)),
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
