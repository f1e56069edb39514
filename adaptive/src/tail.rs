//! How many taskels are claimed at a time from one counter.

/// What one of many workers may claim at a time from a counter that all share, besides what its
/// [`Chunker`](crate::Chunker) holds for right.
///
/// At most a part of what is left, so that all end together. At least what keeps them from waiting
/// for each other at the counter, but no more than an equal share: additions happen one after
/// another, so when every worker has had its turn, the first one should not be back yet.
///
/// ```
/// use taskel_adaptive::Tail;
///
/// // 100 workers, and the counter is busy for 1 µs with each claim.
/// let tail = Tail::new(100, 1000.0);
/// // 500 taskels would be right by their time; 1/200 of what is left is less.
/// assert_eq!(tail.limit(500, 20_000, Some(10_000.0)), 100);
/// // Of 10 µs each, 10 take as long as 100 claims do.
/// assert_eq!(tail.limit(500, 1000, Some(10_000.0)), 10);
/// assert_eq!(tail.limit(500, 1000, Some(1e9)), 5);
/// assert_eq!(tail.limit(500, 700, Some(10_000.0)), 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    workers: usize,
    claim_ns: f64,
    parts: usize,
}

impl Tail {
    /// For so many workers, 0 counts as 1, and a counter that is busy for so long with each claim, in
    /// nanoseconds; what is not a finite time above 0 counts as no time.
    #[must_use]
    pub fn new(workers: usize, claim_ns: f64) -> Tail {
        let claim_ns = if claim_ns.is_finite() { claim_ns.max(0.0) } else { 0.0 };
        Tail { workers: workers.max(1), claim_ns, parts: 2 }
    }

    /// Sets how many claims of each worker what is left should be good for, 2 by default; 0 counts
    /// as 1.
    ///
    /// ```
    /// use taskel_adaptive::Tail;
    /// assert_eq!(Tail::new(10, 0.0).with_parts(4).limit(500, 4000, None), 100);
    /// ```
    #[must_use]
    pub fn with_parts(mut self, parts: usize) -> Tail {
        self.parts = parts.max(1);
        self
    }

    /// How many taskels to claim, from 1 to `remaining`, or 1 if that is 0. `fits` is what a
    /// `Chunker` holds for right, `taskel_ns` the time of a taskel, if anything is known of it.
    #[must_use]
    pub fn limit(&self, fits: usize, remaining: usize, taskel_ns: Option<f64>) -> usize {
        let most = remaining / self.parts.saturating_mul(self.workers);
        let round_ns = self.workers as f64 * self.claim_ns;
        // Casts saturate.
        let least = taskel_ns.map_or(1, |taskel_ns| (round_ns / taskel_ns.max(f64::MIN_POSITIVE)) as usize);
        // What is known of the time may come from a few short ones among long ones.
        let least = least.min(remaining / self.workers);
        fits.min(most).max(least).clamp(1, remaining.max(1))
    }
}
