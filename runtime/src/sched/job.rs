//! Jobs, the entries of deques: pointers to something in which a lane can take part. Also the chain
//! of runs, by which descent is known.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use crate::policy::site::Site;
use crate::protocol::external_slot::ExternalSlot;
use crate::sched::lane::LaneContext;

/// What a wait waits for: the address of a loop, a scope, a pending half of a join, or a region of
/// joins. Unique while that exists.
pub(crate) type Ancestor = *const ();

/// Taken work that a lane is running. The runs that a piece of work was born in, innermost first,
/// form a chain; it tells which ancestors the work descends from.
///
/// A run is on the stack of the lane that it belongs to. Only work that was born in the run, and
/// work that descends from that, names it. The run waits for all of this work. So a lane that holds
/// such work may follow its chain.
#[derive(Debug)]
pub(crate) struct Run {
    ancestor: Ancestor,
    /// The innermost [region](crate::sched::join::JoinRegion) around it; null if there is none.
    region: Ancestor,
    born_in: Origin,
}

/// Where work is born: the innermost run around it, and how many there are, one inside the other,
/// but for halves of joins: these are a part of what they are in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    run: *const Run,
    pub(crate) depth: u32,
    is_half: bool,
}

impl Origin {
    /// In no run: a lane works on its own behalf, or nobody waits for the work.
    pub(crate) const OUTSIDE: Origin = Origin { run: ptr::null(), depth: 0, is_half: false };

    /// The origin of what is born in `run`.
    ///
    /// # Safety
    ///
    /// `run` is null, or some lane is in the middle of it, and stays so during this call.
    pub(crate) unsafe fn inside(run: *const Run) -> Self {
        // SAFETY: this function's contract.
        let outer = unsafe { run.as_ref() }.map(|run| run.born_in);
        let depth = outer.map_or(0, |outer| outer.depth + u32::from(!outer.is_half));
        Origin { run, depth, is_half: false }
    }

    /// The same for what is inside `depth` loops, some of which the lane may have called itself:
    /// its part in these is no run.
    pub(crate) fn at_least(self, depth: u32) -> Self {
        Origin { depth: self.depth.max(depth), ..self }
    }

    /// The same for the half of a join, or a region.
    pub(crate) fn of_half(self) -> Self {
        Origin { is_half: true, ..self }
    }
}

impl Run {
    /// Work of `ancestor`, which was opened in `born_in`.
    ///
    /// # Safety
    ///
    /// Some lane is in the middle of the run of `born_in`, if there is one.
    pub(crate) unsafe fn new(ancestor: Ancestor, born_in: Origin) -> Self {
        // SAFETY: this function's contract.
        Run { ancestor, region: unsafe { Run::region(born_in.run) }, born_in }
    }

    /// The work inside a region, which a lane calls itself.
    pub(crate) fn of_region(region: Ancestor, called_in: Origin) -> Self {
        Run { ancestor: region, region, born_in: called_in.of_half() }
    }

    /// The innermost region around what is born in `run`; null if there is none.
    ///
    /// # Safety
    ///
    /// `run` is null, or some lane is in the middle of it.
    pub(crate) unsafe fn region(run: *const Run) -> Ancestor {
        // SAFETY: this function's contract.
        unsafe { run.as_ref() }.map_or(ptr::null(), |run| run.region)
    }

    /// Whether work that was born in `born_in` descends from `ancestor`.
    ///
    /// # Safety
    ///
    /// That work is neither finished nor taken by anyone else.
    pub(crate) unsafe fn descends(born_in: Origin, ancestor: Ancestor) -> bool {
        let mut run = born_in.run;
        // SAFETY: the run waits for its descendants, among which is the work that the caller holds;
        // so does each run that it was born in itself. Runs do not change.
        while let Some(inner) = unsafe { run.as_ref() } {
            // All runs inside a region know it, so that the way to it need not be walked.
            if inner.ancestor == ancestor || inner.region == ancestor {
                return true;
            }
            run = inner.born_in.run;
        }
        false
    }
}

