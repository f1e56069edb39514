//! `fold` and `try_fold`.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};
use std::{fmt, iter, option};

use super::identity::{Cloner, FoldOps, Identity};
use super::{debug_without_closures, forward_to_base};
use crate::engine::options::Options;
use crate::engine::producer::{Claimed, Place, Producer, Receiver};
use crate::engine::watched::{Lookout, Watched};
use crate::iter::{ParallelIterator, Try};

/// What a lane has gathered in its current partial.
#[derive(Debug)]
pub struct Gathered<L, T> {
    /// The base's.
    local: L,
    so_far: Option<T>,
    /// Of how many indices.
    len: usize,
    /// Of how many it may be, which
    /// [`with_max_len`](crate::iter::IndexedParallelIterator::with_max_len) says.
    most: usize,
    /// An item has said to stop, and was handed on: nothing more is gathered in the partial.
    ended: bool,
}

impl<L, T> Gathered<L, T> {
    fn of<P: Producer<Local = L>>(base: &P) -> Self {
        let most = base.options().most_folded();
        Gathered { local: base.local(), so_far: None, len: 0, most, ended: false }
    }

    /// What has been gathered, if `len` indices more would be too many; none more are the tail,
    /// which ends the partial.
    fn take_full(&mut self, len: usize) -> Option<T> {
        if len == 0 {
            self.len = 0;
            return None;
        }
        let full = self.len.saturating_add(len) > self.most;
        self.len = if full { len } else { self.len + len };
        if full { self.so_far.take() } else { None }
    }
}

/// Made by [`fold`](ParallelIterator::fold).
#[derive(Clone)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Fold<I, ID, F> {
    base: I,
    ops: FoldOps<ID, F>,
}

/// Made by [`fold_with`](ParallelIterator::fold_with).
pub type FoldWith<I, T, F> = Fold<I, Cloner<T>, F>;

impl<I, ID, F> Fold<I, ID, F> {
    pub(crate) fn new(base: I, identity: ID, fold_op: F) -> Self {
        Fold { base, ops: FoldOps { identity, fold_op } }
    }
}

impl<I, ID, T, F> ParallelIterator for Fold<I, ID, F>
where
    I: ParallelIterator,
    ID: Identity<Output = T> + Send,
    F: Fn(T, I::Item) -> T + Sync + Send,
    T: Send,
{
    type Item = T;
    type Producer = FoldProducer<I::Producer, ID, F>;

    fn into_producer(self) -> Self::Producer {
        FoldProducer { base: self.base.into_producer(), ops: self.ops, _ops: PhantomData }
    }
}

/// Hands out the indices of what is folded; what a [`Fold`] yields comes at the end of partials.
///
/// In inner loops, it borrows its closures. They have the same type at any depth, as trees need it
/// that are walked.
pub struct FoldProducer<P, ID, F, O = FoldOps<ID, F>> {
    base: P,
    ops: O,
    _ops: PhantomData<fn() -> FoldOps<ID, F>>,
}

debug_without_closures! {
    [I: fmt::Debug, ID, F] Fold<I, ID, F> { base };
    [P: fmt::Debug, ID, F, O] FoldProducer<P, ID, F, O> { base };
    [I: fmt::Debug, R, ID, F] TryFold<I, R, ID, F> { base };
    [P: fmt::Debug, R, ID, F, O] TryFoldProducer<P, R, ID, F, O> { base };
}

impl<P, ID, T, F, O> FoldProducer<P, ID, F, O>
where
    P: Producer,
    ID: Identity<Output = T>,
    F: Fn(T, P::Item) -> T + Sync,
    O: Borrow<FoldOps<ID, F>>,
{
    /// Gathers items, and yields nothing until the tail of the partial is asked for or as many as
    /// may be are gathered. They were produced before the identity is made, whose panic drops them.
    #[inline]
    fn gather(
        &self,
        items: impl Iterator<Item = P::Item>,
        so_far: &mut Option<T>,
        full: Option<T>,
        is_tail: bool,
    ) -> option::IntoIter<T> {
        let ops = self.ops.borrow();
        let before = so_far.take().unwrap_or_else(|| ops.identity.make());
        // A closure, to be inlined, as in the consumer `Reduce`.
        let all = items.fold(before, |all, item| (ops.fold_op)(all, item));
        if is_tail {
            return Some(all).into_iter();
        }
        *so_far = Some(all);
        full.into_iter()
    }
}

