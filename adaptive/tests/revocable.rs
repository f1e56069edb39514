//! What is not begun of a running chunk can be taken away.

use proptest::prelude::*;
use taskel_adaptive::simulate::{Costs, Cuts, Policy, Schedule, Simulation, load};
use taskel_adaptive::{ChunkConfig, History};

mod support;

use support::check;

/// Two workers: the first runs two taskels of 1 µs in blocks of one, all others take no time, and
/// nothing else does.
fn one_chunk(watch_ns: f64, fence_ns: f64) -> Schedule {
    chunk_of(&[1000.0; 2], watch_ns, fence_ns)
}

/// The same with other taskels, up to 100.
fn chunk_of(chunk_ns: &[f64], watch_ns: f64, fence_ns: f64) -> Schedule {
    let mut times_ns = vec![0.0; 4 * chunk_ns.len()];
    times_ns[..chunk_ns.len()].copy_from_slice(chunk_ns);
    let schedule = Simulation::new(Policy::Revocable, 2)
        .with_costs(Costs::FREE)
        .with_cuts(Cuts { watch_ns, fence_ns, block_ns: 0.0 })
        .with_chunk_config(ChunkConfig::default().with_estimate_ns(10.0).with_blocks(400))
        .with_spans(true)
        .run(&times_ns)
        .unwrap();
    check(&schedule, &times_ns, 0.0);
    schedule
}

#[test]
fn a_thief_watches_a_chunk_that_moves_ever_more_patiently_and_for_as_long_as_it_lasts() {
    // The first ones end before a fence is over.
    let mut chunk_ns = [9.0; 100];
    chunk_ns[80..].fill(1e6);
    let schedule = chunk_of(&chunk_ns, 10.0, 10.0);
    let cut_ns = 20.0 + 30.0 + 50.0 + 90.0 + 170.0 + 330.0 + 330.0;
    let first = schedule.workers[1].spans.iter().find(|span| span.end_ns > cut_ns).unwrap();
    assert_eq!((first.taskels.start, first.start_ns), (81, cut_ns));
    assert!(schedule.makespan_ns < 11e6, "{}", schedule.makespan_ns);
}

#[test]
fn a_thief_takes_the_rest_after_its_patience_and_a_fence() {
    let schedule = one_chunk(100.0, 10.0);
    assert_eq!((schedule.makespan_ns, schedule.revoked, schedule.workers[1].revoked), (1110.0, 1, 1));
    assert_eq!(schedule.workers[0].spans[0].taskels, 0..1);
    assert_eq!(schedule.workers[0].end_ns, 1000.0);
    let rest = schedule.workers[1].spans.last().unwrap();
    assert_eq!((rest.taskels.clone(), rest.start_ns, rest.stolen), (1..2, 110.0, true));
}

#[test]
fn what_has_begun_meanwhile_is_not_taken() {
    for (watch_ns, fence_ns) in [(995.0, 10.0), (1000.0, 0.0), (1e9, 0.0)] {
        let schedule = one_chunk(watch_ns, fence_ns);
        assert_eq!((schedule.makespan_ns, schedule.revoked), (2000.0, 0), "{watch_ns} {fence_ns}");
    }
    assert_eq!(one_chunk(989.0, 10.0).revoked, 1);
}

#[test]
fn a_block_that_runs_is_run_to_its_end() {
    let mut times_ns = load::constant(8000, 10.0);
    times_ns[1500..1600].fill(1e6);
    let simulation = Simulation::new(Policy::Revocable, 8).with_spans(true);
    let run = |blocks| {
        let config = ChunkConfig::default().with_blocks(blocks).with_history(History::Outliers);
        let schedule = simulation.clone().with_chunk_config(config).run(&times_ns).unwrap();
        check(&schedule, &times_ns, Costs::default().wake_ns);
        schedule
    };
    let (one, fine) = (run(1), run(400));
    assert!(one.ratio() > 4.0, "{}", one.ratio());
    assert!(fine.revoked > 0 && fine.ratio() < 1.1, "{}", fine.ratio());
}

#[test]
fn a_loop_without_outliers_knows_that() {
    let met_outlier = |times_ns: &[f64]| {
        let schedule = Simulation::new(Policy::Revocable, 8).run(times_ns).unwrap();
        schedule.workers.iter().any(|worker| worker.met_outlier)
    };
    assert!(!met_outlier(&load::constant(100_000, 10.0)));
    assert!(met_outlier(&load::clusters(100_000, 10.0, 1e6, 1, 50, 1)));
}

/// What a second call of the loop knows.
fn learned(times_ns: &[f64]) -> ChunkConfig {
    let mean_ns = times_ns.iter().sum::<f64>() / times_ns.len() as f64;
    ChunkConfig::default().with_estimate_ns(mean_ns).with_history(History::Outliers)
}

#[test]
fn long_taskels_side_by_side_are_shared_out() {
    let times_ns = load::clusters(20_000, 1000.0, 264_000.0, 14, 32, 237);
    for workers in [512, 1024, 2048, 4096] {
        let run = |policy, config| {
            let simulation = Simulation::new(policy, workers).with_chunk_config(config);
            simulation.run(&times_ns).unwrap().ratio()
        };
        let unknown = ChunkConfig::default();
        let adaptive = run(Policy::Adaptive, unknown);
        let (first, second) = (run(Policy::Revocable, unknown), run(Policy::Revocable, learned(&times_ns)));
        assert!(adaptive > 2.0, "{workers}: {adaptive}");
        assert!(first < 1.4, "{workers}: {first}");
        assert!(second < 1.2, "{workers}: {second}");
    }
}

#[test]
fn among_very_short_taskels_only_those_of_a_block_stay_together() {
    let times_ns = load::clusters(1_000_000, 5.0, 190_000.0, 9, 32, 3);
    for (workers, limit) in [(64, 0.7), (1024, 0.3), (4096, 0.3)] {
        let ratio = |policy| Simulation::new(policy, workers).run(&times_ns).unwrap().ratio();
        let (adaptive, revocable) = (ratio(Policy::Adaptive), ratio(Policy::Revocable));
        assert!(revocable < limit * adaptive, "{workers}: {revocable} {adaptive}");
    }
}

proptest! {
    /// Taskels that differ by less than a factor of 10 fill no chunk for 50 µs.
    #[test]
    fn where_no_chunk_takes_long_and_blocks_are_free_nothing_differs_from_adaptive(
        times_ns in prop::collection::vec(100.0..1000.0f64, 0..3000),
        workers in 1..40usize,
        seed in any::<u64>(),
    ) {
        let run = |policy| {
            Simulation::new(policy, workers)
                .with_cuts(Cuts { block_ns: 0.0, ..Cuts::default() })
                .with_seed(seed)
                .with_spans(true)
                .run(&times_ns)
                .unwrap()
        };
        prop_assert_eq!(run(Policy::Revocable), run(Policy::Adaptive));
    }
}
