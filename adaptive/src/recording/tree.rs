//! The tree of calls, and what it must be.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::measure::Measures;
use super::{CallKind, Waited};
use crate::scaling::Scaling;

/// The work of a program, as it was recorded once: loops with the times of their items, joins,
/// scopes, and what lies between them.
///
/// `taskel`'s `Profile::recording` makes one of a run. With the feature `record`, `to_json` and
/// `from_json` carry it to another machine, where the example `replay` reads it:
///
/// ```sh
/// cargo run --release -p taskel-adaptive --example replay -- FILE --workers 64
/// ```
///
/// ```
/// use taskel_adaptive::recording::Recording;
///
/// // A loop of 100 items of 1 ms, recorded on one worker.
/// let recording = Recording::of_loop(&[1_000_000; 100]);
/// let scaling = recording.scaling([4, 200]);
/// let [four, many] = scaling.predictions() else { panic!("two") };
/// assert!((24.9..26.0).contains(&(four.time().as_secs_f64() * 1e3)));
/// assert!(many.speed_up() > 50.0);
/// println!("{scaling}");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub(super) workers: usize,
    pub(super) wall_ns: u64,
    pub(super) waited: Waited,
    pub(super) left_out: u64,
    pub(super) sites: Vec<String>,
    pub(super) calls: Vec<Call>,
}

/// A parallel call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// The kind of the call.
    pub kind: CallKind,
    /// Its place in the program, as an index of [`Recording::sites`].
    pub site: usize,
    /// The expected time of an item in nanoseconds, from earlier calls.
    pub expected_ns: Option<f64>,
    /// The parts that may run in parallel, ordered by [`Part::first`].
    pub parts: Vec<Part>,
}

/// A stretch of a [`Call`] that one worker ran without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The index of its first item.
    pub first: u64,
    /// How many items it has, at least one.
    pub items: u64,
    /// The time up to its first call, or its whole time if it has none.
    pub ns: u64,
    /// The calls in it, as indices of [`Recording::calls`]. Each comes with the time from its end
    /// to the next call.
    pub calls: Vec<(usize, u64)>,
}

impl Call {
    /// Creates a call with these parts.
    #[must_use]
    pub fn new(kind: CallKind, site: usize, parts: Vec<Part>) -> Self {
        Call { kind, site, expected_ns: None, parts }
    }

    /// Returns whether nothing in it calls anything.
    pub(crate) fn is_flat(&self) -> bool {
        self.parts.iter().all(|part| part.calls.is_empty())
    }
}

impl Part {
    /// Creates a part of `items` items from `first` on that took `ns` nanoseconds without calls.
    #[must_use]
    pub fn new(first: u64, items: u64, ns: u64) -> Self {
        Part { first, items, ns, calls: Vec::new() }
    }

    /// Adds calls to the part.
    #[must_use]
    pub fn with_calls(mut self, calls: Vec<(usize, u64)>) -> Self {
        self.calls = calls;
        self
    }
}

impl Recording {
    /// Creates a recording of `calls` on `workers` workers, which took `wall_ns` nanoseconds.
    ///
    /// The first call is the program. Each other call is in a part of an earlier one.
    ///
    /// ```
    /// use taskel_adaptive::recording::{Call, CallKind, Part, Recording};
    ///
    /// // 3 ms, then a join of 5 and 7 ms.
    /// let program = Call::new(CallKind::Program, 0, vec![Part::new(0, 1, 3_000_000).with_calls(vec![(1, 0)])]);
    /// let join = Call::new(CallKind::Join, 1, vec![Part::new(0, 1, 5_000_000), Part::new(1, 1, 7_000_000)]);
    /// let sites = vec!["main".to_owned(), "halves".to_owned()];
    /// let recording = Recording::new(1, 15_000_000, sites, vec![program, join])?;
    /// assert_eq!((recording.work().as_millis(), recording.span().as_millis()), (15, 10));
    /// # Ok::<(), taskel_adaptive::recording::RecordingError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the calls are not such a tree, if a part has no items or shares items
    /// with another part, if a site has no name, if an expected time is not finite, or if there are
    /// no workers.
    pub fn new(
        workers: usize,
        wall_ns: u64,
        sites: Vec<String>,
        calls: Vec<Call>,
    ) -> Result<Self, RecordingError> {
        let recording = Recording { workers, wall_ns, waited: Waited::default(), left_out: 0, sites, calls };
        recording.check()?;
        Ok(recording)
    }

    /// Creates a loop whose items took these times, in nanoseconds, one after the other on one
    /// worker.
    #[must_use]
    pub fn of_loop(times_ns: &[u64]) -> Self {
        let items = times_ns.iter().zip(0..).map(|(&ns, item)| Part::new(item, 1, ns));
        let program = Part::new(0, 1, 0).with_calls(alloc::vec![(1, 0)]);
        let calls = alloc::vec![
            Call::new(CallKind::Program, 0, alloc::vec![program]),
            Call::new(CallKind::Loop, 1, items.collect()),
        ];
        let wall_ns = times_ns.iter().fold(0, |sum: u64, &ns| sum.saturating_add(ns));
        let sites = ["program", "loop"].map(ToOwned::to_owned).into();
        Recording { workers: 1, wall_ns, waited: Waited::default(), left_out: 0, sites, calls }
    }

