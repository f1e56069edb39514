//! Models of the window: every item passes the sink once, in order if requested; one lane at a time
//! is at the source; no more is in flight than allowed; pulled items are processed although the
//! source blocks; no lane sleeps for ever.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model::explore;
use super::parker::Parker;
use super::window::{Report, SINK, Turn, Window};
use crate::policy::batch::{Batch, Done, Taken};
use crate::policy::times::PATIENCE_NS;
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};

/// Items that take this long are not bundled.
const LONG_NS: u64 = 1_000_000;

fn turn(window: &Window<u32, u32>, lane: u32, report: Report<u32, u32>) -> Turn<u32, u32> {
    turn_at(window, lane, report, 0)
}

fn turn_at(window: &Window<u32, u32>, lane: u32, report: Report<u32, u32>, now: u64) -> Turn<u32, u32> {
    window.turn(lane, report, || now, |_| false)
}

fn batch(first: u32, len: u32) -> Batch<u32> {
    Batch::new(u64::from(first), (first..first + len).collect(), Vec::new())
}

fn process(mut batch: Batch<u32>) -> Report<u32, u32> {
    let mut done = Done::new(batch.first, batch.len());
    while let Some((item, weight)) = batch.pop() {
        done.push(Some(item), weight);
    }
    Report::Processed { done, ns: LONG_NS }
}

/// A stream of numbers. loom checks every access to the source: two lanes at it are a data race.
struct Stream {
    window: Window<u32, u32>,
    source: UnsafeCell<u32>,
    len: u32,
    limit: u32,
    in_flight: AtomicU32,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Stream {}
// SAFETY: as above.
unsafe impl Send for Stream {}

impl Stream {
    /// With `shared`, the sink does nothing alone.
    fn new(len: u32, limit: u32, ordered: bool, shared: bool) -> Arc<Self> {
        let window = Window::new(limit as usize, shared, ordered, 2);
        Arc::new(Stream { window, source: UnsafeCell::new(0), len, limit, in_flight: AtomicU32::new(0) })
    }

    fn ask(&self) -> Option<u32> {
        let item = self.source.with_mut(|source| {
            // SAFETY: loom verifies that the access is exclusive.
            let next = unsafe { &mut *source };
            (*next < self.len).then(|| {
                *next += 1;
                *next - 1
            })
        });
        if item.is_some() {
            assert!(self.in_flight.fetch_add(1, Ordering::Relaxed) < self.limit);
        }
        item
    }

    fn pull(&self, first: u64) -> Report<u32, u32> {
        let item = self.ask();
        let ended = item.is_none();
        let batch = Batch::new(first, item.into_iter().collect(), Vec::new());
        Report::Pulled { batch, asked: 1, ns: 0, ended }
    }

    fn help(self: &Arc<Self>, lane: u32) -> thread::JoinHandle<()> {
        let stream = Arc::clone(self);
        thread::spawn(move || {
            let mut report = Report::Nothing;
            loop {
                report = match turn(&stream.window, lane, report) {
                    Turn::Pull { first, .. } => stream.pull(first),
                    Turn::Process(batch) => process(batch),
                    Turn::Over => return,
                    other => panic!("not for a helper: {other:?}"),
                };
            }
        })
    }

