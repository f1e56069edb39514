//! What one worker has learned about the time of a taskel.

/// No taskel counts as shorter than this: keeps every estimate above 0, whatever a coarse clock
/// says.
const FLOOR_NS: f64 = 1.0 / 1024.0;

/// Part of the distance that the moving average gives up per chunk when taskels get cheaper.
const DECAY: f64 = 0.25;

/// Time per taskel: the larger of the cumulative mean and a moving average.
///
/// The moving average jumps *up* to the last chunk's mean at once and decays slowly: it catches
/// taskels that get dearer. The cumulative mean keeps chunks from becoming so small that claims
/// cost more than their share of the time measured so far, even after taskels got cheaper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    sum_ns: f64,
    taskels: f64,
    /// 0 as long as nothing is known.
    moving_ns: f64,
}

impl Estimate {
    /// Starts from what earlier loops have learned; `prior_ns` of 0 means nothing. The prior only
    /// seeds the moving average, so that a dearer first chunk replaces it and cheaper chunks make
    /// it fade.
    #[inline]
    pub(crate) fn new(prior_ns: f64) -> Self {
        Estimate { sum_ns: 0.0, taskels: 0.0, moving_ns: prior_ns }
    }

    /// Learns that `taskels` > 0 taskels took `elapsed_ns` together; returns how many taskels fit
    /// into `target_ns` now, rounded down, at most `u32::MAX`.
    ///
    /// A worker waits for the result before it can claim. So the moving average is rearranged,
    /// multiplied by `taskels`, for the three divisions not to depend on each other, and there is
    /// no branch to mispredict.
    #[inline]
    pub(crate) fn observe(&mut self, taskels: usize, elapsed_ns: u64, target_ns: f64) -> usize {
        let (taskels, elapsed_ns) = (float(taskels as u64), float(elapsed_ns));
        self.sum_ns += elapsed_ns;
        self.taskels += taskels;
        let by_mean = target_ns * self.taskels / self.sum_ns;

        // For a dearer chunk `decayed_ns` lies below `elapsed_ns`, for a cheaper one above.
        let decayed_ns = (1.0 - DECAY) * self.moving_ns * taskels + DECAY * elapsed_ns;
        let moving_ns = elapsed_ns.max(decayed_ns).max(FLOOR_NS * taskels);
        self.moving_ns = moving_ns / taskels;
        let by_moving = target_ns * taskels / moving_ns;

        whole(if by_mean < by_moving { by_mean } else { by_moving })
    }

    /// The estimate in nanoseconds per taskel; `None` while nothing is known.
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

/// A count or a time as a float, `i64::MAX` at most: signed integers convert in one instruction,
/// unsigned ones in several, and 292 years are long enough.
#[inline]
fn float(n: u64) -> f64 {
    n.min(i64::MAX as u64) as i64 as f64
}

/// Rounds down and saturates, at `u32::MAX` since to 64 bits it takes twice the time.
#[inline]
pub(crate) fn whole(taskels: f64) -> usize {
    taskels as u32 as usize
}