    /// Sets how much of the time in items was without a processor.
    #[must_use]
    pub fn with_waited(mut self, waited: Waited) -> Self {
        self.waited = waited;
        self
    }

    /// Sets how many calls did not fit into the recording. Their time counts for the calls around
    /// them.
    #[must_use]
    pub fn with_left_out(mut self, calls: u64) -> Self {
        self.left_out = calls;
        self
    }

    /// Returns the number of workers of the recorded run.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Returns the wall-clock time of the recorded run.
    #[must_use]
    pub fn wall_time(&self) -> Duration {
        Duration::from_nanos(self.wall_ns)
    }

    /// Returns how long items waited.
    #[must_use]
    pub fn waited(&self) -> Waited {
        self.waited
    }

    /// Returns how many calls did not fit into the recording. Their time counts for the calls
    /// around them.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Returns the names of the places in the program.
    #[must_use]
    pub fn sites(&self) -> &[String] {
        &self.sites
    }

    /// Returns all calls. Each comes before the calls inside it. The first is the program.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Returns the time that one worker needs, without overhead.
    #[must_use]
    pub fn work(&self) -> Duration {
        nanoseconds(Measures::of(self).calls[0].work_ns)
    }

    /// Returns the longest path through the program, which takes as long on any number of workers.
    /// The items of a loop may run in parallel.
    #[must_use]
    pub fn span(&self) -> Duration {
        nanoseconds(Measures::of(self).calls[0].span_ns)
    }

    /// Returns the time outside of parallel calls, which only the first worker can run.
    #[must_use]
    pub fn serial(&self) -> Duration {
        nanoseconds(self.serial_ns())
    }

    pub(crate) fn serial_ns(&self) -> f64 {
        let program = &self.calls[0].parts[0];
        // What follows the first task may run in parallel with it.
        let is_task = |&(call, _): &(usize, u64)| self.calls[call].kind == CallKind::Task;
        let alone = program.calls.iter().position(is_task).unwrap_or(program.calls.len());
        // From the end, in the order in which the work is summed up. So this never exceeds the
        // work.
        let after = program.calls[..alone].iter().rev().fold(0.0, |sum, &(_, ns)| sum + ns as f64);
        after + program.ns as f64
    }

    /// Predicts how long the program takes on other numbers of workers, and what limits it, with
    /// the scheduler of the crate `taskel`
    /// ([`Simulation::taskel`](crate::simulate::Simulation::taskel)).
    ///
    /// 0 workers count as 1, and more than 4096 count as 4096. Workers are assumed to be equal.
    /// Items are assumed to take as long as recorded: the cost of sharing caches, memory or a lock
    /// is not modelled.
    ///
    /// Takes up to some tenths of a second per number.
    #[must_use]
    pub fn scaling(&self, workers: impl IntoIterator<Item = usize>) -> Scaling {
        Scaling::of(self, workers)
    }

    /// The input of `from_json` and `new` may be invalid.
    pub(super) fn check(&self) -> Result<(), RecordingError> {
        let wrong = |what: &str, at: usize| Err(RecordingError(alloc::format!("{what} (call {at})")));
        if self.workers == 0 {
            return Err(RecordingError("expected at least one worker, found 0".to_owned()));
        }
        if self.calls.is_empty() {
            return Err(RecordingError("expected a program, found no calls".to_owned()));
        }
        let mut is_called = alloc::vec![false; self.calls.len()];
        is_called[0] = true;
        for (at, call) in self.calls.iter().enumerate() {
            if (call.kind == CallKind::Program) != (at == 0) {
                return wrong("expected the program to be the first call, and no other", at);
            }
            let fits = match call.kind {
                CallKind::Program | CallKind::Scope | CallKind::Task => call.parts.len() == 1,
                CallKind::Join => call.parts.len() == 2,
                CallKind::Loop | CallKind::Beside => true,
            };
            if !fits {
                return wrong("expected two parts of a join, and one of a program, scope or task", at);
            }
            if call.site >= self.sites.len() {
                return wrong("expected the number of a site, found one beyond the last", at);
            }
            if call.expected_ns.is_some_and(|ns| !(ns.is_finite() && ns >= 0.0)) {
                return wrong("expected a finite time of at least 0 ns for an item", at);
            }
            let mut end = 0;
            for part in &call.parts {
                if part.items == 0 || part.first < end {
                    return wrong("expected parts of one item or more, in the order of items", at);
                }
                let Some(next) = part.first.checked_add(part.items) else {
                    return wrong("expected items up to 2^64", at);
                };
                end = next;
                for &(inner, _) in &part.calls {
                    let Some(seen) = is_called.get_mut(inner).filter(|_| inner > at) else {
                        return wrong("expected the calls of a part behind its own", at);
                    };
                    if core::mem::replace(seen, true) {
                        return wrong("expected each call in one part, found one in two", at);
                    }
                }
            }
        }
        match is_called.iter().position(|seen| !seen) {
            Some(at) => wrong("expected each call in a part, found one in none", at),
            None => Ok(()),
        }
    }
}

fn nanoseconds(ns: f64) -> Duration {
    // As a cast rounds towards 0 and saturates.
    Duration::from_nanos((ns + 0.5) as u64)
}

/// Why something is no recording; its `Display` says what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError(pub(super) String);

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for RecordingError {}
