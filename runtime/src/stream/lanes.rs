//! The work of the lanes of a stream.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::vec;

use crossbeam_utils::CachePadded;

use super::Limit;
use super::progress::Progress;
use super::step::{Step, Stepper};
use super::tray::{Asked, Hand};
use crate::os::clock::{Clock, Ticks};
use crate::policy::batch::{Batch, Bundle, Done};
use crate::protocol::window::{Report, SINK, Turn, Window};
use crate::sched::cancel::{CancelToken, Cancelled};
use crate::sched::recorded_stream::{RecordedStream, Row};
use crate::sched::reentrancy;
use crate::sched::unwind::{Payload, drop_quietly};
use crate::sync::{AtomicU32, Fences, Mutex, Ordering};

/// A lane that pulls several items stops when they took this long.
const PULLING_NS: u64 = 20_000;

/// So much, and one item more, can be in flight without an overflow; nothing weighs more.
const HEAVIEST: usize = usize::MAX / 4;

/// A lane that waits for a quick one sleeps after this time.
const AWAKE_NS: u64 = 20_000;

/// So long, in turns of a loop that does nothing, it waits between two looks.
const PAUSE: u32 = 32;

/// A stream that is being consumed.
pub(super) struct Running<'w, I: Iterator, S: Step<I::Item>> {
    window: CachePadded<Window<I::Item, S::Output>>,
    /// Only the lane that the window sends here uses it. It changes with each item; what is beside
    /// it, all lanes read for each item.
    source: CachePadded<UnsafeCell<I>>,
    step: &'w S,
    cancel: Option<&'w CancelToken>,
    recorded: Option<&'w RecordedStream<'w>>,
    limit: Limit<'w, I::Item>,
    /// By the numbers of the lanes.
    hands: Vec<CachePadded<Hand<I::Item, S::Output>>>,
    helpers_came: AtomicU32,
    panic: Mutex<Option<Payload>>,
    clock: Clock,
    start: Ticks,
}

// SAFETY: the source is reached by one lane at a time; all else is shared as its types allow.
unsafe impl<I: Iterator<Item: Send> + Send, S: Step<I::Item>> Sync for Running<'_, I, S> {}

/// What comes after a turn.
enum Next<I: Iterator, S: Step<I::Item>> {
    Report(Reported<I, S>),
    Alone(Stint),
    Emit(Done<S::Output>),
    Over,
}

type Reported<I, S> = Report<<I as Iterator>::Item, <S as Step<<I as Iterator>::Item>>::Output>;

