//! Random taskels of which some take most of the time, the same ones in every run.

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal, Pareto};
use rand_pcg::Pcg64Mcg;

const SEED: u64 = 0x7461_736B_656C;

pub(super) fn lognormal() -> Vec<f64> {
    let distribution = LogNormal::new(1e3_f64.ln(), 2.0).expect("the deviation is finite");
    distribution.sample_iter(Pcg64Mcg::seed_from_u64(SEED)).take(10_000).collect()
}

pub(super) fn pareto() -> Vec<f64> {
    let distribution = Pareto::new(300.0, 1.1).expect("scale and shape are positive");
    let samples = distribution.sample_iter(Pcg64Mcg::seed_from_u64(SEED));
    samples.map(|ns: f64| ns.min(2e6)).take(20_000).collect()
}

/// Nothing that was measured foretells the next taskel.
pub(super) fn bimodal() -> Vec<f64> {
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    (0..20_000).map(|_| if random.random_bool(0.1) { 5e3 } else { 100.0 }).collect()
}

/// Three that take as long as thousands of the others, none of them where a split would be.
pub(super) fn giants() -> Vec<f64> {
    let mut ns = pareto();
    ns.truncate(10_000);
    ns.iter_mut().for_each(|ns| *ns = ns.min(1e5));
    for giant in [1_700, 5_801, 8_003] {
        ns[giant] = 2e6;
    }
    ns
}

/// Costs that drift by factors of up to 1.2 from taskel to taskel, between 10 ns and 10 µs: what
/// was measured soon is wrong.
pub(super) fn random_walk() -> Vec<f64> {
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    let mut ns = 300.0_f64;
    let steps = (0..20_000).map(|_| {
        let step = random.random_range(-1.0..1.0);
        ns = (ns * 1.2_f64.powf(step)).clamp(10.0, 1e4);
        ns
    });
    steps.collect()
}
