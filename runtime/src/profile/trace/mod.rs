//! A profile as a trace, for Perfetto and whatever else reads Chrome's [trace events].
//!
//! The trace is an array of events, in the order of time. There is no `displayTimeUnit`, which some
//! versions of Perfetto take for the unit of all times.
//!
//! [trace events]: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU

pub(super) mod spell;

use std::cmp::Reverse;
use std::io::{self, Write};

use taskel_adaptive::recording::CallKind;
use write_json::Array;

use self::spell::{metadata, name};
use super::calls::CallRecord;
use super::nesting::{Extent, nested};
use super::recorder::{Chunks, Parts, Sleeps, Steals};
use super::timeline::{Event, Weight, fitting};
use super::{Profile, WorkerProfile, share};

/// Not 0, which is the idle process to Perfetto. The row with this `tid` is the main thread, which
/// is shown first.
const PID: usize = 1;
const FIRST_WORKER: usize = PID + 1;

/// At some 150 bytes a slice, 350 a mark with its arrow, 300 a sleep and its end, 250 a call and 90 a
/// sample, they make a file of less than 10 MB.
const MOST_SLICES: usize = 28_000;
const MOST_MARKS: usize = 5_000;
const MOST_SLEEPS: usize = 3_000;
const MOST_PARTS: usize = 4_000;
const MOST_CALLS: usize = 4_000;
const LONGEST_NAME: usize = 200;
const MOST_SAMPLES: u64 = 4096;

impl Profile {
    /// Writes the profile as a trace for [Perfetto](https://ui.perfetto.dev), in Chrome's JSON
    /// format. Needs the feature `trace`.
    ///
    /// There is a row for the whole, whose slice has the sums, and one for each worker, which
    /// begins with the worker's own. Slices are chunks; closures of joins and scopes, and tasks; and,
    /// around them, the loops, joins and scopes that were called there, by their places in the
    /// program. Marks are steals, of which some are cuts (the rest of a chunk that had begun), with
    /// an arrow from what the other worker was doing, and where a worker goes to sleep (`park`)
    /// and wakes up (`wake-up`). A counter tells how many workers were busy. Times are in microseconds
    /// since the profile began, and what lies outside of its time is moved to its ends.
    ///
    /// What is too much is merged: a slice named `chunks` stands for several
    /// neighbours, says how many they are, and lasts longer than they by the gaps between them
    /// (`busy_us` is without). Of calls, the 4000 longest are shown. The first slice says how many of
    /// each kind there are, and how many are merged or left out. The trace stays
    /// below 10 MB for up to a thousand workers. Chunks inside of a chunk, or of a closure of a join,
    /// are counted only.
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
    sleeps: Vec<Vec<Event<Sleeps>>>,
    parts: Vec<Vec<Event<Parts>>>,
    calls: Vec<Vec<&'p CallRecord>>,
}

/// An event of the trace, before it is spelled out. Rows are the indices of workers.
#[derive(Clone, Copy)]
struct Entry<'p> {
    at_ns: u64,
    what: What<'p>,
}

#[derive(Clone, Copy)]
enum What<'p> {
    Whole,
    Totals { row: usize },
    Mark { row: usize, steals: Steals },
    Park { row: usize, sleeps: Sleeps },
    WakeUp { row: usize, asleep_ns: u64 },
    Call { row: usize, ns: u64, call: &'p CallRecord },
    Part { row: usize, ns: u64, parts: Parts },
    Slice { row: usize, ns: u64, chunks: Chunks },
    ArrowFrom { row: usize, id: usize },
    ArrowTo { row: usize, id: usize },
    Busy(f64),
}

