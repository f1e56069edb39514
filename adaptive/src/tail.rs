//! How many taskels to claim at a time from one shared counter.

/// Limits for the claims of many workers from one shared counter, in addition to the size that a
/// [`Chunker`](crate::Chunker) suggests.
///
/// A claim is at most a fraction of what is left, so all workers end at about the same time. It is
/// at least large enough that workers do not wait for each other at the counter, but never more
/// than an equal share. Additions happen one after another, so the first worker should not be back
/// before every other worker has had its turn.
///
/// ```
/// use taskel_adaptive::Tail;
///
/// // 100 workers, and the counter is busy for 1 µs with each claim.
/// let tail = Tail::new(100, 1000.0);
/// // By their time, 500 taskels would fit; 1/200 of the rest is less.
/// assert_eq!(tail.limit(500, 20_000, Some(10_000.0)), 100);
/// // Ten taskels of 10 µs take as long as 100 claims.
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
    /// Creates the limits for `workers` workers (0 counts as 1) and a counter that each claim
    /// occupies for `claim_ns` nanoseconds. A value that is not finite or not above 0 counts as 0.
    #[must_use]
    pub fn new(workers: usize, claim_ns: f64) -> Tail {
        let claim_ns = if claim_ns.is_finite() { claim_ns.max(0.0) } else { 0.0 };
        Tail { workers: workers.max(1), claim_ns, parts: 2 }
    }

    /// Sets for how many claims of each worker the rest should suffice. The default is 2, and 0
    /// counts as 1.
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

    /// Returns how many taskels to claim: 1 to `remaining`, or 1 if `remaining` is 0. `fits` is the
    /// size that a `Chunker` suggests. `taskel_ns` is the time of a taskel, if known.
    #[must_use]
    pub fn limit(&self, fits: usize, remaining: usize, taskel_ns: Option<f64>) -> usize {
        let most = remaining / self.parts.saturating_mul(self.workers);
        let round_ns = self.workers as f64 * self.claim_ns;
        // Casts saturate.
        let least = taskel_ns.map_or(1, |taskel_ns| (round_ns / taskel_ns.max(f64::MIN_POSITIVE)) as usize);
        // The time may be known only from a few short taskels among long ones.
        let least = least.min(remaining / self.workers);
        fits.min(most).max(least).clamp(1, remaining.max(1))
    }
}