    /// Returns the items as the sink gets them. The sink stops after `most`.
    fn sink(&self, most: usize) -> Vec<u32> {
        let (mut items, mut report) = (Vec::new(), Report::Nothing);
        loop {
            report = match turn(&self.window, SINK, report) {
                Turn::Pull { first, .. } => self.pull(first),
                Turn::Alone { first, .. } => {
                    let item = self.ask();
                    if item.is_some() {
                        self.in_flight.fetch_sub(1, Ordering::Relaxed);
                    }
                    items.extend(item);
                    let done = usize::from(item.is_some());
                    let rest = Batch::empty(first + done as u64);
                    Report::Alone { items: done, ns: 0, rest, ended: item.is_none() }
                }
                Turn::Process(batch) => process(batch),
                Turn::Emit(done) => {
                    items.extend(&done.results);
                    self.in_flight.fetch_sub(done.len as u32, Ordering::Relaxed);
                    if items.len() >= most {
                        self.window.stop();
                    }
                    Report::Emitted(done.weight)
                }
                Turn::Look(_) => panic!("there are no bundles"),
                Turn::Over => return items,
            };
        }
    }
}

/// Catches an item that is lost, duplicated or out of order, and two lanes at the source.
#[test]
fn model_items_come_in_order() {
    explore(|| {
        let stream = Stream::new(3, 2, true, true);
        let helper = stream.help(1);
        assert_eq!(stream.sink(usize::MAX), [0, 1, 2]);
        helper.join().unwrap();
    });
}

/// Catches the same where the sink does everything until the helper comes.
#[test]
fn model_items_come_in_order_from_a_sink_alone() {
    explore(|| {
        let stream = Stream::new(2, 2, true, false);
        let helper = stream.help(1);
        assert_eq!(stream.sink(usize::MAX), [0, 1]);
        helper.join().unwrap();
    });
}

/// Catches a helper, or the sink, that sleeps although there is room again; and a window that
/// admits more than it has room for.
#[test]
fn model_two_helpers_and_room_for_one_item() {
    explore(|| {
        let stream = Stream::new(2, 1, true, true);
        let helpers = [stream.help(1), stream.help(2)];
        assert_eq!(stream.sink(usize::MAX), [0, 1]);
        helpers.into_iter().for_each(|helper| helper.join().unwrap());
    });
}

/// Catches an item that is lost or duplicated if order does not matter, and a sink that waits for a
/// particular item.
#[test]
fn model_items_come_out_of_order() {
    explore(|| {
        let stream = Stream::new(3, 2, false, true);
        let helper = stream.help(1);
        let mut items = stream.sink(usize::MAX);
        items.sort_unstable();
        assert_eq!(items, [0, 1, 2]);
        helper.join().unwrap();
    });
}

/// Catches a helper that sleeps or pulls for ever after the end.
#[test]
fn model_a_sink_that_has_enough_sends_everyone_home() {
    explore(|| {
        let stream = Stream::new(3, 1, true, true);
        let helpers = [stream.help(1), stream.help(2)];
        assert_eq!(stream.sink(1), [0]);
        helpers.into_iter().for_each(|helper| helper.join().unwrap());
    });
}

/// Catches a lane that asks the source for a second item while the first one is in the queue and no
/// lane takes it: the source waits for the first.
#[test]
fn model_a_source_that_waits_for_its_last_item() {
    explore(|| {
        let stream = Arc::new((Window::new(2, true, true, 2), Parker::new()));
        let act = |(window, emitted): &(Window<u32, u32>, Parker), lane: u32| {
            let mut report = Report::Nothing;
            loop {
                report = match turn(window, lane, report) {
                    Turn::Pull { first, .. } => {
                        if first > 0 {
                            emitted.park();
                        }
                        let batch = batch(first as u32, u32::from(first < 2));
                        Report::Pulled { batch, asked: 1, ns: 0, ended: first == 2 }
                    }
                    Turn::Process(batch) => process(batch),
                    Turn::Emit(done) => {
                        emitted.unpark();
                        Report::Emitted(done.weight)
                    }
                    Turn::Over => return,
                    other => panic!("neither alone nor in bundles: {other:?}"),
                }
            }
        };
        let other = Arc::clone(&stream);
        let helper = thread::spawn(move || act(&other, 1));
        act(&stream, SINK);
        helper.join().unwrap();
    });
}

/// The items that a lane holds, where others find them.
type Hand = Option<(Batch<u32>, Done<u32>)>;

/// A stream whose items come in bundles.
struct Bundled {
    window: Window<u32, u32>,
    hand: Mutex<Hand>,
    /// What a lane has pulled at the source.
    pulled: Mutex<Option<Batch<u32>>>,
    /// The second of three items in a bundle waits for the third.
    waits: bool,
    processed: Parker,
    /// How much time passes between looks, so that everything is late.
    clock: AtomicU64,
}

impl Bundled {
    /// The sink has processed six items alone, is at the source, and may pull three.
    fn new(waits: bool) -> Arc<Self> {
        let window = Window::new(18, false, true, 2);
        assert!(matches!(turn(&window, SINK, Report::Nothing), Turn::Alone { first: 0, most: 1 }));
        for (first, items, bundle) in [(0, 4, 2), (4, 2, 3)] {
            let rest = Batch::empty(first + items);
            let report = Report::Alone { items: items as usize, ns: items * 10_000, rest, ended: false };
            let Turn::Alone { first: next, most } = turn(&window, SINK, report) else { panic!("no helper") };
            assert_eq!((next, most), (first + items, bundle));
        }
        let (hand, pulled, processed) = (Mutex::new(None), Mutex::new(None), Parker::new());
        Arc::new(Bundled { window, hand, pulled, waits, processed, clock: AtomicU64::new(0) })
    }

