//! Whatever is simulated, every taskel runs exactly once and no schedule beats the bound.

use proptest::prelude::*;
use taskel_adaptive::ChunkConfig;
use taskel_adaptive::simulate::{Costs, Cuts, Policy, Publish, Simulation, Wake};

mod support;

use support::check;

fn any_policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        Just(Policy::Static),
        (1..9usize).prop_map(Policy::PerWorker),
        Just(Policy::PerWorker(usize::MAX)),
        Just(Policy::SelfScheduling),
        Just(Policy::Guided),
        Just(Policy::Factoring),
        Just(Policy::RayonSplit),
        Just(Policy::JoblibAuto),
        Just(Policy::Adaptive),
        Just(Policy::Revocable),
        Just(Policy::Counter),
        Just(Policy::Join(Publish::Oldest)),
        Just(Policy::Join(Publish::Each)),
        (1..50usize).prop_map(Policy::Fixed),
        Just(Policy::Fixed(usize::MAX)),
    ]
}

fn any_costs() -> impl Strategy<Value = Costs> {
    prop_oneof![
        Just(Costs::default()),
        Just(Costs::FREE),
        (0.0..1e6, 0.0..1e6, 0.0..1e6, 0.0..1e9, 0.0..1e6).prop_map(
            |(claim_ns, steal_ns, timestamp_ns, wake_ns, call_ns)| {
                Costs { claim_ns, steal_ns, timestamp_ns, wake_ns, call_ns }
            }
        ),
    ]
}

fn any_cuts() -> impl Strategy<Value = Cuts> {
    let ns = || prop_oneof![Just(0.0), 0.0..1000.0, 0.0..1e12];
    let any = (ns(), ns(), ns());
    let any = any.prop_map(|(watch_ns, fence_ns, block_ns)| Cuts { watch_ns, fence_ns, block_ns });
    prop_oneof![Just(Cuts::default()), any]
}

fn any_wake() -> impl Strategy<Value = Wake> {
    prop_oneof![
        Just(Wake::Together),
        Just(Wake::OneByOne),
        (0..20usize).prop_map(Wake::FanOut),
        Just(Wake::FanOut(usize::MAX)),
    ]
}

fn any_split() -> impl Strategy<Value = fn(usize) -> usize> {
    let all: [fn(usize) -> usize; 5] = [|len| len / 2, |_| 1, |len| len - 1, |_| 0, |_| usize::MAX];
    prop::sample::select(all.to_vec())
}

/// Times from nanoseconds to days.
fn any_times() -> impl Strategy<Value = Vec<f64>> {
    let ns = prop_oneof![Just(0.0), 0.1..100.0, 100.0..1e6, 1e6..1e14];
    prop::collection::vec(ns, 0..400)
}

proptest! {
    #[test]
    fn every_taskel_runs_once_and_no_schedule_beats_the_bound(
        policy in any_policy(),
        costs in any_costs(),
        cuts in any_cuts(),
        wake in any_wake(),
        split in any_split(),
        learned_ns in prop_oneof![Just(0.0), 0.1..1e9],
        times_ns in any_times(),
        speeds in prop::collection::vec(0.1..10.0f64, 1..40),
        nodes in prop_oneof![Just(None), (1..9usize, 0.0..1e6f64).prop_map(Some)],
        seed in any::<u64>(),
    ) {
        let mut simulation = Simulation::new(policy, speeds.len())
            .with_speeds(&speeds)
            .with_costs(costs)
            .with_cuts(cuts)
            .with_wake(wake)
            .with_split(split)
            .with_chunk_config(ChunkConfig::default().with_estimate_ns(learned_ns))
            .with_seed(seed)
            .with_spans(true);
        if let Some((workers, far_steal_ns)) = nodes {
            simulation = simulation.with_nodes(workers, far_steal_ns);
        }
        let schedule = simulation.run(&times_ns).unwrap();
        check(&schedule, &times_ns, costs.wake_ns);
        prop_assert_eq!(
            schedule.utilisation > 0.0,
            times_ns.iter().any(|&ns| ns > 0.0) || schedule.makespan_ns == 0.0
        );
        prop_assert_eq!(&simulation.run(&times_ns).unwrap(), &schedule, "the same input, the same schedule");

        let without_spans = simulation.with_spans(false).run(&times_ns).unwrap();
        prop_assert!(without_spans.workers.iter().all(|worker| worker.spans.is_empty()));
        prop_assert_eq!(without_spans.makespan_ns, schedule.makespan_ns);
    }

    #[test]
    fn one_worker_without_costs_needs_the_sum(policy in any_policy(), times_ns in any_times()) {
        let cuts = Cuts { block_ns: 0.0, ..Cuts::default() };
        let simulation = Simulation::new(policy, 1).with_costs(Costs::FREE).with_cuts(cuts);
        let schedule = simulation.run(&times_ns).unwrap();
        let sum_ns: f64 = times_ns.iter().sum();
        prop_assert!((schedule.makespan_ns - sum_ns).abs() <= 1e-12 * sum_ns);
        prop_assert!(schedule.utilisation > 1.0 - 1e-12 || sum_ns == 0.0);
    }

    /// List scheduling's bound (Graham, 1969), with the longest chunk in place of the longest job.
    #[test]
    fn greedy_policies_end_within_grahams_bound(
        policy in prop_oneof![Just(Policy::Adaptive), Just(Policy::SelfScheduling), Just(Policy::Guided)],
        times_ns in any_times(),
        workers in 1..40usize,
    ) {
        let schedule =
            Simulation::new(policy, workers).with_costs(Costs::FREE).with_spans(true).run(&times_ns).unwrap();
        let longest_ns = schedule
            .workers
            .iter()
            .flat_map(|worker| &worker.spans)
            .map(|span| span.end_ns - span.start_ns)
            .fold(0.0, f64::max);
        let spread_ns = times_ns.iter().sum::<f64>() / workers as f64;
        let bound = spread_ns + (1.0 - 1.0 / workers as f64) * longest_ns;
        prop_assert!(schedule.makespan_ns <= bound * (1.0 + 1e-9), "{} > {}", schedule.makespan_ns, bound);
    }
}
