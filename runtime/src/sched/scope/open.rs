//! The scopes that a thread is inside of: those it has opened, and those whose tasks it runs. For a
//! thread that asks for its own work in the middle of it ([`yield_now`](crate::yield_now())).

use std::ptr;

use super::{Scope, TaskRef};
use crate::sched::lane::LaneContext;
use crate::sync::per_thread;

per_thread! {
    /// The top of a chain through the thread's stack.
    static INNERMOST: *const Link = ptr::null();
}

/// A scope, as long as the thread is inside.
struct Link {
    /// Its lifetime is of no account: only its tasks are looked for.
    scope: *const Scope<'static>,
    outer: *const Link,
}

/// Calls `inside`, which does not unwind, as something that happens inside of `scope`.
pub(super) fn inside<R>(scope: &Scope<'_>, inside: impl FnOnce() -> R) -> R {
    let link = Link { scope: ptr::from_ref(scope).cast(), outer: INNERMOST.get() };
    INNERMOST.set(&link);
    let result = inside();
    INNERMOST.set(link.outer);
    result
}

/// Calls `look` with the scopes that this thread is inside of, innermost first, until it finds
/// something. Scopes of other pools than `lane`'s are left out, but not those that belong to none:
/// the thread is alone with them.
fn find<R>(
    lane: Option<&LaneContext<'_>>,
    mut look: impl FnMut(&Scope<'static>, Option<&LaneContext<'_>>) -> Option<R>,
) -> Option<R> {
    let mut next = INNERMOST.get();
    // SAFETY: a link in the chain is in a frame of this thread that has not returned.
    while let Some(link) = unsafe { next.as_ref() } {
        next = link.outer;
        // SAFETY: the thread is inside of it, so it is not over.
        let scope = unsafe { &*link.scope };
        let lane = lane.filter(|lane| ptr::eq(lane.pool(), scope.pool));
        if lane.is_none() && !scope.pool.is_null() {
            continue;
        }
        if let Some(found) = look(scope, lane) {
            return Some(found);
        }
    }
    None
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
