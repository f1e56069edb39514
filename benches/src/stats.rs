//! What some samples say: their median, how sure that is, and whether two sets of them differ.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use statrs::stats_tests::{
    Alternative,
    mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu},
};
use std::ops::RangeInclusive;

/// How often the samples are drawn again for an interval.
const RESAMPLES: usize = 2000;

/// The middle value, or the mean of the two middle ones.
///
/// ```
/// use taskel_benches::stats::median;
/// assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
/// assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
/// ```
///
/// # Panics
/// Panics if there are no values.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    median_of_sorted(&sorted(values.to_vec()))
}

/// The least of some values; infinite if there are none.
#[must_use]
pub fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Where the median would be in `confidence` of the cases, were the same samples taken again: the
/// percentiles of the medians of samples drawn with replacement (Efron's bootstrap). The same in
/// every run.
///
/// # Panics
/// Panics if there are no samples.
#[must_use]
pub fn interval(samples: &[f64], confidence: f64) -> RangeInclusive<f64> {
    let mut random = Pcg64Mcg::seed_from_u64(1);
    percentiles((0..RESAMPLES).map(|_| median(&drawn(samples, &mut random))).collect(), confidence)
}

/// Where the ratio of the median of `new` to that of `old` is in `confidence` of the cases, drawn
/// as for [`interval`].
///
/// # Panics
/// Panics if there are no samples.
#[must_use]
pub fn ratio_interval(old: &[f64], new: &[f64], confidence: f64) -> RangeInclusive<f64> {
    let mut random = Pcg64Mcg::seed_from_u64(1);
    let mut draw = |samples| median(&drawn(samples, &mut random));
    percentiles((0..RESAMPLES).map(|_| draw(new) / draw(old)).collect(), confidence)
}

/// How probable so different ranks are if the samples are of one kind: the two-sided test of Mann
/// and Whitney. 1 for samples that are too few or all the same.
#[must_use]
pub fn probability_of_chance(old: &[f64], new: &[f64]) -> f64 {
    let method = MannWhitneyUMethod::AsymptoticInclContinuityCorrection;
    match mannwhitneyu(old, new, method, Alternative::TwoSided) {
        Ok((_, probability)) if !probability.is_nan() => probability,
        _ => 1.0,
    }
}

fn drawn(samples: &[f64], random: &mut Pcg64Mcg) -> Vec<f64> {
    (0..samples.len()).map(|_| samples[random.random_range(0..samples.len())]).collect()
}

fn percentiles(values: Vec<f64>, confidence: f64) -> RangeInclusive<f64> {
    let values = sorted(values);
    let outside = ((1.0 - confidence) / 2.0 * values.len() as f64) as usize;
    values[outside]..=values[values.len() - 1 - outside]
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn median_of_sorted(sorted: &[f64]) -> f64 {
    assert!(!sorted.is_empty(), "no values have no median");
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(centre: f64) -> Vec<f64> {
        (0..31).map(|i| centre + f64::from(i * 7 % 31) / 31.0).collect()
    }

    #[test]
    fn an_interval_holds_the_median_and_narrows_with_more_samples() {
        let few = around(10.0);
        let many: Vec<f64> = few.iter().cycle().take(31 * 20).copied().collect();
        let [few, many] = [few, many].map(|samples| {
            let interval = interval(&samples, 0.95);
            assert!(interval.contains(&median(&samples)), "{interval:?}");
            interval.end() - interval.start()
        });
        assert!(many < few / 2.0, "{many} {few}");
        assert_eq!(interval(&[3.0], 0.95), 3.0..=3.0);
    }

    #[test]
    fn only_what_differs_is_improbable() {
        assert!(probability_of_chance(&around(10.0), &around(11.0)) < 1e-9);
        assert!(probability_of_chance(&around(10.0), &around(10.01)) > 0.5);
        assert_eq!(probability_of_chance(&[1.0; 9], &[1.0; 9]), 1.0);
        assert_eq!(probability_of_chance(&[], &[]), 1.0);
        let interval = ratio_interval(&around(10.0), &around(20.0), 0.99);
        assert!(*interval.start() > 1.9 && *interval.end() < 2.0, "{interval:?}");
    }
}
