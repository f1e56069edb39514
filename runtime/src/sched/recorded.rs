//! Records parallel calls for profiles: which call belongs to which, and how long each part ran.
//!
//! Nothing here is called unless a profile is being taken.

use taskel_adaptive::recording::CallKind;

use crate::os::thread_clock;
use crate::profile::calls::{CallHead, CallId, CallSite, Look};
use crate::profile::recorder::{Clocks, Costs, Recorder};
use crate::sched::lane::LaneContext;
use crate::sched::pool::{PoolState, enter, with_current_lane, with_lane_to_wait};

/// A call that is being made, until [`LaneContext::end_call`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenCall {
    head: CallHead,
    start_ns: u64,
    /// How many joins it is inside.
    joins: u32,
    /// Who makes it.
    lane: usize,
}

impl OpenCall {
    pub(crate) fn id(&self) -> CallId {
        self.head.id
    }
}

impl LaneContext<'_> {
    /// This lane makes a call; `None` if no profile has room for it. `expected_ns` is what an item
    /// takes, if that is known.
    #[cold]
    pub(crate) fn begin_call(
        &self,
        kind: CallKind,
        site: CallSite,
        expected_ns: Option<f64>,
    ) -> Option<OpenCall> {
        let (mut has_room, mut joins) = (false, 0);
        self.record(|recorder| {
            joins = recorder.joins();
            has_room |= recorder.begin_call();
        });
        has_room.then(|| self.open(kind, site, expected_ns, joins))
    }

    fn open(&self, kind: CallKind, site: CallSite, expected_ns: Option<f64>, joins: u32) -> OpenCall {
        let head = CallHead { id: self.pool().next_call(), kind, site, expected_ns };
        OpenCall { head, start_ns: self.pool().now_ns(), joins, lane: self.index() }
    }

    /// As `begin_call`, for a join; an error if no profile wants to know of it, or of what is
    /// inside.
    #[cold]
    pub(crate) fn begin_join(&self, site: CallSite) -> Result<OpenCall, Inside> {
        let (mut any_wants, mut inside, mut joins) = (false, Inside::NotRecorded, 0);
        self.record(|recorder| {
            joins = recorder.joins();
            match recorder.begin_join() {
                Look::Worth => any_wants = true,
                Look::Skip => inside = Inside::Recorded,
                Look::SkipAllInside => (),
            }
        });
        any_wants.then(|| self.open(CallKind::Join, site, None, joins)).ok_or(inside)
    }

    /// The call began then, in fact, and this lane alone has done its first items.
    pub(crate) fn has_begun_alone(&self, call: OpenCall, items: usize, start_ns: u64) -> OpenCall {
        let end_ns = self.pool().now_ns();
        let nested = self.depth() > 0;
        self.record(|recorder| {
            recorder.items(items, (start_ns, end_ns), nested);
            recorder.part(call.id(), (0, items as u64), (start_ns, end_ns));
        });
        OpenCall { start_ns, ..call }
    }

    #[cold]
    pub(crate) fn end_call(&self, OpenCall { head, start_ns, .. }: OpenCall) {
        let end_ns = self.pool().now_ns();
        self.record(|recorder| recorder.end_call(head, start_ns, end_ns));
    }

    /// This lane has spawned a task in a scope.
    #[cold]
    pub(crate) fn spawned(&self, site: CallSite) -> CallId {
        let head = CallHead { id: self.pool().next_call(), kind: CallKind::Task, site, expected_ns: None };
        let now_ns = self.pool().now_ns();
        self.record(|recorder| recorder.spawned(head, now_ns));
        head.id
    }

    /// The time from now on is time in items, if the lane is inside this number of other parts.
    #[cold]
    pub(crate) fn begin_items(&self, parts: u32) {
        self.look_at_clocks(|recorder| recorder.parts() == parts, Recorder::begin_items);
    }

    /// All since `begin_items` was time in items, and in waits for other lanes.
    #[cold]
    pub(crate) fn were_items(&self, parts: u32, now_ns: u64) {
        let wants = |recorder: &Recorder| recorder.parts() == parts && recorder.wants_clocks(now_ns);
        self.look_at_clocks(wants, Recorder::were_items);
    }

    /// Lets recorders that want to know what the lane's clocks say have that.
    fn look_at_clocks(&self, wants: impl Fn(&Recorder) -> bool, tell: fn(&mut Recorder, Clocks)) {
        let mut any_wants = false;
        self.record(|recorder| any_wants |= wants(recorder));
        if let Some(clocks) = any_wants.then(|| self.clocks()).flatten() {
            self.record(|recorder| {
                if wants(recorder) {
                    tell(recorder, clocks);
                }
            });
        }
    }

    /// `None` where the system does not tell a thread's processor time.
    fn clocks(&self) -> Option<Clocks> {
        let processor_ns = thread_clock::processor_ns()?;
        let (now_ns, waited_ns) = (self.pool().now_ns(), self.private().waited_ns.get());
        Some(Clocks { now_ns, waited_ns, processor_ns, switches: thread_clock::switches() })
    }
}

