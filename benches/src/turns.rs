//! Peers that take turns, one sample each, and what came of it.

use crate::measure::median;

/// One peer's part of a comparison: its name, and a function that takes one sample.
pub type Turn<'a> = (&'static str, Box<dyn FnMut() -> f64 + 'a>);

/// The median, the least and the greatest of some samples.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// Half of the samples were less.
    pub median: f64,
    /// The least sample.
    pub min: f64,
    /// The greatest sample.
    pub max: f64,
}

impl Spread {
    /// The spread of `samples`.
    ///
    /// # Panics
    /// Panics if there are none.
    #[must_use]
    pub fn of(samples: &[f64]) -> Self {
        Spread {
            median: median(samples.iter().copied()),
            min: samples.iter().copied().fold(f64::INFINITY, f64::min),
            max: samples.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// Lets each peer take `repetitions` samples in turns, each repetition starting with the next peer.
///
/// # Panics
/// Panics if there is no peer or no repetition.
pub fn take_turns(turns: &mut [Turn<'_>], repetitions: usize) -> Vec<(&'static str, Spread)> {
    let mut samples = vec![Vec::with_capacity(repetitions); turns.len()];
    for repetition in 0..repetitions {
        for turn in 0..turns.len() {
            let index = (repetition + turn) % turns.len();
            samples[index].push(turns[index].1());
        }
    }
    turns.iter().zip(&samples).map(|((name, _), samples)| (*name, Spread::of(samples))).collect()
}
