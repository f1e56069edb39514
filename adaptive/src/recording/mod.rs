//! What a program did in parallel and how long each part of it took, as a tree that can be replayed
//! on other numbers of workers.

#[cfg(feature = "record")]
mod file;
mod measure;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

pub(crate) use self::measure::{Longest, Measures, Path};
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
    workers: usize,
    wall_ns: u64,
    waited: Waited,
    left_out: u64,
    sites: Vec<String>,
    calls: Vec<Call>,
}

/// How the parts of a [`Call`] belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallKind {
    /// The whole, which has one part: what the thread did whose work was recorded.
    Program,
    /// A parallel loop, whose parts are runs of neighbouring items.
    Loop,
    /// The two closures of a join.
    Join,
    /// A scope, which has one part. It is over when that and all tasks in it are.
    Scope,
    /// A task, which has one part. It goes on beside what its spawner does from here on.
    Task,
    /// What several threads from outside did at the same time.
    Beside,
}

/// A parallel call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// What it is.
    pub kind: CallKind,
    /// Where it is in the program, by its number in [`Recording::sites`].
    pub site: usize,
    /// What an item takes, in nanoseconds, as earlier calls had taught when it began.
    pub expected_ns: Option<f64>,
    /// What may run at once, in the order of [`Part::first`].
    pub parts: Vec<Part>,
}

/// What one worker did of a [`Call`] without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The number of its first item.
    pub first: u64,
    /// How many items it has, at least one.
    pub items: u64,
    /// What it took up to the first call in it, or all of it.
    pub ns: u64,
    /// The calls in it, by their number in [`Recording::calls`], each with what the part took
    /// between that call and the next.
    pub calls: Vec<(usize, u64)>,
}

/// What items waited for anything but a processor, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waited {
    /// The time of items whose processor time is known.
    pub of_ns: u64,
    /// As much of that as was no processor time.
    pub ns: u64,
    /// As much of `ns` as others had the processor for, as far as the system tells.
    pub preempted_ns: u64,
}

impl Call {
    /// A call of these parts.
    #[must_use]
    pub fn new(kind: CallKind, site: usize, parts: Vec<Part>) -> Self {
        Call { kind, site, expected_ns: None, parts }
    }

    /// Whether nothing in it calls anything.
    pub(crate) fn is_flat(&self) -> bool {
        self.parts.iter().all(|part| part.calls.is_empty())
    }
}

impl Part {
    /// `items` items from `first` on that took `ns` nanoseconds and called nothing.
    #[must_use]
    pub fn new(first: u64, items: u64, ns: u64) -> Self {
        Part { first, items, ns, calls: Vec::new() }
    }

    /// The same part with calls in it.
    #[must_use]
    pub fn with_calls(mut self, calls: Vec<(usize, u64)>) -> Self {
        self.calls = calls;
        self
    }
}

impl Waited {
    /// Of items that took `of_ns`, `ns` were no processor time.
    #[must_use]
    pub fn new(of_ns: u64, ns: u64, preempted_ns: u64) -> Self {
        Waited { of_ns, ns, preempted_ns }
    }
}

impl Recording {
    /// A recording of `calls` on `workers` workers, which took `wall_ns` nanoseconds.
    ///
    /// The first call is the program; each other is in a part of one that comes before it.
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
    /// When the calls are no such tree, when a part has no items or those of another, when a site
    /// has no name, when an expected time is not finite, and without workers.
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

    /// A loop of items that took so long, in nanoseconds, one after the other on one worker.
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

    /// Says what of the time in items was no processor time.
    #[must_use]
    pub fn with_waited(mut self, waited: Waited) -> Self {
        self.waited = waited;
        self
    }

    /// Says how many calls are missing for want of room; their time is that of what they were in.
    #[must_use]
    pub fn with_left_out(mut self, calls: u64) -> Self {
        self.left_out = calls;
        self
    }

    /// On how many workers it was recorded.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// How long all of it took then, by the clock on the wall.
    #[must_use]
    pub fn wall_time(&self) -> Duration {
        Duration::from_nanos(self.wall_ns)
    }

    /// What items waited for.
    #[must_use]
    pub fn waited(&self) -> Waited {
        self.waited
    }

    /// How many calls are missing for want of room. Their time counts as that of what they were in.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The names of places in the program.
    #[must_use]
    pub fn sites(&self) -> &[String] {
        &self.sites
    }

    /// All calls, each before those in it. The first is the program.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// What one worker has to do, if nothing else takes time.
    #[must_use]
    pub fn work(&self) -> Duration {
        nanoseconds(Measures::of(self).calls[0].work_ns)
    }

    /// What takes as long on any number of workers: the longest path through the program. Each item
    /// of a loop may run beside the others.
    #[must_use]
    pub fn span(&self) -> Duration {
        nanoseconds(Measures::of(self).calls[0].span_ns)
    }

    /// What no worker but the first can do: what is in no parallel call.
    #[must_use]
    pub fn serial(&self) -> Duration {
        nanoseconds(self.serial_ns())
    }

    pub(crate) fn serial_ns(&self) -> f64 {
        let program = &self.calls[0].parts[0];
        // What comes after the first task may run beside that.
        let is_task = |&(call, _): &(usize, u64)| self.calls[call].kind == CallKind::Task;
        let alone = program.calls.iter().position(is_task).unwrap_or(program.calls.len());
        // From the end, as the work is summed up: so it is never more than that.
        let after = program.calls[..alone].iter().rev().fold(0.0, |sum, &(_, ns)| sum + ns as f64);
        after + program.ns as f64
    }

    /// Predicts how long the same takes on other numbers of workers, and what limits it, by the
    /// scheduler that the crate `taskel` has ([`Simulation::taskel`](crate::simulate::Simulation::taskel)).
    ///
    /// Numbers are taken for 1 if they are 0, and for 4096 if they are larger. Workers are taken to
    /// be equal, and items to take as long as when they were recorded: what they cost each other by
    /// sharing caches, memory or a lock is not in it.
    ///
    /// Takes up to some tenths of a second for each number.
    #[must_use]
    pub fn scaling(&self, workers: impl IntoIterator<Item = usize>) -> Scaling {
        Scaling::of(self, workers)
    }

    /// What `from_json` and `new` are given may be anything.
    fn check(&self) -> Result<(), RecordingError> {
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
pub struct RecordingError(String);

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for RecordingError {}
