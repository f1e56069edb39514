//! Adapters that yield several items for each item: `flat_map_iter`, `flatten_iter`, `flat_map`,
//! `flatten`.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};
use std::vec;
use std::{fmt, iter};

use super::adapted::{Adapt, Adapted};
use super::{debug_without_closures, forward_to_base};
use crate::engine::drive_inner;
use crate::engine::producer::{Producer, Receiver};
use crate::engine::watched::{Lookout, Wanted};
use crate::iter::{FromParallelIterator, IntoParallelIterator, ParallelIterator};

/// Made by [`flat_map_iter`](crate::iter::ParallelIterator::flat_map_iter).
pub type FlatMapIter<I, F> = Adapted<I, FlatMapIterOp<F>>;
/// Made by [`flatten_iter`](crate::iter::ParallelIterator::flatten_iter).
pub type FlattenIter<I> = Adapted<I, FlattenIterOp>;

/// What `flat_map_iter` does.
#[derive(Clone)]
pub struct FlatMapIterOp<F>(pub(crate) F);

/// What `flatten_iter` does.
#[derive(Clone, Copy, Debug)]
pub struct FlattenIterOp;

/// How an outer item becomes an iterator.
#[doc(hidden)]
pub trait Open<T>: Send + Sync {
    /// What it becomes.
    type Inner: IntoIterator<Item: Send>;

    /// Makes it.
    fn open(&self, item: T) -> Self::Inner;
}

impl<T, S: IntoIterator<Item: Send>, F: Fn(T) -> S + Send + Sync> Open<T> for FlatMapIterOp<F> {
    type Inner = S;

    #[inline]
    fn open(&self, item: T) -> S {
        (self.0)(item)
    }
}

impl<T: IntoIterator<Item: Send>> Open<T> for FlattenIterOp {
    type Inner = T;

    #[inline]
    fn open(&self, item: T) -> T {
        item
    }
}

macro_rules! opens {
    (impl[$($generics:tt)*] $Adapter:ty where[$($bounds:tt)*]) => {
        impl<T, $($generics)*> Adapt<T> for $Adapter
        where
            $($bounds)*
        {
            type Output = <<Self as Open<T>>::Inner as IntoIterator>::Item;
            type Local = ();
            type Iter<'a, I: Iterator<Item = T> + 'a>
                = iter::Flatten<Opened<'a, I, Self>>
            where
                Self: 'a;

            fn local(&self) {}

            #[inline]
            fn adapt<'a, I: Iterator<Item = T> + 'a>(&'a self, (): &'a mut (), items: I) -> Self::Iter<'a, I> {
                Opened { items, op: self, lookout: None }.flatten()
            }

            #[inline]
            fn adapt_until<'a, I: Iterator<Item = T> + 'a>(
                &'a self,
                (): &'a mut (),
                items: I,
                lookout: &'a Lookout<'a>,
            ) -> Self::Iter<'a, I> {
                Opened { items, op: self, lookout: Some(lookout) }.flatten()
            }
        }
    };
}
opens! { impl[S, F] FlatMapIterOp<F> where[F: Fn(T) -> S + Send + Sync, S: IntoIterator<Item: Send>] }
opens! { impl[] FlattenIterOp where[T: IntoIterator<Item: Send>] }

/// The iterators that outer items become.
#[derive(Clone)]
pub struct Opened<'a, I, O> {
    items: I,
    op: &'a O,
    lookout: Option<&'a Lookout<'a>>,
}

impl<I: fmt::Debug, O> fmt::Debug for Opened<'_, I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opened").field(&self.items).finish()
    }
}

impl<'a, T, I: Iterator<Item = T>, O: Open<T>> Iterator for Opened<'a, I, O> {
    type Item = Wanted<'a, <O::Inner as IntoIterator>::IntoIter>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.lookout.is_some_and(|lookout| lookout.look()) {
            return None;
        }
        self.items.next().map(|item| Wanted::new(self.op.open(item).into_iter(), self.lookout))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }

    #[inline]
    fn fold<B, G: FnMut(B, Self::Item) -> B>(mut self, init: B, mut g: G) -> B {
        if self.lookout.is_some() {
            let mut all = init;
            for inner in self.by_ref() {
                all = g(all, inner);
            }
            return all;
        }
        let Opened { items, op, .. } = self;
        items.fold(init, |all, item| g(all, Wanted::new(op.open(item).into_iter(), None)))
    }
}

/// Made by [`flat_map`](ParallelIterator::flat_map).
#[derive(Clone)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct FlatMap<I, F> {
    pub(crate) base: I,
    pub(crate) f: F,
}

debug_without_closures! {
    [F] FlatMapIterOp<F> {};
    [I: fmt::Debug, F] FlatMap<I, F> { base };
}

