//! What one worker has learned about the time of a taskel.

/// No taskel counts as shorter than this: keeps every estimate above 0, whatever a coarse clock says.
const FLOOR_NS: f64 = 1.0 / 1024.0;

/// Part of the distance that the moving average gives up per chunk when taskels get cheaper.
const DECAY: f64 = 0.25;

/// Time per taskel: the larger of the cumulative mean and a moving average.
///
/// The moving average jumps *up* to the last chunk's mean at once and decays slowly: it catches taskels that get
/// dearer. The cumulative mean keeps chunks from becoming so small that claims cost more than their share of
/// the time measured so far, even after taskels got cheaper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    sum_ns: f64,
    taskels: f64,
    /// 0 as long as nothing is known.
    moving_ns: f64,
}

impl Estimate {
    /// Starts from what earlier loops have learned; `prior_ns` of 0 means nothing. The prior only seeds the
    /// moving average, so that a dearer first chunk replaces it and cheaper chunks make it fade.
    #[inline]
    pub(crate) fn new(prior_ns: f64) -> Self {
        Estimate { sum_ns: 0.0, taskels: 0.0, moving_ns: prior_ns }
    }

    /// Learns that `taskels` > 0 taskels took `elapsed_ns` together.
    #[inline]
    pub(crate) fn observe(&mut self, taskels: usize, elapsed_ns: u64) {
        let (taskels, elapsed_ns) = (taskels as f64, elapsed_ns as f64);
        self.sum_ns += elapsed_ns;
        self.taskels += taskels;
        let last = (elapsed_ns / taskels).max(FLOOR_NS);
        let decayed = self.moving_ns + (last - self.moving_ns) * DECAY;
        // For a dearer chunk `decayed` lies below `last`, for a cheaper one above.
        self.moving_ns = last.max(decayed);
    }

    /// How many taskels fit into `target_ns`, rounded down; 1 while nothing is known.
    #[inline]
    pub(crate) fn taskels_in(&self, target_ns: f64) -> usize {
        if self.moving_ns == 0.0 {
            return 1;
        }
        // A float-to-integer cast saturates. The mean is compared without dividing: one division in all.
        if self.sum_ns > self.moving_ns * self.taskels {
            (target_ns * self.taskels / self.sum_ns) as usize
        } else {
            (target_ns / self.moving_ns) as usize
        }
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
