//! How long a recorded program takes on other numbers of workers, and what limits it.

mod report;
mod stages;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use self::stages::Stage;
use crate::recording::{Longest, Measures, Recording, Waited};
use crate::simulate::MAX_WORKERS;

/// The predicted times of a program on other numbers of workers, from one
/// [`Recording`](crate::recording::Recording). Its `Display` prints a table, and says in words what
/// limits the program.
///
/// ```
/// use taskel_adaptive::recording::Recording;
///
/// // The last of 100 items takes 20 times as long as the others.
/// let mut times_ns = [1_000_000; 100];
/// times_ns[99] = 20_000_000;
/// let text = Recording::of_loop(&times_ns).scaling([1, 2, 16, 64]).to_string();
/// assert!(text.contains("longest item is the limit (20.0 ms, item 99 of loop)"), "{text}");
/// ```
#[derive(Clone, Debug)]
pub struct Scaling {
    recorded_on: usize,
    wall_ns: u64,
    work_ns: f64,
    serial_ns: f64,
    waited: Waited,
    left_out: u64,
    predictions: Vec<Prediction>,
}

/// The prediction for one number of workers.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    workers: usize,
    ns: f64,
    bound_ns: f64,
    speed_up: f64,
    limit: Limit,
}

/// What takes most of a predicted time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// The work itself. All workers are busy, and more of them help.
    Work,
    /// The longest item of a loop, at whose end the loop ends. The item may also have started late.
    Item {
        /// The time of the item.
        time: Duration,
        /// Its index in the loop.
        item: u64,
        /// The loop's place in the program.
        site: String,
    },
    /// The longest path through nested joins, scopes or loops.
    Path {
        /// The time of the path.
        time: Duration,
        /// The outermost call's place in the program.
        site: String,
    },
    /// What is outside of parallel calls.
    Serial {
        /// Its time.
        time: Duration,
    },
    /// Items seem to have waited for a lock: most of their recorded time was waiting, and together
    /// they had about one processor.
    Lock {
        /// The time in which they had a processor, all together.
        time: Duration,
    },
    /// Sharing the work: waking workers, and the time until idle workers find something.
    Sharing,
}

impl Prediction {
    /// Returns the number of workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Returns the predicted time.
    #[must_use]
    pub fn time(&self) -> Duration {
        duration(self.ns)
    }

    /// Returns the time on one worker divided by this time.
    #[must_use]
    pub fn speed_up(&self) -> f64 {
        self.speed_up
    }

    /// Returns a lower bound for every scheduler with this number of workers: for each call, its
    /// work divided by the number of workers or its longest path, whichever is longer, plus all
    /// time outside of calls.
    #[must_use]
    pub fn bound(&self) -> Duration {
        duration(self.bound_ns)
    }

    /// Returns what takes most of the time.
    #[must_use]
    pub fn limit(&self) -> &Limit {
        &self.limit
    }
}

impl Scaling {
    pub(crate) fn of(recording: &Recording, workers: impl IntoIterator<Item = usize>) -> Self {
        let measures = Measures::of(recording);
        let stages = stages::of(recording, &measures);
        let work_ns = measures.calls[0].work_ns;
        let predict = |workers: usize| {
            let prediction = predict(recording, &stages, work_ns, workers.clamp(1, MAX_WORKERS));
            match locked_ns(recording) {
                Some(locked_ns) => under_lock(prediction, recording, locked_ns),
                None => prediction,
            }
        };
        Scaling {
            recorded_on: recording.workers(),
            wall_ns: u64::try_from(recording.wall_time().as_nanos()).unwrap_or(u64::MAX),
            work_ns,
            serial_ns: recording.serial_ns(),
            waited: recording.waited(),
            left_out: recording.left_out(),
            predictions: workers.into_iter().map(predict).collect(),
        }
    }

    /// Returns one prediction per requested number of workers, in that order.
    #[must_use]
    pub fn predictions(&self) -> &[Prediction] {
        &self.predictions
    }

    /// Returns the time that one worker needs, without overhead.
    #[must_use]
    pub fn work(&self) -> Duration {
        duration(self.work_ns)
    }

    /// Returns the part of it outside of parallel calls.
    #[must_use]
    pub fn serial(&self) -> Duration {
        duration(self.serial_ns)
    }

    /// Returns the fraction of the time in items in which they waited: for a lock, for input or
    /// output, asleep, or for a processor that other threads had. Returns 0 if the system does not
    /// report it.
    ///
    /// Predictions count this as time that every item needs, as with input and output. The
    /// exception is waiting that looks like [a lock](Limit::Lock): there, more workers wait longer.
    #[must_use]
    pub fn waiting(&self) -> f64 {
        share(self.waited.ns as f64, self.waited.of_ns as f64)
    }
}

