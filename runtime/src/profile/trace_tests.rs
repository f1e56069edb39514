use std::collections::BTreeMap;
use std::io;

use serde_json::Value;
use taskel_adaptive::recording::CallKind;

use super::calls::{CallHead, CallSite};
use super::recorder::{Counts, Recorder};
use super::tests::small_profile;
use super::timeline::CAPACITY;
use super::{Profile, WorkerProfile};

const MEGABYTE: usize = 1 << 20;

fn worker(lane: usize, recorder: Recorder) -> WorkerProfile {
    recorder.into_worker(lane, format!("worker {lane}"), Counts::default())
}

/// A worker of a million chunks or fewer, each of them 80 ns long and with a steal.
fn busy_worker(lane: usize, chunks: u64) -> WorkerProfile {
    let mut recorder = Recorder::new();
    for i in 0..chunks {
        recorder.steal(i * 100, lane + 1, false);
        recorder.chunk(i * 100, i * 100 + 80, 1);
    }
    worker(lane, recorder)
}

/// The time of an event in nanoseconds, as Perfetto reads it.
fn ns(event: &Value, member: &str) -> u64 {
    let us = event[member].as_f64().unwrap_or_else(|| panic!("no number {member}: {event}"));
    assert!(us.is_finite() && us >= 0.0, "{event}");
    (us * 1e3) as u64
}

fn number(event: &Value, member: &str) -> u64 {
    event[member].as_u64().unwrap_or_else(|| panic!("no number {member}: {event}"))
}

fn text<'e>(event: &'e Value, member: &str) -> &'e str {
    event[member].as_str().unwrap_or_else(|| panic!("no text {member}: {event}"))
}

/// What of the trace has this category.
fn of<'e>(events: &'e [Value], phase: &'e str, category: &'e str) -> impl Iterator<Item = &'e Value> + Clone {
    events.iter().filter(move |event| event["ph"] == phase && event["cat"] == category)
}

/// The events of a profile's trace, after a check that they are as Perfetto expects them and say
/// what the profile says.
fn events(profile: &Profile) -> Vec<Value> {
    let mut trace = Vec::new();
    profile.write_trace(&mut trace).expect("a vector takes it");
    assert!(trace.len() < 10 * MEGABYTE, "{} bytes", trace.len());
    let events: Vec<Value> = serde_json::from_slice(&trace).expect("an array");
    let mut rows = BTreeMap::<u64, Vec<&Value>>::new();
    for event in &events {
        assert_eq!(number(event, "pid"), 1);
        assert!(number(event, "tid") >= 1 && !text(event, "name").is_empty(), "{event}");
        if event["ph"] != "M" {
            rows.entry(number(event, "tid")).or_default().push(event);
        }
    }
    events.iter().for_each(check_members);
    rows.values().for_each(|row| check_row(row));
    check_arrows(&events);
    check_sums(profile, &events);
    events
}

/// By the kind of the event.
fn check_members(event: &Value) {
    let args = &event["args"];
    match text(event, "ph") {
        "M" if event["name"] == "thread_sort_index" => assert!(args["sort_index"].is_u64(), "{event}"),
        "M" => assert!(args["name"].is_string(), "{event}"),
        "X" => assert!(args.is_object() && ns(event, "dur") < u64::MAX, "{event}"),
        "i" => assert!(args.is_object() && event["s"] == "t", "{event}"),
        "C" => assert!(args["busy"].as_f64().is_some_and(|busy| busy >= 0.0), "{event}"),
        "s" => assert!(event["id"].is_u64(), "{event}"),
        "f" => assert!(event["id"].is_u64() && event["bp"] == "e", "{event}"),
        other => panic!("an event of kind {other}"),
    }
}

/// In the order of time, its slices apart from each other or inside of the ones before.
fn check_row(row: &[&Value]) {
    assert!(row.is_sorted_by_key(|event| ns(event, "ts")));
    let mut open: Vec<&Value> = Vec::new();
    let end = |slice: &Value| ns(slice, "ts") + ns(slice, "dur");
    for &slice in row.iter().filter(|event| event["ph"] == "X") {
        open.retain(|&outer| end(outer) > ns(slice, "ts"));
        open.iter().for_each(|&outer| assert!(end(slice) <= end(outer), "{outer} overlaps {slice}"));
        assert!(slice["cat"] != "chunk" || open.iter().all(|outer| outer["cat"] != "chunk"), "{slice}");
        open.push(slice);
    }
}

