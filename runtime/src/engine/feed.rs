//! How a lane passes a chunk of a shared loop to the consumer, and what ends the loop.

use std::ops::ControlFlow;

use super::participant::Participant;
use crate::engine::consumer::Consumer;
use crate::engine::producer::{Claimed, Producer};
use crate::sched::cancel::CancelToken;

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
        let flow = feeder.feed(&mut &*self.of.consumer, partial, (claimed, local), &around);
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
