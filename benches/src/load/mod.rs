//! The loads, declared as data: a name, the taskels, and the answer that every peer must give.

mod clustered;
mod even;
mod graded;
mod heavy_tailed;

use crate::work::{Calibration, work};

/// A load before it is built for a machine: what a taskel takes is in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// What the table calls it.
    pub name: &'static str,
    /// What there is to do.
    pub shape: Shape,
}

/// What a load consists of.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Taskels of these nanoseconds.
    Taskels(fn() -> Vec<f64>),
    /// The sum of this many `f32`.
    Floats(usize),
}

/// All loads, in the order of the table.
pub const DECLARATIONS: &[Declaration] = &[
    taskels("2 M x 10 ns", even::two_million_of_10_ns),
    taskels("200 k x 100 ns", even::two_hundred_thousand_of_100_ns),
    taskels("20 k x 1 µs", even::twenty_thousand_of_1_us),
    taskels("100 x 1 µs", even::hundred_of_1_us),
    taskels("300 x 1 µs", even::three_hundred_of_1_us),
    taskels("20 x 10 µs", even::twenty_of_10_us),
    taskels("201 x 100 µs", even::two_hundred_and_one_of_100_us),
    taskels("lognormal (1 µs, s=2) x 10 k", heavy_tailed::lognormal),
    taskels("Pareto 1.1 (300 ns, cap 2 ms) x 20 k", heavy_tailed::pareto),
    taskels("ascending 0–2 µs x 20 k", graded::ascending),
    taskels("descending 2–0 µs x 20 k", graded::descending),
    taskels("64 with 2 x 2 ms side by side", clustered::two_in_64),
    taskels("100 k x 50 ns, 8 x 1 ms side by side", clustered::eight_in_100_k),
    taskels("100 k x 20 ns, last 1 % 10 µs", clustered::dear_end),
    taskels("100 k x 50 ns, last 8 x 1 ms", clustered::eight_at_the_end),
    taskels("400 k x 10 ns, last 2 x 1 ms", clustered::two_at_the_end),
    taskels("1 M x 5 ns, 64 x 100 µs amid them", clustered::amid_nanoseconds),
    taskels("64 k x 20 ns, every 4096th 500 µs", clustered::every_4096th),
    taskels("sawtooth 0–2 µs, 37 teeth x 541", graded::sawtooth),
    taskels("20 k x 100 ns, a tenth 5 µs at random", heavy_tailed::bimodal),
    taskels("Pareto 1.1 x 10 k and 3 x 2 ms", heavy_tailed::giants),
    taskels("random walk 10 ns–10 µs x 20 k", heavy_tailed::random_walk),
    taskels("1 x 10 ns", even::one_of_10_ns),
    taskels("20 x 10 ns", even::twenty_of_10_ns),
    taskels("500 x 10 ns", even::five_hundred_of_10_ns),
    Declaration { name: "sum of 64 k f32", shape: Shape::Floats(1 << 16) },
    Declaration { name: "sum of 16 M f32", shape: Shape::Floats(16_000_000) },
];

const fn taskels(name: &'static str, ns: fn() -> Vec<f64>) -> Declaration {
    Declaration { name, shape: Shape::Taskels(ns) }
}

/// What the peers iterate over.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// The iterations of each taskel; the answer is the sum of [`work`] over them.
    Taskels(Vec<u32>),
    /// The answer is their sum.
    Floats(Vec<f32>),
}

/// A load built for a machine.
#[derive(Clone, Debug)]
pub struct Load {
    /// What the table calls it.
    pub name: &'static str,
    /// What the peers iterate over.
    pub data: Data,
    /// What every peer must find. Exact: sums of [`work`] are integers below 2^53, and so are those
    /// of the floats, below 2^24, in every order of addition.
    pub expected: f64,
    /// The longest taskel's part of the whole, of which no number of threads can rid the loop.
    pub longest_share: f64,
}

impl Load {
    /// Builds the load with taskels of as many iterations as `calibration` says, and computes its
    /// answer.
    ///
    /// Takes as long as a serial run of the load.
    #[must_use]
    pub fn build(declaration: &Declaration, calibration: &Calibration) -> Self {
        let name = declaration.name;
        match declaration.shape {
            Shape::Taskels(ns) => {
                let weights: Vec<u32> = ns().into_iter().map(|ns| calibration.iterations(ns)).collect();
                let expected = weights.iter().map(|&weight| work(weight)).sum::<u64>() as f64;
                let total: f64 = weights.iter().map(|&weight| calibration.ns(weight)).sum();
                let longest = weights.iter().max().map_or(0.0, |&weight| calibration.ns(weight));
                Self { name, data: Data::Taskels(weights), expected, longest_share: longest / total }
            }
            Shape::Floats(len) => {
                // Whole numbers of which no partial sum needs more than a float's 24 bits, so a
                // single float left out or added twice shows, which a tolerance would hide: up to
                // 250 for 64 k of them, all 1 for 16 M.
                let most = ((1 << 25) / len - 1).clamp(1, 250);
                let floats: Vec<f32> = (0..len).map(|i| (1 + i % most) as f32).collect();
                let expected = floats.iter().map(|&float| f64::from(float)).sum();
                Self { name, data: Data::Floats(floats), expected, longest_share: 1.0 / len as f64 }
            }
        }
    }

    /// The least time that `threads` threads can take, given the time of one: max(sum / P, longest
    /// taskel).
    ///
    /// ```
    /// # use taskel_benches::load::{Data, Load};
    /// let data = Data::Taskels(vec![10, 80, 10]);
    /// let load = Load { name: "", data, expected: 0.0, longest_share: 0.8 };
    /// assert_eq!(load.bound(100.0, 1), 100.0);
    /// assert_eq!(load.bound(100.0, 2), 80.0);
    /// ```
    #[must_use]
    pub fn bound(&self, serial: f64, threads: usize) -> f64 {
        (serial / threads as f64).max(serial * self.longest_share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALIBRATION: Calibration = Calibration { iteration_ns: 1.0, call_ns: 0.0 };

    #[test]
    fn every_sum_of_floats_is_exact() {
        for declaration in DECLARATIONS {
            if matches!(declaration.shape, Shape::Floats(_)) {
                let load = Load::build(declaration, &CALIBRATION);
                assert!(load.expected > 0.0 && load.expected < f64::from(1 << 24), "{}", load.name);
            }
        }
    }

    #[test]
    fn hard_loads_take_4_ms_and_can_be_shared() {
        let from = DECLARATIONS.iter().position(|load| load.name.ends_with("last 8 x 1 ms")).unwrap();
        for declaration in &DECLARATIONS[from..from + 8] {
            let Shape::Taskels(ns) = declaration.shape else { panic!("{} has taskels", declaration.name) };
            let (sum, longest) =
                ns().iter().fold((0.0, 0.0_f64), |(sum, most), &ns| (sum + ns, most.max(ns)));
            assert!(sum > 4e6 && longest < sum / 2.0, "{}: {sum} ns, longest {longest} ns", declaration.name);
            assert_eq!(ns(), ns(), "{} is the same every time", declaration.name);
        }
    }
}
