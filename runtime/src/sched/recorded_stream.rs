//! Streams as profiles see them: items, as those of a loop, and beside them what one thread at a
//! time does, which is the source and the sink.

use taskel_adaptive::recording::CallKind;

use crate::profile::calls::CallSite;
use crate::sched::lane::LaneContext;
use crate::sched::pool::{PoolState, with_current_lane, with_lane, with_pool};
use crate::sched::recorded::OpenCall;
use crate::sync::{AtomicU64, Ordering};

/// A stream that is being recorded. Lanes share it.
pub(crate) struct RecordedStream<'p> {
    pool: &'p PoolState,
    /// Of two parts: the source and the sink, and the items.
    whole: OpenCall,
    items: OpenCall,
    start_ns: u64,
    /// What the source and the sink took. A sum that orders nothing: Relaxed.
    serial_ns: AtomicU64,
}

/// Runs a stream, and lets profiles see it if one is being taken.
pub(crate) fn recording_stream<R>(site: CallSite, run: impl FnOnce(Option<&RecordedStream<'_>>) -> R) -> R {
    with_pool(None, |pool| match pool {
        Some(pool) if pool.profiling() => with_lane(pool, |lane| {
            let recorded = RecordedStream::begin(lane, site);
            let result = run(recorded.as_ref());
            recorded.into_iter().for_each(|stream| stream.end(lane));
            result
        }),
        _ => run(None),
    })
}

impl<'p> RecordedStream<'p> {
    #[cold]
    fn begin(lane: &LaneContext<'p>, site: CallSite) -> Option<Self> {
        let pool = lane.pool();
        let start_ns = pool.now_ns();
        let whole = lane.begin_call(CallKind::Beside, site, None)?;
        let items = lane.begin_call(CallKind::Loop, site, None)?;
        Some(RecordedStream { pool, whole, items, start_ns, serial_ns: AtomicU64::new(0) })
    }

    #[cold]
    fn end(self, lane: &LaneContext<'_>) {
        let RecordedStream { whole, items, start_ns, serial_ns, .. } = self;
        let serial_ns = serial_ns.load(Ordering::Relaxed);
        lane.record(|recorder| recorder.scattered(whole.id(), 0, serial_ns, start_ns));
        lane.end_call(items);
        let end_ns = self.pool.now_ns();
        lane.record(|recorder| recorder.part(whole.id(), (1, 1), (start_ns, end_ns)));
        lane.end_call(whole);
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.pool.now_ns()
    }

    /// The source or the sink was busy from then to now. Returns when that is.
    #[cold]
    pub(crate) fn was_serial(&self, since_ns: u64) -> u64 {
        let now_ns = self.now_ns();
        self.serial_ns.fetch_add(now_ns.saturating_sub(since_ns), Ordering::Relaxed);
        now_ns
    }

    /// This lane has processed items from then to now. Returns when that is.
    #[cold]
    pub(crate) fn were_items(&self, first: u64, items: usize, since_ns: u64) -> u64 {
        let now_ns = self.now_ns();
        with_current_lane(|lane| {
            let Some(lane) = lane else { return };
            let nested = lane.depth() > 0;
            lane.record(|recorder| {
                recorder.items(items, (since_ns, now_ns), nested);
                recorder.part(self.items.id(), (first, items as u64), (since_ns, now_ns));
            });
        });
        now_ns
    }
}
