//! An adapter behind a `flat_map`, whose items come from sequential iterators and from inner loops.

use std::cell::UnsafeCell;
use std::ops::{ControlFlow, Range};
use std::ptr;

use super::adapted::{Adapt, Outputs};
use crate::engine::options::Options;
use crate::engine::producer::{Place, Producer, Receiver};
use crate::engine::watched::Lookout;

/// Wraps what comes, on its way to the next receiver.
pub(super) struct Through<'a, A, L, R> {
    pub(super) adapter: &'a A,
    pub(super) state: &'a mut L,
    pub(super) receiver: &'a mut R,
}

impl<'a, A, L, R> Through<'a, A, L, R> {
    /// Has the items of a base adapted. `Break` if the receiver wants no more, which is not so if
    /// the adapter is full.
    #[inline]
    pub(super) fn run<T>(mut self, feed: impl FnOnce(&mut Self) -> ControlFlow<()>) -> ControlFlow<()>
    where
        A: Adapt<T, Local = L>,
    {
        let flow = feed(&mut self);
        if self.adapter.is_full() { ControlFlow::Continue(()) } else { flow }
    }
}

impl<T, A: Adapt<T>, R: Receiver<A::Output>> Receiver<T> for Through<'_, A, A::Local, R> {
    type Over = R::Over;

    fn over(&self) -> R::Over {
        self.receiver.over()
    }

    #[inline]
    fn items<I: Iterator<Item = T>>(&mut self, items: I) -> ControlFlow<()> {
        if self.adapter.is_full() {
            return ControlFlow::Break(());
        }
        self.receiver.items(self.adapter.adapt(self.state, items))
    }

    fn nested<Q: Producer<Item = T>>(&mut self, inner: Q) -> ControlFlow<()> {
        if self.adapter.is_full() {
            return ControlFlow::Break(());
        }
        self.receiver.nested(Behind { base: inner, adapter: self.adapter, lent: Lent::new(self.state) })
    }

    #[inline]
    fn place<Q: Producer<Item = T>>(&self) -> Option<Place> {
        self.receiver.place::<Behind<'_, Q, A, A::Local>>()
    }
}

/// An inner producer whose items go through an adapter that stands behind the `flat_map`.
#[derive(Debug)]
pub struct Behind<'a, Q, A, L> {
    base: Q,
    adapter: &'a A,
    /// The state of the lane whose chunk the inner loop is in.
    lent: Lent<'a, L>,
}

impl<'s, Q: Producer, A: Adapt<Q::Item>> Producer for Behind<'s, Q, A, A::Local> {
    type Item = A::Output;
    type Local = (Q::Local, State<'s, A::Local>);
    type Iter<'a>
        = A::Iter<'a, Q::Iter<'a>>
    where
        Self: 'a;
    const HAS_TAIL: bool = Q::HAS_TAIL;
    const DETERMINISTIC: bool = Q::DETERMINISTIC;
    const NESTS: bool = Q::NESTS;
    const STEPS: bool = Q::STEPS && !A::IN_PIECES && !matches!(A::OUTPUTS, Outputs::Any);
    const ENDS_EARLY: bool = Q::ENDS_EARLY || A::ENDS_EARLY;
    const STATELESS: bool = Q::STATELESS && size_of::<A::Local>() == 0;

    fn len(&self) -> usize {
        self.base.len()
    }

    fn options(&self) -> Options<'_> {
        self.base.options()
    }

    fn is_full(&self) -> bool {
        self.adapter.is_full() || self.base.is_full()
    }

    fn local(&self) -> Self::Local {
        let state = self.lent.take().map_or_else(|| State::Own(self.adapter.local()), State::Lent);
        (self.base.local(), state)
    }

    #[inline]
    unsafe fn chunk<'a>(
        &'a self,
        (local, state): &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk(local, indices) };
        self.adapter.adapt(state.get_mut(), items)
    }

    #[inline]
    unsafe fn chunk_until<'a>(
        &'a self,
        (local, state): &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk_until(local, indices, lookout) };
        self.adapter.adapt_until(state.get_mut(), items, lookout)
    }

    #[inline]
    unsafe fn feed<R: Receiver<A::Output>>(
        &self,
        (local, state): &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        let through = Through { adapter: self.adapter, state: state.get_mut(), receiver };
        // SAFETY: the same demands.
        through.run(|through| unsafe { self.base.feed(local, indices, through) })
    }

    #[inline]
    fn next_item(&self, (local, _): &Self::Local, index: usize) -> usize {
        self.base.next_item(local, index)
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        unsafe { self.base.discard(indices) }
    }
}

/// What a lane keeps for an adapter inside an inner loop.
#[derive(Debug)]
pub enum State<'a, L> {
    /// What it keeps in the loop outside, in whose chunk the inner loop is.
    Lent(&'a mut L),
    /// Its own, in this loop.
    Own(L),
}

impl<L> State<'_, L> {
    #[inline]
    fn get_mut(&mut self) -> &mut L {
        match self {
            State::Lent(state) => state,
            State::Own(state) => state,
        }
    }
}

/// A lane's state, for the same thread in an inner loop: it need not be `Send`.
#[derive(Debug)]
struct Lent<'a, L> {
    /// Only the thread that `owner` stands for touches it.
    state: UnsafeCell<Option<&'a mut L>>,
    owner: usize,
}

// SAFETY: other threads than the owner read `owner` only, which does not change.
unsafe impl<L> Sync for Lent<'_, L> {}

impl<'a, L> Lent<'a, L> {
    fn new(state: &'a mut L) -> Self {
        Lent { state: UnsafeCell::new(Some(state)), owner: this_thread() }
    }

    /// The state, if it is this thread's and nobody has it.
    fn take(&self) -> Option<&'a mut L> {
        if size_of::<L>() == 0 || self.owner != this_thread() {
            return None;
        }
        // SAFETY: of this thread alone, which holds no reference into the cell while it runs this
        // line.
        unsafe { (*self.state.get()).take() }
    }
}

/// A number that no other thread has that is alive; one that has lent its state is, as the state
/// lies on its stack or further down.
fn this_thread() -> usize {
    #[cfg(all(loom, feature = "loom"))]
    if let Some(number) = crate::sched::modelled::thread_number() {
        return number;
    }
    thread_local! {
        static HERE: u8 = const { 0 };
    }
    HERE.with(|here| ptr::from_ref(here).addr())
}
