//! `fold_chunks`, `fold_chunks_with`.

use super::adapted::{Adapt, AdaptIndexed, Adapted, Outputs};
use super::identity::{Cloner, Identity};
use super::{Chunks, debug_without_closures};

/// Made by [`fold_chunks`](crate::iter::IndexedParallelIterator::fold_chunks).
pub type FoldChunks<I, ID, F> = Adapted<Chunks<I>, FoldChunksOp<ID, F>>;
/// Made by [`fold_chunks_with`](crate::iter::IndexedParallelIterator::fold_chunks_with).
pub type FoldChunksWith<I, T, F> = FoldChunks<I, Cloner<T>, F>;

/// What both do.
#[derive(Clone)]
pub struct FoldChunksOp<ID, F> {
    pub(crate) identity: ID,
    pub(crate) fold_op: F,
}

debug_without_closures! { [ID, F] FoldChunksOp<ID, F> {}; }

impl<X, ID, F> Adapt<Vec<X>> for FoldChunksOp<ID, F>
where
    ID: Identity<Output: Send> + Send,
    F: Fn(ID::Output, X) -> ID::Output + Send + Sync,
{
    type Output = ID::Output;
    type Local = ID::Local;
    type Iter<'a, I: Iterator<Item = Vec<X>> + 'a>
        = FoldedChunks<'a, I, ID, F>
    where
        Self: 'a;
    const OUTPUTS: Outputs = Outputs::One;

    fn local(&self) -> ID::Local {
        self.identity.local()
    }

    fn adapt<'a, I: Iterator<Item = Vec<X>> + 'a>(
        &'a self,
        local: &'a mut ID::Local,
        chunks: I,
    ) -> Self::Iter<'a, I> {
        FoldedChunks { chunks, op: self, local }
    }
}

impl<X, ID, F> AdaptIndexed<Vec<X>> for FoldChunksOp<ID, F>
where
    ID: Identity<Output: Send> + Send,
    F: Fn(ID::Output, X) -> ID::Output + Send + Sync,
{
    type IndexedIter<'a, I: DoubleEndedIterator<Item = Vec<X>> + ExactSizeIterator + 'a>
        = FoldedChunks<'a, I, ID, F>
    where
        Self: 'a;

    fn adapt_indexed<'a, I: DoubleEndedIterator<Item = Vec<X>> + ExactSizeIterator + 'a>(
        &'a self,
        local: &'a mut ID::Local,
        chunks: I,
    ) -> Self::IndexedIter<'a, I> {
        FoldedChunks { chunks, op: self, local }
    }
}

/// The sequential iterator of both.
pub struct FoldedChunks<'a, I, ID: Identity, F> {
    chunks: I,
    op: &'a FoldChunksOp<ID, F>,
    local: &'a ID::Local,
}

impl<I: std::fmt::Debug, ID: Identity, F> std::fmt::Debug for FoldedChunks<'_, I, ID, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoldedChunks").field("chunks", &self.chunks).finish_non_exhaustive()
    }
}

impl<I, ID: Identity, F> FoldedChunks<'_, I, ID, F> {
    fn folded<X>(&self, chunk: Vec<X>) -> ID::Output
    where
        F: Fn(ID::Output, X) -> ID::Output,
    {
        chunk.into_iter().fold(self.op.identity.make_with(self.local), &self.op.fold_op)
    }
}

impl<X, I, ID, F> Iterator for FoldedChunks<'_, I, ID, F>
where
    I: Iterator<Item = Vec<X>>,
    ID: Identity,
    F: Fn(ID::Output, X) -> ID::Output,
{
    type Item = ID::Output;

    #[inline]
    fn next(&mut self) -> Option<ID::Output> {
        let chunk = self.chunks.next()?;
        Some(self.folded(chunk))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.chunks.size_hint()
    }
}

impl<X, I, ID, F> DoubleEndedIterator for FoldedChunks<'_, I, ID, F>
where
    I: DoubleEndedIterator<Item = Vec<X>>,
    ID: Identity,
    F: Fn(ID::Output, X) -> ID::Output,
{
    #[inline]
    fn next_back(&mut self) -> Option<ID::Output> {
        let chunk = self.chunks.next_back()?;
        Some(self.folded(chunk))
    }
}

impl<X, I, ID, F> ExactSizeIterator for FoldedChunks<'_, I, ID, F>
where
    I: ExactSizeIterator<Item = Vec<X>>,
    ID: Identity,
    F: Fn(ID::Output, X) -> ID::Output,
{
}
