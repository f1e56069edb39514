//! What one taskel does: counted steps of an opaque function, and how many of them make a nanosecond.
//!
//! Spinning on the clock until a deadline would look busy on a core that the operating system has taken away, and
//! would make a preempted taskel no longer; counted steps are the same amount of work wherever they run.

use std::{hint::black_box, time::Instant};

/// Runs `iterations` dependent multiply-xorshift steps and returns 24 bits of the result.
///
/// The compiler can neither look into the call nor guess its seed. The result is small so that the plain sum over any
/// load fits in a `u64` (and exactly in an `f64`).
///
/// ```
/// use taskel_benches::work::work;
/// assert_eq!(work(1000), work(1000));
/// assert_ne!(work(1000), work(1001));
/// assert!(work(1000) < 1 << 24);
/// ```
///
/// O(`iterations`).
#[inline(never)]
#[must_use]
pub fn work(iterations: u32) -> u64 {
    let mut state: u64 = black_box(0x9E37_79B9_7F4A_7C15);
    for _ in 0..iterations {
        // The multiplier of Vigna's xorshift64*.
        state = state.wrapping_mul(0x2545_F491_4F6C_DD1D);
        state ^= state >> 32;
    }
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
    /// Measures [`work`] on the calling thread: the line through the times of short and of long calls.
    ///
    /// Takes about 30 ms. The median of 15 measurements of each length is taken, so a preemption does not count.
    #[must_use]
    pub fn measure() -> Self {
        const SHORT: u32 = 8;
        const LONG: u32 = 72;
        let mut short: Vec<f64> = Vec::new();
        let mut long: Vec<f64> = Vec::new();
        for _ in 0..15 {
            short.push(ns_per_call(SHORT));
            long.push(ns_per_call(LONG));
        }
        let (short, long) = (crate::measure::median(&short), crate::measure::median(&long));
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

fn ns_per_call(iterations: u32) -> f64 {
    const CALLS: usize = 10_000;
    let weights = vec![iterations; CALLS];
    let start = Instant::now();
    black_box(weights.iter().map(|&weight| work(weight)).sum::<u64>());
    start.elapsed().as_nanos() as f64 / CALLS as f64
}
