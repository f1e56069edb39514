//! Records streams for profiles: items, like those of a loop, and the source and the sink, which
//! one thread at a time runs.

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

    /// This lane begins to process neighbouring items.
    pub(crate) fn begin_row(&self, first: u64) -> Row<'_> {
        let now_ns = self.now_ns();
        Row { stream: self, first, items: 0, since_ns: now_ns, last_ns: now_ns }
    }

    /// This lane has processed an item from then to now. Returns when that is written down.
    #[cold]
    pub(crate) fn was_item(&self, number: u64, since_ns: u64) -> u64 {
        let now_ns = self.now_ns();
        self.were_items(number, 1, (since_ns, now_ns));
        self.now_ns()
    }

    fn were_items(&self, first: u64, items: usize, times_ns: (u64, u64)) {
        with_current_lane(|lane| {
            let Some(lane) = lane else { return };
            let nested = lane.depth() > 0;
            lane.record(|recorder| {
                recorder.items(items, times_ns, nested);
                recorder.part(self.items.id(), (first, items as u64), times_ns);
            });
        });
    }
}

/// What takes longer is written down by itself.
const LONG_NS: u64 = 8_000;

/// Neighbouring items of a stream, one after the other.
pub(crate) struct Row<'r> {
    stream: &'r RecordedStream<'r>,
    /// Those that are not written down so far, and since when.
    first: u64,
    items: usize,
    since_ns: u64,
    /// When the last item was done.
    last_ns: u64,
}

impl Row<'_> {
    /// An item is done.
    #[cold]
    pub(crate) fn was_item(&mut self) {
        let began_ns = std::mem::replace(&mut self.last_ns, self.stream.now_ns());
        if self.items > 0 && self.last_ns.saturating_sub(began_ns) > LONG_NS {
            self.write(began_ns);
        }
        self.items += 1;
        if self.last_ns.saturating_sub(self.since_ns) > LONG_NS {
            self.write(self.last_ns);
            // That took a while, too.
            self.last_ns = self.stream.now_ns();
            self.since_ns = self.last_ns;
        }
    }

    fn write(&mut self, until_ns: u64) {
        let items = std::mem::take(&mut self.items);
        self.stream.were_items(self.first, items, (self.since_ns, until_ns));
        (self.first, self.since_ns) = (self.first + items as u64, until_ns);
    }

    pub(crate) fn end(mut self) {
        if self.items > 0 {
            self.write(self.last_ns);
        }
    }
}