/// Made by [`flatten`](ParallelIterator::flatten).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Flatten<I> {
    pub(crate) base: I,
}

impl<I, F, S> ParallelIterator for FlatMap<I, F>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> S + Sync + Send,
    S: IntoParallelIterator,
{
    type Item = S::Item;
    type Producer = FlatMapProducer<I::Producer, F>;

    fn into_producer(self) -> Self::Producer {
        FlatMapProducer { base: self.base.into_producer(), f: self.f, _calls: PhantomData }
    }
}

impl<I: ParallelIterator<Item: IntoParallelIterator>> ParallelIterator for Flatten<I> {
    type Item = <I::Item as IntoParallelIterator>::Item;
    type Producer = FlatMapProducer<I::Producer, fn(I::Item) -> I::Item>;

    fn into_producer(self) -> Self::Producer {
        FlatMapProducer { base: self.base.into_producer(), f: |inner| inner, _calls: PhantomData }
    }
}

/// Hands out the outer items of a [`FlatMap`] or a [`Flatten`]; what is in them, it feeds as inner
/// loops.
///
/// In inner loops, it borrows its closure. They have the same type at any depth, as trees need it
/// that are walked.
pub struct FlatMapProducer<P, F, O = F> {
    base: P,
    f: O,
    _calls: PhantomData<fn() -> F>,
}

debug_without_closures! { [P: fmt::Debug, F, O] FlatMapProducer<P, F, O> { base }; }

impl<P, F, S, O> Producer for FlatMapProducer<P, F, O>
where
    P: Producer,
    F: Fn(P::Item) -> S + Sync,
    S: IntoParallelIterator,
    O: Borrow<F> + Sync,
{
    type Item = S::Item;
    type Local = P::Local;
    type Iter<'a>
        = Inner<P::Iter<'a>, &'a F, S::Item>
    where
        Self: 'a;
    const HAS_TAIL: bool = P::HAS_TAIL;
    const DETERMINISTIC: bool = P::DETERMINISTIC;
    const NESTS: bool = true;
    const ENDS_EARLY: bool = P::ENDS_EARLY;
    const STATELESS: bool = P::STATELESS;

    forward_to_base!(same places);
    forward_to_base!(@always);

    unsafe fn chunk<'a>(&'a self, local: &'a mut Self::Local, indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk(local, indices) };
        Inner { items, f: self.f.borrow(), current: Vec::new().into_iter() }
    }

    #[inline]
    unsafe fn feed<R: Receiver<S::Item>>(
        &self,
        local: &mut Self::Local,
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        // SAFETY: the same demands.
        unsafe { self.base.feed(local, indices, &mut Opening { f: self.f.borrow(), receiver }) }
    }

    #[inline]
    fn next_item(&self, local: &Self::Local, index: usize) -> usize {
        self.base.next_item(local, index)
    }
}

/// Makes inner loops of outer items, one after the other.
struct Opening<'a, F, R> {
    f: &'a F,
    receiver: &'a mut R,
}

impl<T, F, S, R> Receiver<T> for Opening<'_, F, R>
where
    F: Fn(T) -> S + Sync,
    S: IntoParallelIterator,
    R: Receiver<S::Item>,
{
    type Over = R::Over;

    fn over(&self) -> R::Over {
        self.receiver.over()
    }

    #[inline]
    fn items<I: Iterator<Item = T>>(&mut self, mut items: I) -> ControlFlow<()> {
        items.try_for_each(|item| drive_inner((self.f)(item).into_par_iter().into_producer(), self.receiver))
    }

    fn nested<Q: Producer<Item = T>>(&mut self, inner: Q) -> ControlFlow<()> {
        self.receiver.nested(FlatMapProducer::<Q, F, &F> { base: inner, f: self.f, _calls: PhantomData })
    }
}

/// The sequential iterator of `flat_map`, for an adapter or a consumer that needs one: it collects
/// each inner parallel iterator.
#[derive(Debug)]
pub struct Inner<I, F, R> {
    items: I,
    f: F,
    current: vec::IntoIter<R>,
}

impl<I, F, S> Iterator for Inner<I, F, S::Item>
where
    I: Iterator,
    F: Fn(I::Item) -> S,
    S: IntoParallelIterator,
{
    type Item = S::Item;

    #[inline]
    fn next(&mut self) -> Option<S::Item> {
        loop {
            if let Some(item) = self.current.next() {
                return Some(item);
            }
            self.current = Vec::from_par_iter((self.f)(self.items.next()?)).into_iter();
        }
    }

    #[inline]
    fn fold<B, G: FnMut(B, S::Item) -> B>(self, init: B, mut g: G) -> B {
        let Inner { items, f, current } = self;
        let all = current.fold(init, &mut g);
        items.fold(all, |all, item| Vec::from_par_iter(f(item)).into_iter().fold(all, &mut g))
    }
}
