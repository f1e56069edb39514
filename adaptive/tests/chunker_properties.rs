//! Whatever a chunker is told, its chunks fit and its estimate is a number.

use proptest::prelude::*;
use taskel_adaptive::{ChunkConfig, Chunker};

#[derive(Clone, Debug)]
enum Event {
    Next(usize),
    Observe(usize, u64),
    Steal,
}

/// Any number, with its extremes and the everyday ones often enough to meet.
fn any_count() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(1), Just(usize::MAX), 0..10_000usize, any::<usize>()]
}

fn any_ns() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(u64::MAX), 0..100_000u64, any::<u64>()]
}

fn any_estimate() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(5e-324),
        0.1..1e6,
        any::<f64>()
    ]
}

fn any_config() -> impl Strategy<Value = ChunkConfig> {
    (any_ns(), any_count(), any_estimate(), any_count()).prop_map(
        |(target_ns, growth, estimate_ns, max_chunk)| {
            ChunkConfig::default()
                .with_target_ns(target_ns)
                .with_growth(growth)
                .with_estimate_ns(estimate_ns)
                .with_max_chunk(max_chunk)
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => any_count().prop_map(Event::Next),
        3 => (any_count(), any_ns()).prop_map(|(taskels, ns)| Event::Observe(taskels, ns)),
        1 => Just(Event::Steal),
    ]
}

proptest! {
    #[test]
    fn chunks_fit_and_estimates_are_numbers(
        config in any_config(),
        events in prop::collection::vec(any_event(), 0..200),
    ) {
        let mut chunker = Chunker::new(config);
        for event in events {
            match event {
                Event::Next(remaining) => {
                    let chunk = chunker.next_chunk(remaining);
                    prop_assert!(chunk <= remaining);
                    prop_assert_eq!(chunk == 0, remaining == 0);
                }
                Event::Observe(taskels, ns) => chunker.observe(taskels, ns),
                Event::Steal => {
                    chunker.on_steal();
                    prop_assert_eq!(chunker.next_chunk(1000), 1);
                }
            }
            if let Some(ns) = chunker.estimate_ns() {
                prop_assert!(ns.is_finite() && ns > 0.0, "estimate {}", ns);
            }
        }
    }

    #[test]
    fn a_loop_ends_with_every_taskel_claimed_once(
        config in any_config(),
        len in 0..100_000usize,
        observed in prop::collection::vec(any_ns(), 1..50),
    ) {
        let mut chunker = Chunker::new(config);
        let mut remaining = len;
        for ns in observed.iter().cycle() {
            if remaining == 0 {
                break;
            }
            let chunk = chunker.next_chunk(remaining);
            prop_assert!((1..=remaining).contains(&chunk));
            remaining -= chunk;
            chunker.observe(chunk, *ns);
        }
        prop_assert_eq!(remaining, 0);
    }

    #[test]
    fn a_chunk_of_known_taskels_stays_within_the_target(ns in 1..1_000_000u64, chunks in 1..100usize) {
        let mut chunker = Chunker::new(ChunkConfig::default());
        for _ in 0..chunks {
            let chunk = chunker.next_chunk(1 << 40);
            prop_assert!(chunk == 1 || chunk as u64 * ns <= 4000);
            chunker.observe(chunk, chunk as u64 * ns);
        }
        prop_assert_eq!(chunker.estimate_ns(), Some(ns as f64));
    }
}
