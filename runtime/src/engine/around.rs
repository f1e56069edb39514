//! The surroundings of an item: what may end its chunk, and which loops to tell about an end.

use std::fmt;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::protocol::panic_slot::PanicSlot;
use crate::sched::cancel::CancelToken;
use crate::sched::unwind::Payload;

/// What is around items: a chunk, or the loop whose chunk an inner loop is in.
#[doc(hidden)]
#[allow(unreachable_pub, reason = "Rust 1.85 does not see that a bound reaches it")]
pub trait Around: Sync {
    /// Whether no more items are wanted.
    fn is_over(&self) -> bool;

    /// Told while other lanes are still inside: one has found what ends a chunk.
    fn found(&self);

    /// Told while other lanes are still inside: one has panicked.
    fn panicked(&self);
}

/// Tells whether what surrounds a loop has ended early, and is told what ends it, if anything is
/// around it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Over<'a>(pub(crate) Option<&'a (dyn Around + 'a)>);

impl Around for Over<'_> {
    #[inline]
    fn is_over(&self) -> bool {
        self.0.is_some_and(Around::is_over)
    }

    fn found(&self) {
        self.0.inspect(|around| around.found());
    }

    fn panicked(&self) {
        self.0.inspect(|around| around.panicked());
    }
}

// Like the other references of a loop's options, it is of use during the loop only, and tells
// nothing about what a panic has left.
impl UnwindSafe for Over<'_> {}
impl RefUnwindSafe for Over<'_> {}

impl fmt::Debug for Over<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Over").field(&self.is_over()).finish()
    }
}

/// What a consumer knows that looks for one item of a loop, by its place.
pub(crate) trait Search: Sync {
    /// Notes that there is one in the chunk that begins at this index. True if that ends the loop;
    /// if not, [`skips`](Search::skips) knows what is still wanted.
    fn found(&self, index: usize) -> bool;

    /// Whether nothing in a chunk of these indices can matter any more; asked before it and inside
    /// of it.
    fn skips(&self, indices: &Range<usize>) -> bool;
}

/// What is around the items of a chunk, and around inner loops that are in it.
///
/// It is one type for all loops, shared or not, so that a look between items is compiled once for
/// each kind of loop. A look is a few loads, with branches that the processor predicts.
pub(crate) struct InChunk<'a> {
    /// Where several lanes run the loop.
    stop: Option<&'a PanicSlot<Payload>>,
    /// Whether any of the next three may say that it is over: most looks are at nothing else.
    is_told: bool,
    cancel: Option<&'a CancelToken>,
    over: Over<'a>,
    /// Asked what is skipped.
    skips: Option<&'a dyn Search>,
    /// Told what was found.
    search: Option<&'a dyn Search>,
    /// Those of the items.
    indices: Range<usize>,
}

impl<'a> InChunk<'a> {
    /// Of a loop that this lane runs alone.
    pub(crate) fn alone(over: Over<'a>, cancel: Option<&'a CancelToken>) -> Self {
        InChunk { stop: None, is_told: true, cancel, over, skips: None, search: None, indices: 0..0 }
    }

    /// Of a loop that several lanes run. `gathers` says that items of earlier indices may still be
    /// gathered, so that none may be skipped.
    #[inline]
    pub(crate) fn shared(
        stop: &'a PanicSlot<Payload>,
        (over, cancel): (Over<'a>, Option<&'a CancelToken>),
        (search, gathers): (Option<&'a dyn Search>, bool),
        indices: Range<usize>,
    ) -> Self {
        let skips = if gathers { None } else { search };
        let is_told = cancel.is_some() || over.0.is_some() || skips.is_some();
        InChunk { stop: Some(stop), is_told, cancel, over, skips, search, indices }
    }

    #[inline]
    fn is_told_over(&self) -> bool {
        self.cancel.is_some_and(CancelToken::is_flagged)
            || self.over.is_over()
            || self.skips.is_some_and(|search| search.skips(&self.indices))
    }

    fn end_loop(&self) {
        self.stop.inspect(|stop| stop.stop());
    }
}

impl Around for InChunk<'_> {
    #[inline]
    fn is_over(&self) -> bool {
        self.stop.is_some_and(PanicSlot::is_over) || self.is_told && self.is_told_over()
    }

    fn found(&self) {
        if self.search.is_none_or(|search| search.found(self.indices.start)) {
            self.end_loop();
        }
        self.over.found();
    }

    fn panicked(&self) {
        self.end_loop();
        self.over.panicked();
    }
}