/// Each has a beginning and then an end, with a slice before each in its row.
fn check_arrows(events: &[Value]) {
    let mut open = BTreeMap::new();
    let mut rows = BTreeMap::new();
    for event in events {
        let tid = number(event, "tid");
        match text(event, "ph") {
            "X" => {
                let end = rows.entry(tid).or_insert(0);
                *end = (*end).max(ns(event, "ts") + ns(event, "dur"));
            }
            "s" => assert!(open.insert(number(event, "id"), ns(event, "ts")).is_none(), "{event}"),
            "f" => assert_eq!(open.remove(&number(event, "id")), Some(ns(event, "ts")), "{event}"),
            _ => continue,
        }
        assert!(event["ph"] == "X" || rows[&tid] >= ns(event, "ts"), "no slice is open at {event}");
    }
    assert!(open.is_empty());
}

/// Nothing is lost on the way.
fn check_sums(profile: &Profile, events: &[Value]) {
    let [whole] = of(events, "X", "profile").collect::<Vec<_>>()[..] else {
        panic!("one slice for the whole")
    };
    assert_eq!((ns(whole, "ts"), ns(whole, "dur")), (0, profile.wall_ns));
    let slices = of(events, "X", "chunk");
    let sum = |of: &dyn Fn(&Value) -> u64| slices.clone().map(of).sum::<u64>();
    let parts = of(events, "X", "part").map(|part| ns(&part["args"], "busy_us"));
    assert_eq!(sum(&|slice| ns(&slice["args"], "busy_us")) + parts.sum::<u64>(), profile.busy_ns());
    let inside = number(&whole["args"]["chunks"], "inside_of_others_and_not_shown");
    assert_eq!(sum(&|slice| number(&slice["args"], "chunks")) + inside, profile.chunks());
    assert_eq!(
        sum(&|slice| u64::from(slice["name"] == "chunks")),
        number(&whole["args"]["chunks"], "slices_that_are_merged")
    );
    assert_eq!(slices.count() as u64, number(&whole["args"]["chunks"], "slices"));
    let totals: Vec<&Value> = of(events, "i", "worker").map(|totals| &totals["args"]).collect();
    assert_eq!(totals.len(), profile.workers.len());
    for (worker, totals) in profile.workers.iter().zip(totals) {
        assert_eq!(ns(totals, "busy_us"), worker.record.busy_ns);
        let counts = ["taskels", "chunks", "steals", "steals_tried", "wake_ups", "parks"]
            .map(|count| number(totals, count));
        let counters = worker.counters;
        let expected = [counters.steals_won, counters.steals_tried, counters.wakeups, counters.parks];
        assert_eq!(counts[..2], [worker.record.taskels, worker.record.chunks]);
        assert_eq!(counts[2..], expected);
    }
}

/// The counter's integral over time, in nanoseconds.
fn counted_busy_ns(events: &[Value]) -> f64 {
    let samples: Vec<(f64, f64)> = events
        .iter()
        .filter(|event| event["ph"] == "C")
        .map(|event| (event["ts"].as_f64().unwrap() * 1e3, event["args"]["busy"].as_f64().unwrap()))
        .collect();
    samples.windows(2).map(|pair| pair[0].1 * (pair[1].0 - pair[0].0)).sum()
}

#[test]
fn a_small_profile_has_a_slice_for_each_chunk_and_a_row_for_each_worker() {
    let profile = small_profile();
    let events = events(&profile);
    let names = events.iter().filter(|event| event["name"] == "thread_name");
    let names: Vec<(u64, &str)> =
        names.map(|name| (number(name, "tid"), text(&name["args"], "name"))).collect();
    assert_eq!(names, [(1, "profile"), (2, "worker 0"), (3, "worker 1"), (4, "caller")]);
    let slices = of(&events, "X", "chunk").map(|slice| {
        (number(slice, "tid"), ns(slice, "ts"), ns(slice, "dur"), number(&slice["args"], "taskels"))
    });
    assert_eq!(
        slices.collect::<Vec<_>>(),
        [(4, 0, 400, 1), (4, 500, 300_000, 1024), (2, 50_000, 340_000, 1)]
    );
    assert!(
        of(&events, "X", "profile")
            .all(|whole| whole["name"] == "2 threads, 400 µs, 80.0 % busy, speed-up 1.60")
    );
    let busy = counted_busy_ns(&events);
    assert!((busy - 640_400.0).abs() < 640.0, "{busy}");
}

