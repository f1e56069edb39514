//! A spawned task that nobody has begun.

use std::ptr::{self, NonNull};

use super::Scope;
use crate::profile::calls::{CallId, CallSite};
use crate::sched::carried::Carried;
use crate::sched::job::{Ancestor, Run};
use crate::sched::lane::LaneContext;
use crate::sched::pool::{PoolState, inside_scope};
use crate::sched::recorded::{OpenPart, tell_from_here};
use crate::sched::unwind::{self, drop_quietly};

/// The head of every task, by which it is run without knowing its type.
struct TaskHead {
    execute: unsafe fn(NonNull<TaskHead>, Option<&LaneContext<'_>>),
    /// The scope, which the task's ticket keeps alive. Its lifetime is known to `execute`.
    scope: *const Scope<'static>,
    /// The task's name in profiles; 0 if none is being taken.
    recorded: CallId,
    carried: Carried,
}

/// One allocation per task. The head comes first: a [`TaskRef`] points to it.
#[repr(C)]
struct BoxedTask<F> {
    head: TaskHead,
    body: F,
}

/// A task and its ticket. It must be executed, or the scope waits for ever.
pub(crate) struct TaskRef(NonNull<TaskHead>);

// SAFETY: the body is `Send` (`new`), and the scope may be used from any thread.
unsafe impl Send for TaskRef {}

impl TaskRef {
    /// # Safety
    ///
    /// The scope holds a ticket for this task, and does not end before the task has returned it.
    pub(super) unsafe fn new<'scope, F>(scope: &Scope<'scope>, body: F) -> Self
    where
        F: FnOnce(&Scope<'scope>) + Send + 'scope,
    {
        let head = TaskHead {
            execute: execute::<F>,
            scope: ptr::from_ref(scope).cast(),
            recorded: 0,
            carried: Carried::from_here(),
        };
        TaskRef(NonNull::from(Box::leak(Box::new(BoxedTask { head, body }))).cast())
    }

    /// Lets profiles see the task, which this thread spawns.
    #[cold]
    pub(super) fn record(&mut self, pool: &PoolState, site: CallSite) {
        // SAFETY: a task lives until it is executed, which takes `self`, and nobody else has it.
        let head = unsafe { self.0.as_mut() };
        head.recorded = tell_from_here(pool, |lane| lane.spawned(site));
    }

    fn scope(&self) -> *const Scope<'static> {
        // SAFETY: a task lives until it is executed, which takes `self`.
        unsafe { self.0.as_ref() }.scope
    }

    /// Whether the task's scope is `ancestor`, or was opened by work that descends from it.
    pub(super) fn descends_from(&self, ancestor: Ancestor) -> bool {
        // SAFETY: the task's ticket keeps the scope alive.
        let scope = unsafe { &*self.scope() };
        // SAFETY: the scope, which this task is work of, was born in that run and is not over.
        scope.ancestor() == ancestor || unsafe { Run::descends(scope.born_in, ancestor) }
    }

    /// The lane that waits for the scope, if one does.
    pub(super) fn owner(&self) -> Option<usize> {
        // SAFETY: the task's ticket keeps the scope alive.
        unsafe { &*self.scope() }.owner.lane()
    }

    /// Runs the body and returns the ticket.
    pub(super) fn execute(self, lane: Option<&LaneContext<'_>>) {
        // SAFETY: as in `scope`.
        let execute = unsafe { self.0.as_ref() }.execute;
        // SAFETY: `self` is the only reference to the task, and the head was made for this
        // function.
        unsafe { execute(self.0, lane) }
    }
}

/// # Safety
///
/// `head` is the head of a `BoxedTask<F>` on the heap, which this call is given.
unsafe fn execute<'scope, F>(head: NonNull<TaskHead>, lane: Option<&LaneContext<'_>>)
where
    F: FnOnce(&Scope<'scope>) + Send + 'scope,
{
    // SAFETY: it was leaked from a box in `new`, and is given to this call alone.
    let task = unsafe { Box::from_raw(head.cast::<BoxedTask<F>>().as_ptr()) };
    // Off the heap before it runs: what is counted as pending is what has not begun.
    let BoxedTask { head, body } = *task;
    // SAFETY: the ticket keeps the scope alive until `leave`; `'scope` is the lifetime that it was
    // made with (`new`).
    let scope = unsafe { &*head.scope.cast::<Scope<'scope>>() };
    let run = || {
        let body = || unwind::catch(|| scope.enter(body));
        let result = inside_scope(scope, body);
        #[cfg(all(loom, feature = "loom"))]
        let result = crate::sched::modelled::unless_stuck(result);
        if let Err(payload) = result {
            drop_quietly(scope.panic.panicked(payload));
        }
    };
    {
        // This comes before the ticket, because the thread that waits for the scope may check
        // whether its span is closed.
        let carried = head.carried;
        let _inside = carried.enter();
        match lane {
            Some(lane) => {
                let part = (head.recorded != 0).then(|| OpenPart::only(lane, head.recorded));
                // SAFETY: the run that the scope was opened in waits for its tasks.
                let part_of = unsafe { Run::new(scope.ancestor(), scope.born_in) };
                lane.in_run(&part_of, run);
                if let Some(part) = part {
                    part.end(lane);
                }
            }
            None => run(),
        }
    }
    // SAFETY: the ticket is still out, and is returned by this.
    unsafe { Scope::leave(head.scope) };
}
