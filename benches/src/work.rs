//! What one taskel does: counted steps of an opaque function, and how many of them make a
//! nanosecond.
//!
//! Spinning on the clock until a deadline would look busy on a core that the operating system has
//! taken away, and would make a preempted taskel no longer; counted steps are the same amount of
//! work wherever they run.

use crate::stats::median;
use std::{cell::Cell, fmt, hint::black_box, time::Instant};

/// Runs `iterations` dependent multiply-xorshift steps and returns 24 bits of the result.
///
/// The compiler can neither look into the call nor guess its seed. The result is small so that the
/// plain sum over any load fits in a `u64` (and exactly in an `f64`).
///
/// ```
/// use taskel_benches::work::work;
/// assert_eq!(work(1000), work(1000));
/// assert_ne!(work(1000), work(1001));
/// assert!(work(1000) < 1 << 24);
/// ```
///
/// It has the calling convention of C, so that peers which are written in C or C++ call the very
/// same function.
///
/// O(`iterations`).
#[inline(never)]
#[must_use]
pub extern "C" fn work(iterations: u32) -> u64 {
    thread_local! {
        static LAST: Cell<u64> = const { Cell::new(0) };
    }
    // Nothing of the last result is kept, but the processor does not know that before it has it.
    // Otherwise it would run several short calls at once, and 10 ns would be 7 ns or 14 ns, as it
    // foresees the ends of their loops.
    let nothing = LAST.get() & black_box(0);
    let mut state: u64 = black_box(0x9E37_79B9_7F4A_7C15) ^ nothing;
    for _ in 0..iterations {
        // The multiplier of Vigna's xorshift64*.
        state = state.wrapping_mul(0x2545_F491_4F6C_DD1D);
        state ^= state >> 32;
    }
    LAST.set(state);
    state >> 40
}

/// How long [`work`] takes on this machine, as `call_ns + iterations * iteration_ns`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Nanoseconds of one iteration.
    pub iteration_ns: f64,
    /// Nanoseconds of a call without iterations, with its share of the loop around it.
    pub call_ns: f64,
}

impl Calibration {
    /// Measures [`work`] on the calling thread: the line through the times of short and of long
    /// calls.
    ///
    /// Takes about 15 ms. The median of 31 measurements of each length is taken, so a preemption
    /// does not count.
    #[must_use]
    pub fn measure() -> Self {
        const SHORT: u32 = 8;
        const LONG: u32 = 1024;
        let rounds: Vec<[f64; 2]> = (0..31).map(|_| [SHORT, LONG].map(ns_per_call)).collect();
        let [short, long] =
            [0, 1].map(|length| median(&rounds.iter().map(|round| round[length]).collect::<Vec<_>>()));
        let iteration_ns = (long - short) / f64::from(LONG - SHORT);
        Self { iteration_ns, call_ns: (short - f64::from(SHORT) * iteration_ns).max(0.0) }
    }

    /// The iterations of a taskel of `ns` nanoseconds; 0 where the call alone takes that long.
    ///
    /// ```
    /// # use taskel_benches::work::Calibration;
    /// let calibration = Calibration { iteration_ns: 2.0, call_ns: 4.0 };
    /// assert_eq!(calibration.iterations(10.0), 3);
    /// assert_eq!(calibration.iterations(1.0), 0);
    /// ```
    #[must_use]
    pub fn iterations(&self, ns: f64) -> u32 {
        // `as` saturates: a negative count is 0.
        ((ns - self.call_ns) / self.iteration_ns).round() as u32
    }

    /// The nanoseconds of a taskel of that many iterations.
    #[must_use]
    pub fn ns(&self, iterations: u32) -> f64 {
        self.call_ns + f64::from(iterations) * self.iteration_ns
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { iteration_ns, call_ns } = self;
        write!(f, "a taskel takes {call_ns:.2} ns + {iteration_ns:.3} ns per iteration")
    }
}

fn ns_per_call(iterations: u32) -> f64 {
    let calls = (1 << 17) / iterations as usize;
    let weights = vec![iterations; calls];
    let start = Instant::now();
    black_box(weights.iter().map(|&weight| work(weight)).sum::<u64>());
    start.elapsed().as_nanos() as f64 / calls as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_and_iterations_are_each_other_s_inverse() {
        let calibration = Calibration { iteration_ns: 1.25, call_ns: 0.75 };
        for iterations in [0, 1, 7, 1_000_000] {
            assert_eq!(calibration.iterations(calibration.ns(iterations)), iterations);
        }
    }

    #[test]
    fn an_iteration_takes_time() {
        let Calibration { iteration_ns, call_ns } = Calibration::measure();
        assert!(iteration_ns > 0.0 && call_ns >= 0.0, "{iteration_ns} ns, {call_ns} ns");
    }
}
