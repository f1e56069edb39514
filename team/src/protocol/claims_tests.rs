//! Tests of the claims on one thread.

use super::claims::{Claims, Entry, Found, Lane};
use crate::sync::{AtomicU64, Fences};

struct Words(AtomicU64, Vec<Lane>, Vec<AtomicU64>);

impl Words {
    fn new(lanes: usize, items: usize) -> Words {
        let table = (0..items).map(|_| AtomicU64::new(0)).collect();
        Words(AtomicU64::new(0), (0..lanes).map(|_| Lane::new()).collect(), table)
    }

    fn claims(&self) -> Claims<'_> {
        Claims::new(&self.0, &self.1, &self.2)
    }
}

#[test]
fn claims_end_at_the_last_item() {
    let words = Words::new(1, 5);
    let claims = words.claims();
    assert_eq!(claims.remaining(), 5);
    let items = claims.claim(0, 3).unwrap();
    assert_eq!((items.clone(), claims.remaining()), (0..3, 2));
    assert!(!claims.finish(0, &items, 640), "no rank waits while there are items to claim");
    let items = claims.claim(0, 3).unwrap();
    assert_eq!((items.clone(), claims.remaining()), (3..5, 0));
    assert_eq!(claims.walk(0), 3);
    assert!(claims.finish(0, &items, 64));
    assert_eq!(claims.claim(0, 1), None);
    assert_eq!((claims.walk(3), claims.len()), (5, 5));
    assert_eq!(claims.entry(0), Entry::Done { len: 3, record: 640 });
}

#[test]
fn who_ends_the_last_items_wakes_those_who_wait() {
    let words = Words::new(2, 4);
    let claims = words.claims();
    let (first, last) = (claims.claim(0, 2).unwrap(), claims.claim(1, 2).unwrap());
    // All items are claimed, and no more.
    assert_eq!(claims.look(3), Found::HeldUpTo(4));
    assert!(claims.finish(0, &first, 0) && claims.finish(1, &last, 0));
}

#[test]
fn a_call_without_items_is_over() {
    let words = Words::new(1, 0);
    assert_eq!(words.claims().claim(0, 1), None);
    assert_eq!(words.claims().walk(0), 0);
}

#[test]
fn what_is_given_up_is_free_and_no_death() {
    let words = Words::new(2, 6);
    let claims = words.claims();
    let (first, second) = (claims.claim(0, 4).unwrap(), claims.claim(1, 4).unwrap());
    assert_eq!(claims.claim(0, 1), None);
    claims.take(0, &first);
    assert_eq!(claims.look(5), Found::HeldUpTo(6));
    assert_eq!(claims.look(0), Found::HeldUpTo(4));
    claims.give_up(0);
    assert_eq!(claims.look(0), Found::Free { items: 0..4, deaths: 0 });
    assert!(claims.finish(1, &second, 0));
    assert_eq!(claims.look(4), Found::DoneUpTo(6));
}

#[test]
fn nothing_is_free_while_there_is_something_to_claim() {
    let words = Words::new(2, 2);
    let _ = words.claims().claim(0, 1);
    words.claims().give_up(0);
    assert_eq!(words.claims().look(0), Found::Claiming);
}

/// Items 0..4 of a rank that died in item 2 and was taken over.
fn died_in_the_third(attempts: u64) -> Words {
    let words = Words::new(2, 5);
    let claims = words.claims();
    let items = claims.claim(0, 4).unwrap();
    claims.lane(0).enter(2);
    let last = claims.claim(1, 4).unwrap();
    let _ = claims.finish(1, &last, 0);
    assert_eq!((claims.claim(1, 1), items), (None, 0..4));
    claims.take_over(0..1, 7, attempts);
    words
}

