//! The options with which a loop is run, as far as its caller has set them.

use super::around::{InChunk, Over};
use crate::sched::cancel::CancelToken;
use crate::sched::pool::ThreadPool;

/// How many taskels a worker claims at a time.
///
/// ```
/// use taskel::{Chunk, prelude::*};
///
/// // As Python's `Pool.map(f, items, chunksize=2)` would deal them out.
/// let sum: u32 = vec![1, 2, 3, 4, 5].into_par_iter().chunk(Chunk::Exact(2)).sum();
/// assert_eq!(sum, 15);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chunk {
    /// As many as measurement suggests: about 8 µs worth, or one at a time if a taskel takes
    /// longer. If a chunk takes far longer than expected, another worker may take over the part
    /// that has not begun.
    #[default]
    Auto,
    /// Always this many neighbours. There are fewer only at the end, and more only in a loop of
    /// over 2³² chunks.
    Exact(usize),
}

/// What a [`Producer`](crate::engine::producer::Producer) says about how its loop is to be run.
/// Adapters pass on what their base says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    pub(crate) pool: Option<&'a ThreadPool>,
    pub(crate) chunk: Chunk,
    pub(crate) cancel: Option<&'a CancelToken>,
    /// 0 means that nothing is said.
    pub(crate) min_len: usize,
    /// 0 means that nothing is said.
    pub(crate) max_len: usize,
    /// An adapter wants separate chunks, even if nothing else needs them.
    pub(crate) in_pieces: bool,
    /// Whether the loop is not needed any more because of the work around it.
    pub(crate) over: Over<'a>,
}

impl<'a> Options<'a> {
    /// What two bases say together: what one of them leaves open is taken from the other; where
    /// they disagree, the first one's pool, chunk and token count, the larger least length and the
    /// smaller greatest.
    pub fn and(self, other: Options<'a>) -> Options<'a> {
        Options {
            pool: self.pool.or(other.pool),
            cancel: self.cancel.or(other.cancel),
            chunk: if self.chunk == Chunk::Auto { other.chunk } else { self.chunk },
            min_len: self.min_len.max(other.min_len),
            in_pieces: self.in_pieces || other.in_pieces,
            max_len: match (self.max_len, other.max_len) {
                (0, max) | (max, 0) => max,
                (a, b) => a.min(b),
            },
            over: if self.over.0.is_some() { self.over } else { other.over },
        }
    }

    /// Calls `op` with the pool that was chosen, if one was, as the surroundings.
    pub(crate) fn install<R>(&self, op: impl FnOnce() -> R) -> R {
        match self.pool {
            Some(pool) => pool.install(op),
            None => op(),
        }
    }

    /// Whether anything may end the loop.
    #[inline]
    pub(crate) fn is_told(&self) -> bool {
        self.over.0.is_some() || self.cancel.is_some()
    }

    /// What may end the loop, if anything may.
    #[inline]
    pub(crate) fn told(&self) -> Option<InChunk<'a>> {
        self.is_told().then(|| InChunk::alone(self.over, self.cancel))
    }

    /// How many neighbouring items are never torn apart.
    #[inline]
    pub(crate) fn granule(&self) -> usize {
        match self.chunk {
            Chunk::Auto => self.min_len.max(1),
            Chunk::Exact(items) => items,
        }
    }

    /// Whether a loop on one lane is run in pieces.
    #[inline]
    pub(crate) fn needs_pieces(&self) -> bool {
        self.cancel.is_some() || self.max_len > 0 || self.in_pieces
    }

    /// The largest number of granules, of this many items each, that may be claimed at once. The
    /// last granule of a loop may be almost twice as long.
    #[inline]
    pub(crate) fn most_granules(&self, granule: usize) -> usize {
        match (self.chunk, self.max_len) {
            (Chunk::Exact(_), _) => 1,
            (Chunk::Auto, 0) => usize::MAX,
            (Chunk::Auto, max_len) => (max_len.saturating_add(1) / granule).saturating_sub(1).max(1),
        }
    }

    /// Of how many neighbouring items a fold may make one result.
    pub(crate) fn most_folded(&self) -> usize {
        if self.max_len == 0 { usize::MAX } else { self.max_len.max(self.granule()) }
    }

    /// Converts options about items into options about groups of `size` items. An exact chunk size
    /// is then one of groups.
    pub(crate) fn for_groups(self, size: usize) -> Self {
        let max_len = if self.max_len == 0 { 0 } else { (self.max_len / size).max(1) };
        Options { min_len: self.min_len.div_ceil(size), max_len, ..self }
    }
}
