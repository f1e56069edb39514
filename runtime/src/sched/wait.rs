//! How a lane waits for others, and what it runs meanwhile.
//!
//! A waiting lane runs only work that descends from its *ancestor*. This is what it waits for: a
//! loop, a scope, or the stolen half of a join. If the join is in a
//! [region](crate::sched::join::JoinRegion), it is the region. So a waiting lane cannot meet a
//! lock that is held further down its own stack, unless the awaited work itself waits for that
//! lock. A short wait also cannot pick up a long, unrelated job.
//!
//! It looks where such work must be: on the lanes that work for the ancestor, or that offer work of
//! the region (the *suspects*), and if those wait themselves, on the lanes that they wait for. This is leapfrogging (Wagner and
//! Calder, 1993). Where to look is a guess. What the lane finds is tested by its chain of
//! [runs](crate::sched::job::Run). Work that does not descend from the ancestor is put back. Any
//! idle worker finds it there, and so does each wait that it descends from.
//!
//! So a lane may sleep while there is work that it must not run. If it sleeps for long, it lends
//! its seat to [another thread](crate::sched::pool), which may run it.
//!
//! Broadcasts are the exception. A waiting worker makes its call of any broadcast that reaches it,
//! because a broadcast needs every worker.
//!
//! # Why some lane always advances
//!
//! Suppose that no lane of a pool runs user code. Then each lane is idle, or in a wait that has not
//! ended and that finds no work.
//!
//! 1. *Nothing that is waited for is unbegun.* A lane that waits has made all its own work public
//!    before, and looks for it. The half of a join is in its deque (then the lane takes it back and
//!    does not wait), with a thief (then it is begun), or among the strays, where the wait finds it
//!    by its descent: a half also descends from its region. The tasks of a scope are in its queue. The owner empties the queue before it
//!    waits, and a thread that adds a task wakes the owner. A task is begun by the lane that joins
//!    it. A call of a broadcast is in the mail of a worker, which makes the call when it is idle or
//!    waits.
//! 2. So each wait is for *runs* that have begun, on lanes that wait themselves: the thief's run of
//!    a half, helpers' runs in a loop or scope, a worker's run of a task, or a worker's call of a
//!    broadcast.
//! 3. Among the ancestors that are waited for, take one, F, such that no lane waits inside a run of
//!    F for an ancestor opened later than F. There is one: the ancestor that was opened last. Some
//!    lane Z has a run of F on its stack, and its topmost wait is above that run. What Z waits for
//!    there was opened by that run, or by what Z took in its waits meanwhile: after F in either
//!    case. That contradicts the choice of F.
//!
//! Step three is about ancestors that a thread opens and then waits for. A task that is joined long
//! after it was submitted is older than the wait for it. So two tasks that join each other wait for
//! ever, as two threads would. The argument also ends at the border of the pool: a lane that waits
//! in one pool does nothing for another. A wait for a worker of another pool is a wait
//! [outside](crate::sched::outside), where the argument is extended.

use std::sync::Arc;

use crate::policy::times::WAIT_SPIN_NS;
use crate::sched::job::{Ancestor, Job};
use crate::sched::lane::LaneContext;
use crate::sched::pool::{BEFORE_LENDING, Work};
use crate::sched::scope::{Glimpse, ScopeQueue, TaskRef};

/// Looks at what is waited for before anything else, some 40 ns each.
const LOOKS: u32 = 20;

enum Found {
    Work(Work),
    /// A scope that descends from the ancestor, and one of its tasks.
    Scope(Arc<ScopeQueue>, TaskRef),
}

/// Calls its argument with each lane that may have work for the ancestor, until it answers true;
/// says whether it did.
///
/// Like `ready` below, it is called through a pointer, so that a program with many loops has this
/// module once.
pub(crate) type Suspects<'a> = &'a dyn Fn(&mut dyn FnMut(usize) -> bool) -> bool;

/// Waits until `ready`, working for `ancestor` meanwhile where there is work.
pub(crate) fn wait(
    lane: &LaneContext<'_>,
    ancestor: Ancestor,
    suspects: Suspects<'_>,
    ready: &dyn Fn() -> bool,
) {
    // What is nearly over is not worth a look around.
    for _ in 0..LOOKS {
        if ready() {
            return;
        }
        std::hint::spin_loop();
    }
    // What was pending when this wait began must not wait for its end.
    lane.publish_all();
    let pool = lane.pool();
    let began = pool.clock.now();
    let mut helped_ns = 0;
    let mut idle_since = began;
    let waited_for_before = lane.lane().set_waits_for(first(suspects));
    while !ready() {
        let now = pool.clock.now();
        if let Some(found) =
            lane.take_mail(Work::is_waited_for).map(Found::Work).or_else(|| find(lane, ancestor, suspects))
        {
            match found {
                Found::Work(work) => lane.execute(work),
                Found::Scope(scope, first) => scope.help(lane, Some(first), ready),
            }
            idle_since = pool.clock.now();
            helped_ns = pool.clock.ns_between(now, idle_since).saturating_add(helped_ns);
        } else if !pool.clock.have_passed(WAIT_SPIN_NS, &mut idle_since, now) {
            pool.pause();
        } else if let Some(job) =
            sleep(lane, ancestor, suspects, &|| ready() || lane.has_mail_that(Work::is_waited_for))
        {
            let now = pool.clock.now();
            lane.execute(Work::Job(job));
            idle_since = pool.clock.now();
            helped_ns = pool.clock.ns_between(now, idle_since).saturating_add(helped_ns);
        }
        lane.lane().set_waits_for(first(suspects));
    }
    lane.lane().set_waits_for(waited_for_before);
    let total_ns = pool.clock.ns_between(began, pool.clock.now());
    note_wait(lane, total_ns, helped_ns);
}

