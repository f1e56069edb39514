//! A loop in a user's model: a share of the units for each lane, which processes them one by one.

use std::ops::ControlFlow;
use std::panic;

use super::{Plan, small};
use crate::engine::around::InChunk;
use crate::engine::combine::InOrder;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::options::Options;
use crate::engine::producer::{Claimed, Producer};
use crate::protocol::panic_slot::PanicSlot;
use crate::protocol::range::Span;
use crate::sched::cancel::{CancelToken, Cancelled};
use crate::sched::modelled::{self, Job, catch};
use crate::sched::unwind::{Payload, drop_quietly};
use crate::sync::{AtomicBool, Ordering};

/// No model gets through more. What has no number of items that is known, as a bridge, seems to
/// have more.
const MOST_ITEMS: usize = 1 << 20;

/// Runs a loop on the lanes of the model, or on this thread.
pub(super) fn alone<P: Producer, C: Consumer<P::Item>>(producer: &P, consumer: C) -> C::Output {
    let plan = Plan::new(producer, false);
    let lanes = plan.units.min(modelled::lanes() as u32);
    if lanes < 2 || plan.len > MOST_ITEMS {
        return small::alone(producer, consumer);
    }
    let state = LoopState {
        producer,
        consumer: &consumer,
        plan,
        stop: PanicSlot::new(),
        is_incomplete: AtomicBool::new(false),
    };
    let mut partials: Vec<_> = (0..lanes).map(|_| None).collect();
    let edge = |lane: u32| (u64::from(plan.units) * u64::from(lane) / u64::from(lanes)) as u32;
    let shares = (0..lanes).map(|lane| Span { lo: edge(lane), hi: edge(lane + 1) });
    let mut parts = partials.iter_mut().zip(shares).map(|(partial, share)| {
        let state = &state;
        Box::new(move || *partial = state.protect(|| state.run(share)).flatten()) as Job<'_>
    });
    let own = parts.next().expect("there is a lane");
    modelled::together(parts, own);
    if state.stop.cancelled() && state.is_incomplete.load(Ordering::Relaxed) {
        // It comes back if a panic came before.
        drop(state.stop.panicked(Box::new(Cancelled)));
    }
    let panic = state.stop.take();
    let partials: Vec<_> = partials.into_iter().flatten().collect();
    match panic {
        None => consumer.finish(InOrder { partials: partials.into_iter(), slow: false }),
        Some(payload) => {
            partials.into_iter().for_each(drop_quietly);
            panic::resume_unwind(payload)
        }
    }
}

/// What the lanes share.
struct LoopState<'a, P, C> {
    producer: &'a P,
    consumer: &'a C,
    plan: Plan,
    stop: PanicSlot<Payload>,
    /// There are items that nobody got.
    is_incomplete: AtomicBool,
}

impl<P: Producer, C: Consumer<P::Item>> LoopState<'_, P, C> {
    /// Runs user code; a panic ends the loop and is kept for the caller.
    fn protect<R>(&self, user_code: impl FnOnce() -> R) -> Option<R> {
        catch(user_code).map_err(|payload| drop_quietly(self.stop.panicked(payload))).ok()
    }

    /// Whether nothing more is to be begun.
    fn is_stopped(&self) -> bool {
        if self.producer.options().cancel.is_some_and(CancelToken::is_cancelled) {
            self.stop.cancel();
        }
        if self.producer.is_full() {
            self.stop.stop_claiming();
        }
        self.stop.stopped()
    }

    /// One lane's part.
    fn run(&self, share: Span) -> Option<C::Partial> {
        let all = self.plan.items(share);
        let start = all.start;
        // SAFETY: the shares are apart, and this one is run once.
        let mut rest = unsafe { Claimed::new(self.producer, all) };
        let mut local = None;
        let mut partial = None;
        for unit in share.lo..share.hi {
            let skips = || {
                C::SKIPS_BEHIND
                    && !P::HAS_TAIL
                    && self.consumer.search().is_some_and(|search| search.skips(rest.indices()))
            };
            if self.is_stopped() || skips() {
                self.is_incomplete.store(true, Ordering::Relaxed);
                break;
            }
            let chunk = rest.split_off(self.plan.items(Span { lo: unit, hi: unit + 1 }).len());
            let so_far = partial.take().unwrap_or_else(|| self.consumer.begin(start));
            match self.feed(so_far, chunk, &mut local) {
                ControlFlow::Continue(so_far) => partial = Some(so_far),
                ControlFlow::Break(all) => {
                    self.stop.stop();
                    return Some(all);
                }
            }
        }
        drop(rest);
        if let Some(so_far) = partial.take_if(|_| P::HAS_TAIL) {
            let end = self.plan.len;
            // SAFETY: there are no indices in it.
            let tail = unsafe { Claimed::new(self.producer, end..end) };
            let flow = self.feed(so_far, tail, &mut local);
            if flow.is_break() {
                self.stop.stop();
            }
            let (ControlFlow::Continue(all) | ControlFlow::Break(all)) = flow;
            partial = Some(all);
        }
        partial
    }

    fn feed(
        &self,
        partial: C::Partial,
        claimed: Claimed<'_, P>,
        local: &mut Option<P::Local>,
    ) -> ControlFlow<C::Partial, C::Partial> {
        let local = local.get_or_insert_with(|| self.producer.local());
        let indices = claimed.indices().clone();
        let chunk = ChunkOf::new(claimed, local);
        if !P::NESTS {
            return self.consumer.feed(partial, chunk);
        }
        let LoopState { producer, consumer, ref stop, .. } = *self;
        let Options { cancel, over, .. } = producer.options();
        let search = (consumer.search(), P::HAS_TAIL);
        let around = InChunk::shared(stop, (over, cancel), search, indices);
        consumer.feed(partial, chunk.until(&around))
    }
}