impl<P, ID, T, F, O> Producer for FoldProducer<P, ID, F, O>
where
    P: Producer,
    ID: Identity<Output = T>,
    F: Fn(T, P::Item) -> T + Sync,
    T: Send,
    O: Borrow<FoldOps<ID, F>> + Sync,
{
    type Item = T;
    type Local = Gathered<P::Local, T>;
    type Iter<'a>
        = option::IntoIter<T>
    where
        Self: 'a;
    const HAS_TAIL: bool = true;
    const DETERMINISTIC: bool = P::DETERMINISTIC;
    const NESTS: bool = P::NESTS;
    const ENDS_EARLY: bool = P::ENDS_EARLY;

    forward_to_base!(same places);

    fn options(&self) -> Options<'_> {
        self.base.options()
    }

    fn is_full(&self) -> bool {
        self.base.is_full()
    }

    fn local(&self) -> Self::Local {
        Gathered::of(&self.base)
    }

    unsafe fn chunk<'a>(&'a self, gathered: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        let is_tail = indices.is_empty();
        let full = gathered.take_full(indices.len());
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk(&mut gathered.local, indices) };
        self.gather(items, &mut gathered.so_far, full, is_tail)
    }

    unsafe fn chunk_until<'a>(
        &'a self,
        gathered: &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        let is_tail = indices.is_empty();
        let full = gathered.take_full(indices.len());
        let base = Watched::new(&self.base, lookout);
        // SAFETY: the same demands.
        let items = unsafe { base.chunk(&mut gathered.local, indices) };
        self.gather(items, &mut gathered.so_far, full, is_tail)
    }

    unsafe fn feed<R: Receiver<T>>(
        &self,
        gathered: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        let is_tail = indices.is_empty();
        // SAFETY: the same demands.
        let items = unsafe { Claimed::new(&self.base, indices) };
        if let Some(full) = gathered.take_full(items.len()) {
            receiver.items(iter::once(full))?;
        }
        let (ops, so_far) = (self.ops.borrow(), &mut gathered.so_far);
        let mut folding = Folding { ops, so_far: &mut *so_far, receiver: &mut *receiver };
        items.feed(&mut gathered.local, &mut folding)?;
        if is_tail {
            receiver.items(iter::once_with(|| so_far.take().unwrap_or_else(|| ops.identity.make())))?;
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn next_item(&self, gathered: &Self::Local, index: usize) -> usize {
        self.base.next_item(&gathered.local, index)
    }
}

/// Gathers what comes in sequential iterators; inner loops gather for themselves.
struct Folding<'a, ID, F, T, R> {
    ops: &'a FoldOps<ID, F>,
    so_far: &'a mut Option<T>,
    receiver: &'a mut R,
}

impl<'a, X, ID, T, F, R> Receiver<X> for Folding<'a, ID, F, T, R>
where
    ID: Identity<Output = T>,
    F: Fn(T, X) -> T + Sync,
    T: Send,
    R: Receiver<T>,
{
    type Over = R::Over;

    fn over(&self) -> R::Over {
        self.receiver.over()
    }

    #[inline]
    fn items<I: Iterator<Item = X>>(&mut self, items: I) -> ControlFlow<()> {
        let FoldOps { identity, fold_op } = self.ops;
        let so_far = self.so_far.take().unwrap_or_else(|| identity.make());
        *self.so_far = Some(items.fold(so_far, fold_op));
        ControlFlow::Continue(())
    }

    fn nested<Q: Producer<Item = X>>(&mut self, inner: Q) -> ControlFlow<()> {
        if let Some(before) = self.so_far.take() {
            self.receiver.items(iter::once(before))?;
        }
        self.receiver.nested(FoldProducer { base: inner, ops: self.ops, _ops: PhantomData })
    }

    #[inline]
    fn place<Q: Producer<Item = X>>(&self) -> Option<Place> {
        self.receiver.place::<FoldProducer<Q, ID, F, &'a FoldOps<ID, F>>>()
    }
}