/// What profiles record of the work inside a join that they do not record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    Recorded,
    NotRecorded,
}

/// Lets profiles of `pool` know something from this thread: as the lane that it is, or has for
/// this.
#[cold]
pub(crate) fn tell_from_here<R>(pool: &PoolState, tell: impl FnOnce(&LaneContext<'_>) -> R) -> R {
    enter(pool, || with_lane_to_wait(pool, tell))
}

/// Tells profiles of a loop whose items this thread has all done since then, by itself. Returns
/// how long that took, and how long it took to write it down.
#[cold]
#[inline(never)]
pub(crate) fn short_loop(
    pool: &PoolState,
    (site, expected_ns): (CallSite, Option<f64>),
    start_ns: u64,
    items: usize,
) -> (u64, u64) {
    let end_ns = pool.now_ns();
    let mut written_ns = end_ns;
    tell_from_here(pool, |lane| {
        let head = CallHead { id: pool.next_call(), kind: CallKind::Loop, site, expected_ns };
        let nested = lane.depth() > 0;
        lane.record(|recorder| {
            recorder.items(items, (start_ns, end_ns), nested);
            if recorder.begin_call() {
                recorder.part(head.id, (0, items as u64), (start_ns, end_ns));
                recorder.end_call(head, start_ns, end_ns);
                // Memory may have grown for it.
                written_ns = pool.now_ns();
                recorder.was_short(head.id, written_ns);
            } else {
                recorder.is_untold();
            }
        });
    });
    (end_ns.saturating_sub(start_ns), written_ns.saturating_sub(end_ns))
}

/// What it takes to tell profiles of such a loop, with the looks at the clock before and behind it.
pub(crate) fn costs(pool: &PoolState) -> Costs {
    const CALLS: u64 = 16;
    let some_ns = || {
        let since_ns = pool.now_ns();
        let one = |_| short_loop(pool, (CallSite::NONE, None), pool.now_ns(), 1).1;
        let written_ns = (0..CALLS).map(one).fold(0, u64::saturating_add);
        let all_ns = pool.now_ns().saturating_sub(since_ns);
        (all_ns / CALLS, all_ns.saturating_sub(written_ns) / CALLS)
    };
    let median_ns = || {
        // The first ones pay for memory, and some may be interrupted.
        let mut each_ns: [(u64, u64); 15] = std::array::from_fn(|_| some_ns());
        each_ns.sort_unstable();
        each_ns[7]
    };
    let (call_ns, short_ns) = median_ns();
    tell_from_here(pool, |lane| lane.record(Recorder::fill));
    Costs { call_ns, short_ns, untold_ns: median_ns().0 }
}

/// A wait for a task that is recorded, until it is dropped: what the task does in it is the task's.
pub(crate) struct OpenWait<'p> {
    pool: &'p PoolState,
    task: CallId,
    start_ns: u64,
}

impl<'p> OpenWait<'p> {
    pub(crate) fn begin(pool: &'p PoolState, task: CallId) -> Self {
        OpenWait { pool, task, start_ns: pool.now_ns() }
    }
}

impl Drop for OpenWait<'_> {
    fn drop(&mut self) {
        let OpenWait { pool, task, start_ns } = *self;
        if pool.profiling() {
            tell_from_here(pool, |lane| {
                let head = CallHead {
                    id: pool.next_call(),
                    kind: CallKind::Task,
                    site: CallSite::NONE,
                    expected_ns: None,
                };
                let end_ns = pool.now_ns();
                lane.record(|recorder| recorder.waited(head, task, (start_ns, end_ns)));
            });
        }
    }
}

