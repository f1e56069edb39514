//! Whatever was recorded, by whatever clock and under whatever names: the picture is well-formed
//! XML within its bounds, the trace is JSON in the order of time, the recording is a tree whose
//! longest path is no longer than its work, and the text has its lines.

#![no_main]

use std::panic::Location;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use taskel_adaptive::recording::CallKind;

use profile::Profile;
use profile::calls::{CallHead, CallSite};
use profile::recorder::{Counts, Recorder};

#[path = "../../runtime/src/profile/mod.rs"]
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    reason = "the target does not ask for every figure"
)]
mod profile;

#[derive(Arbitrary, Debug)]
struct Input {
    start_ns: u64,
    end_ns: u64,
    threads: usize,
    workers: Vec<Worker>,
}

#[derive(Arbitrary, Debug)]
struct Worker {
    lane: u8,
    label: String,
    counters: [u32; 4],
    held_back_ns: u64,
    events: Vec<Event>,
}

#[derive(Arbitrary, Debug)]
enum Event {
    Chunk {
        start_ns: u64,
        end_ns: u64,
        taskels: usize,
    },
    /// `repeated` times 8 chunks, one after the other.
    Chunks {
        start_ns: u64,
        each_ns: u16,
        taskels: u16,
        repeated: u8,
    },
    Nested {
        taskels: usize,
    },
    Steal {
        at_ns: u64,
        victim: u8,
        is_cut: bool,
    },
    /// A closure of a join, inside of nothing else.
    Outer {
        times_ns: (u64, u64),
        busy_ns: u64,
    },
    Parked {
        at_ns: u64,
    },
    WokeUp {
        at_ns: u64,
    },
    /// A call begins, and ends if it is told when.
    Call {
        id: u8,
        kind: Kind,
        times_ns: Option<(u64, u64)>,
    },
    Spawned {
        id: u8,
        at_ns: u64,
    },
    Part {
        of: u8,
        items: (u64, u64),
        times_ns: (u64, u64),
    },
    Half {
        of: u8,
        number: u64,
        times_ns: (u64, u64),
        joins: u32,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Loop,
    Join,
    Scope,
}

fn head(id: u8, kind: CallKind) -> CallHead {
    let site = CallSite::of::<Input>(Location::caller());
    CallHead { id: id.into(), kind, site, expected_ns: None }
}

fn record(events: &[Event]) -> Recorder {
    let mut recorder = Recorder::new();
    for event in events {
        match *event {
            Event::Chunk { start_ns, end_ns, taskels } => recorder.chunk(start_ns, end_ns, taskels),
            Event::Chunks { start_ns, each_ns, taskels, repeated } => {
                let mut at_ns = start_ns;
                for _ in 0..8 * usize::from(repeated) {
                    let end_ns = at_ns.saturating_add(each_ns.into());
                    recorder.chunk(at_ns, end_ns, taskels.into());
                    at_ns = end_ns;
                }
            }
            Event::Nested { taskels } => recorder.nested(taskels),
            Event::Steal { at_ns, victim, is_cut } => recorder.steal(at_ns, victim.into(), is_cut),
            Event::Outer { times_ns, busy_ns } => recorder.was_busy(times_ns, busy_ns),
            Event::Parked { at_ns } => recorder.parked(at_ns),
            Event::WokeUp { at_ns } => recorder.woke_up(at_ns),
            Event::Call { id, kind, times_ns } => {
                let kind = match kind {
                    Kind::Loop => CallKind::Loop,
                    Kind::Join => CallKind::Join,
                    Kind::Scope => CallKind::Scope,
                };
                recorder.begin_call();
                times_ns.inspect(|&(start_ns, end_ns)| recorder.end_call(head(id, kind), start_ns, end_ns));
            }
            Event::Spawned { id, at_ns } => recorder.spawned(head(id, CallKind::Task), at_ns),
            Event::Part { of, items, times_ns } => recorder.part(of.into(), items, times_ns),
            Event::Half { of, number, times_ns, joins } => {
                recorder.leave(joins);
                recorder.half(of.into(), number, times_ns);
            }
        }
    }
    recorder
}

fn assemble(input: Input) -> Profile {
    let workers = input.workers.into_iter().map(|worker| {
        let [steals_tried, steals_won, wakeups, parks] = worker.counters.map(u64::from);
        let held_back = Duration::from_nanos(worker.held_back_ns);
        let counters = Counts { steals_tried, steals_won, wakeups, parks, held_back };
        record(&worker.events).into_worker(worker.lane.into(), worker.label, counters)
    });
    Profile::assemble(input.start_ns, input.end_ns, input.threads, workers.collect())
}

fn check_picture(svg: &str) {
    let document = roxmltree::Document::parse(svg).expect("well-formed XML");
    let number = |node: roxmltree::Node<'_, '_>, name| {
        let number: f64 = node.attribute(name).unwrap_or("0").parse().expect("a number");
        assert!(number.is_finite(), "{name}: {number}");
        number
    };
    let height = number(document.root_element(), "height");
    for shape in document.descendants().filter(|node| node.has_tag_name("rect")) {
        assert!(number(shape, "x") >= 0.0 && number(shape, "x") + number(shape, "width") <= 1200.0);
        assert!(number(shape, "y") >= 0.0 && number(shape, "y") + number(shape, "height") <= height);
    }
}

fn check_trace(profile: &Profile) {
    let mut trace = Vec::new();
    profile.write_trace(&mut trace).expect("a vector takes it");
    let events: Vec<serde_json::Value> = serde_json::from_slice(&trace).expect("well-formed JSON");
    let times =
        events.iter().filter(|event| event["ph"] != "M").map(|event| event["ts"].as_f64().expect("a number"));
    assert!(times.clone().all(|time| time >= 0.0) && times.is_sorted());
}

/// A tree, whatever was written down, of which something can be predicted.
fn check_recording(profile: &Profile) {
    let recording = profile.recording();
    assert!(recording.span() <= recording.work());
    let text = recording.scaling([1, 3]).to_string();
    assert!(text.lines().count() >= 6, "{text}");
}

fuzz_target!(|input: Input| {
    let profile = assemble(input);
    check_picture(&profile.to_svg());
    check_trace(&profile);
    check_recording(&profile);
    let text = profile.to_string();
    assert!(text.lines().count() >= 4 + profile.workers().len(), "{text}");
    assert_eq!(profile.chunk_sizes().map(|(_, chunks)| chunks).sum::<u64>(), profile.chunks());
    let _ = (profile.utilisation(), profile.speed_up(), profile.taskel_time(), profile.longest_taskel());
});
