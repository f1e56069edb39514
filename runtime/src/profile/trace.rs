//! A profile as a trace, for Perfetto and whatever else reads Chrome's [trace events].
//!
//! The trace is an array of events, in the order of time. There is no `displayTimeUnit`, which some
//! versions of Perfetto take for the unit of all times.
//!
//! [trace events]: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU

use std::io::{self, Write};

use write_json::{Array, Object};

use super::recorder::{Chunks, Steals};
use super::timeline::{Event, fitting};
use super::{Profile, WorkerProfile, share};

/// Not 0, which is the idle process to Perfetto. The row with this `tid` is the main thread, which
/// is shown first.
const PID: usize = 1;
const FIRST_WORKER: usize = PID + 1;

/// At some 150 bytes a slice, some 350 a mark with its arrow and some 90 a sample, they make a file
/// of less than 10 MB.
const MOST_SLICES: usize = 40_000;
const MOST_MARKS: usize = 8_000;
const MOST_SAMPLES: u64 = 4096;

impl Profile {
    /// Writes the profile as a trace for [Perfetto](https://ui.perfetto.dev), in Chrome's JSON
    /// format. Needs the feature `trace`.
    ///
    /// There is a row for the whole, whose slice has the sums, and one for each worker, which
    /// begins with the worker's own. A slice is a chunk, a mark a steal, with an arrow from what
    /// the other worker was doing; a counter tells how many workers were busy. Times are in
    /// microseconds since the profile began, and what lies outside of its time is moved to its
    /// ends.
    ///
    /// What is too much is merged, not dropped: a slice named `chunks` stands for several
    /// neighbours, says how many they are, and lasts longer than they by the gaps between them
    /// (`busy_us` is without). The first slice says how many of its kind there are. The trace stays
    /// below 10 MB for up to a thousand workers. Chunks of a loop inside of a chunk are counted
    /// only.
    ///
    /// Memory is proportional to the number of chunks and steals, up to the 65,536 of each that a
    /// profile keeps for each worker; so is time, but where they are merged, it is up to some dozen
    /// times as long.
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let pool = taskel::ThreadPool::new()?;
    /// let ((), profile) = pool.profile(|| (0..1000).into_par_iter().for_each(|_| ()));
    /// let mut trace = Vec::new(); // or a file
    /// profile.write_trace(&mut trace)?;
    /// assert!(trace.starts_with(b"[{"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `out` reports. There may be part of a trace in it then.
    pub fn write_trace(&self, mut out: impl Write) -> io::Result<()> {
        let mut text = String::new();
        Trace::new(self).write(&mut write_json::array(&mut text));
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

/// What there is to write.
struct Trace<'p> {
    profile: &'p Profile,
    /// By worker, as many as fit.
    slices: Vec<Vec<Event<Chunks>>>,
    marks: Vec<Vec<Event<Steals>>>,
}

/// An event of the trace, before it is spelled out. Rows are the indices of workers.
#[derive(Clone, Copy)]
struct Entry {
    at_ns: u64,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Whole,
    Totals { row: usize },
    Mark { row: usize, steals: Steals },
    Slice { row: usize, ns: u64, chunks: Chunks },
    ArrowFrom { row: usize, id: usize },
    ArrowTo { row: usize, id: usize },
    Busy(f64),
}

impl<'p> Trace<'p> {
    fn new(profile: &'p Profile) -> Self {
        let workers = &profile.workers;
        let slices = fitting(MOST_SLICES, 0.0, |resolution_ns| {
            workers.iter().map(|worker| worker.record.spans.merged(resolution_ns)).collect()
        });
        let marks = fitting(MOST_MARKS, 0.0, |resolution_ns| {
            workers.iter().map(|worker| worker.record.steals.merged(resolution_ns)).collect()
        });
        Trace { profile, slices, marks }
    }

    fn write(&self, events: &mut Array<'_>) {
        name(events, "process_name", PID, "taskel");
        name(events, "thread_name", PID, "profile");
        for (row, worker) in self.profile.workers.iter().enumerate() {
            let tid = FIRST_WORKER + row;
            name(events, "thread_name", tid, &worker.label);
            metadata(events, "thread_sort_index", tid).object("args").number("sort_index", tid as f64);
        }
        self.entries().into_iter().for_each(|entry| self.spell_out(entry, events));
    }

