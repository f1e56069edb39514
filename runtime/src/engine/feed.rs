//! How a lane passes a chunk of a shared loop on to the consumer, and what ends the loop.

use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};

use super::participant::Participant;
use crate::engine::consumer::Consumer;
use crate::engine::options::Over;
use crate::engine::producer::{Around, Claimed, Producer};
use crate::protocol::panic_slot::PanicSlot;
use crate::sched::cancel::CancelToken;
use crate::sched::unwind::Payload;

/// What is around the items of a chunk, and around inner loops that are in it.
pub(super) struct InChunk<'a, P, C> {
    pub(super) consumer: &'a C,
    pub(super) stop: &'a PanicSlot<Payload>,
    pub(super) cancel: Option<&'a CancelToken>,
    pub(super) over: Over<'a>,
    /// Those of the items.
    pub(super) indices: Range<usize>,
    pub(super) of: PhantomData<&'a P>,
}

impl<P: Producer, C: Consumer<P::Item>> Around for InChunk<'_, P, C> {
    #[inline]
    fn is_over(&self) -> bool {
        self.stop.is_over()
            || self.cancel.is_some_and(CancelToken::is_flagged)
            || self.over.is_over()
            || C::SKIPS && !P::HAS_TAIL && self.consumer.skips(&self.indices)
    }

    fn found(&self) {
        if self.consumer.found(self.indices.start) {
            self.stop.stop();
        }
        self.over.found();
    }

    fn panicked(&self) {
        self.stop.stop();
        self.over.panicked();
    }
}

impl<'a, P: Producer, C: Consumer<P::Item>> Participant<'a, P, C> {
    #[inline]
    pub(super) fn feed(
        &mut self,
        partial: C::Partial,
        claimed: Claimed<'a, P>,
    ) -> ControlFlow<C::Partial, C::Partial> {
        let local = self.local.get_or_insert_with(|| self.of.producer.local());
        let around = self.of.in_chunk(claimed.indices().clone());
        let feeder = &mut self.claimer.feeder;
        let flow = feeder.feed(&mut &*around.consumer, partial, (claimed, local), &around);
        if feeder.ended() {
            self.of.state.stop.leave_items();
        }
        flow
    }

    /// Whether nobody is to claim anything more; finds out if so.
    pub(super) fn is_stopped(&self) -> bool {
        let state = self.of.state;
        if self.of.producer.is_full() {
            state.stop.stop_claiming();
        }
        if state.cancel.is_some_and(CancelToken::is_cancelled) {
            state.stop.cancel();
        }
        state.stop.stopped()
    }
}