impl What<'_> {
    /// Of what happens at the same time, what contains comes before what is contained, but what takes
    /// no time first; a mark before the chunk that was stolen, and both ends of an arrow after the
    /// slices that it joins.
    fn order(&self) -> (u8, Reverse<u64>) {
        match *self {
            What::Whole | What::Totals { .. } => (0, Reverse(0)),
            What::Mark { .. } | What::Park { .. } | What::WakeUp { .. } => (1, Reverse(0)),
            What::Call { ns: 0, .. } | What::Part { ns: 0, .. } | What::Slice { ns: 0, .. } => {
                (2, Reverse(u64::MAX))
            }
            What::Call { ns, .. } | What::Part { ns, .. } | What::Slice { ns, .. } => (2, Reverse(ns)),
            What::ArrowFrom { .. } | What::ArrowTo { .. } => (3, Reverse(0)),
            What::Busy(_) => (4, Reverse(0)),
        }
    }
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
        let sleeps = fitting(MOST_SLEEPS, 0.0, |resolution_ns| {
            workers.iter().map(|worker| worker.record.sleeps.merged(resolution_ns)).collect()
        });
        let parts = fitting(MOST_PARTS, 0.0, |resolution_ns| {
            workers.iter().map(|worker| worker.record.outer.merged(resolution_ns)).collect()
        });
        let calls = longest_calls(workers);
        let mut trace = Trace { profile, slices, marks, sleeps, parts, calls };
        trace.leave_out_what_overlaps();
        trace
    }

    fn leave_out_what_overlaps(&mut self) {
        for (row, slices) in self.slices.iter().enumerate() {
            let chunks = extents(slices);
            let parts = &mut self.parts[row];
            *parts = nested(&extents(parts), &chunks).into_iter().map(|part| parts[part]).collect();
            let mut fixed: Vec<Extent> = chunks.into_iter().chain(extents(parts)).collect();
            // Of those inside of others, the outer ones decide.
            fixed.sort_by_key(|&(start_ns, end_ns)| (start_ns, Reverse(end_ns)));
            let mut outer: Vec<Extent> = Vec::new();
            for extent in fixed {
                if outer.last().is_none_or(|&(_, end_ns)| extent.0 >= end_ns) {
                    outer.push(extent);
                }
            }
            let calls = &mut self.calls[row];
            let times: Vec<Extent> = calls.iter().map(|call| (call.start_ns, call.end_ns)).collect();
            *calls = nested(&times, &outer).into_iter().map(|call| calls[call]).collect();
        }
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

    /// In the order of time.
    fn entries(&self) -> Vec<Entry<'p>> {
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
        self.add_calls(&mut entries);
        self.add_sleeps(&mut entries);
        self.add_arrows(&mut entries);
        self.add_samples(&mut entries);
        entries.sort_by_key(|entry| (entry.at_ns, entry.what.order()));
        entries
    }

    fn add_calls(&self, entries: &mut Vec<Entry<'p>>) {
        for (row, calls) in self.calls.iter().enumerate() {
            entries.extend(calls.iter().map(|&call| {
                let at_ns = self.since_start(call.start_ns);
                let ns = self.since_start(call.end_ns) - at_ns;
                Entry { at_ns, what: What::Call { row, ns, call } }
            }));
        }
        for (row, parts) in self.parts.iter().enumerate() {
            entries.extend(parts.iter().map(|part| {
                let at_ns = self.since_start(part.start_ns);
                let ns = self.since_start(part.end_ns) - at_ns;
                Entry { at_ns, what: What::Part { row, ns, parts: part.weight } }
            }));
        }
    }

    fn add_sleeps(&self, entries: &mut Vec<Entry<'p>>) {
        for (row, sleeps) in self.sleeps.iter().enumerate() {
            for &Event { start_ns, end_ns, weight: sleeps } in sleeps {
                let (at_ns, until_ns) = (self.since_start(start_ns), self.since_start(end_ns));
                if start_ns >= self.profile.start_ns {
                    entries.push(Entry { at_ns, what: What::Park { row, sleeps } });
                }
                if until_ns < self.profile.wall_ns {
                    let what = What::WakeUp { row, asleep_ns: until_ns - at_ns };
                    entries.push(Entry { at_ns: until_ns, what });
                }
            }
        }
    }

    /// From what the victim was doing to the thief's first chunk. An arrow without a slice at
    /// either end is an error to Perfetto.
    fn add_arrows(&self, entries: &mut Vec<Entry<'p>>) {
        let workers = &self.profile.workers;
        let mut id = 0;
        for (thief, marks) in self.marks.iter().enumerate() {
            for mark in marks {
                let Some(victim) = workers.iter().position(|worker| worker.is_lane(mark.weight.victim))
                else {
                    continue;
                };
                let is_busy = |&row: &usize| {
                    let at_ns = mark.start_ns;
                    has_slice_at(&self.slices[row], at_ns) || has_slice_at(&self.parts[row], at_ns)
                };
                if [victim, thief].iter().all(is_busy) {
                    let at_ns = self.since_start(mark.start_ns);
                    entries.push(Entry { at_ns, what: What::ArrowFrom { row: victim, id } });
                    entries.push(Entry { at_ns, what: What::ArrowTo { row: thief, id } });
                    id += 1;
                }
            }
        }
    }

    /// How many workers were busy, on average over each of many equal parts of the time.
    fn add_samples(&self, entries: &mut Vec<Entry<'p>>) {
        let wall_ns = self.profile.wall_ns;
        let parts = wall_ns.min(MOST_SAMPLES);
        if parts == 0 {
            return;
        }
        let part_ns = wall_ns as f64 / parts as f64;
        let mut busy_ns = vec![0.0; parts as usize];
        let chunks = self.slices.iter().flatten().map(|it| (it.start_ns, it.end_ns, it.weight.busy_ns));
        let parts = self.parts.iter().flatten().map(|it| (it.start_ns, it.end_ns, it.weight.busy_ns));
        for (start_ns, end_ns, of_ns) in chunks.chain(parts) {
            let [start, end] = [start_ns, end_ns].map(|ns| self.since_start(ns) as f64);
            let density = share(of_ns, end_ns - start_ns).min(1.0);
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
}

/// Tasks begin where they are spawned, and run elsewhere.
fn is_shown(call: &CallRecord) -> bool {
    call.head.kind != CallKind::Task
}

/// The calls of each row, and of all rows no more than the longest.
fn longest_calls(workers: &[WorkerProfile]) -> Vec<Vec<&CallRecord>> {
    let mut all: Vec<(usize, &CallRecord)> = Vec::new();
    for (row, worker) in workers.iter().enumerate() {
        let calls = worker.logs().flat_map(|log| &log.calls).filter(|call| is_shown(call));
        all.extend(calls.map(|call| (row, call)));
    }
    all.sort_by_key(|(_, call)| Reverse(call.end_ns.saturating_sub(call.start_ns)));
    all.truncate(MOST_CALLS);
    let mut rows = vec![Vec::new(); workers.len()];
    for (row, call) in all {
        if call.end_ns >= call.start_ns {
            rows[row].push(call);
        }
    }
    rows
}

fn extents<W: Weight>(events: &[Event<W>]) -> Vec<Extent> {
    events.iter().map(|event| (event.start_ns, event.end_ns)).collect()
}

/// Whether one of them, which come in the order of time, has begun by then and has not ended
/// before.
fn has_slice_at<W>(slices: &[Event<W>], at_ns: u64) -> bool {
    let begun = slices.partition_point(|slice| slice.start_ns <= at_ns);
    begun > 0 && slices[begun - 1].end_ns >= at_ns
}
