//! Regions: joins that help each other while they wait.

use std::cell::OnceCell;
use std::panic::Location;
use std::ptr;

use super::{FnContext, join_at};
use crate::sched::job::{Ancestor, Run};
use crate::sched::lane::LaneContext;
use crate::sched::pool::{current_lane, this_thread, with_lane, with_pool};

/// Joins that may run each other's closures while they wait. Made by [`join_region`].
#[derive(Clone, Copy, Debug)]
pub struct JoinRegion {
    /// As a number, since it is only compared: a region that has ended is no harm.
    ancestor: usize,
}

/// Calls `op` with a region of joins: with `outer`, or with a new one.
///
/// While a [`join`](crate::join()) waits for a closure that another worker has taken, it runs only
/// work that this closure has begun. So a worker may have nothing to do although there is other
/// work. A join of a region runs any closure of the region while it waits.
///
/// So do not hold a lock across a join of the region if a closure of the region takes that lock.
/// Code that only splits a loop holds none. The leaves, in which no join of the region is called,
/// may hold any lock. They may call `join`, loops and scopes, which wait as always, and open other
/// regions.
///
/// `outer` is for recursive code in which the first call makes the region. It may be used in all
/// closures of the region's joins, on any thread, and is ignored anywhere else.
///
/// ```
/// use taskel::{JoinRegion, join_region};
///
/// fn sum(region: Option<JoinRegion>, numbers: &[u64]) -> u64 {
///     if let [number] = numbers {
///         return *number;
///     }
///     join_region(region, |region| {
///         let (left, right) = numbers.split_at(numbers.len() / 2);
///         let (left, right) = region
///             .join_context(|_| sum(Some(region), left), |_| sum(Some(region), right));
///         left + right
///     })
/// }
///
/// assert_eq!(sum(None, &[1, 2, 3, 4, 5]), 15);
/// ```
///
/// # Panics
///
/// Panics if `op` panics.
///
/// # Source
///
/// oneTBB's `this_task_arena::isolate` opens such a region. There, work outside of every region may
/// be run by any wait.
#[inline]
pub fn join_region<R>(outer: Option<JoinRegion>, op: impl FnOnce(JoinRegion) -> R) -> R {
    let new;
    let region = match outer {
        Some(outer) => outer,
        None => {
            // SAFETY: the reference ends with this call.
            let Some(lane) = (unsafe { current_lane() }) else { return outside(op) };
            new = NewRegion::on(lane);
            // SAFETY: `new` stays where it is until it is dropped, at the end of this call.
            unsafe { new.open() }
        }
    };
    // Called in one place only, since its code is inlined here.
    op(region)
}

/// Calls `op` in a new region of the pool that a parallel call here uses.
#[cold]
#[inline(never)]
fn outside<R>(op: impl FnOnce(JoinRegion) -> R) -> R {
    with_pool(None, |pool| match pool {
        Some(pool) => with_lane(pool, |_| join_region(None, op)),
        None => join_region(Some(JoinRegion::NONE), op),
    })
}

/// A region of the lane that opens it. Known by its address.
struct NewRegion<'l, 'p> {
    lane: &'l LaneContext<'p>,
    /// What the lane was in the middle of before.
    before: *const Run,
    run: OnceCell<Run>,
}

impl<'l, 'p> NewRegion<'l, 'p> {
    fn on(lane: &'l LaneContext<'p>) -> Self {
        // What is pending was born outside.
        lane.publish_all();
        NewRegion { lane, before: lane.lane().run(), run: OnceCell::new() }
    }

    /// # Safety
    ///
    /// This stays where it is from now on until it is dropped, and is dropped.
    unsafe fn open(&self) -> JoinRegion {
        let ancestor: Ancestor = ptr::from_ref(self).cast();
        let run = self.run.get_or_init(|| Run::of_region(ancestor, self.lane.run()));
        self.lane.lane().set_run(run);
        JoinRegion { ancestor: ancestor.addr() }
    }
}

impl Drop for NewRegion<'_, '_> {
    fn drop(&mut self) {
        self.lane.lane().set_run(self.before);
    }
}

impl JoinRegion {
    /// That of joins which wait for their own closures alone.
    pub(crate) const NONE: JoinRegion = JoinRegion { ancestor: 0 };

    /// Runs two closures like [`join_context`](crate::join_context). While it waits, it runs any
    /// closure of the region.
    ///
    /// # Panics
    ///
    /// Panics like [`join`](crate::join()).
    ///
    /// ```
    /// let sums = taskel::join_region(None, |region| region.join_context(|_| 1 + 2, |_| 3 + 4));
    /// assert_eq!(sums, (3, 7));
    /// ```
    #[inline]
    #[track_caller]
    pub fn join_context<A, B, RA, RB>(self, oper_a: A, oper_b: B) -> (RA, RB)
    where
        A: FnOnce(FnContext) -> RA + Send,
        B: FnOnce(FnContext) -> RB + Send,
        RA: Send,
        RB: Send,
    {
        let caller = Location::caller();
        let thread = this_thread();
        let oper_a = move || oper_a(FnContext::new(false));
        join_at(caller, self, oper_a, move || oper_b(FnContext::new(this_thread() != thread)))
    }

    /// What a join of this region waits for on `lane`; `None` if the lane is not in the region.
    pub(super) fn ancestor(self, lane: &LaneContext<'_>) -> Option<Ancestor> {
        if self.ancestor == 0 {
            return None;
        }
        let ancestor: Ancestor = ptr::without_provenance(self.ancestor);
        // SAFETY: this lane is in the middle of its run, and so some lane is of each run around it.
        let is_inside = unsafe { Run::descends(lane.run(), ancestor) };
        is_inside.then_some(ancestor)
    }
}
