//! The policy, decision by decision.

use taskel_adaptive::{ChunkConfig, Chunker, History, Tail};

/// Chunk sizes of a worker that is never stolen from, for taskels of `ns(index)`.
fn sizes(config: ChunkConfig, len: usize, ns: impl Fn(usize) -> u64) -> Vec<usize> {
    let mut chunker = Chunker::new(config);
    let (mut next, mut sizes) = (0, Vec::new());
    while next < len {
        let chunk = chunker.next_chunk(len - next);
        chunker.observe(chunk, (next..next + chunk).map(&ns).sum());
        next += chunk;
        sizes.push(chunk);
    }
    sizes
}

#[test]
fn growth_is_bounded_and_the_target_holds() {
    assert_eq!(sizes(ChunkConfig::default(), 1 << 14, |_| 5)[..8], [1, 4, 16, 64, 256, 800, 800, 800]);
}

#[test]
fn half_of_the_rest_stays_stealable() {
    let mut chunker = Chunker::new(ChunkConfig::default().with_estimate_ns(1.0));
    chunker.observe(1, 1);
    assert_eq!(chunker.next_chunk(1001), 501);
}

#[test]
fn a_rest_not_worth_stealing_is_taken_whole() {
    let dense = ChunkConfig::default().with_history(History::Even);
    let mut chunker = Chunker::new(dense.with_estimate_ns(10.0));
    assert_eq!(chunker.next_chunk(51), 26);
    assert_eq!(chunker.next_chunk(50), 50); // 500 ns
    chunker.on_steal();
    assert_eq!(chunker.next_chunk(50), 1); // growth comes first
    assert_eq!(sizes(dense, 20, |_| 10), [1, 4, 15]);
}

#[test]
fn where_long_taskels_may_be_a_rest_is_halved_down_to_the_last() {
    for history in [History::Unknown, History::Outliers] {
        let config = ChunkConfig::default().with_history(history);
        assert_eq!(Chunker::new(config.with_estimate_ns(10.0)).next_chunk(50), 25);
        assert_eq!(sizes(config, 20, |_| 10), [1, 4, 8, 4, 2, 1]);
    }
}

#[test]
fn dear_taskels_are_claimed_one_at_a_time() {
    assert_eq!(sizes(ChunkConfig::default(), 20, |_| 2001), [1; 20]);
    assert_eq!(sizes(ChunkConfig::default(), 20, |_| 86_400_000_000_000), [1; 20]);
}

#[test]
fn taskels_that_get_dearer_shrink_the_next_chunk() {
    let mut chunker = Chunker::new(ChunkConfig::default());
    for _ in 0..10 {
        let chunk = chunker.next_chunk(1 << 30);
        chunker.observe(chunk, 5 * chunk as u64);
    }
    assert_eq!(chunker.next_chunk(1 << 30), 800);
    chunker.observe(800, 800 * 500);
    assert_eq!(chunker.next_chunk(1 << 30), 8);
}

#[test]
fn taskels_that_get_cheaper_let_chunks_grow_slowly_up_to_the_mean() {
    let mut chunker = Chunker::new(ChunkConfig::default());
    chunker.observe(10, 10_000);
    let mut last_ns = 1000.0;
    for n in 0..1000 {
        let chunk = chunker.next_chunk(1 << 30);
        chunker.observe(chunk, 10 * chunk as u64);
        let ns = chunker.estimate_ns().unwrap();
        let average = 10.0 + 990.0 * 0.75f64.powi(n + 1);
        assert!(ns <= last_ns && ns >= average - 1e-9, "{ns} after {last_ns}");
        last_ns = ns;
    }
    // What was dear at first has faded to its share of the mean.
    assert!((10.0..10.5).contains(&last_ns), "{last_ns}");
}

#[test]
fn a_learned_estimate_is_overtaken_by_what_happens() {
    let learned = ChunkConfig::default().with_estimate_ns(10.0);
    assert_eq!(sizes(learned, 1 << 20, |_| 10)[..4], [100, 400, 400, 400]);
    // Far dearer: the very next chunk knows.
    assert_eq!(sizes(learned, 1 << 14, |_| 5000)[..4], [100, 1, 1, 1]);
    // Far cheaper: not believed at first, for the dear ones may be still to come.
    let far_cheaper = sizes(ChunkConfig::default().with_estimate_ns(1000.0), 1 << 20, |_| 10);
    assert_eq!(far_cheaper[..257], [&[1][..], &[4; 256]].concat());
    assert!(far_cheaper[257] > 300, "{}", far_cheaper[257]);
}

#[test]
fn a_steal_starts_over_with_one_taskel_but_keeps_the_estimate() {
    let mut chunker = Chunker::new(ChunkConfig::default());
    chunker.observe(100, 1000);
    chunker.on_steal();
    assert_eq!([1000; 6].map(|remaining| chunker.next_chunk(remaining)), [1, 4, 16, 64, 256, 400]);
    assert_eq!(chunker.estimate_ns(), Some(10.0));
}

