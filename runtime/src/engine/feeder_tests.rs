//! In how many chunks items are produced, as long ones and short ones come.

use std::ops::{ControlFlow, Range};
use std::thread;
use std::time::Duration;

use super::around::{Around, InChunk, Over};
use super::feeder::Feeder;
use super::producer::{Claimed, Producer};
use crate::iter::consumer::ForEach;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// Indices, of which those in `long` take a millisecond; counts the chunks that it makes, and what
/// is in them.
struct Items {
    len: usize,
    long: Range<usize>,
    chunks: AtomicU64,
    begun: AtomicU64,
    /// So many are begun until nothing more is wanted.
    wanted: u64,
    over: AtomicBool,
}

impl Items {
    fn new(len: usize, long: Range<usize>, wanted: u64) -> Self {
        let (chunks, begun) = (AtomicU64::new(0), AtomicU64::new(0));
        Items { len, long, chunks, begun, wanted, over: AtomicBool::new(false) }
    }

    /// Feeds all as one chunk, of which nothing is known.
    fn feed(&self) -> Feeder {
        let mut feeder = Feeder::new(self, None);
        // SAFETY: nobody else has any of these.
        let all = unsafe { Claimed::new(self, 0..self.len) };
        let consumer = ForEach(|index| {
            let long = self.long.contains(&index);
            if long {
                thread::sleep(Duration::from_millis(1));
            }
            if self.long.is_empty() || long {
                let begun = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
                self.over.store(begun >= self.wanted, Ordering::Relaxed);
            }
        });
        let flow = feeder.feed(&mut &consumer, (), (all, &mut ()), &InChunk::alone(Over(Some(self)), None));
        assert_eq!(flow, ControlFlow::Continue(()));
        feeder
    }

    fn chunks(&self) -> usize {
        self.chunks.load(Ordering::Relaxed) as usize
    }
}

impl Around for Items {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn found(&self) {}

    fn panicked(&self) {}
}

impl Producer for Items {
    type Item = usize;
    type Local = ();
    type Iter<'a> = Range<usize>;
    const STEPS: bool = true;

    fn len(&self) -> usize {
        self.len
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn local(&self) {}

    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Range<usize> {
        self.chunks.fetch_add(1, Ordering::Relaxed);
        indices
    }
}

#[test]
fn a_chunk_of_short_items_is_not_run_item_by_item_because_nothing_is_known_of_them() {
    let items = Items::new(1 << 22, 0..0, u64::MAX);
    items.feed();
    assert!(items.chunks() < items.len / 16, "{} chunks", items.chunks());
}

#[test]
fn nor_because_the_first_ones_are_long() {
    let items = Items::new(1 << 22, 0..20, u64::MAX);
    items.feed();
    assert!(items.chunks() < items.len / 16, "{} chunks", items.chunks());
}

#[test]
fn among_long_items_no_other_is_begun_once_nothing_more_is_wanted() {
    for wanted in [1, 2, 3, 7, 40] {
        let items = Items::new(1000, 0..1000, wanted);
        let feeder = items.feed();
        assert!(feeder.ended());
        assert_eq!((items.begun.into_inner(), feeder.left()), (wanted, 1000 - wanted as usize));
    }
}

#[test]
fn short_items_are_looked_at_now_and_then() {
    let items = Items::new(1 << 22, 0..0, 1 << 20);
    let feeder = items.feed();
    assert!(feeder.ended() && feeder.left() > 0);
}
