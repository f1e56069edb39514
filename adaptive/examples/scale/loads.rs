//! The loads: those of the table in README.md.

use taskel_adaptive::simulate::load;

/// A loop, as the times of its taskels.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) times_ns: fn() -> Vec<f64>,
}

pub(crate) fn all() -> [Load; 8] {
    [
        Load { name: "constant", times_ns: || load::constant(33_000_000, 5.0) },
        Load { name: "linear up", times_ns: || load::linear(131_072, 500.0, 10_000.0) },
        Load { name: "lognormal", times_ns: || load::lognormal(150_000, 1000.0, 1.5, 14) },
        Load { name: "Pareto", times_ns: || load::pareto(200_000, 1000.0, 1.3, f64::MAX, 372) },
        Load { name: "step", times_ns: || load::step(131_072, 20.0, 20_000.0, 0.1) },
        Load {
            name: "sorted down",
            times_ns: || load::sorted_down(load::lognormal(100_000, 1000.0, 1.97, 9)),
        },
        CLUSTERS_IN_1_US,
        Load { name: "clusters in 5 ns", times_ns: || load::clusters(1_000_000, 5.0, 190_000.0, 9, 32, 3) },
    ]
}

pub(crate) const CLUSTERS_IN_1_US: Load =
    Load { name: "clusters in 1 µs", times_ns: || load::clusters(20_000, 1000.0, 264_000.0, 14, 32, 237) };
