//! The events of a trace, as JSON.

use taskel_adaptive::recording::CallKind;
use write_json::{Array, Object};

use super::super::WorkerProfile;
use super::super::recorder::{Chunks, Parts, Sleeps, Steals};
use super::{Entry, FIRST_WORKER, LONGEST_NAME, PID, Trace, What, is_shown};

impl Trace<'_> {
    pub(super) fn spell_out(&self, Entry { at_ns, what }: Entry<'_>, events: &mut Array<'_>) {
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
            What::Mark { row, steals: Steals { victim, steals, cuts } } => {
                let name = match (steals, cuts) {
                    (1, 1) => "cut",
                    _ => plural("steal", "steals", steals),
                };
                let victim = self.profile.workers.iter().find(|worker| worker.is_lane(victim));
                let victim = victim.map_or("another", |worker| &worker.label);
                let mut event = begin(events, "i", name, "steal", Some(row), at_ns);
                let mut args = event.string("s", "t").object("args");
                args.string("from", victim).number("steals", steals as f64).number("cuts", cuts as f64);
            }
            What::Park { row, sleeps: Sleeps { sleeps } } => {
                let name = plural("park", "parks", sleeps);
                let mut event = begin(events, "i", name, "sleep", Some(row), at_ns);
                event.string("s", "t").object("args").number("parks", sleeps as f64);
            }
            What::WakeUp { row, asleep_ns } => {
                let mut event = begin(events, "i", "wake-up", "sleep", Some(row), at_ns);
                event.string("s", "t").object("args").number("since_park_us", us(asleep_ns));
            }
            What::Call { row, ns, call } => {
                let kind = kind_name(call.head.kind);
                let site: String = call.head.site.name().chars().take(LONGEST_NAME).collect();
                let mut event = begin(events, "X", &format!("{kind} {site}"), "call", Some(row), at_ns);
                event.number("dur", us(ns)).object("args").string("kind", kind);
            }
            What::Part { row, ns, parts: Parts { busy_ns, parts } } => {
                let name = plural("closure of a join or scope", "closures of joins or scopes", parts);
                let mut event = begin(events, "X", name, "part", Some(row), at_ns);
                let mut args = event.number("dur", us(ns)).object("args");
                args.number("closures", parts as f64).number("busy_us", us(busy_ns));
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
        let sleeps = self.sleeps.iter().flatten().map(|sleep| sleep.weight.sleeps);
        add_merged(args.object("sleeps"), "marks", sleeps);
        let logs = profile.workers.iter().flat_map(|worker| worker.logs());
        let calls: usize = logs.map(|log| log.calls.iter().filter(|call| is_shown(call)).count()).sum();
        let shown = self.calls.iter().map(Vec::len).sum::<usize>();
        args.object("calls").number("slices", shown as f64).number("not_shown", (calls - shown) as f64);
        let parts = profile.workers.iter().flat_map(|worker| worker.record.outer.events());
        let parts: u64 = parts.map(|part| part.weight.parts).sum();
        let weights = self.parts.iter().flatten().map(|part| part.weight.parts);
        let mut object = args.object("closures");
        object.number("all", parts as f64).number("not_shown", (parts - weights.clone().sum::<u64>()) as f64);
        add_merged(object, "slices", weights);
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

pub(super) fn metadata<'e>(events: &'e mut Array<'_>, what: &str, tid: usize) -> Object<'e> {
    let mut event = events.object();
    event.string("ph", "M").string("name", what).number("pid", PID as f64).number("tid", tid as f64);
    event
}

pub(super) fn name(events: &mut Array<'_>, what: &str, tid: usize, name: &str) {
    metadata(events, what, tid).object("args").string("name", name);
}

fn kind_name(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Loop => "loop",
        CallKind::Join => "join",
        CallKind::Scope => "scope",
        CallKind::Task => "task",
        _ => "call",
    }
}

fn plural(one: &'static str, several: &'static str, n: u64) -> &'static str {
    if n == 1 { one } else { several }
}

/// In microseconds, of which Perfetto makes whole nanoseconds by cutting off the rest: it is never
/// a little less than it should be.
pub(in crate::profile) fn us(ns: u64) -> f64 {
    let us = ns as f64 / 1e3;
    if us * 1e3 < ns as f64 { f64::from_bits(us.to_bits() + 1) } else { us }
}
