//! Any input of a simulation gives a schedule in which all is right, or an error that says what is
//! wrong.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use taskel_adaptive::ChunkConfig;
use taskel_adaptive::simulate::{Costs, Cuts, Policy, Publish, Simulation, Wake, load};

#[path = "../../adaptive/tests/support/mod.rs"]
mod schedules;

/// More workers than the simulator takes.
const WORKERS: u16 = 5000;
const TASKELS: usize = 400;

#[derive(Arbitrary, Debug)]
struct Input {
    policy: AnyPolicy,
    workers: Workers,
    costs: Option<[f64; 5]>,
    cuts: Option<[f64; 3]>,
    wake: AnyWake,
    nodes: Option<(usize, f64)>,
    chunks: Option<(u64, usize, f64, usize)>,
    seed: u64,
    load: Load,
}

#[derive(Arbitrary, Debug)]
enum AnyPolicy {
    Static,
    PerWorker(usize),
    SelfScheduling,
    Guided,
    Factoring,
    RayonSplit,
    JoblibAuto,
    Adaptive,
    Revocable,
    Join { each: bool, split: Split },
    Fixed(usize),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Split {
    Halves,
    OneFirst,
    OneLast,
    /// As much as none of a join's halves may have.
    TooMuch,
}

#[derive(Arbitrary, Debug)]
enum AnyWake {
    Together,
    OneByOne,
    FanOut(usize),
}

#[derive(Arbitrary, Debug)]
enum Workers {
    /// Few, which are simulated faster.
    Few(u8),
    Equal(u16),
    /// With speeds for `speeds.len()` workers, and one more if that is to be refused.
    OfSpeeds {
        speeds: Vec<f64>,
        one_more: bool,
    },
}

#[derive(Arbitrary, Debug)]
enum Load {
    Times(Vec<f64>),
    /// Times of a plausible size.
    Short(Vec<u16>),
    Constant {
        ns: f64,
    },
    Linear {
        first_ns: f64,
        last_ns: f64,
    },
    Lognormal {
        median_ns: f64,
        sigma: f64,
        seed: u64,
    },
    Pareto {
        min_ns: f64,
        alpha: f64,
        cap_ns: f64,
        seed: u64,
    },
    Step {
        cheap_ns: f64,
        dear_ns: f64,
        dear_part: f64,
    },
    Clusters {
        base_ns: f64,
        heavy_ns: f64,
        clusters: u8,
        per_cluster: usize,
        seed: u64,
    },
}

impl AnyPolicy {
    fn policy(&self) -> Policy {
        match *self {
            AnyPolicy::Static => Policy::Static,
            AnyPolicy::PerWorker(k) => Policy::PerWorker(k),
            AnyPolicy::SelfScheduling => Policy::SelfScheduling,
            AnyPolicy::Guided => Policy::Guided,
            AnyPolicy::Factoring => Policy::Factoring,
            AnyPolicy::RayonSplit => Policy::RayonSplit,
            AnyPolicy::JoblibAuto => Policy::JoblibAuto,
            AnyPolicy::Adaptive => Policy::Adaptive,
            AnyPolicy::Revocable => Policy::Revocable,
            AnyPolicy::Join { each, .. } => Policy::Join(if each { Publish::Each } else { Publish::Oldest }),
            AnyPolicy::Fixed(size) => Policy::Fixed(size),
        }
    }
}

impl Split {
    fn of(policy: &AnyPolicy) -> fn(usize) -> usize {
        match policy {
            AnyPolicy::Join { split: Split::OneFirst, .. } => |_| 1,
            AnyPolicy::Join { split: Split::OneLast, .. } => |len| len - 1,
            AnyPolicy::Join { split: Split::TooMuch, .. } => |_| usize::MAX,
            _ => |len| len / 2,
        }
    }
}

impl AnyWake {
    fn wake(&self) -> Wake {
        match *self {
            AnyWake::Together => Wake::Together,
            AnyWake::OneByOne => Wake::OneByOne,
            AnyWake::FanOut(most) => Wake::FanOut(most),
        }
    }
}

impl Load {
    fn times_ns(&self) -> Vec<f64> {
        let n = TASKELS;
        let times_ns = match *self {
            Load::Times(ref times_ns) => return times_ns.clone(),
            Load::Short(ref times_ns) => times_ns.iter().map(|&ns| f64::from(ns)).collect(),
            Load::Constant { ns } => load::constant(n, ns),
            Load::Linear { first_ns, last_ns } => load::linear(n, first_ns, last_ns),
            Load::Lognormal { median_ns, sigma, seed } => load::lognormal(n, median_ns, sigma, seed),
            Load::Pareto { min_ns, alpha, cap_ns, seed } => load::pareto(n, min_ns, alpha, cap_ns, seed),
            Load::Step { cheap_ns, dear_ns, dear_part } => load::step(n, cheap_ns, dear_ns, dear_part),
            Load::Clusters { base_ns, heavy_ns, clusters, per_cluster, seed } => {
                load::clusters(n, base_ns, heavy_ns, clusters.into(), per_cluster, seed)
            }
        };
        if self.parameters().iter().all(|parameter| parameter.is_finite() && *parameter >= 0.0) {
            assert!(times_ns.iter().all(|ns| ns.is_finite() && *ns >= 0.0), "{times_ns:?}");
        }
        load::sorted_down(times_ns)
    }

