//! The scopes that a thread is inside: those that it has opened, and those whose tasks it runs.
//! [`yield_now`](crate::yield_now()) looks here for the thread's own work.

use std::ptr;

use super::{Scope, TaskRef};
use crate::sched::lane::LaneContext;
use crate::sched::pool::find_scope;

/// Calls `look` with the scopes that this thread is inside, innermost first, until it finds
/// something. Scopes of other pools than `lane`'s are left out, but not those that belong to none:
/// the thread is alone with them.
fn find<R>(
    lane: Option<&LaneContext<'_>>,
    mut look: impl FnMut(&Scope<'static>, Option<&LaneContext<'_>>) -> Option<R>,
) -> Option<R> {
    find_scope(|scope| {
        let lane = lane.filter(|lane| ptr::eq(lane.pool(), scope.pool));
        if lane.is_none() && !scope.pool.is_null() {
            return None;
        }
        look(scope, lane)
    })
}

/// Runs a task of the innermost scope that has one: this lane's youngest, or another's oldest.
/// False if there is none.
pub(crate) fn run_own_task(lane: Option<&LaneContext<'_>>) -> bool {
    let take = |scope: &Scope<'static>, lane: Option<&LaneContext<'_>>| {
        let task = scope.queue.get()?.take(lane)?;
        Some((task, lane.is_some()))
    };
    let Some((task, on_lane)) = find(lane, take) else { return false };
    TaskRef::execute(task, lane.filter(|_| on_lane));
    true
}

/// Whether there is one.
pub(crate) fn has_own_task(lane: &LaneContext<'_>) -> bool {
    let has_task = |scope: &Scope<'static>, _: Option<&LaneContext<'_>>| {
        let queue = scope.queue.get()?;
        (!queue.is_empty()).then_some(())
    };
    find(Some(lane), has_task).is_some()
}
