//! Tests how many items go at once after items that took a given time.

use super::pace::Pace;

/// Items of 1 µs, from a source that is quick, for long enough.
fn quick() -> Pace {
    let mut pace = Pace::new();
    for _ in 0..20 {
        let items = pace.bundle();
        pace.asked(items, 10 * items as u64);
        pace.processed(items, 1_000 * items as u64);
    }
    assert_eq!(pace.bundle(), 30);
    pace
}

/// How many items go by themselves until there is a bundle again.
fn apart(mut pace: Pace) -> usize {
    (0..1000)
        .find(|_| {
            let is_bundled = pace.bundle() > 1;
            pace.asked(1, 10);
            pace.processed(1, 1_000);
            is_bundled
        })
        .unwrap()
}

#[test]
fn a_bundle_that_is_late_by_less_than_a_long_item_costs_nothing() {
    let mut pace = quick();
    pace.processed(30, 75_000);
    assert_eq!((pace.bundle(), apart(pace)), (12, 0));
}

#[test]
fn items_go_apart_for_as_long_as_a_long_one_took() {
    let mut pace = quick();
    pace.processed(30, 29_000 + 80_000);
    assert_eq!(apart(pace), 40);
}

#[test]
fn items_do_not_go_apart_for_ever_after_a_very_long_one() {
    let mut pace = quick();
    pace.processed(1, 20_000_000);
    assert_eq!(apart(pace), 256);
}

#[test]
fn quick_items_between_long_ones_are_known_for_a_while() {
    let mut pace = quick();
    for n in 0..17 {
        pace.processed(1, 1_000_000);
        assert_eq!(pace.has_quick(), n < 15, "after {n} others");
    }
    pace.processed(1, 1_000);
    assert!(pace.has_quick());
}

#[test]
fn a_source_that_is_slow_once_is_asked_for_single_items_for_a_while() {
    let mut pace = quick();
    pace.asked(30, 290 + 30_000);
    assert_eq!((pace.stock(), apart(pace)), (0, 15));
}
