//! The trait `Consumer`: what a loop does with its items. This is what the engine knows of the end
//! of a pipeline.

use std::ops::{ControlFlow, Range};

use crate::engine::around::{Around, Over, Search};
use crate::engine::combine::Partials;
use crate::engine::producer::{Claimed, Producer};

/// The end of a pipeline.
pub(crate) trait Consumer<T>: Sync {
    /// The result of a partial: a run of adjacent items that one lane processes from front to back.
    type Partial: Send;

    /// The result of the loop.
    type Output;

    /// Whether partials matter at all; if not, they are not kept.
    const KEEPS_PARTIALS: bool = true;

    /// Whether it may have seen enough before all items have come.
    const ENDS_EARLY: bool = false;

    /// Starts a partial whose first item has index `start`.
    fn begin(&self, start: usize) -> Self::Partial;

    /// Processes a chunk that follows on what is in `partial`. `Break` ends the loop as soon as
    /// possible; the partial counts all the same.
    fn feed<P: Producer<Item = T>>(
        &self,
        partial: Self::Partial,
        chunk: ChunkOf<'_, P>,
    ) -> ControlFlow<Self::Partial, Self::Partial>;

    /// What is known where it looks for one item by its place.
    #[inline]
    fn search(&self) -> Option<&dyn Search> {
        None
    }

    /// Whether what the search skips is everything behind, too.
    const SKIPS_BEHIND: bool = false;

    /// Puts the partials together, which come in the order of their items.
    fn finish(self, partials: impl Partials<Item = Self::Partial>) -> Self::Output;
}

/// A chunk that is about to be run. Consuming it is the only way to its items, so they are produced
/// once.
pub(crate) struct ChunkOf<'a, P: Producer> {
    pub(crate) claimed: Claimed<'a, P>,
    pub(crate) local: &'a mut P::Local,
    /// Whether the rest of the chunk is not needed any more. Then loops inside it end.
    pub(crate) over: Over<'a>,
}

impl<'a, P: Producer> ChunkOf<'a, P> {
    pub(crate) fn new(claimed: Claimed<'a, P>, local: &'a mut P::Local) -> Self {
        ChunkOf { claimed, local, over: Over::default() }
    }

    /// The rest is not needed once this is true. It is true if the loop is cancelled, or is not
    /// needed because of the work around it.
    pub(crate) fn until(self, over: &'a dyn Around) -> Self {
        ChunkOf { over: Over(Some(over)), ..self }
    }

    pub(crate) fn producer(&self) -> &'a P {
        self.claimed.producer()
    }

    /// How many indices the chunk has.
    pub(crate) fn len(&self) -> usize {
        self.claimed.len()
    }

    /// The chunk's indices; empty for a tail.
    pub(crate) fn indices(&self) -> &Range<usize> {
        self.claimed.indices()
    }

    /// The chunk's items.
    pub(crate) fn into_iter(self) -> P::Iter<'a> {
        self.claimed.produce(self.local)
    }

    /// Splits off the first `len` indices, at most as many as there are.
    pub(crate) fn split_off(&mut self, len: usize) -> ChunkOf<'_, P> {
        ChunkOf { claimed: self.claimed.split_off(len), local: &mut *self.local, over: self.over }
    }
}