impl<'w, I: Iterator<Item: Send> + Send, S: Step<I::Item>> Running<'w, I, S> {
    pub(super) fn new(
        source: I,
        step: &'w S,
        (cancel, recorded): (Option<&'w CancelToken>, Option<&'w RecordedStream<'w>>),
        limit: Limit<'w, I::Item>,
        ordered: bool,
        lanes: usize,
    ) -> Self {
        let (clock, fences) = (Clock::new(), Fences::now());
        Running {
            window: CachePadded::new(Window::new(
                limit.most.min(HEAVIEST),
                limit.weight.is_some(),
                ordered,
                lanes,
            )),
            source: CachePadded::new(UnsafeCell::new(source)),
            step,
            cancel,
            recorded,
            limit,
            hands: (0..lanes).map(|_| CachePadded::new(Hand::new(fences))).collect(),
            helpers_came: AtomicU32::new(SINK),
            panic: Mutex::new(None),
            clock,
            start: clock.now(),
        }
    }

    fn now(&self) -> u64 {
        self.clock.ns_between(self.start, self.clock.now())
    }

    /// Not inlined, so that a loop which seldom asks keeps its registers.
    #[inline(never)]
    fn has_passed(&self, ns: u64, since: u64) -> bool {
        self.now().saturating_sub(since) > ns
    }

    /// Sends everyone home.
    pub(super) fn stop(&self) {
        self.window.stop();
    }

    /// Whether nothing more is wanted. A lane that finds the token cancelled ends the stream for
    /// all.
    #[inline]
    fn is_over(&self) -> bool {
        self.window.is_stopped() || self.is_cancelled()
    }

    #[inline]
    fn is_cancelled(&self) -> bool {
        let cancelled = self.cancel.is_some_and(CancelToken::is_cancelled);
        if cancelled {
            self.keep(Box::new(Cancelled));
        }
        cancelled
    }

    /// The next item of the source, unless nothing would come of it.
    #[inline]
    fn ask(&self, source: &mut I) -> Option<I::Item> {
        if self.step.is_full() { None } else { source.next() }
    }

    pub(super) fn into_panic(self) -> Option<Payload> {
        self.panic.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of a helper. It does nothing on top of another lane of a stream, of a lane at a
    /// source, or of work that has yielded. The reason: a helper that waits for room waits for what
    /// began before it, and that may wait for what is below the helper on its stack. (Other waits
    /// are for what begins after them, and so never for anything further down a stack.)
    pub(super) fn help(&self) {
        if reentrancy::in_stream() || reentrancy::in_bridge() || reentrancy::in_yield() {
            return;
        }
        let _inside = reentrancy::Entered::stream();
        let lane = self.helpers_came.fetch_add(1, Ordering::Relaxed) + 1;
        let (mut report, mut stepper) = (Report::Nothing, Stepper::new(self.step));
        loop {
            match self.turn(lane, &mut stepper, report, || ()) {
                Next::Report(next) => report = next,
                // The rest is for the sink.
                _ => return,
            }
        }
    }

    /// Does what a lane is to do next.
    fn turn(
        &self,
        lane: u32,
        stepper: &mut Stepper<'_, I::Item, S>,
        report: Reported<I, S>,
        more: impl FnOnce(),
    ) -> Next<I, S> {
        let pause = |waited_ns| {
            let is_awake = waited_ns < AWAKE_NS;
            if is_awake {
                (0..PAUSE).for_each(|_| spin_loop());
            }
            is_awake
        };
        let turn = self.window.turn(lane, report, || self.now(), pause);
        let act = AssertUnwindSafe(|| match turn {
            Turn::Over => Next::Over,
            _ if self.is_cancelled() => Next::Over,
            Turn::Pull { first, most, weight } => Next::Report(self.pull(lane, first, most, weight)),
            Turn::Alone { first, most } => {
                self.hands[SINK as usize].begin_alone(first);
                let since_ns = self.recorded.map_or(0, RecordedStream::now_ns);
                Next::Alone(Stint { first, most, done: 0, began: self.now(), since_ns })
            }
            Turn::Process(batch) => {
                more();
                Next::Report(self.process(lane, stepper, batch))
            }
            Turn::Look(bundle) => Next::Report(self.look(bundle)),
            Turn::Emit(done) => Next::Emit(done),
        });
        catch_unwind(act).unwrap_or_else(|payload| {
            self.keep(payload);
            Next::Over
        })
    }

    /// A panic ends the stream and is kept for the caller.
    #[cold]
    fn keep(&self, payload: Payload) {
        let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
        let late = match &*first {
            None => first.replace(payload),
            Some(_) => Some(payload),
        };
        drop(first);
        self.window.stop();
        drop_quietly(late);
    }

    fn pull(&self, lane: u32, first: u64, most: usize, weight: usize) -> Reported<I, S> {
        let since_ns = self.recorded.map_or(0, RecordedStream::now_ns);
        let report = self.pull_unrecorded(lane, first, most, weight);
        self.recorded.inspect(|recorded| _ = recorded.was_serial(since_ns));
        report
    }

    fn pull_unrecorded(&self, lane: u32, first: u64, most: usize, weight: usize) -> Reported<I, S> {
        // SAFETY: the window sends one lane at a time here, and each reports before the next one
        // comes.
        let source = unsafe { &mut *self.source.get() };
        let began = self.now();
        let weigh = |item: &I::Item| {
            // At least 1 each, so that there is an end to those that weigh nothing.
            self.limit.weight.as_ref().map(|weight| weight(item).clamp(1, HEAVIEST))
        };
        if most == 1 {
            let item = self.ask(source);
            let ns = self.now().saturating_sub(began);
            let ended = item.is_none();
            let weights = item.as_ref().and_then(weigh).into_iter().collect();
            let batch = Batch::new(first, item.into_iter().collect(), weights);
            return Report::Pulled { batch, asked: 1, ns, ended };
        }
        let hand = &self.hands[lane as usize];
        hand.begin_pulling(first, most);
        let (mut asked, mut total, mut look) = (0, 0_usize, 1);
        let ended = loop {
            if asked == most || total >= weight {
                break false;
            }
            let Some(item) = self.ask(source) else { break true };
            asked += 1;
            let of_item = weigh(&item);
            total = total.saturating_add(of_item.unwrap_or(1));
            if !hand.push(item, of_item, asked) {
                break false;
            }
            // It looks at the clock more and more seldom: a source that is quick may be quicker
            // than the clock.
            if asked == look {
                look *= 4;
                if self.has_passed(PULLING_NS, began) {
                    break false;
                }
            }
        };
        let ns = self.now().saturating_sub(began);
        Report::Pulled { batch: hand.end_pulling(), asked, ns, ended }
    }

    fn process(
        &self,
        lane: u32,
        stepper: &mut Stepper<'_, I::Item, S>,
        mut batch: Batch<I::Item>,
    ) -> Reported<I, S> {
        let began = self.now();
        let mut row = self.recorded.map(|recorded| recorded.begin_row(batch.first));
        let mut done = Done::new(batch.first, 0);
        if let Some((item, weight)) = batch.pop() {
            if batch.len() == 0 {
                let result = stepper.step(item);
                done.push(stepper.end_run(result), weight);
                done.results.extend(stepper.take_more().into_iter().flatten());
                row.iter_mut().for_each(Row::was_item);
            } else {
                let hand = &self.hands[lane as usize];
                hand.begin(weight, batch);
                done = self.process_bundle(hand, stepper, item, &mut row);
            }
        }
        row.into_iter().for_each(Row::end);
        Report::Processed { done, ns: self.now().saturating_sub(began) }
    }

    /// Processes this item, and those in hand. Yields what others have not taken away meanwhile.
    fn process_bundle(
        &self,
        hand: &Hand<I::Item, S::Output>,
        stepper: &mut Stepper<'_, I::Item, S>,
        mut item: I::Item,
        row: &mut Option<Row<'_>>,
    ) -> Done<S::Output> {
        loop {
            let result = stepper.step(item);
            row.iter_mut().for_each(Row::was_item);
            if self.is_over() {
                return hand.end(result, stepper.take_more());
            }
            match hand.next(result, || stepper.take_more()) {
                Ok(next) => item = next,
                Err(result) => return hand.end(stepper.end_run(result), stepper.take_more()),
            }
        }
    }

    fn look(&self, bundle: Bundle) -> Reported<I, S> {
        Report::Looked { bundle, taken: self.hands[bundle.lane as usize].take_away() }
    }

    /// The sink's next step while it does everything alone.
    #[inline]
    fn step_alone(
        &self,
        stint: &mut Stint,
        stepper: &mut Stepper<'_, I::Item, S>,
        more: &mut dyn FnMut(),
    ) -> Stepped<I, S> {
        let hand = &self.hands[SINK as usize];
        let report = |ended, rest| {
            let ns = self.now().saturating_sub(stint.began);
            Report::Alone { items: stint.done, ns, rest, ended }
        };
        if self.is_cancelled() {
            return Stepped::Over(Report::Nothing, None);
        }
        let mut over = |report| Stepped::Over(report, stepper.end_run(None));
        // What the sink has done with the last item, and, below, what the source took.
        let was_serial = |since_ns| self.recorded.map_or(0, |recorded| recorded.was_serial(since_ns));
        stint.since_ns = was_serial(stint.since_ns);
        if stint.done == stint.most {
            return over(match hand.end_alone() {
                Some(next) => report(false, Batch::empty(next)),
                None => Report::Emitted(1),
            });
        }
        // SAFETY: the sink has the source while `ask_alone` calls this.
        let asked = hand.ask_alone(|| self.ask(unsafe { &mut *self.source.get() }));
        stint.since_ns = was_serial(stint.since_ns);
        let next = stint.first + stint.done as u64;
        match asked {
            Asked::Item(item) => {
                if next == 0 {
                    more();
                }
                stint.done += 1;
                let first = stepper.step(item);
                if let Some(recorded) = self.recorded {
                    stint.since_ns = recorded.was_item(next, stint.since_ns);
                }
                Stepped::Done(first)
            }
            Asked::Recalled(item) => over(report(false, Batch::new(next, vec![item], Vec::new()))),
            Asked::Ended => over(report(true, Batch::empty(next))),
            Asked::Taken => over(Report::Emitted(1)),
        }
    }
}

/// What the sink does alone, until it looks for others again.
struct Stint {
    first: u64,
    most: usize,
    done: usize,
    began: u64,
    /// Where the stream is recorded: when the last item was done.
    since_ns: u64,
}

enum Stepped<I: Iterator, S: Step<I::Item>> {
    /// The first that came of an item.
    Done(Option<S::Output>),
    /// What is to be reported, and the first that is still to come of the items.
    Over(Reported<I, S>, Option<S::Output>),
}

/// The results, as they come. Asking for one makes the asking thread a lane.
pub(super) struct SharedResults<'r, 'w, I: Iterator, S: Step<I::Item>> {
    running: &'r Running<'w, I, S>,
    /// Called when it is known that the first item is not all there is.
    call_helpers: &'r mut dyn FnMut(),
    stepper: Stepper<'w, I::Item, S>,
    batch: vec::IntoIter<S::Output>,
    /// Of how many items the results are that are put through just now.
    in_hand: usize,
    stint: Option<Stint>,
    /// What the window does not know yet.
    report: Reported<I, S>,
    /// Where the stream is recorded: from when on the sink has results.
    since_ns: Option<u64>,
}

impl<'r, 'w, I: Iterator<Item: Send> + Send, S: Step<I::Item>> SharedResults<'r, 'w, I, S> {
    pub(super) fn new(running: &'r Running<'w, I, S>, call_helpers: &'r mut dyn FnMut()) -> Self {
        SharedResults {
            running,
            call_helpers,
            stepper: Stepper::new(running.step),
            batch: Vec::new().into_iter(),
            in_hand: 0,
            stint: None,
            report: Report::Nothing,
            since_ns: None,
        }
    }

    /// The next result; `None` where there is none any more, or the stream was ended before it was
    /// complete.
    #[inline]
    pub(super) fn next(&mut self, progress: &mut Option<Progress<'_>>) -> Option<S::Output> {
        let Some(result) = self.batch.next() else { return self.next_of_others(progress) };
        (!self.running.is_cancelled()).then_some(result)
    }

    /// The first result of the next items. Not inlined, so that the look into the batch is.
    #[inline(never)]
    fn next_of_others(&mut self, progress: &mut Option<Progress<'_>>) -> Option<S::Output> {
        loop {
            if let Some(result) = self.batch.next() {
                return (!self.running.is_cancelled()).then_some(result);
            }
            progress.iter_mut().for_each(|progress| progress.passed(mem::take(&mut self.in_hand)));
            if self.stint.is_none() {
                self.refill()?;
            } else if let Some(result) = self.step_alone() {
                return Some(result);
            }
        }
    }

    /// What comes next of what the sink does alone, if anything does.
    #[inline]
    fn step_alone(&mut self) -> Option<S::Output> {
        let stint = self.stint.as_mut()?;
        let running = self.running;
        let step = AssertUnwindSafe(|| running.step_alone(stint, &mut self.stepper, &mut *self.call_helpers));
        let first = match catch_unwind(step) {
            Ok(Stepped::Done(first)) => {
                self.in_hand = 1;
                first
            }
            Ok(Stepped::Over(report, first)) => {
                (self.stint, self.report) = (None, report);
                first
            }
            Err(payload) => {
                self.stint = None;
                running.keep(payload);
                return None;
            }
        };
        if let Some(more) = self.stepper.take_more() {
            self.batch = more.into_iter();
        }
        first
    }

    fn refill(&mut self) -> Option<()> {
        if let Some((recorded, since_ns)) = self.running.recorded.zip(self.since_ns.take()) {
            recorded.was_serial(since_ns);
        }
        loop {
            let report = mem::replace(&mut self.report, Report::Nothing);
            match self.running.turn(SINK, &mut self.stepper, report, &mut *self.call_helpers) {
                Next::Report(next) => self.report = next,
                Next::Over => return None,
                Next::Alone(stint) => {
                    self.stint = Some(stint);
                    return Some(());
                }
                Next::Emit(done) => {
                    self.report = Report::Emitted(done.weight);
                    self.in_hand = done.len;
                    self.batch = done.results.into_iter();
                    self.since_ns = self.running.recorded.map(RecordedStream::now_ns);
                    return Some(());
                }
            }
        }
    }
}