#[test]
fn a_steal_is_a_mark_with_an_arrow_from_the_victims_chunk() {
    let events = events(&small_profile());
    let [mark] = of(&events, "i", "steal").collect::<Vec<_>>()[..] else { panic!("one steal") };
    assert_eq!((number(mark, "tid"), ns(mark, "ts"), text(&mark["args"], "from")), (2, 50_000, "caller"));
    let ends =
        ["s", "f"].map(|phase| of(&events, phase, "steal").map(|end| number(end, "tid")).collect::<Vec<_>>());
    assert_eq!(ends, [[4], [2]]);
}

#[test]
fn a_steal_from_who_is_not_there_or_does_nothing_has_no_arrow() {
    let mut thief = Recorder::new();
    thief.steal(50, 1, false);
    thief.chunk(50, 60, 1);
    thief.steal(70, 77, false);
    thief.chunk(70, 80, 1);
    let mut victim = Recorder::new();
    victim.chunk(0, 49, 1);
    let events = events(&Profile::assemble(0, 100, 2, vec![worker(0, thief), worker(1, victim)]));
    let from: Vec<&str> = of(&events, "i", "steal").map(|mark| text(&mark["args"], "from")).collect();
    assert_eq!(from, ["worker 1", "another"]);
    assert_eq!(of(&events, "s", "steal").count(), 0);
}

#[test]
fn an_empty_profile_is_a_trace() {
    for profile in
        [Profile::assemble(5, 5, 0, Vec::new()), Profile::assemble(7, 3, 1, vec![worker(0, Recorder::new())])]
    {
        let events = events(&profile);
        assert_eq!(of(&events, "X", "chunk").count(), 0);
        assert!(events.iter().all(|event| event["ph"] != "C"));
    }
}

#[test]
fn a_million_chunks_on_one_worker_stay_small_and_are_all_accounted_for() {
    let events = events(&Profile::assemble(0, 100_000_000, 1, vec![busy_worker(0, 1_000_000)]));
    let slices = of(&events, "X", "chunk").count();
    assert!(slices > CAPACITY / 8, "merged more than needed: {slices}");
    let busy = counted_busy_ns(&events);
    assert!((busy - 80e6).abs() < 80e3, "{busy}");
    let steals = of(&events, "i", "steal").map(|mark| number(&mark["args"], "steals"));
    assert_eq!(steals.sum::<u64>(), 1_000_000);
}

#[test]
fn a_million_chunks_on_twenty_workers_stay_small_and_are_all_accounted_for() {
    let workers = (0..20).map(|lane| busy_worker(lane, 50_000)).collect();
    let events = events(&Profile::assemble(0, 5_000_000, 20, workers));
    assert!(of(&events, "X", "chunk").count() > 10_000);
    let busy = counted_busy_ns(&events);
    assert!((busy - 80e6).abs() < 80e3, "{busy}");
}

#[test]
fn events_outside_of_the_profiled_time_are_moved_to_its_ends() {
    let mut recorder = Recorder::new();
    recorder.chunk(0, 50, 1);
    recorder.chunk(90, 120, 1);
    recorder.chunk(190, 500, 1);
    recorder.chunk(600, 700, 1);
    let events = events(&Profile::assemble(100, 200, 1, vec![worker(0, recorder)]));
    let slices = of(&events, "X", "chunk").map(|slice| (ns(slice, "ts"), ns(slice, "dur")));
    assert_eq!(slices.collect::<Vec<_>>(), [(0, 0), (0, 20), (90, 10), (100, 0)]);
    assert_eq!(counted_busy_ns(&events), 30.0);
}

#[test]
fn a_clock_that_jumps_gives_a_trace() {
    let mut recorder = Recorder::new();
    for _ in 0..2 {
        recorder.chunk(0, u64::MAX, usize::MAX);
        recorder.steal(u64::MAX, 0, false);
    }
    let mut trace = Vec::new();
    let profile = Profile::assemble(0, u64::MAX, 1, vec![worker(0, recorder)]);
    profile.write_trace(&mut trace).expect("a vector takes it");
    assert!(serde_json::from_slice::<Vec<Value>>(&trace).is_ok());
}

