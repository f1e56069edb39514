//! One worker's estimate of the time per taskel.

/// No taskel counts as shorter than this. It keeps every estimate above 0, even with a coarse
/// clock.
const FLOOR_NS: f64 = 1.0 / 1024.0;

/// The fraction of the difference by which the moving average falls per chunk when taskels get
/// cheaper.
const DECAY: f64 = 0.25;

/// Time per taskel: the larger of the cumulative mean and a moving average.
///
/// The moving average jumps *up* to the last chunk's mean at once, and falls slowly, so it catches
/// taskels that get more expensive. The cumulative mean keeps chunks from becoming so small that
/// claims cost more than their share of the measured time, even after taskels got cheaper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    sum_ns: f64,
    taskels: f64,
    /// 0 while nothing is known.
    moving_ns: f64,
}

impl Estimate {
    /// Starts from the estimate of earlier loops, or from nothing if `prior_ns` is 0. The prior
    /// only initialises the moving average. So a more expensive first chunk replaces it, and
    /// cheaper chunks make it fade.
    #[inline]
    pub(crate) fn new(prior_ns: f64) -> Self {
        Estimate { sum_ns: 0.0, taskels: 0.0, moving_ns: prior_ns }
    }

    /// Records that `taskels` > 0 taskels together took `elapsed_ns`. Returns how many taskels now
    /// fit into `target_ns`, rounded down, at most `u32::MAX`.
    ///
    /// A worker waits for the result before it can claim. So the formula is rearranged (the moving
    /// average is multiplied by `taskels`) to make the three divisions independent of each other,
    /// and it has no branch to mispredict.
    #[inline]
    pub(crate) fn observe(&mut self, taskels: usize, elapsed_ns: u64, target_ns: f64) -> usize {
        let (taskels, elapsed_ns) = (float(taskels as u64), float(elapsed_ns));
        self.sum_ns += elapsed_ns;
        self.taskels += taskels;
        let by_mean = target_ns * self.taskels / self.sum_ns;

        // For a more expensive chunk, `decayed_ns` is below `elapsed_ns`; for a cheaper one, above.
        let decayed_ns = (1.0 - DECAY) * self.moving_ns * taskels + DECAY * elapsed_ns;
        let moving_ns = elapsed_ns.max(decayed_ns).max(FLOOR_NS * taskels);
        self.moving_ns = moving_ns / taskels;
        let by_moving = target_ns * taskels / moving_ns;

        whole(if by_mean < by_moving { by_mean } else { by_moving })
    }

    /// Returns the estimate in nanoseconds per taskel, or `None` while nothing is known.
    #[inline]
    pub(crate) fn per_taskel_ns(&self) -> Option<f64> {
        if self.moving_ns == 0.0 {
            None
        } else if self.sum_ns > self.moving_ns * self.taskels {
            Some(self.sum_ns / self.taskels)
        } else {
            Some(self.moving_ns)
        }
    }
}

/// Converts a count or a time to a float, at most `i64::MAX`. Signed integers convert in one
/// instruction, unsigned ones in several, and 292 years are long enough.
#[inline]
fn float(n: u64) -> f64 {
    n.min(i64::MAX as u64) as i64 as f64
}

/// Rounds down and saturates at `u32::MAX`, because a conversion to 64 bits takes twice the time.
#[inline]
pub(crate) fn whole(taskels: f64) -> usize {
    taskels as u32 as usize
}