    fn parameters(&self) -> [f64; 3] {
        match *self {
            Load::Times(_) | Load::Short(_) => [0.0; 3],
            Load::Constant { ns } => [ns, 0.0, 0.0],
            Load::Linear { first_ns, last_ns } => [first_ns, last_ns, 0.0],
            Load::Lognormal { median_ns, sigma, .. } => [median_ns, sigma, 0.0],
            Load::Pareto { min_ns, alpha, cap_ns, .. } => [min_ns, alpha, cap_ns],
            Load::Step { cheap_ns, dear_ns, dear_part } => [cheap_ns, dear_ns, dear_part],
            Load::Clusters { base_ns, heavy_ns, .. } => [base_ns, heavy_ns, 0.0],
        }
    }
}

fn simulation(input: &Input) -> Simulation {
    let policy = input.policy.policy();
    let mut simulation = match &input.workers {
        Workers::Few(workers) => Simulation::new(policy, usize::from(*workers)),
        Workers::Equal(workers) => Simulation::new(policy, usize::from(workers % WORKERS)),
        Workers::OfSpeeds { speeds, one_more } => {
            Simulation::new(policy, speeds.len() + usize::from(*one_more)).with_speeds(speeds)
        }
    };
    if let Some([claim_ns, steal_ns, timestamp_ns, wake_ns, call_ns]) = input.costs {
        simulation = simulation.with_costs(Costs { claim_ns, steal_ns, timestamp_ns, wake_ns, call_ns });
    }
    if let Some([watch_ns, fence_ns, block_ns]) = input.cuts {
        simulation = simulation.with_cuts(Cuts { watch_ns, fence_ns, block_ns });
    }
    if let Some((workers, far_steal_ns)) = input.nodes {
        simulation = simulation.with_nodes(workers, far_steal_ns);
    }
    if let Some((target_ns, growth, estimate_ns, max_chunk)) = input.chunks {
        let config = ChunkConfig::default().with_target_ns(target_ns).with_growth(growth);
        simulation =
            simulation.with_chunk_config(config.with_estimate_ns(estimate_ns).with_max_chunk(max_chunk));
    }
    let split = Split::of(&input.policy);
    simulation.with_split(split).with_wake(input.wake.wake()).with_seed(input.seed).with_spans(true)
}

fuzz_target!(|input: Input| {
    let times_ns = input.load.times_ns();
    let simulation = simulation(&input);
    match simulation.run(&times_ns) {
        Ok(schedule) => {
            let wake_ns = input.costs.map_or(Costs::default().wake_ns, |costs| costs[3]);
            schedules::check(&schedule, &times_ns, wake_ns);
            assert!(schedule.ratio() >= 1.0 - 1e-12 || schedule.bound < 1e-290);
            assert!(simulation.run(&times_ns).is_ok_and(|again| again == schedule), "the same each time");
        }
        Err(error) => assert!(error.to_string().starts_with("expected "), "{error}"),
    }
});