/// Returns `part / whole`, or 0 if `whole` is 0.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn duration(ns: f64) -> Duration {
    // As a cast rounds towards 0 and saturates.
    Duration::from_nanos((ns + 0.5) as u64)
}

/// Returns the time that no number of workers can shorten, if items seem to have waited for a lock.
fn locked_ns(recording: &Recording) -> Option<f64> {
    let (waited, wall_ns) = (recording.waited(), recording.wall_time().as_nanos() as f64);
    let processor_ns = waited.of_ns.saturating_sub(waited.ns) as f64;
    let waiting = share(waited.ns.saturating_sub(waited.preempted_ns) as f64, waited.of_ns as f64);
    let parallel_ns = wall_ns - recording.serial_ns();
    let one_at_a_time = (0.5..1.2).contains(&share(processor_ns, parallel_ns));
    (recording.workers() > 1 && waiting >= 0.4 && one_at_a_time).then_some(processor_ns)
}

/// Changes the prediction: all items run one after the other.
fn under_lock(mut prediction: Prediction, recording: &Recording, locked_ns: f64) -> Prediction {
    prediction.ns = recording.serial_ns() + locked_ns;
    prediction.bound_ns = prediction.ns;
    prediction.speed_up = 1.0;
    prediction.limit = Limit::Lock { time: duration(locked_ns) };
    prediction
}

/// The components of a time. The largest one is the limit.
#[derive(Default)]
struct Causes {
    serial_ns: f64,
    spread_ns: f64,
    path_ns: f64,
    /// The longest term of `path_ns`.
    path: Option<(f64, Longest, bool)>,
    sharing_ns: f64,
}

fn predict(recording: &Recording, stages: &[Stage], work_ns: f64, workers: usize) -> Prediction {
    let (mut ns, mut bound_ns) = (0.0, 0.0);
    let mut causes = Causes::default();
    for stage in stages {
        // A time that cannot be simulated exceeds the range of a float.
        let stage_ns = stage.simulate(workers).unwrap_or(f64::MAX);
        let spread_ns = stage.work_ns / workers as f64;
        let least_ns = spread_ns.max(stage.span_ns);
        ns += stage_ns;
        bound_ns += least_ns;
        let late_ns = (stage_ns - least_ns).max(0.0);
        if stage.is_serial() {
            causes.serial_ns += stage_ns;
        } else if stage.span_ns > spread_ns {
            causes.add_path(stage, stage.span_ns, late_ns);
        } else {
            causes.spread_ns += spread_ns;
            // All other workers are idle until the item that started late ends.
            let is_late = workers > 1 && late_ns > 0.1 * stage_ns && stage.longest.ns >= late_ns;
            if is_late {
                causes.add_path(stage, late_ns, 0.0);
            } else {
                causes.sharing_ns += late_ns;
            }
        }
    }
    let limit = causes.limit(recording, workers);
    Prediction { workers, ns, bound_ns, speed_up: if ns > 0.0 { work_ns / ns } else { 1.0 }, limit }
}

impl Causes {
    fn add_path(&mut self, stage: &Stage, ns: f64, late_ns: f64) {
        self.path_ns += ns;
        if stage.longest.ns >= late_ns {
            self.path_ns += late_ns;
        } else {
            self.sharing_ns += late_ns;
        }
        if self.path.is_none_or(|(most_ns, ..)| ns > most_ns) {
            let is_item = stage.longest.ns >= 0.9 * stage.span_ns && stage.is_loop();
            let call = if is_item { stage.longest } else { Longest { ns: stage.span_ns, ..stage.outermost } };
            self.path = Some((ns, call, is_item));
        }
    }

    fn limit(&self, recording: &Recording, workers: usize) -> Limit {
        let most_ns =
            [self.serial_ns, self.spread_ns, self.path_ns, self.sharing_ns].into_iter().fold(0.0, f64::max);
        let site = |call: usize| recording.sites()[recording.calls()[call].site].clone();
        if workers == 1 || most_ns == self.spread_ns {
            return Limit::Work;
        }
        if most_ns == self.serial_ns {
            return Limit::Serial { time: duration(self.serial_ns) };
        }
        match self.path {
            Some((_, longest, is_item)) if most_ns == self.path_ns => {
                let (time, site) = (duration(longest.ns), site(longest.call));
                match is_item {
                    true => Limit::Item { time, item: longest.item, site },
                    false => Limit::Path { time, site },
                }
            }
            _ => Limit::Sharing,
        }
    }
}
