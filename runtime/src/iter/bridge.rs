//! `par_bridge`: processes the items of any sequential iterator in parallel, in no particular
//! order.

use std::fmt::{self, Debug, Formatter};
use std::hint::spin_loop;
use std::ops::Range;

use super::ParallelIterator;
use crate::engine::producer::Producer;
use crate::feed::{Feed, Seat, Source, Wish};
use crate::os::clock::{Clock, Ticks};
use crate::sched::pool::with_current_lane;
use crate::sched::reentrancy::Entered;
use crate::sync::Fences;

/// Turns sequential iterators into parallel ones.
pub trait ParallelBridge: Iterator<Item: Send> + Send + Sized {
    /// Makes a parallel iterator over the items, in no particular order.
    ///
    /// One thread at a time asks the source for an item. The items that it has yielded are
    /// processed before, or while, it is asked again. So an item does not wait for the next one.
    /// The source may wait until its earlier items have been processed. This also works on one
    /// thread.
    ///
    /// A thread asks for several items in a row only if another thread has nothing to do. These
    /// items take about 16 µs to process. The other thread then asks the source, or if the source
    /// does not answer, processes these items. If an item takes much longer than those before it,
    /// idle threads take the items that were pulled together with it.
    ///
    /// If order matters, or the number of items in flight must be bounded, use
    /// [`par_stream`](crate::ParallelStream::par_stream).
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let sum: u64 = std::iter::successors(Some(1), |n| (*n < 1000).then_some(n * 2)).par_bridge().sum();
    /// assert_eq!(sum, 2047);
    /// ```
    fn par_bridge(self) -> IterBridge<Self> {
        IterBridge { source: self }
    }
}

impl<I: Iterator<Item: Send> + Send> ParallelBridge for I {}

/// Made by [`par_bridge`](ParallelBridge::par_bridge).
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct IterBridge<I> {
    source: I,
}

impl<I: Iterator<Item: Send> + Send> ParallelIterator for IterBridge<I> {
    type Item = I::Item;
    type Producer = BridgeProducer<I>;

    fn into_producer(self) -> Self::Producer {
        BridgeProducer { feed: Feed::new(Asked(self.source), Fences::now()), clock: Clock::new() }
    }
}

/// Hands out the items of an [`IterBridge`]: an index stands for a *stint*, some items one after
/// the other.
pub struct BridgeProducer<I: Iterator<Item: Send> + Send> {
    feed: Feed<Asked<I>>,
    clock: Clock,
}

impl<I: Iterator<Item: Send> + Send> Debug for BridgeProducer<I> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("BridgeProducer").finish_non_exhaustive()
    }
}

/// The source, from whose code no other work may be begun that might ask it.
struct Asked<I>(I);

impl<I: Iterator<Item: Send> + Send> Source for Asked<I> {
    type Item = I::Item;
    type Visit = Entered;

    #[inline]
    fn visit(&self) -> Entered {
        Entered::bridge()
    }

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
}

/// As many as a loop counts one by one. Whoever has the last one asks until nothing is left.
const STINTS: usize = u32::MAX as usize;

/// A stint takes about this long. In each second one, as a rule, a lane waits for another to come
/// to the end of an item.
const STINT_NS: u64 = 16_000;

/// No more items are pulled at once, however fast they are processed.
const LARGEST_BATCH: u64 = 2048;

/// A stint has so many times the items of the one before, at most.
const GROWTH: u64 = 8;

/// With fewer items in a stint, the source is free while one is processed, which takes a lock
/// twice; with more, a lane that comes for it waits for the end of an item.
const STREAMED: u64 = 8;

/// A lane that waits for the source looks for what others have after this time, and then sleeps.
const PATIENCE_NS: u64 = 20_000;

/// What a lane keeps.
pub struct BridgeLane<I: Iterator<Item: Send> + Send> {
    seat: Seat<Asked<I>>,
    /// How many items a stint is to have, and of the present one has had.
    stint: u64,
    done: u64,
    since: Ticks,
}

impl<I: Iterator<Item: Send> + Send> Debug for BridgeLane<I> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("BridgeLane").field("stint", &self.stint).finish_non_exhaustive()
    }
}

