//! `fold` and `try_fold`.

use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};
use std::option;

use super::forward_to_base;
use crate::iter::options::Options;
use crate::iter::producer::Producer;
use crate::iter::{ParallelIterator, Try};

/// What a lane has gathered in its current segment.
#[derive(Debug)]
pub struct Gathered<L, T> {
    /// The base's.
    local: L,
    so_far: Option<T>,
    /// Of how many indices.
    len: usize,
    /// Of how many it may be, which [`with_max_len`](crate::iter::IndexedParallelIterator::with_max_len) says.
    most: usize,
}

impl<L, T> Gathered<L, T> {
    fn of<P: Producer<Local = L>>(base: &P) -> Self {
        Gathered { local: base.local(), so_far: None, len: 0, most: base.options().most_folded() }
    }

    /// What has been gathered, if `len` indices more would be too many; none more are the tail, which ends the segment.
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
#[derive(Clone, Debug)]
pub struct Fold<I, ID, F> {
    pub(crate) base: I,
    pub(crate) identity: ID,
    pub(crate) fold_op: F,
}

impl<I, ID, T, F> ParallelIterator for Fold<I, ID, F>
where
    I: ParallelIterator,
    ID: Fn() -> T + Sync + Send,
    F: Fn(T, I::Item) -> T + Sync + Send,
    T: Send,
{
    type Item = T;
    type Producer = Fold<I::Producer, ID, F>;

    fn into_producer(self) -> Self::Producer {
        Fold { base: self.base.into_producer(), identity: self.identity, fold_op: self.fold_op }
    }
}

impl<P, ID, T, F> Producer for Fold<P, ID, F>
where
    P: Producer,
    ID: Fn() -> T + Sync,
    F: Fn(T, P::Item) -> T + Sync,
    T: Send,
{
    type Item = T;
    type Local = Gathered<P::Local, T>;
    type Iter<'a>
        = option::IntoIter<T>
    where
        Self: 'a;
    const HAS_TAIL: bool = true;
    const DETERMINISTIC: bool = P::DETERMINISTIC;

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

    /// Gathers a chunk, and yields nothing until the tail of the segment is asked for or as many as may be are gathered.
    unsafe fn chunk<'a>(&'a self, gathered: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        let is_tail = indices.is_empty();
        let full = gathered.take_full(indices.len());
        // Before the identity, whose panic drops them.
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk(&mut gathered.local, indices) };
        let so_far = gathered.so_far.take().unwrap_or_else(&self.identity);
        // A closure, to be inlined, as in the consumer `Reduce`.
        let all = items.fold(so_far, |all, item| (self.fold_op)(all, item));
        if is_tail {
            return Some(all).into_iter();
        }
        gathered.so_far = Some(all);
        full.into_iter()
    }

    #[inline]
    fn next_item(&self, gathered: &Self::Local, index: usize) -> usize {
        self.base.next_item(&gathered.local, index)
    }
}

/// Made by [`try_fold`](ParallelIterator::try_fold).
#[derive(Clone, Debug)]
pub struct TryFold<I, R, ID, F> {
    base: I,
    identity: ID,
    fold_op: F,
    _results: PhantomData<fn() -> R>,
}

impl<I, R, ID, F> TryFold<I, R, ID, F> {
    pub(crate) fn new(base: I, identity: ID, fold_op: F) -> Self {
        TryFold { base, identity, fold_op, _results: PhantomData }
    }
}

impl<I, R, ID, F> ParallelIterator for TryFold<I, R, ID, F>
where
    I: ParallelIterator,
    ID: Fn() -> R::Output + Sync + Send,
    F: Fn(R::Output, I::Item) -> R + Sync + Send,
    R: Try + Send,
{
    type Item = R;
    type Producer = TryFold<I::Producer, R, ID, F>;

    fn into_producer(self) -> Self::Producer {
        TryFold::new(self.base.into_producer(), self.identity, self.fold_op)
    }
}

impl<P, R, ID, F> Producer for TryFold<P, R, ID, F>
where
    P: Producer,
    ID: Fn() -> R::Output + Sync,
    F: Fn(R::Output, P::Item) -> R + Sync,
    R: Try + Send,
{
    type Item = R;
    type Local = Gathered<P::Local, ControlFlow<R::Residual, R::Output>>;
    type Iter<'a>
        = option::IntoIter<R>
    where
        Self: 'a;
    const HAS_TAIL: bool = true;
    const DETERMINISTIC: bool = P::DETERMINISTIC;

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

    /// Gathers a chunk until an item says to stop, and yields nothing until the tail of the segment is asked for or as many
    /// as may be are gathered.
    unsafe fn chunk<'a>(&'a self, gathered: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        let is_tail = indices.is_empty();
        let full = gathered.take_full(indices.len());
        // SAFETY: the same demands.
        let mut items = unsafe { self.base.chunk(&mut gathered.local, indices) };
        let so_far = gathered.so_far.take().unwrap_or_else(|| ControlFlow::Continue((self.identity)()));
        let all = match so_far {
            ControlFlow::Continue(so_far) => {
                items.try_fold(so_far, |all, item| (self.fold_op)(all, item).branch())
            }
            stopped => stopped,
        };
        let whole = if is_tail {
            Some(all)
        } else {
            gathered.so_far = Some(all);
            full
        };
        let result = |whole| match whole {
            ControlFlow::Continue(all) => R::from_output(all),
            ControlFlow::Break(residual) => R::from_residual(residual),
        };
        whole.map(result).into_iter()
    }

    #[inline]
    fn next_item(&self, gathered: &Self::Local, index: usize) -> usize {
        self.base.next_item(&gathered.local, index)
    }
}