    /// Runs one lane. Returns what the sink emits. The source has `len` items.
    fn act(&self, lane: u32, mut report: Report<u32, u32>, len: u64) -> Vec<u32> {
        let mut emitted = Vec::new();
        let now = || self.clock.fetch_add(PATIENCE_NS, Ordering::Relaxed);
        loop {
            report = match self.window.turn(lane, report, now, |_| false) {
                Turn::Process(batch) if batch.len() == 3 => self.process_three(batch),
                Turn::Process(batch) => {
                    self.processed.unpark();
                    process(batch)
                }
                Turn::Look(bundle) => Report::Looked { bundle, taken: self.look() },
                Turn::Emit(done) => {
                    emitted.extend(&done.results);
                    Report::Emitted(done.weight)
                }
                Turn::Pull { first, most, .. } => self.pull(first, most, len),
                // No helper has come.
                Turn::Alone { first, .. } => {
                    emitted.extend(first as u32..len as u32);
                    let items = (len - first) as usize;
                    Report::Alone { items, ns: 0, rest: Batch::empty(len), ended: true }
                }
                Turn::Over => return emitted,
            }
        }
    }

    fn look(&self) -> Taken<u32, u32> {
        if let Some(pulled) = self.pulled.lock().unwrap().take() {
            return Taken::New(pulled);
        }
        match self.hand.lock().unwrap().take() {
            Some((rest, done)) => Taken::Begun(rest, done),
            None => {
                thread::yield_now();
                Taken::Nothing
            }
        }
    }

    /// The first item is done, the second is running, and the third has not begun.
    fn process_three(&self, mut bundle: Batch<u32>) -> Report<u32, u32> {
        let mut done = Done::new(bundle.first, 3);
        let (item, weight) = bundle.pop().expect("the first");
        done.push(Some(item), weight);
        let (item, weight) = bundle.pop().expect("the second");
        *self.hand.lock().unwrap() = Some((bundle, done));
        if self.waits {
            self.processed.park();
        }
        let hand = self.hand.lock().unwrap().take();
        let second = u64::from(item);
        let (mut rest, mut done) = hand.unwrap_or_else(|| (Batch::empty(second + 1), Done::new(second, 1)));
        done.push(Some(item), weight);
        while let Some((item, weight)) = rest.pop() {
            done.push(Some(item), weight);
        }
        Report::Processed { done, ns: 0 }
    }

