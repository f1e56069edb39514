//! How idle workers find the private halves of joins.
//!
//! If the halves of a site are short, a lane offers one half at a time. It offers the next one when
//! the first was taken and the lane forks or joins again. A lane that does neither for long is in a
//! leaf that takes long, and cannot offer anything. An idle worker that finds nothing else watches
//! it, and takes its private halves after 50 µs. (In a young process that had threads before its
//! first pool, this begins later: [`Heavy`].)
//!
//! A lane that has private halves and no offer has been asked for one (`Lane::ask`). So a watcher
//! does not miss it if it goes on: the lane offers the next half, and wakes a worker, as soon as it
//! moves.

use super::PoolState;
use super::injector::Work;
use crate::os::clock::Ticks;
use crate::policy::times::PATIENCE_NS;
use crate::sched::lane::LaneContext;
use crate::sync::Heavy;

/// Between two looks at a lane.
const PAUSES: u32 = 16;

/// What an idle worker, or a reserve, watches.
#[derive(Default)]
pub(super) struct Watch {
    watched: Option<Watched>,
}

struct Watched {
    lane: usize,
    /// The lane's newest private half, by which it is known to stand still.
    newest: *const (),
    since: Ticks,
}

/// What came of a look.
pub(super) enum Sight {
    /// There is nothing to watch.
    Nothing,
    /// Something may be had soon.
    Watching,
    Taken(Work),
    /// It could not be had: others are at it, it moves again, or the system refuses.
    Refused,
}

impl Watch {
    /// Looks at one lane that has something which nobody else knows of.
    pub(super) fn look(&mut self, pool: &PoolState, lane: &LaneContext<'_>) -> Sight {
        let now = pool.clock.now();
        let hidden = self.watched.take().and_then(|watched| {
            let newest = pool.hidden_on(watched.lane)?;
            let since = if newest == watched.newest { watched.since } else { now };
            Some(Watched { newest, since, ..watched })
        });
        let Some(watched) = hidden.or_else(|| {
            let (lane, newest) = pool.any_hidden(lane)?;
            pool.lane(lane).ask();
            Some(Watched { lane, newest, since: now })
        }) else {
            return Sight::Nothing;
        };
        let lasts_long = pool.clock.ns_between(watched.since, now) >= PATIENCE_NS;
        if !lasts_long || Heavy::needed() == Heavy::Later {
            self.watched = Some(watched);
            return Sight::Watching;
        }
        match lane.take_private(watched.lane, watched.since) {
            Some(work) => Sight::Taken(work),
            None => Sight::Refused,
        }
    }

    /// Between two looks.
    pub(super) fn pause(&self, pool: &PoolState) {
        (0..PAUSES).for_each(|_| pool.pause());
    }
}

impl PoolState {
    /// Whether there is something for an idle worker to take, or to watch; a hint.
    pub(super) fn any_work_or_hidden(&self, beside: &LaneContext<'_>) -> bool {
        self.any_work() || self.any_hidden(beside).is_some()
    }

    /// As [`any_work_or_hidden`](Self::any_work_or_hidden), of the halves of joins.
    pub(super) fn any_half_or_hidden(&self, beside: &LaneContext<'_>) -> bool {
        self.any_half() || self.any_hidden(beside).is_some()
    }

    /// Whether some lane has a half that nobody else knows of, and nothing on offer; a hint.
    pub(super) fn any_hidden(&self, beside: &LaneContext<'_>) -> Option<(usize, *const ())> {
        let mut lanes = self.all_lanes_in_use().filter(|&lane| lane != beside.index());
        lanes.find_map(|lane| Some((lane, self.hidden_on(lane)?)))
    }

    fn hidden_on(&self, lane: usize) -> Option<*const ()> {
        let lane = self.lane(lane);
        if lane.has_job() { None } else { lane.newest_private() }
    }
}
