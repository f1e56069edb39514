//! Synthetic lists of taskel times, in nanoseconds. The same seed gives the same list on every
//! platform.
//!
//! Times are finite and not negative if the parameters are.

use alloc::vec::Vec;

use super::rng::Rng;

/// Returns `n` taskels of `ns` each.
#[must_use]
pub fn constant(n: usize, ns: f64) -> Vec<f64> {
    alloc::vec![ns; n]
}

/// Returns `n` taskels from `first_ns` to `last_ns` in equal steps, up or down.
///
/// ```
/// assert_eq!(taskel_adaptive::simulate::load::linear(3, 10.0, 30.0), [10.0, 20.0, 30.0]);
/// ```
#[must_use]
pub fn linear(n: usize, first_ns: f64, last_ns: f64) -> Vec<f64> {
    let steps = n.saturating_sub(1).max(1) as f64;
    (0..n).map(|i| first_ns + (last_ns - first_ns) * (i as f64 / steps)).collect()
}

/// Returns `n` taskels with lognormal times. Half take less than `median_ns`, and `sigma` is the
/// standard deviation of the logarithm. The mean is `median_ns * exp(sigma² / 2)`.
#[must_use]
pub fn lognormal(n: usize, median_ns: f64, sigma: f64, seed: u64) -> Vec<f64> {
    let mut rng = Rng::new(seed);
    (0..n).map(|_| (median_ns * exp(sigma * normal(&mut rng))).min(f64::MAX)).collect()
}

/// Returns `n` taskels of at least `min_ns` and at most `cap_ns`, with a heavy tail: a taskel takes
/// longer than t with probability `(min_ns / t)^alpha`.
#[must_use]
pub fn pareto(n: usize, min_ns: f64, alpha: f64, cap_ns: f64, seed: u64) -> Vec<f64> {
    let mut rng = Rng::new(seed);
    (0..n).map(|_| (min_ns * exp(-ln(rng.unit()) / alpha)).min(cap_ns)).collect()
}

/// Returns `n` taskels of `cheap_ns`, except for the last fraction `dear_part`, which take
/// `dear_ns`.
///
/// ```
/// assert_eq!(taskel_adaptive::simulate::load::step(4, 20.0, 1000.0, 0.25), [20.0, 20.0, 20.0, 1000.0]);
/// ```
#[must_use]
pub fn step(n: usize, cheap_ns: f64, dear_ns: f64, dear_part: f64) -> Vec<f64> {
    let cheap = n - ((n as f64 * dear_part) as usize).min(n);
    (0..n).map(|i| if i < cheap { cheap_ns } else { dear_ns }).collect()
}

/// Returns `n` taskels of `base_ns` with `clusters` runs of `per_cluster` neighbouring taskels of
/// `heavy_ns` at random places. Runs may overlap.
///
/// ```
/// let times_ns = taskel_adaptive::simulate::load::clusters(1000, 5.0, 1e6, 1, 10, 7);
/// assert_eq!(times_ns.iter().filter(|&&ns| ns == 1e6).count(), 10);
/// ```
#[must_use]
pub fn clusters(
    n: usize,
    base_ns: f64,
    heavy_ns: f64,
    clusters: usize,
    per_cluster: usize,
    seed: u64,
) -> Vec<f64> {
    let mut rng = Rng::new(seed);
    let mut times_ns = constant(n, base_ns);
    let places = (n + 1).saturating_sub(per_cluster).max(1);
    for _ in 0..clusters {
        let start = rng.below(places);
        times_ns[start..].iter_mut().take(per_cluster).for_each(|ns| *ns = heavy_ns);
    }
    times_ns
}

/// Sorts taskels, longest first.
///
/// ```
/// assert_eq!(taskel_adaptive::simulate::load::sorted_down(vec![1.0, 3.0, 2.0]), [3.0, 2.0, 1.0]);
/// ```
#[must_use]
pub fn sorted_down(mut times_ns: Vec<f64>) -> Vec<f64> {
    times_ns.sort_by(|a, b| b.total_cmp(a));
    times_ns
}