impl<I: Iterator<Item: Send> + Send> Producer for BridgeProducer<I> {
    type Item = I::Item;
    type Local = BridgeLane<I>;
    type Iter<'a>
        = Pulled<'a, I>
    where
        Self: 'a;
    /// A lane that comes back has another place, and misses nothing.
    const STATELESS: bool = true;

    fn len(&self) -> usize {
        STINTS
    }

    fn is_full(&self) -> bool {
        self.feed.is_over()
    }

    fn local(&self) -> BridgeLane<I> {
        BridgeLane { seat: Seat::new(), stint: 1, done: 0, since: self.clock.now() }
    }

    unsafe fn chunk<'a>(&'a self, lane: &'a mut BridgeLane<I>, indices: Range<usize>) -> Self::Iter<'a> {
        let stints = if indices.end == STINTS { usize::MAX } else { indices.len() };
        Pulled { producer: self, lane, stints }
    }
}

/// The sequential iterator of `par_bridge`.
#[derive(Debug)]
pub struct Pulled<'a, I: Iterator<Item: Send> + Send> {
    producer: &'a BridgeProducer<I>,
    lane: &'a mut BridgeLane<I>,
    /// Not begun.
    stints: usize,
}

impl<I: Iterator<Item: Send> + Send> Iterator for Pulled<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        let BridgeLane { seat, stint, done, .. } = &mut *self.lane;
        let feed = &self.producer.feed;
        let item = if seat.is_laden() {
            seat.pop(feed)
        } else if *done < *stint {
            seat.stream(feed, Wish { most: *stint as usize, streams: true })
        } else {
            None
        };
        if item.is_none() {
            return self.next_stint();
        }
        *done += 1;
        item
    }
}

impl<I: Iterator<Item: Send> + Send> Pulled<'_, I> {
    #[cold]
    #[inline(never)]
    fn next_stint(&mut self) -> Option<I::Item> {
        if self.stints == 0 {
            return None;
        }
        self.stints = self.stints.saturating_sub(1);
        let now = self.producer.clock.now();
        let lane = &mut *self.lane;
        let ns = self.producer.clock.ns_between(lane.since, now).max(1);
        let fitting = (STINT_NS * lane.done / ns).clamp(1, LARGEST_BATCH);
        lane.stint = fitting.min(lane.stint * GROWTH);
        (lane.done, lane.since) = (0, now);
        let wish = Wish { most: lane.stint as usize, streams: lane.stint >= STREAMED };
        let item = match lane.seat.stream(&self.producer.feed, wish) {
            None => self.come(wish),
            item => item,
        };
        self.lane.done = 1;
        item
    }

    /// Waits for an item, and perhaps for the source, which is not what items take.
    fn come(&mut self, wish: Wish) -> Option<I::Item> {
        /// So many looks at whether there is something for one at the clock.
        const LOOKS: u32 = 16;
        let clock = self.producer.clock;
        let (mut began, mut awake_since, mut looks) = (None, Ticks::default(), 0);
        let item = self.lane.seat.come(&self.producer.feed, wish, || {
            spin_loop();
            looks += 1;
            if looks % LOOKS != 1 {
                return true;
            }
            let now = clock.now();
            if looks == 1 {
                (began, awake_since) = (began.or(Some(now)), now);
            }
            let patient = !clock.have_passed(PATIENCE_NS, &mut awake_since, now);
            if !patient {
                looks = 0;
            }
            patient
        });
        if let Some(began) = began {
            self.lane.since = clock.now();
            let waited_ns = clock.ns_between(began, self.lane.since);
            with_current_lane(|lane| {
                if let Some(lane) = lane {
                    let sum = &lane.private().waited_ns;
                    sum.set(sum.get().saturating_add(waited_ns));
                }
            });
        }
        item
    }
}

impl<I: Iterator<Item: Send> + Send> Drop for Pulled<'_, I> {
    fn drop(&mut self) {
        // Nobody wants what was asked for: something has panicked, or the loop is over.
        self.lane.seat.drop_items(&self.producer.feed);
    }
}