#[test]
fn an_item_that_a_rank_died_in_is_free_by_itself() {
    let words = died_in_the_third(2);
    let claims = words.claims();
    assert_eq!(claims.look(0), Found::Free { items: 0..2, deaths: 0 });
    assert_eq!(claims.look(2), Found::Free { items: 2..3, deaths: 1 });
    assert_eq!(claims.look(3), Found::Free { items: 3..4, deaths: 0 });
    // The same death again.
    claims.take(0, &(2..3));
    claims.lane(0).enter(2);
    claims.take_over(0..1, 7, 2);
    assert_eq!(claims.entry(2), Entry::Open { deaths: 1 });
}

#[test]
fn an_item_that_kills_twice_is_lost_and_all_others_are_done() {
    let words = died_in_the_third(2);
    let claims = words.claims();
    claims.take(0, &(2..3));
    let before = claims.lane(0).enter(2);
    assert_eq!(before, 0);
    claims.take_over(0..1, 8, 2);
    assert_eq!(claims.entry(2), Entry::Lost { incarnation: 8 });
    for items in [0..2, 3..4] {
        claims.take(0, &items);
        let _ = claims.finish(0, &items, 0);
    }
    assert_eq!(claims.walk(0), 5);
    // A late end changes nothing.
    let _ = claims.finish(0, &(2..3), 0);
    assert_eq!(claims.entry(2), Entry::Lost { incarnation: 8 });
}

#[test]
fn one_attempt_may_be_all() {
    assert_eq!(died_in_the_third(1).claims().entry(2), Entry::Lost { incarnation: 7 });
}

#[test]
fn an_item_that_has_ended_killed_nobody() {
    let words = Words::new(1, 1);
    let claims = words.claims();
    assert_eq!(claims.claim(0, 1), Some(0..1));
    let before = claims.lane(0).enter(0);
    claims.lane(0).leave(before);
    claims.take_over(0..1, 3, 1);
    assert_eq!(claims.entry(0), Entry::Open { deaths: 0 });
}

#[test]
fn what_a_thread_of_the_dead_claims_late_is_free_again() {
    let words = Words::new(2, 2);
    let claims = words.claims();
    claims.take_over(0..1, 1, 2);
    let late = claims.claim(0, 1).unwrap();
    assert_eq!(claims.claim(1, 1), Some(1..2));
    assert!(claims.finish(1, &(1..2), 0));
    assert_eq!(claims.claim(1, 1), None);
    assert_eq!(claims.look(0), Found::HeldUpTo(1));
    assert!(claims.clear(0..1) && !claims.clear(0..1));
    assert_eq!(claims.look(0), Found::Free { items: 0..1, deaths: 0 });
    // It finishes them before or after another lane does.
    claims.take(1, &late);
    for lane in [0, 1] {
        let _ = claims.finish(lane, &late, 64 * (1 + lane as u64));
    }
    assert_eq!(claims.entry(0), Entry::Done { len: 1, record: 64 });
}

#[test]
fn of_a_claim_some_may_be_done_and_the_rest_given_back() {
    let words = Words::new(3, 9);
    let claims = words.claims();
    assert_eq!(claims.claim(0, 8), Some(0..8));
    assert_eq!((claims.claim(1, 8), claims.claim(2, 1)), (Some(8..9), None));
    claims.note_done(&(1..3), 8);
    claims.note_done(&(4..5), 16);
    assert_eq!((claims.look(0), claims.look(3)), (Found::HeldUpTo(8), Found::HeldUpTo(8)));
    assert!(claims.finish(0, &(6..7), 24));
    assert_eq!(claims.look(0), Found::Free { items: 0..1, deaths: 0 });
    assert_eq!(claims.look(1), Found::DoneUpTo(3));
    assert_eq!(claims.look(3), Found::Free { items: 3..4, deaths: 0 });
    assert_eq!(claims.look(7), Found::Free { items: 7..8, deaths: 0 });
    assert_eq!(claims.look(8), Found::HeldUpTo(9));
}