/// Returns a standard normal number, by Marsaglia's polar method.
fn normal(rng: &mut Rng) -> f64 {
    loop {
        let (u, v) = (2.0 * rng.unit() - 1.0, 2.0 * rng.unit() - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            let root = exp(0.5 * ln(-2.0 * ln(s) / s));
            return u * root;
        }
    }
}

// `core` has neither logarithm nor exponential, and those of `std` differ in their last bits
// between platforms.

/// Returns the natural logarithm of a normal number above 0.
fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > core::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)); the argument is at most 0.172, so 12 terms give all
    // digits.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..12).rev().fold(0.0, |sum, k| sum * s * s + 1.0 / f64::from(2 * k + 1));
    exponent as f64 * core::f64::consts::LN_2 + 2.0 * s * series
}

/// Returns the exponential. Saturates at the ends of the normal numbers.
fn exp(x: f64) -> f64 {
    let x = x.clamp(-708.0, 709.0);
    // Rounded to the nearest power of two; a cast rounds towards 0.
    let halves = x * core::f64::consts::LOG2_E;
    let power = (halves + if halves < 0.0 { -0.5 } else { 0.5 }) as i64;
    let rest = x - power as f64 * core::f64::consts::LN_2;
    // |rest| is at most 0.35: 15 terms of the power series give all digits.
    let series = (1..15).rev().fold(1.0, |sum, k| 1.0 + sum * rest / f64::from(k));
    series * f64::from_bits(((power + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn logarithm_and_exponential_are_right_to_twelve_digits() {
        for i in -300..300 {
            let x = f64::from(i) * 0.37;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "exp({x})");
            let y = x.exp();
            assert!((ln(y) - x).abs() <= 1e-12 * x.abs().max(1.0), "ln({y})");
        }
        assert!(exp(1e9).is_finite() && exp(-1e9) > 0.0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes when it is interpreted")]
    fn lognormal_has_its_median_and_mean() {
        let mut times_ns = lognormal(100_001, 1000.0, 1.0, 3);
        let mean_ns = times_ns.iter().sum::<f64>() / times_ns.len() as f64;
        assert!((mean_ns / (1000.0 * 0.5f64.exp()) - 1.0).abs() < 0.02, "mean {mean_ns}");
        times_ns.sort_by(f64::total_cmp);
        assert!((times_ns[50_000] / 1000.0 - 1.0).abs() < 0.02, "median {}", times_ns[50_000]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes minutes when it is interpreted")]
    fn pareto_has_its_tail_and_its_cap() {
        let times_ns = pareto(100_000, 300.0, 1.5, 1e5, 3);
        let beyond = |ns: f64| times_ns.iter().filter(|&&t| t > ns).count() as f64 / 1e5;
        assert!((beyond(3000.0) / 10f64.powf(-1.5) - 1.0).abs() < 0.05);
        assert!(times_ns.iter().all(|t| (300.0..=1e5).contains(t)));
        assert!(times_ns.contains(&1e5));
    }

    #[test]
    fn finite_parameters_give_finite_times() {
        assert_eq!(lognormal(100, f64::MAX, 3.0, 1).into_iter().fold(0.0, f64::max), f64::MAX);
        assert!(lognormal(100, 0.0, f64::MAX, 1).iter().all(|ns| *ns == 0.0));
        assert!(pareto(100, f64::MAX, 0.0, f64::MAX, 1).iter().all(|ns| *ns == f64::MAX));
    }

    #[test]
    fn degenerate_lengths_are_fine() {
        assert!(linear(0, 1.0, 2.0).is_empty());
        assert_eq!(linear(1, 1.0, 2.0), [1.0]);
        assert_eq!(clusters(3, 1.0, 9.0, 2, 10, 1), [9.0; 3]);
        assert!(clusters(0, 1.0, 9.0, 2, 10, 1).is_empty());
        assert_eq!(step(2, 1.0, 9.0, 3.0), [9.0; 2]);
    }
}
