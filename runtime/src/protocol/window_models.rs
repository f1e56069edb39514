//! Models of the window: every item goes through the sink once, in order if that is asked for; one lane at a time is at the
//! source; no more is in flight than allowed; nobody sleeps for ever.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model::explore;
use super::parker::Parker;
use super::window::{Turn, Window};
use crate::sync::{AtomicU32, Ordering};

/// A stream of numbers. loom checks every access to the source: two lanes at it are a data race.
struct Stream {
    window: Window<u32>,
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
    fn new(len: u32, limit: u32, ordered: bool) -> Arc<Self> {
        let window = Window::new(limit as usize, ordered);
        Arc::new(Stream { window, source: UnsafeCell::new(0), len, limit, in_flight: AtomicU32::new(0) })
    }

    /// Pulls one item, and processes it.
    fn pull(&self, room: usize) {
        assert!(room > 0 && room as u32 + self.in_flight.load(Ordering::Relaxed) <= self.limit);
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
        let ticket = self.window.pulled(item.map(|_| 1), item.is_none());
        if let (Some(ticket), Some(item)) = (ticket, item) {
            self.window.finished(ticket, item);
        }
    }

    fn help(self: &Arc<Self>) -> thread::JoinHandle<()> {
        let stream = Arc::clone(self);
        thread::spawn(move || {
            while let Turn::Pull { room } = stream.window.helper_turn() {
                stream.pull(room);
            }
        })
    }

    /// The items as the sink gets them; it has had enough after `most`.
    fn sink(&self, most: usize) -> Vec<u32> {
        let mut items = Vec::new();
        loop {
            match self.window.sink_turn() {
                Turn::Pull { room } => self.pull(room),
                Turn::Emit(item) => {
                    items.push(item);
                    self.in_flight.fetch_sub(1, Ordering::Relaxed);
                    self.window.emitted(1);
                    if items.len() == most {
                        self.window.stop();
                    }
                }
                Turn::Over => return items,
            }
        }
    }
}

/// Catches an item that is lost, comes twice or out of turn, and two lanes at the source.
#[test]
fn model_items_come_in_order() {
    explore(|| {
        let stream = Stream::new(3, 2, true);
        let helper = stream.help();
        assert_eq!(stream.sink(usize::MAX), [0, 1, 2]);
        helper.join().unwrap();
    });
}

/// Catches a helper, or the sink, that sleeps on although there is room again; and a window that lets more in than it has room for.
#[test]
fn model_two_helpers_and_room_for_one_item() {
    explore(|| {
        let stream = Stream::new(2, 1, true);
        let helpers = [stream.help(), stream.help()];
        assert_eq!(stream.sink(usize::MAX), [0, 1]);
        helpers.into_iter().for_each(|helper| helper.join().unwrap());
    });
}

/// Catches an item that is lost or comes twice where order does not matter, and a sink that waits for one in particular.
#[test]
fn model_items_come_out_of_order() {
    explore(|| {
        let stream = Stream::new(3, 2, false);
        let helper = stream.help();
        let mut items = stream.sink(usize::MAX);
        items.sort_unstable();
        assert_eq!(items, [0, 1, 2]);
        helper.join().unwrap();
    });
}

/// Catches a helper that sleeps, or pulls, for ever after the end.
#[test]
fn model_a_sink_that_has_enough_sends_everyone_home() {
    explore(|| {
        let stream = Stream::new(3, 1, true);
        let helpers = [stream.help(), stream.help()];
        assert_eq!(stream.sink(1), [0]);
        helpers.into_iter().for_each(|helper| helper.join().unwrap());
    });
}

/// Catches a helper that is not told that the source is free again, although there is room: the lane that was there before waits
/// for an item of the helper's.
#[test]
fn model_the_source_is_handed_on() {
    explore(|| {
        let stream = Arc::new((Window::new(2, true), [(); 2].map(|()| Parker::new())));
        let come_and_wait = |stream: &(Window<usize>, [Parker; 2]), lane: usize| {
            let (window, pulled) = stream;
            let Turn::Pull { .. } = window.helper_turn() else { panic!("there is room for both") };
            let ticket = window.pulled(Some(1), false).expect("an item");
            pulled[1 - lane].unpark();
            pulled[lane].park();
            window.finished(ticket, lane);
        };
        let other = Arc::clone(&stream);
        let other = thread::spawn(move || come_and_wait(&other, 1));
        come_and_wait(&stream, 0);
        other.join().unwrap();
    });
}

/// Catches a helper that sleeps on when half of what was in flight has gone through the sink, which is busy from then on.
#[test]
fn model_room_wakes_a_helper() {
    explore(|| {
        let stream = Arc::new((Window::new(2, true), Parker::new()));
        let (window, came) = &*stream;
        let tickets = [(); 2].map(|()| {
            assert!(matches!(window.sink_turn(), Turn::Pull { .. }));
            window.pulled(Some(1), false).expect("an item")
        });
        (0..).zip(tickets).for_each(|(item, ticket)| window.finished(ticket, item));
        let helper = Arc::clone(&stream);
        let helper = thread::spawn(move || {
            let (window, came) = &*helper;
            assert!(matches!(window.helper_turn(), Turn::Pull { room: 1 }));
            came.unpark();
            window.pulled(None, true);
        });
        assert!(matches!(window.sink_turn(), Turn::Emit(0)));
        window.emitted(1);
        came.park();
        helper.join().unwrap();
        assert!(matches!(window.sink_turn(), Turn::Emit(1)));
        assert!(matches!(window.sink_turn(), Turn::Over));
    });
}
