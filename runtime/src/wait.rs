//! How a lane waits for others, and what it does meanwhile.
//!
//! A wait runs only work that descends from what it waits for (its *frame*: a loop, a scope, the stolen half of a join). So it cannot
//! meet a lock that is held further down its own stack, unless whoever wrote the awaited work made that work wait for the lock too; and a
//! short wait cannot pick up a long, unrelated job.
//!
//! It looks where such work must be: on the lanes that work for the frame, the *suspects*, and where those wait
//! themselves, on the lanes that they wait for (Wagner and Calder's leapfrogging, 1993). Where to look is a guess; what is found
//! is tested by its chain of [runs](crate::job::Run), and work that does not descend from the frame is put back where any idle
//! worker, and each wait that it descends from, finds it.
//!
//! # Why some lane always advances
//!
//! A job in a deque or among those put back is never needed by a wait that cannot get it: its owner takes it back, or finds it by its
//! descent. So a lane that waits, and finds nothing to do, waits for a run on another lane. Suppose that every lane of a pool waits like that. Of
//! the frames that they wait for, take one, F, from which no other of them descends. Some lane Z has a run of F on its stack. Above that
//! run lie only calls made by it, and work that Z took in waits of those calls: all of it descends from F. Z's topmost wait is among
//! them and waits for a frame that descends from F, against the choice of F.

use std::sync::Arc;

use crate::job::Frame;
use crate::lane::LaneContext;
use crate::pool::Work;
use crate::scope::{Bag, Glimpse, TaskRef};

/// How long a wait spins before it sleeps. A chunk of a loop takes about 4 µs.
const SPIN_NS: u64 = 20_000;

/// Looks at what is waited for before anything else, some 40 ns each.
const LOOKS: u32 = 20;

/// How many waiting lanes a search follows, each to the one that it waits for.
const HOPS: usize = 4;

enum Found {
    Work(Work),
    /// A scope that descends from the frame, and one of its tasks.
    Scope(Arc<Bag>, TaskRef),
}

/// Whose mail a waiting lane sees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mail {
    /// What descends from the frame, like everything else.
    OfDescendants,
    /// Anyone's. The mail is broadcasts, and so is what the lane waits for: two workers that both broadcast wait for each other.
    OfAnyone,
}

/// Waits until `ready`, working for `frame` meanwhile where there is work. `suspects` are lanes that may have some.
pub(crate) fn wait<S: Iterator<Item = usize>>(
    lane: &LaneContext<'_>,
    frame: Frame,
    suspects: impl Fn() -> S,
    ready: impl Fn() -> bool,
) {
    wait_with(Mail::OfDescendants, lane, frame, suspects, ready);
}

/// As [`wait`], with a choice of the mail.
pub(crate) fn wait_with<S: Iterator<Item = usize>>(
    mail: Mail,
    lane: &LaneContext<'_>,
    frame: Frame,
    suspects: impl Fn() -> S,
    ready: impl Fn() -> bool,
) {
    // What is nearly over is not worth a look around.
    for _ in 0..LOOKS {
        if ready() {
            return;
        }
        std::hint::spin_loop();
    }
    let fits = |work: &Work| mail == Mail::OfAnyone || work.descends_from(frame);
    let pool = lane.pool();
    let began = pool.clock.now();
    let mut helped_ns = 0;
    let mut idle_since = began;
    let waited_for_before = lane.lane().set_waits_for(suspects().next());
    while !ready() {
        let now = pool.clock.now();
        if let Some(found) = lane.take_mail(fits).map(Found::Work).or_else(|| find(lane, frame, suspects())) {
            match found {
                Found::Work(work) => lane.execute(work),
                Found::Scope(scope, first) => scope.help(lane, Some(first), &ready),
            }
            idle_since = pool.clock.now();
            helped_ns += pool.clock.ns_between(now, idle_since);
        } else if pool.clock.ns_between(idle_since, now) < SPIN_NS {
            pool.pause();
        } else {
            sleep(lane, &suspects, || ready() || lane.has_mail_that(fits));
        }
        lane.lane().set_waits_for(suspects().next());
    }
    lane.lane().set_waits_for(waited_for_before);
    let total_ns = pool.clock.ns_between(began, pool.clock.now());
    let private = lane.private();
    private.waited_ns.set(private.waited_ns.get() + total_ns.saturating_sub(helped_ns));
    private.helped_ns.set(private.helped_ns.get() + helped_ns);
}

fn sleep<S: Iterator<Item = usize>>(
    lane: &LaneContext<'_>,
    suspects: &impl Fn() -> S,
    ready: impl Fn() -> bool,
) {
    let pool = lane.pool();
    pool.sleep.announce_wait(lane.index());
    let work_near =
        || trail(lane, suspects()).any(|suspect| pool.lane(suspect).has_work()) || pool.has_stray();
    if !ready() && !work_near() {
        lane.lane().counters.parks.add(1);
        pool.sleep.parker(lane.index()).park();
        lane.lane().counters.wakeups.add(1);
    }
    pool.sleep.end_wait(lane.index());
}

/// The suspects, and the lanes that they wait for.
fn trail(lane: &LaneContext<'_>, suspects: impl Iterator<Item = usize>) -> impl Iterator<Item = usize> {
    let pool = lane.pool();
    let next = |&suspect: &usize| pool.lane(suspect).waits_for();
    let hops = suspects.flat_map(move |suspect| std::iter::successors(Some(suspect), next).take(HOPS));
    let this = lane.index();
    hops.filter(move |&suspect| suspect != this)
}

fn find(lane: &LaneContext<'_>, frame: Frame, suspects: impl Iterator<Item = usize>) -> Option<Found> {
    let pool = lane.pool();
    for suspect in trail(lane, suspects) {
        if let Some(job) = pool.steal_descendant(suspect, frame) {
            return Some(Found::Work(Work::Job(job)));
        }
        if let Some(scope) = pool.steal_scope(suspect) {
            match scope.glimpse(lane, frame) {
                Glimpse::Related(first) => return Some(Found::Scope(scope, first)),
                Glimpse::Unrelated => lane.offer_scope(scope),
                Glimpse::Empty => scope.help(lane, None, &|| false),
            }
        }
    }
    pool.take_stray(frame).map(|job| Found::Work(Work::Job(job)))
}
