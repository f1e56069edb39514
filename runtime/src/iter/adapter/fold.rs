//! `fold`.

use std::ops::Range;
use std::option;

use crate::iter::ParallelIterator;
use crate::iter::options::Options;
use crate::iter::producer::Producer;

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
    /// What the lane has gathered in its current segment.
    type Local = (P::Local, Option<T>);
    type Iter<'a>
        = option::IntoIter<T>
    where
        Self: 'a;
    const HAS_TAIL: bool = true;

    fn len(&self) -> usize {
        self.base.len()
    }

    fn options(&self) -> Options<'_> {
        self.base.options()
    }

    fn is_full(&self) -> bool {
        self.base.is_full()
    }

    fn local(&self) -> Self::Local {
        (self.base.local(), None)
    }

    /// Gathers a chunk, and yields nothing until the tail of the segment is asked for.
    unsafe fn chunk<'a>(
        &'a self,
        (local, gathered): &'a mut Self::Local,
        indices: Range<usize>,
    ) -> Self::Iter<'a> {
        let is_tail = indices.is_empty();
        // Before the identity, whose panic drops them.
        // SAFETY: the same demands.
        let items = unsafe { self.base.chunk(local, indices) };
        let so_far = gathered.take().unwrap_or_else(&self.identity);
        let all = items.fold(so_far, &self.fold_op);
        if !is_tail {
            *gathered = Some(all);
            return None.into_iter();
        }
        Some(all).into_iter()
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        unsafe { self.base.discard(indices) }
    }
}