/// Tells profiles of a scope whose owner is no lane: when it, and its closure, began and ended.
#[cold]
pub(crate) fn scope_of_outsider(pool: &PoolState, site: CallSite, (start_ns, closure_ns): (u64, u64)) {
    tell_from_here(pool, |lane| {
        let head = CallHead { id: pool.next_call(), kind: CallKind::Scope, site, expected_ns: None };
        let end_ns = pool.now_ns();
        lane.record(|recorder| {
            if recorder.begin_call() {
                recorder.part(head.id, (0, 1), (start_ns, closure_ns));
                recorder.end_call(head, start_ns, end_ns);
            }
        });
    });
}

/// A closure of a join or a scope, or a task, from its beginning to its [`end`](Self::end), or to a
/// panic, which is not recorded.
pub(crate) struct OpenPart {
    of: CallId,
    number: u64,
    is_half: bool,
    start_ns: u64,
    /// How long the lane had waited for others when this began.
    waited_ns: u64,
    /// How many joins the lane was inside before.
    joins: u32,
}

impl OpenPart {
    /// The closure of a scope, or a task.
    #[cold]
    pub(crate) fn only(lane: &LaneContext<'_>, of: CallId) -> Self {
        Self::begin(lane, of, 0, None)
    }

    /// One of several that may run at the same time.
    #[cold]
    pub(crate) fn one(lane: &LaneContext<'_>, of: CallId, number: usize) -> Self {
        Self::begin(lane, of, number as u64, None)
    }

    #[cold]
    fn half(lane: &LaneContext<'_>, of: OpenCall, number: u64) -> Self {
        let part = Self::begin(lane, of.id(), number, Some(of.joins + 1));
        if of.lane != lane.index() {
            let victim = lane.pool().slot_of(of.lane).0;
            lane.record(|recorder| recorder.steal(part.start_ns, victim, false));
        }
        part
    }

    fn begin(lane: &LaneContext<'_>, of: CallId, number: u64, inside_of: Option<u32>) -> Self {
        let mut joins = 0;
        lane.record(|recorder| {
            joins = recorder.joins();
            recorder.enter(inside_of.unwrap_or(joins));
        });
        if lane.depth() == 0 {
            lane.begin_items(1);
        }
        let (start_ns, waited_ns) = (lane.pool().now_ns(), lane.private().waited_ns.get());
        OpenPart { of, number, is_half: inside_of.is_some(), start_ns, waited_ns, joins }
    }

    /// It is over, on the lane that it began on.
    #[cold]
    pub(crate) fn end(self, lane: &LaneContext<'_>) {
        let end_ns = lane.pool().now_ns();
        let waited_ns = lane.private().waited_ns.get().saturating_sub(self.waited_ns);
        let busy_ns = end_ns.saturating_sub(self.start_ns).saturating_sub(waited_ns);
        let times_ns = (self.start_ns, end_ns);
        lane.record(|recorder| {
            match self.is_half {
                true => recorder.half(self.of, self.number, times_ns),
                false => recorder.part(self.of, (0, 1), times_ns),
            }
            if recorder.parts() <= 1 && lane.depth() == 0 {
                recorder.was_busy(times_ns, busy_ns);
            }
        });
        if lane.depth() == 0 {
            lane.were_items(1, end_ns);
        }
    }
}

impl Drop for OpenPart {
    fn drop(&mut self) {
        with_current_lane(|lane| {
            let Some(lane) = lane else { return };
            lane.record(|recorder| recorder.leave(self.joins));
        });
    }
}

/// Runs a closure of a join, and writes down how long that took if the join is recorded.
#[inline]
pub(crate) fn as_half<R>(of: OpenCall, number: u64, half: impl FnOnce() -> R) -> R {
    let part = with_current_lane(|lane| Some(OpenPart::half(lane?, of, number)));
    let result = half();
    if let Some(part) = part {
        with_current_lane(|lane| match lane {
            Some(lane) => part.end(lane),
            None => drop(part),
        });
    }
    result
}