    /// The first of several items is held while the source is asked for the next.
    fn pull(&self, first: u64, most: usize, len: u64) -> Report<u32, u32> {
        let asked = usize::from(first < len);
        let mut pulled = Some(batch(first as u32, asked as u32));
        if asked < most {
            std::mem::swap(&mut pulled, &mut *self.pulled.lock().unwrap());
            if first < len {
                self.processed.park();
            }
            pulled = self.pulled.lock().unwrap().take();
        }
        let batch = pulled.unwrap_or_else(|| Batch::empty(first + asked as u64));
        Report::Pulled { batch, asked, ns: 0, ended: true }
    }
}

/// Catches a bundle that no lane looks at, whoever holds it, and items that are taken from it and
/// lost. Its second item waits for the third.
#[test]
fn model_an_idle_lane_takes_what_is_in_a_bundle() {
    explore(|| {
        let stream = Bundled::new(true);
        let other = Arc::clone(&stream);
        let helper = thread::spawn(move || other.act(1, Report::Nothing, 9));
        let report = Report::Alone { items: 0, ns: 0, rest: batch(6, 3), ended: false };
        assert_eq!(stream.act(SINK, report, 9), [6, 7, 8]);
        helper.join().unwrap();
    });
}

/// Catches items that are lost between a lane that looks at a bundle and the lane that finishes it
/// at the same time.
#[test]
fn model_a_bundle_that_is_over_when_somebody_looks() {
    explore(|| {
        let stream = Bundled::new(false);
        let other = Arc::clone(&stream);
        let helper = thread::spawn(move || other.act(1, Report::Nothing, 9));
        let report = Report::Alone { items: 0, ns: 0, rest: batch(6, 3), ended: false };
        assert_eq!(stream.act(SINK, report, 9), [6, 7, 8]);
        helper.join().unwrap();
    });
}

/// Catches a pulled item that is stuck behind a source which waits for it.
#[test]
fn model_an_idle_lane_takes_what_was_pulled() {
    explore(|| {
        let stream = Bundled::new(false);
        let other = Arc::clone(&stream);
        let helper = thread::spawn(move || other.act(1, Report::Nothing, 7));
        let report = Report::Alone { items: 0, ns: 0, rest: Batch::empty(6), ended: false };
        assert_eq!(stream.act(SINK, report, 7), [6]);
        helper.join().unwrap();
    });
}

/// Catches a source that stays with a sink which is busy with an item that waits for the next one.
#[test]
fn model_an_idle_lane_takes_the_source_from_a_sink_alone() {
    explore(|| {
        let stream = Arc::new((Window::new(2, false, true, 2), Parker::new()));
        let (window, pulled) = &*stream;
        assert!(matches!(turn(window, SINK, Report::Nothing), Turn::Alone { first: 0, most: 1 }));
        let other = Arc::clone(&stream);
        let helper = thread::spawn(move || {
            let (window, pulled) = &*other;
            let mut report = Report::Nothing;
            loop {
                report = match turn_at(window, 1, report, PATIENCE_NS) {
                    Turn::Look(bundle) => Report::Looked { bundle, taken: Taken::Source { next: 1 } },
                    Turn::Pull { first, .. } => {
                        pulled.unpark();
                        let batch = batch(first as u32, u32::from(first == 1));
                        Report::Pulled { batch, asked: 1, ns: 0, ended: first > 1 }
                    }
                    Turn::Process(batch) => process(batch),
                    Turn::Over => return,
                    other => panic!("not for a helper: {other:?}"),
                }
            }
        });
        pulled.park();
        let (mut report, mut emitted) = (Report::Emitted(1), Vec::<u32>::new());
        loop {
            report = match turn(window, SINK, report) {
                Turn::Emit(done) => {
                    emitted.extend(&done.results);
                    Report::Emitted(done.weight)
                }
                Turn::Process(batch) => process(batch),
                Turn::Pull { first, .. } => {
                    Report::Pulled { batch: Batch::empty(first), asked: 1, ns: 0, ended: true }
                }
                Turn::Over => break,
                other => panic!("it is not alone any more: {other:?}"),
            }
        }
        assert_eq!(emitted, [1]);
        helper.join().unwrap();
    });
}