    /// In the order of time. Of what happens at the same time, what contains comes before what is
    /// contained, a mark before the chunk that was stolen, and both ends of an arrow after the
    /// slices that it joins.
    fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![Entry { at_ns: 0, what: What::Whole }];
        let rows = self.profile.workers.iter().enumerate();
        entries.extend(rows.map(|(row, _)| Entry { at_ns: 0, what: What::Totals { row } }));
        for (row, marks) in self.marks.iter().enumerate() {
            entries.extend(marks.iter().map(|mark| Entry {
                at_ns: self.since_start(mark.start_ns),
                what: What::Mark { row, steals: mark.weight },
            }));
        }
        for (row, slices) in self.slices.iter().enumerate() {
            entries.extend(slices.iter().map(|slice| {
                let at_ns = self.since_start(slice.start_ns);
                let ns = self.since_start(slice.end_ns) - at_ns;
                Entry { at_ns, what: What::Slice { row, ns, chunks: slice.weight } }
            }));
        }
        self.add_arrows(&mut entries);
        self.add_samples(&mut entries);
        entries.sort_by_key(|entry| entry.at_ns);
        entries
    }

    /// From what the victim was doing to the thief's first chunk. An arrow without a slice at
    /// either end is an error to Perfetto.
    fn add_arrows(&self, entries: &mut Vec<Entry>) {
        let workers = &self.profile.workers;
        let mut id = 0;
        for (thief, marks) in self.marks.iter().enumerate() {
            for mark in marks {
                let Some(victim) = workers.iter().position(|worker| worker.lane == mark.weight.victim) else {
                    continue;
                };
                if [victim, thief].iter().all(|&row| has_slice_at(&self.slices[row], mark.start_ns)) {
                    let at_ns = self.since_start(mark.start_ns);
                    entries.push(Entry { at_ns, what: What::ArrowFrom { row: victim, id } });
                    entries.push(Entry { at_ns, what: What::ArrowTo { row: thief, id } });
                    id += 1;
                }
            }
        }
    }

    /// How many workers were busy, on average over each of many equal parts of the time.
    fn add_samples(&self, entries: &mut Vec<Entry>) {
        let wall_ns = self.profile.wall_ns;
        let parts = wall_ns.min(MOST_SAMPLES);
        if parts == 0 {
            return;
        }
        let part_ns = wall_ns as f64 / parts as f64;
        let mut busy_ns = vec![0.0; parts as usize];
        for slice in self.slices.iter().flatten() {
            let [start, end] = [slice.start_ns, slice.end_ns].map(|ns| self.since_start(ns) as f64);
            let density = share(slice.weight.busy_ns, slice.end_ns - slice.start_ns).min(1.0);
            let [first, last] = [start, end].map(|ns| ((ns / part_ns) as usize).min(busy_ns.len() - 1));
            for (part, busy_ns) in (first..=last).zip(&mut busy_ns[first..=last]) {
                let left = part as f64 * part_ns;
                let overlap = end.min(left + part_ns) - start.max(left);
                *busy_ns += overlap.max(0.0) * density;
            }
        }
        let mut shown = None;
        for (part, busy_ns) in busy_ns.into_iter().enumerate() {
            let busy = (busy_ns / part_ns * 1e3).round() / 1e3;
            if shown != Some(busy) {
                shown = Some(busy);
                entries.push(Entry { at_ns: (part as f64 * part_ns) as u64, what: What::Busy(busy) });
            }
        }
        entries.push(Entry { at_ns: wall_ns, what: What::Busy(0.0) });
    }

    /// Moved into the profiled stretch if it lies outside.
    fn since_start(&self, ns: u64) -> u64 {
        ns.saturating_sub(self.profile.start_ns).min(self.profile.wall_ns)
    }

    fn spell_out(&self, Entry { at_ns, what }: Entry, events: &mut Array<'_>) {
        match what {
            What::Whole => {
                let mut event = begin(events, "X", &self.profile.summary(), "profile", None, at_ns);
                event.number("dur", us(self.profile.wall_ns));
                self.add_sums(event.object("args"));
            }
            What::Totals { row } => {
                let mut event = begin(events, "i", "totals", "worker", Some(row), at_ns);
                event.string("s", "t");
                add_totals(event.object("args"), &self.profile.workers[row]);
            }
            What::Mark { row, steals: Steals { victim, steals } } => {
                let victim = self.profile.workers.iter().find(|worker| worker.lane == victim);
                let victim = victim.map_or("another", |worker| &worker.label);
                let mut event =
                    begin(events, "i", plural("steal", "steals", steals), "steal", Some(row), at_ns);
                event.string("s", "t").object("args").string("from", victim).number("steals", steals as f64);
            }
            What::Slice { row, ns, chunks: Chunks { busy_ns, chunks, taskels } } => {
                let mut event =
                    begin(events, "X", plural("chunk", "chunks", chunks), "chunk", Some(row), at_ns);
                event.number("dur", us(ns));
                let mut args = event.object("args");
                args.number("taskels", taskels as f64)
                    .number("chunks", chunks as f64)
                    .number("busy_us", us(busy_ns));
            }
            What::ArrowFrom { row, id } => {
                begin(events, "s", "steal", "steal", Some(row), at_ns).number("id", id as f64);
            }
            What::ArrowTo { row, id } => {
                begin(events, "f", "steal", "steal", Some(row), at_ns)
                    .number("id", id as f64)
                    .string("bp", "e");
            }
            What::Busy(busy) => {
                begin(events, "C", "workers", "profile", None, at_ns).object("args").number("busy", busy);
            }
        }
    }