#[test]
fn names_are_escaped() {
    let name = "<a&\"b\">\u{0}\\\n]]>";
    let worker = Recorder::new().into_worker(0, name.to_owned(), Counts::default());
    let events = events(&Profile::assemble(0, 10, 1, vec![worker]));
    assert!(events.iter().any(|event| event["args"]["name"] == name));
}

#[test]
fn perfetto_reads_every_nanosecond_as_it_was() {
    let some = (0..100_000).chain((0..100_000).map(|i| 86_400_000_000_000 + i * 7_919));
    for expected in some {
        let written = super::trace::spell::us(expected).to_string();
        assert_eq!((written.parse::<f64>().unwrap() * 1e3) as u64, expected, "{written}");
    }
}

#[test]
fn an_error_of_the_writer_is_the_result() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for chunks in [0, 10_000] {
        let profile = Profile::assemble(0, 1_000_000, 1, vec![busy_worker(0, chunks)]);
        assert_eq!(profile.write_trace(Full).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}

/// A worker with a loop of two chunks, a join in the second chunk, a join by itself, and a sleep.
fn of_all_kinds() -> Recorder {
    let mut recorder = Recorder::new();
    recorder.woke_up(5);
    let head = |id, kind| CallHead {
        id,
        kind,
        site: CallSite::of_types("app::run::{{closure}}"),
        expected_ns: None,
    };
    recorder.chunk(10, 20, 1);
    recorder.end_call(head(2, CallKind::Join), 22, 28);
    recorder.chunk(20, 30, 1);
    recorder.end_call(head(1, CallKind::Loop), 8, 32);
    recorder.was_busy((40, 50), 9);
    recorder.end_call(head(3, CallKind::Join), 40, 60);
    recorder.steal(40, 1, true);
    recorder.parked(70);
    recorder.woke_up(80);
    recorder.parked(90);
    recorder.stop(100);
    recorder
}

#[test]
fn calls_lie_around_their_chunks_and_closures() {
    let events = events(&Profile::assemble(0, 100, 1, vec![worker(0, of_all_kinds())]));
    let slices = events.iter().filter(|event| event["ph"] == "X" && event["tid"] == 2);
    let slices: Vec<(&str, u64, u64)> =
        slices.map(|slice| (text(slice, "name"), ns(slice, "ts"), ns(slice, "dur"))).collect();
    let expected = [
        ("loop app::run", 8, 24),
        ("chunk", 10, 10),
        ("chunk", 20, 10),
        ("join app::run", 22, 6),
        ("join app::run", 40, 20),
        ("closure of a join or scope", 40, 10),
    ];
    assert_eq!(slices, expected);
    assert_eq!(counted_busy_ns(&events), 29.0);
}

#[test]
fn a_cut_a_park_and_a_wake_up_are_marks() {
    let events = events(&Profile::assemble(0, 100, 1, vec![worker(0, of_all_kinds())]));
    let marks = events.iter().filter(|event| event["ph"] == "i" && event["cat"] != "worker");
    let marks: Vec<(&str, u64)> = marks.map(|mark| (text(mark, "name"), ns(mark, "ts"))).collect();
    assert_eq!(
        marks,
        [("park", 0), ("wake-up", 5), ("cut", 40), ("park", 70), ("wake-up", 80), ("park", 90)]
    );
}

#[test]
fn calls_that_overlap_or_are_too_many_are_counted() {
    let mut recorder = Recorder::new();
    for id in 0..5_000 {
        assert!(recorder.begin_call());
        let head =
            CallHead { id, kind: CallKind::Loop, site: CallSite::of_types("app::run"), expected_ns: None };
        recorder.end_call(head, id * 10, id * 10 + if id == 0 { 100_000 } else { 5 });
    }
    recorder.chunk(99_000, 101_000, 1);
    let events = events(&Profile::assemble(0, 200_000, 1, vec![worker(0, recorder)]));
    let shown = of(&events, "X", "call").count() as u64;
    assert_eq!(shown, 3_999, "the longest one ends in the midst of a chunk");
    let [whole] = of(&events, "X", "profile").collect::<Vec<_>>()[..] else { panic!("one") };
    assert_eq!(number(&whole["args"]["calls"], "not_shown"), 5_000 - shown);
}
