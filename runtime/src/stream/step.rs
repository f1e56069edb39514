//! The steps of a stream: the adapters of the parallel iterators, each applied to one item at a
//! time.

use std::{iter, mem};

use crate::iter::{Adapt, Outputs};

/// What happens to an item on its way through a stream: some adapters, one after the other.
///
/// It is put together by the methods of [`Stream`](super::Stream), and cannot be implemented
/// elsewhere; an adapter of one's own is an [`Adapt`].
pub trait Step<T>: Send + Sync + sealed::Sealed {
    /// What comes out.
    type Output: Send;

    /// Whether several results may come of one item.
    #[doc(hidden)]
    const MANY: bool;

    /// What a lane keeps from item to item.
    #[doc(hidden)]
    type Local;

    /// Makes that, for a lane that has its first item.
    #[doc(hidden)]
    fn local(&self) -> Self::Local;

    /// Processes an item; `emit` gets what comes of it.
    #[doc(hidden)]
    fn step(&self, local: &mut Self::Local, item: T, emit: &mut impl FnMut(Self::Output));

    /// The lane's next item is not the neighbour of its last one: `emit` gets what is still to come
    /// of those before.
    #[doc(hidden)]
    fn end_run(&self, local: &mut Self::Local, emit: &mut impl FnMut(Self::Output));

    /// Whether nothing will come of further items.
    #[doc(hidden)]
    fn is_full(&self) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Identity {}
    impl<S, A> Sealed for super::Then<S, A> {}
    impl<S, ID, F> Sealed for super::FoldStep<S, ID, F> {}
}

/// Nothing happens.
#[derive(Clone, Copy, Debug)]
pub struct Identity;

/// `S`, and then an adapter.
#[derive(Clone, Debug)]
pub struct Then<S, A>(pub(super) S, pub(super) A);

/// Made by [`Stream::fold`](super::Stream::fold).
#[derive(Clone, Debug)]
pub struct FoldStep<S, ID, F> {
    pub(super) base: S,
    pub(super) identity: ID,
    pub(super) fold_op: F,
}

impl<T: Send> Step<T> for Identity {
    type Output = T;
    const MANY: bool = false;
    type Local = ();

    fn local(&self) {}

    #[inline]
    fn step(&self, (): &mut (), item: T, emit: &mut impl FnMut(T)) {
        emit(item);
    }

    #[inline]
    fn end_run(&self, (): &mut (), _: &mut impl FnMut(T)) {}

    #[inline]
    fn is_full(&self) -> bool {
        false
    }
}

impl<S, A> Then<S, A> {
    /// What the adapter makes of an item.
    #[inline]
    fn adapt<T>(&self, local: &mut A::Local, item: T, emit: &mut impl FnMut(A::Output))
    where
        A: Adapt<T>,
    {
        for result in self.1.adapt(local, iter::once(item)) {
            emit(result);
        }
    }
}

impl<T, S: Step<T>, A: Adapt<S::Output>> Step<T> for Then<S, A> {
    type Output = A::Output;
    const MANY: bool = S::MANY || matches!(A::OUTPUTS, Outputs::Any);
    type Local = (S::Local, A::Local);

    fn local(&self) -> Self::Local {
        (self.0.local(), self.1.local())
    }

    #[inline]
    fn step(&self, (before, local): &mut Self::Local, item: T, emit: &mut impl FnMut(A::Output)) {
        self.0.step(before, item, &mut |item| self.adapt(local, item, emit));
    }

    #[inline]
    fn end_run(&self, (before, local): &mut Self::Local, emit: &mut impl FnMut(A::Output)) {
        self.0.end_run(before, &mut |item| self.adapt(local, item, emit));
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.1.is_full() || self.0.is_full()
    }
}

impl<T, S, A, ID, F> Step<T> for FoldStep<S, ID, F>
where
    S: Step<T>,
    A: Send,
    ID: Fn() -> A + Send + Sync,
    F: Fn(A, S::Output) -> A + Send + Sync,
{
    type Output = A;
    const MANY: bool = false;
    type Local = (S::Local, Option<A>);

    fn local(&self) -> Self::Local {
        (self.base.local(), None)
    }

    #[inline]
    fn step(&self, (before, so_far): &mut Self::Local, item: T, _: &mut impl FnMut(A)) {
        self.base.step(before, item, &mut |item| self.gather(so_far, item));
    }

    fn end_run(&self, (before, so_far): &mut Self::Local, emit: &mut impl FnMut(A)) {
        self.base.end_run(before, &mut |item| self.gather(so_far, item));
        so_far.take().into_iter().for_each(emit);
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.base.is_full()
    }
}

impl<S, ID, F> FoldStep<S, ID, F> {
    #[inline]
    fn gather<A, X>(&self, so_far: &mut Option<A>, item: X)
    where
        ID: Fn() -> A,
        F: Fn(A, X) -> A,
    {
        let before = so_far.take().unwrap_or_else(&self.identity);
        *so_far = Some((self.fold_op)(before, item));
    }
}

/// A lane's part of what happens, with its state.
pub(super) struct Stepper<'s, T, S: Step<T>> {
    step: &'s S,
    /// Made when there is an item.
    local: Option<S::Local>,
    /// What has come of the last item, if more than one result has: all but the first.
    more: Vec<S::Output>,
}

impl<'s, T, S: Step<T>> Stepper<'s, T, S> {
    pub(super) fn new(step: &'s S) -> Self {
        Stepper { step, local: None, more: Vec::new() }
    }

    /// The first that comes of the next item.
    #[inline]
    pub(super) fn step(&mut self, item: T) -> Option<S::Output> {
        let local = self.local.get_or_insert_with(|| self.step.local());
        let mut first = None;
        self.step.step(local, item, &mut |result| Self::gather(&mut first, &mut self.more, result));
        first
    }

    /// The run of neighbouring items ends with one of which this was the first result: the same, or
    /// the first that is still to come.
    #[inline]
    pub(super) fn end_run(&mut self, mut first: Option<S::Output>) -> Option<S::Output> {
        if let Some(local) = &mut self.local {
            self.step.end_run(local, &mut |result| Self::gather(&mut first, &mut self.more, result));
        }
        first
    }

    #[inline]
    fn gather(first: &mut Option<S::Output>, more: &mut Vec<S::Output>, result: S::Output) {
        if first.is_none() {
            *first = Some(result);
        } else {
            assert!(S::MANY, "an adapter yields more for an item than its `OUTPUTS` says");
            more.push(result);
        }
    }

    /// What has come besides the first, if that is anything.
    #[inline]
    pub(super) fn take_more(&mut self) -> Option<Vec<S::Output>> {
        (S::MANY && !self.more.is_empty()).then(|| mem::take(&mut self.more))
    }
}
