//! Parallel iterators inside the items of a loop, as in `flat_map`.
//!
//! Their items go on through the rest of the pipeline. If the call site has learned that an inner
//! iterator takes little time, the lane runs it as part of its chunk. Otherwise it is a loop of its
//! own.

use std::ops::{ControlFlow, Range};

use super::small::{self, Outcome};
use super::{Plan, small::Head};
use crate::engine::around::{InChunk, Over};
use crate::engine::consumer::ChunkOf;
use crate::engine::feeder::Feed;
use crate::engine::options::Options;
use crate::engine::producer::{Claimed, Producer, Receiver};
use crate::engine::watched::Lookout;
use crate::policy::site::Site;
use crate::sched::pool::{PoolState, with_pool};
use crate::sync::{AtomicBool, Ordering};

/// Passes all items of `inner` on to `receiver`, in order. `Break` if that wants no more.
#[inline]
pub(crate) fn drive_inner<Q: Producer, R: Receiver<Q::Item>>(inner: Q, receiver: &mut R) -> ControlFlow<()> {
    if !Q::HAS_TAIL && inner.len() == 0 {
        return ControlFlow::Continue(());
    }
    let Some(place) = receiver.place::<Rest<Q>>() else {
        return receiver.nested(Rest::new(inner, 0));
    };
    let is_watched = place.is_cancellable || inner.options().needs_pieces();
    let choose = |pool: Option<&PoolState>| {
        let Some(pool) = pool else { return Way::whole(is_watched) };
        let plan = Plan::new(&inner, pool.profiling());
        if plan.profiled {
            return Way::Loop;
        }
        if inner.len() <= 1 || pool.num_threads() == 1 {
            return Way::whole(is_watched && plan.units > 1);
        }
        let site = Site::at(place.address);
        let expected_ns = match site.estimate_ns() {
            // Nobody can help.
            None if plan.units == 1 => Some(f64::INFINITY),
            known => known.filter(|&ns| plan.units == 1 || plan.runs_alone(ns, pool)),
        };
        match expected_ns {
            Some(ns) => {
                let around = receiver.over();
                let mut onward = Onward { receiver, flow: ControlFlow::Continue(()) };
                let around = InChunk::alone(Over(Some(&around)), None);
                match small::try_alone(&inner, || (), (&mut onward, Some(around)), plan, (pool, site, ns)) {
                    Outcome::Done(()) => Way::Done(onward.flow),
                    Outcome::Dearer(head) => Way::Rest(head),
                }
            }
            None => Way::Loop,
        }
    };
    match with_pool(inner.options().pool, choose) {
        Way::Done(flow) => flow,
        Way::Whole => whole(&inner, receiver),
        Way::Loop => receiver.nested(Rest::new(inner, 0)),
        Way::Rest(head) => rest(inner, head, receiver),
    }
}

/// How the items of an inner loop are passed on.
enum Way<P: Producer> {
    Done(ControlFlow<()>),
    /// All at once, by this lane.
    Whole,
    /// By a loop.
    Loop,
    /// The first ones are done; what is left, by a loop.
    Rest(Head<P, ()>),
}

impl<P: Producer> Way<P> {
    /// This lane runs it. It does so in a loop of its own if it must check from time to time
    /// whether to go on.
    fn whole(is_watched: bool) -> Self {
        if is_watched { Way::Loop } else { Way::Whole }
    }
}

/// Passes chunks on to a receiver.
struct Onward<'a, R> {
    receiver: &'a mut R,
    /// Whether it wants more.
    flow: ControlFlow<()>,
}

impl<T, R: Receiver<T>> Feed<T> for &mut Onward<'_, R> {
    type Partial = ();

    #[inline]
    fn feed<P: Producer<Item = T>>(&mut self, (): (), chunk: ChunkOf<'_, P>) -> ControlFlow<()> {
        self.flow = chunk.feed(self.receiver);
        self.flow
    }
}

fn whole<Q: Producer, R: Receiver<Q::Item>>(inner: &Q, receiver: &mut R) -> ControlFlow<()> {
    let mut onward = Onward { receiver, flow: ControlFlow::Continue(()) };
    small::whole(inner, &mut onward);
    onward.flow
}

/// What comes behind the first items, which have taken longer than was expected.
#[cold]
fn rest<Q: Producer, R: Receiver<Q::Item>>(inner: Q, head: Head<Q, ()>, receiver: &mut R) -> ControlFlow<()> {
    let Head { mut local, partial: (), next } = head;
    let rest = Rest::new(inner, next);
    if Q::HAS_TAIL {
        let end = rest.base.len();
        // SAFETY: there are no indices in it.
        unsafe { Claimed::new(&rest.base, end..end) }.feed(&mut local, receiver)?;
    }
    drop(local);
    receiver.nested(rest)
}

/// An inner producer, from some index on. Dropped without having been run, it drops its items.
struct Rest<Q: Producer> {
    base: Q,
    first: usize,
    /// A lane has asked for some of its indices, and so for all. Relaxed: the thread that drops it
    /// knows of all that did.
    begun: AtomicBool,
}

impl<Q: Producer> Rest<Q> {
    fn new(base: Q, first: usize) -> Self {
        Rest { base, first, begun: AtomicBool::new(false) }
    }

    #[inline]
    fn begin(&self, indices: Range<usize>) -> Range<usize> {
        if !self.begun.load(Ordering::Relaxed) {
            self.begun.store(true, Ordering::Relaxed);
        }
        self.first + indices.start..self.first + indices.end
    }
}

impl<Q: Producer> Drop for Rest<Q> {
    fn drop(&mut self) {
        if !self.begun.load(Ordering::Relaxed) {
            // SAFETY: nobody has asked for any of these, and nobody can any more.
            unsafe { self.base.discard(self.first..self.base.len()) };
        }
    }
}

impl<Q: Producer> Producer for Rest<Q> {
    type Item = Q::Item;
    type Local = Q::Local;
    type Iter<'a>
        = Q::Iter<'a>
    where
        Self: 'a;
    const HAS_TAIL: bool = Q::HAS_TAIL;
    const DETERMINISTIC: bool = Q::DETERMINISTIC;
    const NESTS: bool = Q::NESTS;
    const STEPS: bool = Q::STEPS;
    const ENDS_EARLY: bool = Q::ENDS_EARLY;
    const STATELESS: bool = Q::STATELESS;

    fn len(&self) -> usize {
        self.base.len() - self.first
    }

    fn options(&self) -> Options<'_> {
        self.base.options()
    }

    fn is_full(&self) -> bool {
        self.base.is_full()
    }

    fn local(&self) -> Self::Local {
        self.base.local()
    }

    #[inline]
    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands, moved.
        unsafe { self.base.chunk(local, self.begin(indices)) }
    }

    #[inline]
    unsafe fn chunk_until<'a>(
        &'a self,
        local: &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands, moved.
        unsafe { self.base.chunk_until(local, self.begin(indices), lookout) }
    }

    #[inline]
    unsafe fn feed<R: Receiver<Q::Item>>(
        &self,
        local: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        // SAFETY: the same demands, moved.
        unsafe { self.base.feed(local, self.begin(indices), receiver) }
    }

    #[inline]
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        self.base.next_item(local, self.first + index) - self.first
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands, moved.
        unsafe { self.base.discard(self.begin(indices)) }
    }
}
