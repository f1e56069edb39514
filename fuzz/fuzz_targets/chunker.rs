//! Whatever a chunker is told, its chunks fit and its estimate is a number.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use taskel_adaptive::{ChunkConfig, Chunker};

#[derive(Arbitrary, Debug)]
struct Input {
    target_ns: Option<u64>,
    growth: Option<usize>,
    estimate_ns: Option<f64>,
    max_chunk: Option<usize>,
    events: Vec<Event>,
}

#[derive(Arbitrary, Debug)]
enum Event {
    Next { remaining: usize },
    Observe { taskels: usize, elapsed_ns: u64 },
    Steal,
}

fn config(input: &Input) -> ChunkConfig {
    let mut config = ChunkConfig::default();
    if let Some(target_ns) = input.target_ns {
        config = config.with_target_ns(target_ns);
    }
    if let Some(growth) = input.growth {
        config = config.with_growth(growth);
    }
    if let Some(estimate_ns) = input.estimate_ns {
        config = config.with_estimate_ns(estimate_ns);
    }
    if let Some(max_chunk) = input.max_chunk {
        config = config.with_max_chunk(max_chunk);
    }
    config
}

fuzz_target!(|input: Input| {
    let max_chunk = input.max_chunk.map_or(usize::MAX, |most| most.max(1));
    let mut chunker = Chunker::new(config(&input));
    let mut stolen = false;
    for event in &input.events {
        match *event {
            Event::Next { remaining } => {
                let chunk = chunker.next_chunk(remaining);
                assert!(chunk <= remaining, "{chunk} of {remaining}");
                assert_eq!(chunk == 0, remaining == 0);
                assert!(chunk <= max_chunk);
                assert!(!stolen || chunk <= 1, "{chunk} right after a steal");
                stolen = false;
            }
            Event::Observe { taskels, elapsed_ns } => {
                chunker.observe(taskels, elapsed_ns);
                assert!(taskels == 0 || chunker.estimate_ns().is_some());
            }
            Event::Steal => {
                chunker.on_steal();
                stolen = true;
            }
        }
        if let Some(ns) = chunker.estimate_ns() {
            assert!(ns.is_finite() && ns > 0.0, "estimate {ns}");
        }
    }
});
