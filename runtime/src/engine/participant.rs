//! What one lane does with the items of a loop.

use std::ops::ControlFlow;

use super::blocks::Blocks;
use super::claimer::Claimer;
use super::shared::Loop;
use super::small::{FOLDS, Head};
use crate::containers::partials::Partial;
use crate::engine::around::Around;
use crate::engine::consumer::Consumer;
use crate::engine::producer::{Claimed, Producer};
use crate::protocol::range::Span;
use crate::sched::lane::LaneContext;

pub(super) struct Participant<'a, P: Producer, C: Consumer<P::Item>> {
    pub(super) of: Loop<'a, P, C>,
    pub(super) claimer: Claimer<'a>,
    /// Made with the first chunk, so that a lane that comes too late makes none.
    pub(super) local: Option<P::Local>,
    /// The result so far of a partial that was begun before the loop was shared.
    begun: Option<Partial<C::Partial>>,
}

impl<'a, P: Producer, C: Consumer<P::Item>> Participant<'a, P, C> {
    pub(super) fn new(
        of: Loop<'a, P, C>,
        lane: &'a LaneContext<'a>,
        head: Option<Head<P, C::Partial>>,
    ) -> Self {
        let (local, begun) = match head {
            None => (None, None),
            Some(head) => (Some(head.local), Some(Partial { start: 0, result: head.partial })),
        };
        let claimer = Claimer::new(of.state, lane, of.feeder(), P::STATELESS);
        Participant { of, claimer, local, begun }
    }

    /// Works until nobody has anything left to take.
    pub(super) fn run(&mut self) {
        let _inside = self.claimer.come_in();
        while let Some(first) = self.claimer.next_part() {
            self.work_off(first);
        }
    }

    /// Ends this lane's part. Nothing is left of it but its partials.
    pub(super) fn finish(&mut self) {
        self.claimer.settle_accounts();
        if let Some(begun) = self.begun.take() {
            self.keep(begun);
        }
        drop(self.local.take());
    }

    /// One partial: `first`, which is claimed already, then the own range, chunk by chunk, to its
    /// end or to where a thief has cut it.
    fn work_off(&mut self, mut first: Option<Span>) {
        let mut partial = self.begun.take();
        let mut gathered = 0;
        while let Some(span) = first.take().or_else(|| self.claimer.claim()) {
            let items = self.of.state.items(span);
            let first = items.start;
            gathered += items.len();
            // SAFETY: the span came out of a range just now, so nobody else has it.
            let claimed = unsafe { Claimed::new(self.of.producer, items) };
            if C::SKIPS_BEHIND && !P::HAS_TAIL && self.of.skips(claimed.indices()) {
                drop(claimed);
                // SAFETY: as above; what was in the range lies behind the span.
                drop(unsafe {
                    Claimed::new(self.of.producer, self.of.state.items(self.claimer.slot.range.take()))
                });
                break;
            }
            let partial_so_far = partial
                .take()
                .unwrap_or_else(|| Partial { start: first, result: self.of.consumer.begin(first) });
            let start = partial_so_far.start;
            let (flow, cut) = self.run_chunk(partial_so_far.result, span, claimed);
            match flow {
                ControlFlow::Continue(result) => partial = Some(Partial { start, result }),
                ControlFlow::Break(result) => {
                    self.of.state.end();
                    return self.keep(Partial { start, result });
                }
            }
            if cut || self.is_stopped() {
                break;
            }
            if P::HAS_TAIL
                && (C::ENDS_EARLY || P::ENDS_EARLY)
                && gathered >= self.of.state.plan.len.div_ceil(FOLDS)
            {
                // What is gathered may be what ends the loop.
                break;
            }
        }
        if let Some(Partial { start, mut result }) = partial {
            if P::HAS_TAIL {
                let end = self.of.state.plan.len;
                // SAFETY: there are no indices in it.
                let tail = unsafe { Claimed::new(self.of.producer, end..end) };
                match self.feed(result, tail) {
                    ControlFlow::Continue(all) => result = all,
                    ControlFlow::Break(all) => {
                        self.of.state.end();
                        result = all;
                    }
                }
            }
            self.keep(Partial { start, result });
        }
    }

    /// Runs a chunk; true if a thief has cut it short.
    #[inline]
    fn run_chunk(
        &mut self,
        partial: C::Partial,
        chunk: Span,
        claimed: Claimed<'a, P>,
    ) -> (ControlFlow<C::Partial, C::Partial>, bool) {
        let block = self.claimer.chunker.block_len();
        if block < chunk.len() as usize && !self.claimer.reentered {
            return self.run_in_blocks(partial, chunk, claimed, block);
        }
        if self.claimer.chunker.is_cautious() {
            self.claimer.slot.set_claiming(false);
        }
        let taskels = claimed.len();
        let flow = self.feed(partial, claimed);
        self.claimer.account(chunk, taskels);
        (flow, false)
    }

    // By itself: in one function with the usual loop, it made that up to a quarter slower.
    #[inline(never)]
    fn run_in_blocks(
        &mut self,
        mut partial: C::Partial,
        chunk: Span,
        claimed: Claimed<'a, P>,
        block: usize,
    ) -> (ControlFlow<C::Partial, C::Partial>, bool) {
        let fences = self.of.state.fences;
        let granule = self.of.state.plan.granule;
        let (mut block, mut blocks) =
            Blocks::new((&self.claimer.slot.position, fences), (block as u32, granule), chunk, claimed);
        self.claimer.slot.set_claiming(false);
        let around = self.of.in_chunk(self.of.state.items(chunk));
        let flow = loop {
            match self.feed(partial, block) {
                ControlFlow::Continue(so_far) => partial = so_far,
                broken => break broken,
            }
            if around.is_over() {
                self.of.state.stop.leave_items();
                break ControlFlow::Continue(partial);
            }
            let local = self.local.as_ref().expect("feed has made it");
            match blocks.next(local) {
                Some(next) => block = next,
                None => break ControlFlow::Continue(partial),
            }
        };
        let cut = blocks.cut();
        let end = cut.or(blocks.unbegun()).unwrap_or(chunk.hi);
        drop(blocks);
        if cut.is_some() {
            self.claimer.chunker.on_outlier();
        }
        let ran = Span { hi: end, ..chunk };
        self.claimer.account(ran, self.of.state.items(ran).len());
        (flow, cut.is_some())
    }

    fn keep(&self, partial: Partial<C::Partial>) {
        if C::KEEPS_PARTIALS {
            // SAFETY: the slot is this lane's, and it is inside the loop.
            let partials = unsafe { self.claimer.slot.partials() };
            // SAFETY: in this loop, all partials are of this type; between loops the buffer is
            // empty.
            unsafe { partials.push(partial) };
        }
    }
}
