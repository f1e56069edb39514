//! Models of waiting lanes, on a whole feed: every item goes to one lane, no lane sleeps beside an
//! item, and a source may wait for the results of its items.

use std::sync::Arc;

use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::model::{assert_partition, explore};
use crate::feed::{Feed, Seat, Source, Wish};
use crate::sync::Fences;

/// Which items are processed.
#[derive(Default)]
struct Answers {
    given: Mutex<u32>,
    more: Condvar,
}

/// Yields `0..len`. Before item `waits_from` and each later one, it waits for the answers to all
/// earlier items.
struct Questions {
    next: u32,
    len: u32,
    waits_from: u32,
    answers: Arc<Answers>,
}

impl Source for Questions {
    type Item = u32;
    type Visit = ();

    fn visit(&self) {}

    fn next(&mut self) -> Option<u32> {
        if self.next >= self.waits_from {
            let mut given = self.answers.given.lock().unwrap();
            while *given < self.next {
                given = self.answers.more.wait(given).unwrap();
            }
        }
        let item = self.next;
        self.next += 1;
        (item < self.len).then_some(item)
    }
}

struct Bridge {
    feed: Feed<Questions>,
    answers: Arc<Answers>,
}

impl Bridge {
    fn new(len: u32, waits_from: u32) -> Arc<Self> {
        let answers = Arc::new(Answers::default());
        let source = Questions { next: 0, len, waits_from, answers: Arc::clone(&answers) };
        Arc::new(Bridge { feed: Feed::new(source, Fences::Symmetric), answers })
    }

    /// Runs all items that a lane gets.
    fn run(&self, wish: Wish) -> Vec<u32> {
        let mut seat = Seat::new();
        let mut all = Vec::new();
        loop {
            let at_hand = match seat.is_laden() {
                true => seat.pop(&self.feed),
                false => seat.stream(&self.feed, wish),
            };
            // No lane is patient: waiting means one look around, then sleep.
            let pause = || {
                thread::yield_now();
                false
            };
            let Some(item) = at_hand.or_else(|| seat.come(&self.feed, wish, pause)) else { return all };
            all.push(item);
            *self.answers.given.lock().unwrap() += 1;
            self.answers.more.notify_all();
        }
    }
}

fn explore_lanes(len: u32, waits_from: u32, wishes: &'static [Wish]) {
    explore(move || {
        let bridge = Bridge::new(len, waits_from);
        let (first, others) = wishes.split_first().unwrap();
        let others: Vec<_> = others
            .iter()
            .map(|&wish| {
                let bridge = Arc::clone(&bridge);
                thread::spawn(move || bridge.run(wish))
            })
            .collect();
        let mut all = bridge.run(*first);
        others.into_iter().for_each(|lane| all.extend(lane.join().unwrap()));
        assert!(bridge.feed.is_over());
        assert_partition(all, len);
    });
}

const STREAMS: Wish = Wish { most: 2, streams: true };
const PASSES: Wish = Wish { most: 2, streams: false };
const ONE: Wish = Wish { most: 1, streams: false };

/// Catches items that are lost or duplicated, and a lane that is left asleep.
#[test]
fn model_two_lanes_share_a_source() {
    explore_lanes(3, u32::MAX, &[STREAMS, STREAMS]);
}

/// Catches the same if the source is free between two items.
#[test]
fn model_two_lanes_pass_a_source_on() {
    explore_lanes(2, u32::MAX, &[PASSES, PASSES]);
}

/// Catches an item that is stuck behind a source which waits for it.
#[test]
fn model_a_source_waits_for_its_items() {
    explore_lanes(2, 1, &[STREAMS, STREAMS]);
}

/// Catches the same behind items for which the source did not wait.
#[test]
fn model_a_source_waits_after_a_backlog() {
    explore_lanes(3, 2, &[STREAMS, STREAMS]);
}

/// Catches a third lane that sleeps although there is an item for it.
#[test]
fn model_three_lanes() {
    explore_lanes(2, u32::MAX, &[ONE, ONE, ONE]);
}