#[test]
fn a_lane_is_stopped_behind_the_item_that_it_is_in() {
    let words = Words::new(2, 10);
    let claims = words.claims();
    let (lane, fences) = (claims.lane(0), Fences::Symmetric);
    assert!(!claims.has_rest(0), "it has nothing");
    let items = claims.claim(0, 8).unwrap();
    assert_eq!(claims.claim(1, 9), Some(8..10));
    assert_eq!(claims.claim(1, 1), None);
    assert!(!claims.has_rest(0), "it has not announced that it runs them in order");
    assert_eq!(claims.stop(0, fences), 0);
    assert!(!lane.begin(0, fences), "it must ask");
    assert_eq!(claims.resume(0), 8);
    assert!(lane.begin(0, fences));
    lane.end(0);
    assert!(lane.begin(1, fences));
    assert!(claims.has_rest(0));
    assert_eq!(claims.stop(0, fences), 6);
    assert_eq!(claims.look(1), Found::HeldUpTo(2));
    assert_eq!(claims.look(2), Found::Free { items: 2..10, deaths: 0 });
    assert!(!claims.has_rest(0), "it has begun all of its items");
    assert_eq!(claims.stop(0, fences), 0);
    lane.end(1);
    assert!(!lane.begin(2, fences));
    assert_eq!(claims.resume(0), 2);
    assert!(claims.finish(0, &(items.start..2), 0));
    // It has another claim, of which it has begun nothing, and `running` is behind it.
    claims.take(0, &(4..8));
    assert!(claims.has_rest(0));
    assert_eq!(claims.stop(0, fences), 3);
    assert_eq!(claims.look(4), Found::HeldUpTo(5));
    assert!(!lane.begin(4, fences));
    assert_eq!(claims.resume(0), 5);
    assert!(lane.begin(4, fences));
}

#[test]
fn a_lane_with_one_item_left_has_no_rest() {
    let words = Words::new(2, 2);
    let claims = words.claims();
    let (lane, fences) = (claims.lane(0), Fences::Symmetric);
    let _ = claims.claim(0, 2).unwrap();
    assert!(lane.begin(0, fences) && claims.has_rest(0));
    assert!(lane.begin(1, fences) && !claims.has_rest(0));
    lane.end(1);
    assert!(!claims.has_rest(0));
}

#[test]
fn who_dies_behind_an_item_has_not_died_in_it() {
    let words = Words::new(1, 2);
    let claims = words.claims();
    let _ = claims.claim(0, 2).unwrap();
    assert!(claims.lane(0).begin(0, Fences::Symmetric));
    claims.lane(0).end(0);
    claims.take_over(0..1, 1, 2);
    assert_eq!(claims.entry(0), Entry::Open { deaths: 0 });
    let _ = claims.claim(0, 2);
    claims.take(0, &(0..2));
    assert!(claims.lane(0).begin(0, Fences::Symmetric));
    claims.take_over(0..1, 2, 2);
    assert_eq!(claims.entry(0), Entry::Open { deaths: 1 });
}

#[test]
fn who_was_stopped_before_an_item_has_not_died_in_it() {
    let words = Words::new(2, 4);
    let claims = words.claims();
    let (lane, fences) = (claims.lane(0), Fences::Symmetric);
    let items = claims.claim(0, 4).unwrap();
    assert_eq!(claims.claim(1, 1), None);
    assert!(lane.begin(0, fences));
    lane.end(0);
    // Between two items.
    assert_eq!(claims.stop(0, fences), 3);
    assert!(!lane.begin(1, fences));
    assert_eq!(claims.resume(0), 1);
    // It writes its results, and waits for others.
    let _ = claims.finish(0, &(items.start..1), 0);
    // One of the others takes the items, and is in the first of them.
    claims.take(1, &(1..4));
    assert!(claims.lane(1).begin(1, fences));
    // The waiting one is killed.
    claims.take_over(0..1, 7, 1);
    assert_eq!(claims.entry(1), Entry::Open { deaths: 0 });
    claims.lane(1).end(1);
    let _ = claims.finish(1, &(1..4), 0);
    assert_eq!(claims.walk(0), 4);
}
