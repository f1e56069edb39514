//! Models of the range: nothing is lost, and nothing is handed out twice.

use std::sync::Arc;

use super::model::{assert_partition, explore};
use super::range::{Range, Span};

fn units(spans: impl IntoIterator<Item = Span>) -> Vec<u32> {
    spans.into_iter().flat_map(|span| span.lo..span.hi).collect()
}

fn claim_all(range: &Range, want: u32) -> Vec<u32> {
    units(std::iter::from_fn(|| range.claim(want)))
}

/// Catches a claim and a theft that both succeed on the same unit.
#[test]
fn model_owner_against_thief() {
    explore(|| {
        let range = Arc::new(Range::new());
        range.put(Span { lo: 0, hi: 4 });
        let victim = Arc::clone(&range);
        let thief = loom::thread::spawn(move || units(std::iter::from_fn(|| victim.steal())));
        let mut all = claim_all(&range, 2);
        all.extend(thief.join().unwrap());
        assert_partition(all, 4);
    });
}

/// Catches two thieves that take the same half.
#[test]
fn model_owner_against_two_thieves() {
    explore(|| {
        let range = Arc::new(Range::new());
        range.put(Span { lo: 0, hi: 3 });
        let thieves: Vec<_> = (0..2)
            .map(|_| {
                let victim = Arc::clone(&range);
                loom::thread::spawn(move || units(victim.steal()))
            })
            .collect();
        let mut all = claim_all(&range, 1);
        for thief in thieves {
            all.extend(thief.join().unwrap());
        }
        assert_partition(all, 3);
    });
}

/// Catches an ABA fault: the last unit travels to another lane and back while a third thief holds
/// an old value.
#[test]
fn model_range_travels_and_returns() {
    explore(|| {
        let home = Arc::new(Range::new());
        let away = Arc::new(Range::new());
        home.put(Span { lo: 0, hi: 1 });

        let (from, to) = (Arc::clone(&home), Arc::clone(&away));
        let traveller = loom::thread::spawn(move || {
            if let Some(span) = from.steal() {
                to.put(span);
            }
            claim_all(&to, 1)
        });
        let victim = Arc::clone(&home);
        let bystander = loom::thread::spawn(move || units(victim.steal()));

        let mut all = claim_all(&home, 1);
        if let Some(span) = away.steal() {
            home.put(span);
            all.extend(claim_all(&home, 1));
        }
        all.extend(traveller.join().unwrap());
        all.extend(bystander.join().unwrap());
        assert_partition(all, 1);
    });
}

/// Catches a `put` that overwrites, or is overwritten by, a thief.
#[test]
fn model_put_against_thief() {
    explore(|| {
        let range = Arc::new(Range::new());
        let victim = Arc::clone(&range);
        let thief =
            loom::thread::spawn(move || units([victim.steal(), victim.steal()].into_iter().flatten()));
        range.put(Span { lo: 0, hi: 2 });
        let mut all = claim_all(&range, 1);
        range.put(Span { lo: 2, hi: 4 });
        all.extend(units([range.take()]));
        all.extend(thief.join().unwrap());
        assert_partition(all, 4);
    });
}

/// Catches a unit that is lost or runs twice between the part that a thief runs first and the part
/// that it puts into its own range, from which the next thief steals.
#[test]
fn model_thief_keeps_its_first_unit() {
    explore(|| {
        let (victim, own) = (Arc::new(Range::new()), Arc::new(Range::new()));
        victim.put(Span { lo: 0, hi: 4 });
        let (from, to) = (Arc::clone(&victim), Arc::clone(&own));
        let thief = loom::thread::spawn(move || {
            let Some(stolen) = from.steal() else { return Vec::new() };
            let (first, rest) = stolen.split_at(1);
            assert_eq!(first.len(), 1);
            to.put(rest);
            units([first].into_iter().chain(to.claim(1)))
        });
        let next = Arc::clone(&own);
        let next = loom::thread::spawn(move || units(next.steal()));
        let mut all = claim_all(&victim, 1);
        all.extend(thief.join().unwrap());
        all.extend(next.join().unwrap());
        assert_partition(all, 4);
    });
}