/// The head of everything that a [`Job`] can point to, by which it is run without knowing its type.
#[derive(Debug)]
pub(crate) struct JobHead {
    execute: unsafe fn(NonNull<JobHead>, &LaneContext<'_>),
    /// Written before the first push, by the lane that opened the ancestor.
    born_in: Cell<MaybeUninit<Origin>>,
}

impl JobHead {
    /// # Safety
    ///
    /// `execute` is called with a pointer to this head, which must be the first field of what
    /// `execute` expects. It does not unwind.
    #[inline]
    pub(crate) unsafe fn new(execute: unsafe fn(NonNull<JobHead>, &LaneContext<'_>)) -> Self {
        JobHead { execute, born_in: Cell::new(MaybeUninit::uninit()) }
    }

    /// Where such jobs come from: the call site that made this one.
    pub(crate) fn site(&self) -> Site {
        Site::at(self.execute as *const () as usize)
    }

    /// Says where this was born; before it is pushed anywhere.
    pub(crate) fn set_born_in(&self, origin: Origin) {
        self.born_in.set(MaybeUninit::new(origin));
    }

    /// # Safety
    ///
    /// It was set.
    unsafe fn born_in(&self) -> Origin {
        // SAFETY: this method's contract.
        unsafe { self.born_in.get().assume_init() }
    }
}

/// The head of a loop. A job in a deque, or put back, is an invitation to a loop if it is no half
/// of a join.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct LoopHead {
    head: JobHead,
    /// Who of the external callers may take part.
    pub(crate) external: ExternalSlot,
}

impl LoopHead {
    /// The head of a loop that `lane` calls.
    ///
    /// # Safety
    ///
    /// As for [`JobHead::new`].
    pub(crate) unsafe fn new(
        execute: unsafe fn(NonNull<JobHead>, &LaneContext<'_>),
        born_in: Origin,
        lane: &LaneContext<'_>,
    ) -> Self {
        // SAFETY: this function's contract; the head is the first field of this one.
        let head = unsafe { JobHead::new(execute) };
        head.set_born_in(born_in);
        LoopHead { head, external: ExternalSlot::new((!lane.is_worker()).then(|| lane.index())) }
    }
}

/// The depth of the work in which a job was born, and in the last bit, whether it is not a half of
/// a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(pub(crate) u32);

impl Rank {
    pub(crate) fn depth(self) -> u32 {
        self.0 / 2
    }

    pub(crate) fn is_half(self) -> bool {
        self.0 % 2 == 0
    }
}

/// A promise that what it points to stays alive until the job is executed or taken back.
///
/// The pusher of the job keeps the promise: a loop does not end while a
/// [ticket](crate::protocol::tickets) is out, a join not before its
/// [hand-over](crate::protocol::handover).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job(NonNull<JobHead>);

// SAFETY: `Job::new` requires what the job points to be usable from any thread.
unsafe impl Send for Job {}

impl Job {
    /// # Safety
    ///
    /// The pointee may be used from any thread and stays alive until this job is executed or taken
    /// back.
    pub(crate) unsafe fn new(head: NonNull<JobHead>) -> Self {
        Job(head)
    }

    /// The ancestor that this is work of.
    pub(crate) fn ancestor(self) -> Ancestor {
        self.0.as_ptr().cast_const().cast()
    }

    /// Whether `lane`, which waits for `ancestor`, may run this: it is work of `ancestor`, or of
    /// something that was opened by work of `ancestor`, and no invitation to a loop in which
    /// another external caller has the slot for external callers.
    ///
    /// # Safety
    ///
    /// The job was just taken off a deque, or was put back, and not executed yet.
    pub(crate) unsafe fn is_for(self, ancestor: Ancestor, lane: &LaneContext<'_>) -> bool {
        // SAFETY: this method's contract.
        (unsafe { self.descends_from(ancestor) })
            // SAFETY: as above.
            && unsafe { self.is_open_to(lane) }
    }

    /// # Safety
    ///
    /// As for [`is_for`](Self::is_for).
    unsafe fn is_open_to(self, lane: &LaneContext<'_>) -> bool {
        // SAFETY: this method's contract.
        if lane.is_worker() || unsafe { self.rank() }.is_half() {
            return true;
        }
        // SAFETY: `new` was promised that the pointee lives until the job is executed; it is a
        // loop, since it is no half.
        let head = unsafe { self.0.cast::<LoopHead>().as_ref() };
        head.external.may_be_claimed(lane.index())
    }

    /// # Safety
    ///
    /// As for [`is_for`](Self::is_for).
    unsafe fn descends_from(self, ancestor: Ancestor) -> bool {
        // SAFETY: `new` was promised that the pointee lives until the job is executed.
        let head = unsafe { self.0.as_ref() };
        // SAFETY: it lay in a deque, and was set before.
        let born_in = unsafe { head.born_in() };
        // SAFETY: the caller holds this job, which was born in that run.
        self.ancestor() == ancestor || unsafe { Run::descends(born_in, ancestor) }
    }

    /// The depth of the work in which this was born, and whether it is the half of a join.
    ///
    /// # Safety
    ///
    /// The job was just taken off a deque, or was put back, and not executed yet; or it is about to
    /// be pushed.
    pub(crate) unsafe fn rank(self) -> Rank {
        // SAFETY: `new` was promised that the pointee lives until the job is executed.
        let head = unsafe { self.0.as_ref() };
        // SAFETY: it was set before the first push.
        let Origin { depth, is_half, .. } = unsafe { head.born_in() };
        Rank(2 * depth + u32::from(!is_half))
    }

    /// Takes part in what the job points to.
    ///
    /// # Safety
    ///
    /// The job was just taken off a deque, and is executed only this once for each time it was
    /// pushed.
    pub(crate) unsafe fn execute(self, lane: &LaneContext<'_>) {
        let (execute, born_in) = {
            // SAFETY: `new` was promised that the pointee lives until now.
            let head = unsafe { self.0.as_ref() };
            // SAFETY: it lay in a deque, and was set before.
            (head.execute, unsafe { head.born_in() })
        };
        // SAFETY: the run that the job was born in waits for it.
        let run = unsafe { Run::new(self.ancestor(), born_in) };
        // SAFETY: the head was made for this function, and it is the pointee's first field
        // (`JobHead::new`).
        lane.in_run(&run, || unsafe { execute(self.0, lane) });
    }
}