/// Made by [`try_fold`](ParallelIterator::try_fold).
#[must_use = "iterators do nothing until they are consumed"]
pub struct TryFold<I, R, ID, F> {
    base: I,
    ops: FoldOps<ID, F>,
    _results: PhantomData<fn() -> R>,
}

/// Made by [`try_fold_with`](ParallelIterator::try_fold_with).
pub type TryFoldWith<I, R, F> = TryFold<I, R, Cloner<<R as Try>::Output>, F>;

impl<I, R, ID, F> TryFold<I, R, ID, F> {
    pub(crate) fn new(base: I, identity: ID, fold_op: F) -> Self {
        TryFold { base, ops: FoldOps { identity, fold_op }, _results: PhantomData }
    }
}

impl<I: Clone, R, ID: Clone, F: Clone> Clone for TryFold<I, R, ID, F> {
    fn clone(&self) -> Self {
        TryFold { base: self.base.clone(), ops: self.ops.clone(), _results: PhantomData }
    }
}

impl<I, R, ID, F> ParallelIterator for TryFold<I, R, ID, F>
where
    I: ParallelIterator,
    ID: Identity<Output = R::Output> + Send,
    F: Fn(R::Output, I::Item) -> R + Sync + Send,
    R: Try + Send,
{
    type Item = R;
    type Producer = TryFoldProducer<I::Producer, R, ID, F>;

    fn into_producer(self) -> Self::Producer {
        TryFoldProducer { base: self.base.into_producer(), ops: self.ops, _ops: PhantomData }
    }
}

/// As [`FoldProducer`], of a [`TryFold`].
pub struct TryFoldProducer<P, R, ID, F, O = FoldOps<ID, F>> {
    base: P,
    ops: O,
    _ops: PhantomData<fn(ID, F) -> R>,
}

impl<P, R, ID, F, O> TryFoldProducer<P, R, ID, F, O>
where
    P: Producer,
    ID: Identity<Output = R::Output>,
    F: Fn(R::Output, P::Item) -> R + Sync,
    R: Try + Send,
    O: Borrow<FoldOps<ID, F>>,
{
    /// Gathers items until one says to stop, which is yielded at once; else nothing until the tail
    /// of the partial is asked for or as many as may be are gathered.
    #[inline]
    fn gather(
        &self,
        mut items: impl Iterator<Item = P::Item>,
        so_far: &mut Option<ControlFlow<R::Residual, R::Output>>,
        ended: &mut bool,
        full: Option<ControlFlow<R::Residual, R::Output>>,
        is_tail: bool,
    ) -> option::IntoIter<R> {
        if *ended {
            *ended = !is_tail;
            return None.into_iter();
        }
        let FoldOps { identity, fold_op } = self.ops.borrow();
        let all = match so_far.take().unwrap_or_else(|| ControlFlow::Continue(identity.make())) {
            ControlFlow::Continue(all) => items.try_fold(all, |all, item| fold_op(all, item).branch()),
            stopped => stopped,
        };
        *ended = !is_tail && full.is_none() && all.is_break();
        let whole = if is_tail || *ended {
            Some(all)
        } else {
            *so_far = Some(all);
            full
        };
        whole.map(result_of).into_iter()
    }
}