    /// Of the whole profile, and what stands for what in the trace.
    fn add_sums(&self, mut args: Object<'_>) {
        let profile = self.profile;
        let chunks = self.slices.iter().flatten().map(|slice| slice.weight.chunks);
        let steals = self.marks.iter().flatten().map(|mark| mark.weight.steals);
        let inside = profile.chunks().saturating_sub(chunks.clone().sum());
        args.number("threads", profile.threads as f64)
            .number("taskels", profile.taskels() as f64)
            .number("busy_us", us(profile.busy_ns()))
            .number("longest_taskel_us", profile.longest_taskel().as_nanos() as f64 / 1e3);
        let mut object = args.object("chunks");
        object.number("all", profile.chunks() as f64).number("inside_of_others_and_not_shown", inside as f64);
        add_merged(object, "slices", chunks);
        let mut object = args.object("steals");
        object.number("all", steals.clone().sum::<u64>() as f64);
        add_merged(object, "marks", steals);
    }
}

/// How many things are shown as how many `shown`, and how many of these stand for several.
fn add_merged(mut object: Object<'_>, shown: &str, weights: impl Iterator<Item = u64> + Clone) {
    let several = weights.clone().filter(|&weight| weight > 1);
    object
        .number("merged", several.clone().sum::<u64>() as f64)
        .number(shown, weights.count() as f64)
        .number(&format!("{shown}_that_are_merged"), several.count() as f64);
}

fn add_totals(mut args: Object<'_>, worker: &WorkerProfile) {
    let (record, counters) = (&worker.record, &worker.counters);
    args.number("busy_us", us(record.busy_ns))
        .number("taskels", record.taskels as f64)
        .number("chunks", record.chunks as f64)
        .number("steals", counters.steals_won as f64)
        .number("steals_tried", counters.steals_tried as f64)
        .number("wake_ups", counters.wakeups as f64)
        .number("parks", counters.parks as f64)
        .number("held_back_us", counters.held_back.as_nanos() as f64 / 1e3);
}

/// Begins an event in the row of a worker, or of the whole profile.
fn begin<'e>(
    events: &'e mut Array<'_>,
    phase: &str,
    name: &str,
    category: &str,
    row: Option<usize>,
    at_ns: u64,
) -> Object<'e> {
    let tid = row.map_or(PID, |row| FIRST_WORKER + row);
    let mut event = events.object();
    event.string("ph", phase).string("cat", category).string("name", name);
    event.number("pid", PID as f64).number("tid", tid as f64).number("ts", us(at_ns));
    event
}

fn metadata<'e>(events: &'e mut Array<'_>, what: &str, tid: usize) -> Object<'e> {
    let mut event = events.object();
    event.string("ph", "M").string("name", what).number("pid", PID as f64).number("tid", tid as f64);
    event
}

fn name(events: &mut Array<'_>, what: &str, tid: usize, name: &str) {
    metadata(events, what, tid).object("args").string("name", name);
}

fn plural(one: &'static str, several: &'static str, n: u64) -> &'static str {
    if n == 1 { one } else { several }
}

/// Whether one of them, which come in the order of time, has begun by then and has not ended
/// before.
fn has_slice_at(slices: &[Event<Chunks>], at_ns: u64) -> bool {
    let begun = slices.partition_point(|slice| slice.start_ns <= at_ns);
    begun > 0 && slices[begun - 1].end_ns >= at_ns
}

/// In microseconds, of which Perfetto makes whole nanoseconds by cutting off the rest: it is never
/// a little less than it should be.
pub(super) fn us(ns: u64) -> f64 {
    let us = ns as f64 / 1e3;
    if us * 1e3 < ns as f64 { f64::from_bits(us.to_bits() + 1) } else { us }
}
