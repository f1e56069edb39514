//! Random taskels of which a few take most of the time, the same ones in every run.

use rand::SeedableRng;
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