impl<P, R, ID, F, O> Producer for TryFoldProducer<P, R, ID, F, O>
where
    P: Producer,
    ID: Identity<Output = R::Output>,
    F: Fn(R::Output, P::Item) -> R + Sync,
    R: Try + Send,
    O: Borrow<FoldOps<ID, F>> + Sync,
{
    type Item = R;
    type Local = Gathered<P::Local, ControlFlow<R::Residual, R::Output>>;
    type Iter<'a>
        = option::IntoIter<R>
    where
        Self: 'a;
    const HAS_TAIL: bool = true;
    const DETERMINISTIC: bool = P::DETERMINISTIC;
    const NESTS: bool = P::NESTS;
    const ENDS_EARLY: bool = P::ENDS_EARLY;

    forward_to_base!(same places);

    fn options(&self) -> Options<'_> {
        self.base.options()
    }

    fn is_full(&self) -> bool {
        self.base.is_full()
    }

    fn local(&self) -> Self::Local {
        Gathered::of(&self.base)
    }

    unsafe fn chunk<'a>(&'a self, gathered: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        let is_tail = indices.is_empty();
        let full = gathered.take_full(indices.len());
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk(&mut gathered.local, indices) };
        self.gather(items, &mut gathered.so_far, &mut gathered.ended, full, is_tail)
    }

    unsafe fn chunk_until<'a>(
        &'a self,
        gathered: &'a mut Self::Local,
        indices: Range<usize>,
        lookout: &'a Lookout<'a>,
    ) -> Self::Iter<'a> {
        let is_tail = indices.is_empty();
        let full = gathered.take_full(indices.len());
        let base = Watched::new(&self.base, lookout);
        // SAFETY: the same demands.
        let items = unsafe { base.chunk(&mut gathered.local, indices) };
        self.gather(items, &mut gathered.so_far, &mut gathered.ended, full, is_tail)
    }

    unsafe fn feed<S: Receiver<R>>(
        &self,
        gathered: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut S,
    ) -> ControlFlow<()> {
        let is_tail = indices.is_empty();
        // SAFETY: the same demands.
        let items = unsafe { Claimed::new(&self.base, indices) };
        if let Some(full) = gathered.take_full(items.len()) {
            receiver.items(iter::once(result_of(full)))?;
        }
        let Gathered { local, so_far, ended, .. } = gathered;
        if *ended {
            *ended = !is_tail;
            return ControlFlow::Continue(());
        }
        let ops = self.ops.borrow();
        let mut folding = TryFolding::<R, ID, F, S> { ops, so_far: &mut *so_far, receiver: &mut *receiver };
        let flow = items.feed(local, &mut folding);
        // If an item has said to stop, no more are wanted from the base, but that is wanted from
        // here, at once.
        if let Some(ControlFlow::Break(residual)) = so_far.take_if(|all| all.is_break()) {
            *ended = !is_tail;
            return receiver.items(iter::once(R::from_residual(residual)));
        }
        flow?;
        if is_tail {
            let all = || ControlFlow::Continue(ops.identity.make());
            receiver.items(iter::once_with(|| result_of(so_far.take().unwrap_or_else(all))))?;
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn next_item(&self, gathered: &Self::Local, index: usize) -> usize {
        self.base.next_item(&gathered.local, index)
    }
}

fn result_of<R: Try>(all: ControlFlow<R::Residual, R::Output>) -> R {
    match all {
        ControlFlow::Continue(all) => R::from_output(all),
        ControlFlow::Break(residual) => R::from_residual(residual),
    }
}

/// As [`Folding`]. Once an item has said to stop, nothing more is gathered in the partial.
struct TryFolding<'a, R: Try, ID, F, S> {
    ops: &'a FoldOps<ID, F>,
    so_far: &'a mut Option<ControlFlow<R::Residual, R::Output>>,
    receiver: &'a mut S,
}

impl<'a, X, R, ID, F, S> Receiver<X> for TryFolding<'a, R, ID, F, S>
where
    ID: Identity<Output = R::Output>,
    F: Fn(R::Output, X) -> R + Sync,
    R: Try + Send,
    S: Receiver<R>,
{
    type Over = S::Over;

    fn over(&self) -> S::Over {
        self.receiver.over()
    }

    #[inline]
    fn items<I: Iterator<Item = X>>(&mut self, mut items: I) -> ControlFlow<()> {
        let FoldOps { identity, fold_op } = self.ops;
        let all = match self.so_far.take().unwrap_or_else(|| ControlFlow::Continue(identity.make())) {
            ControlFlow::Continue(so_far) => items.try_fold(so_far, |all, item| fold_op(all, item).branch()),
            stopped => stopped,
        };
        let flow = if all.is_break() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        *self.so_far = Some(all);
        flow
    }

    fn nested<Q: Producer<Item = X>>(&mut self, inner: Q) -> ControlFlow<()> {
        if matches!(self.so_far, Some(ControlFlow::Break(_))) {
            return ControlFlow::Break(());
        }
        let before = self.so_far.take().map(result_of);
        self.receiver.items(before.into_iter())?;
        self.receiver.nested(TryFoldProducer { base: inner, ops: self.ops, _ops: PhantomData })
    }

    #[inline]
    fn place<Q: Producer<Item = X>>(&self) -> Option<Place> {
        self.receiver.place::<TryFoldProducer<Q, R, ID, F, &'a FoldOps<ID, F>>>()
    }
}