#[test]
fn values_out_of_range_are_clamped_or_ignored() {
    let default = ChunkConfig::default();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(default.with_estimate_ns(bad), default);
        let known = default.with_estimate_ns(7.0);
        assert_eq!(known.with_estimate_ns(bad), known, "what is known stays");
    }
    assert_eq!(default.with_target_ns(0), default.with_target_ns(1));
    assert_eq!(default.with_growth(0), default.with_growth(2));
    assert_eq!(default.with_growth(1), default.with_growth(2));
    assert_eq!(default.with_max_chunk(0), default.with_max_chunk(1));
}

#[test]
fn no_taskels_say_nothing() {
    let mut chunker = Chunker::new(ChunkConfig::default());
    chunker.observe(0, u64::MAX);
    assert_eq!(chunker.estimate_ns(), None);
    chunker.observe(1, 0);
    assert!(chunker.estimate_ns().unwrap() > 0.0);
}

#[test]
fn a_loop_of_which_nothing_is_known_begins_in_blocks() {
    let mut chunker = Chunker::new(ChunkConfig::default());
    for chunk in 0..1024 {
        assert!(chunker.is_cautious());
        assert_ne!(chunker.block_len(), usize::MAX, "chunk {chunk}");
        chunker.observe(80, 4000);
    }
    assert_eq!(chunker.block_len(), usize::MAX);
    assert!(!chunker.is_cautious() && !chunker.met_outlier());
}

#[test]
fn a_worker_that_lost_its_core_is_cautious_for_as_many_blocks_as_others() {
    let mut chunker = Chunker::new(ChunkConfig::default());
    chunker.observe(1, 4_000_000);
    // The mean makes the next chunks small: eight blocks instead of 32.
    for chunk in 0..4 * 1024 {
        assert_eq!(chunker.block_len(), 1, "chunk {chunk}");
        chunker.observe(8, 400);
    }
    assert_eq!(chunker.block_len(), usize::MAX);
    assert!(!chunker.is_cautious());
}

#[test]
fn a_worker_is_cautious_to_the_last_block() {
    let mut chunker = Chunker::new(ChunkConfig::default());
    for _ in 0..1023 {
        chunker.observe(80, 4000);
    }
    chunker.observe(61, 3050); // 31 blocks of two
    assert!(chunker.is_cautious());
    assert_eq!(chunker.block_len(), 2);
    chunker.observe(1, 50);
    assert!(!chunker.is_cautious());
}

#[test]
fn an_outlier_brings_blocks_for_a_while() {
    let mut chunker = Chunker::new(ChunkConfig::default().with_history(History::Even));
    chunker.observe(80, 4000);
    assert_eq!(chunker.block_len(), usize::MAX);
    assert!(!chunker.met_outlier());
    chunker.on_outlier();
    assert!(chunker.met_outlier());
    for _ in 0..256 {
        assert_eq!(chunker.block_len(), 2);
        chunker.observe(80, 4000);
    }
    assert_eq!(chunker.block_len(), usize::MAX);
}

#[test]
fn taskels_that_may_be_vector_code_are_not_run_in_blocks() {
    let mut chunker = Chunker::new(ChunkConfig::default().with_history(History::Outliers));
    chunker.observe(1000, 1900);
    assert_eq!(chunker.block_len(), usize::MAX);
    let mut chunker = Chunker::new(ChunkConfig::default().with_history(History::Outliers));
    chunker.observe(1000, 2000);
    assert_eq!(chunker.block_len(), 62); // of 2 ns
    chunker.observe(1000, 10_000);
    assert_eq!(chunker.block_len(), 12); // of 10 ns
}

#[test]
fn a_wide_loop_is_in_blocks_to_its_end() {
    let mut chunker = Chunker::new(ChunkConfig::default().with_history(History::Outliers));
    for _ in 0..10_000 {
        chunker.observe(80, 4000);
    }
    assert_eq!(chunker.block_len(), 2); // 100 ns of 125
    assert!(!chunker.met_outlier());
}

#[test]
fn the_length_of_blocks_does_not_depend_on_the_most_that_a_chunk_may_hold() {
    let config = ChunkConfig::default().with_estimate_ns(10.0);
    assert_eq!(Chunker::new(config).block_len(), 12);
    assert_eq!(Chunker::new(config.with_max_chunk(10)).block_len(), 12);
    assert_eq!(Chunker::new(config.with_blocks(0)).block_len(), 400);
}

#[test]
fn claims_from_one_counter_are_no_smaller_than_the_counter_is_quick() {
    let limit = |claim_ns: f64| Tail::new(100, claim_ns).limit(500, 1000, Some(10_000.0));
    // 1/200 of what is left; but 100 claims of 1 µs take as long as ten taskels.
    assert_eq!((limit(0.0), limit(1000.0)), (5, 10));
    // What is no time counts as none.
    assert_eq!((limit(f64::INFINITY), limit(f64::NAN), limit(-1.0)), (5, 5, 5));
}