/// Records a wait of `total_ns`, with `helped_ns` of other work.
pub(crate) fn note_wait(lane: &LaneContext<'_>, total_ns: u64, helped_ns: u64) {
    let private = lane.private();
    private.waited_ns.set(private.waited_ns.get().saturating_add(total_ns.saturating_sub(helped_ns)));
    private.helped_ns.set(private.helped_ns.get().saturating_add(helped_ns));
}

fn sleep(
    lane: &LaneContext<'_>,
    ancestor: Ancestor,
    suspects: Suspects<'_>,
    ready: &dyn Fn() -> bool,
) -> Option<Job> {
    let pool = lane.pool();
    pool.sleep.announce_wait(lane.index());
    let work_near = || {
        trail(lane, suspects, &mut |suspect| pool.lane(suspect).has_work())
            || pool.has_stray_for(ancestor, lane)
    };
    let mut found = None;
    if !ready() && !work_near() {
        found = find_far(lane, ancestor, suspects);
        if found.is_none() {
            lane.sleep(|| park(lane));
        }
    }
    pool.sleep.end_wait(lane.index());
    found
}

/// Sleeps until another thread wakes this lane. If that takes long, others may have its seat
/// meanwhile.
fn park(lane: &LaneContext<'_>) {
    let parker = lane.pool().sleep.parker(lane.index());
    if parker.park_timeout(BEFORE_LENDING) {
        return;
    }
    let has_lent = lane.lend_seat();
    parker.park();
    if has_lent {
        lane.take_seat_back();
    }
}

fn first(suspects: Suspects<'_>) -> Option<usize> {
    let mut first = None;
    suspects(&mut |suspect| {
        first = Some(suspect);
        true
    });
    first
}

/// Looks for work of `ancestor` also on the lanes that have taken work from a lane that may have
/// some, and so on. Many of them may have other work, which would be put back. So this is for lanes
/// that have nothing else to do.
fn find_far(lane: &LaneContext<'_>, ancestor: Ancestor, suspects: Suspects<'_>) -> Option<Job> {
    let pool = lane.pool();
    let mut reached = Lanes::default();
    trail(lane, suspects, &mut |suspect| {
        reached.insert(suspect);
        false
    });
    let mut grown = true;
    while std::mem::take(&mut grown) {
        for other in pool.all_lanes_in_use() {
            let next = match reached.contains(other) {
                true => pool.lane(other).waits_for(),
                false => pool.lane(other).works_for().filter(|&from| reached.contains(from)).map(|_| other),
            };
            // Nothing that this lane waits for lies on itself.
            let Some(next) = next.filter(|&next| next != lane.index() && pool.find_lane(next).is_some())
            else {
                continue;
            };
            if reached.insert(next) {
                grown = true;
                if let Some(job) = pool.steal_for(ancestor, lane, next) {
                    return Some(job);
                }
            }
        }
    }
    None
}

/// A set of lanes. Those with high numbers are left out: a wait does not allocate.
#[derive(Default)]
struct Lanes([u64; 8]);

impl Lanes {
    fn contains(&self, lane: usize) -> bool {
        self.0.get(lane / 64).is_some_and(|word| word >> (lane % 64) & 1 != 0)
    }

    /// True if it is new.
    fn insert(&mut self, lane: usize) -> bool {
        let is_new = lane / 64 < self.0.len() && !self.contains(lane);
        if is_new {
            self.0[lane / 64] |= 1 << (lane % 64);
        }
        is_new
    }
}

/// Whether `look` is true of one of the suspects, or of the lanes that they wait for: in a list of
/// joins, each lane may wait for the next one.
fn trail(lane: &LaneContext<'_>, suspects: Suspects<'_>, look: &mut dyn FnMut(usize) -> bool) -> bool {
    let pool = lane.pool();
    let next = |&suspect: &usize| pool.find_lane(suspect)?.waits_for();
    let this = lane.index();
    suspects(&mut |suspect| {
        let mut hops = std::iter::successors(Some(suspect), next).take(pool.slots());
        hops.any(|suspect| suspect != this && pool.find_lane(suspect).is_some() && look(suspect))
    })
}

fn find(lane: &LaneContext<'_>, ancestor: Ancestor, suspects: Suspects<'_>) -> Option<Found> {
    let mut found = None;
    trail(lane, suspects, &mut |suspect| {
        found = find_on(lane, ancestor, suspect);
        found.is_some()
    });
    found.or_else(|| lane.pool().take_stray_for(ancestor, lane).map(|job| Found::Work(Work::Job(job))))
}

fn find_on(lane: &LaneContext<'_>, ancestor: Ancestor, suspect: usize) -> Option<Found> {
    let pool = lane.pool();
    if let Some(job) = pool.steal_for(ancestor, lane, suspect) {
        return Some(Found::Work(Work::Job(job)));
    }
    let scope = pool.steal_scope(suspect)?;
    match scope.glimpse(lane, ancestor) {
        Glimpse::Related(first) => return Some(Found::Scope(scope, first)),
        Glimpse::Unrelated => lane.offer_scope(scope),
        Glimpse::Empty => scope.leave(lane),
    }
    None
}
