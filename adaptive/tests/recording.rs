//! Recordings: what is one, what it says, as a file, and what is predicted from it.

use taskel_adaptive::recording::{Call, CallKind, Part, Recording, Waited};
use taskel_adaptive::simulate::Simulation;
use taskel_adaptive::{Limit, Prediction};

const MS: u64 = 1_000_000;

fn named(calls: Vec<Call>) -> Recording {
    let wall_ns = 100 * MS;
    let sites = ["program", "here", "there"].map(str::to_owned).into();
    Recording::new(1, wall_ns, sites, calls).expect("a tree")
}

/// A program of these calls one after the other, with so much before and between them.
fn program(calls: &[usize], ns: u64) -> Call {
    let calls = calls.iter().map(|&call| (call, ns)).collect();
    Call::new(CallKind::Program, 0, vec![Part::new(0, 1, ns).with_calls(calls)])
}

fn items(times_ns: &[u64]) -> Call {
    let parts = times_ns.iter().zip(0..).map(|(&ns, item)| Part::new(item, 1, ns));
    Call::new(CallKind::Loop, 1, parts.collect())
}

fn only(recording: &Recording, workers: usize) -> Prediction {
    recording.scaling([workers]).predictions()[0].clone()
}

fn ms(prediction: &Prediction) -> f64 {
    prediction.time().as_secs_f64() * 1e3
}

#[test]
fn a_loop_is_predicted_as_it_is_simulated() {
    let recording = Recording::of_loop(&[MS; 64]);
    for workers in [2, 8, 64] {
        let simulated_ns = Simulation::taskel(workers).run(&[1e6; 64]).unwrap().makespan_ns;
        let predicted_ns = ms(&only(&recording, workers)) * 1e6;
        assert!((predicted_ns / simulated_ns - 1.0).abs() < 0.03, "{workers}: {predicted_ns} {simulated_ns}");
    }
    assert_eq!(only(&recording, 1).time().as_millis(), 64);
}

#[test]
fn work_span_and_serial_part_are_those_of_the_tree() {
    // 1 ms, a join of 5 ms and of (2 ms, then a loop of 3, 4 and 7 ms, then 1 ms), 1 ms.
    let second = Part::new(1, 1, 2 * MS).with_calls(vec![(2, MS)]);
    let recording = named(vec![
        program(&[1], MS),
        Call::new(CallKind::Join, 2, vec![Part::new(0, 1, 5 * MS), second]),
        items(&[3 * MS, 4 * MS, 7 * MS]),
    ]);
    assert_eq!(recording.work().as_millis(), 1 + 5 + 2 + 14 + 1 + 1);
    assert_eq!(recording.span().as_millis(), 1 + (2 + 7 + 1) + 1);
    assert_eq!(recording.serial().as_millis(), 2);
    let many = only(&recording, 64);
    assert_eq!(many.bound().as_millis(), 12);
    assert!(ms(&many) < 12.3, "{many:?}");
    assert!(matches!(many.limit(), Limit::Path { site, .. } if site == "there"), "{many:?}");
}

#[test]
fn a_task_goes_on_beside_what_its_spawner_does_next() {
    // A scope that spawns 3 tasks of 10 ms, 1 ms apart.
    let spawns = Part::new(0, 1, 0).with_calls(vec![(2, MS), (3, MS), (4, MS)]);
    let task = || Call::new(CallKind::Task, 2, vec![Part::new(0, 1, 10 * MS)]);
    let recording =
        named(vec![program(&[1], 0), Call::new(CallKind::Scope, 1, vec![spawns]), task(), task(), task()]);
    assert_eq!((recording.work().as_millis(), recording.span().as_millis()), (33, 12));
    assert!((12.0..12.3).contains(&ms(&only(&recording, 8))), "{:?}", only(&recording, 8));
}

#[test]
fn the_limits_are_named() {
    let serial = named(vec![program(&[1], 15 * MS), items(&[MS; 70])]).scaling([1, 2, 64]).to_string();
    assert!(serial.contains("from 64 workers on, a serial part of 30 % is the limit (30.0 ms"), "{serial}");
    assert!(serial.contains("from 1 to 2 workers, the work itself is the limit"), "{serial}");
    let mut times_ns = [MS; 100];
    times_ns[99] = 20 * MS;
    let long = named(vec![program(&[1], 0), items(&times_ns)]).scaling([2, 16]).to_string();
    assert!(
        long.contains("from 16 workers on, the longest item is the limit (20.0 ms, item 99 of here)"),
        "{long}"
    );
    let short = named(vec![program(&[1], 0), items(&[100; 300])]).scaling([64]).to_string();
    assert!(short.contains("sharing the work takes longest"), "{short}");
}

#[test]
fn what_items_wait_for_and_what_is_missing_is_said() {
    let recording = Recording::of_loop(&[MS; 8]).with_waited(Waited::new(10, 5, 2)).with_left_out(3);
    let text = recording.scaling([4]).to_string();
    assert!(text.contains("waiting in items: 30 % of their time"), "{text}");
    assert!(text.contains("preempted: for 20 % of the time"), "{text}");
    assert!(text.contains("3 calls had no room"), "{text}");
}

#[test]
fn items_that_had_one_processor_together_waited_for_a_lock() {
    // On 4 workers, each of 40 items waited for 3 ms and computed for 1.
    let program = || vec![program(&[1], 0), items(&[4 * MS; 40])];
    let sites = || ["program", "here"].map(str::to_owned).into();
    let recorded = |waited| Recording::new(4, 41 * MS, sites(), program()).unwrap().with_waited(waited);
    let scaling = recorded(Waited::new(160 * MS, 120 * MS, 0)).scaling([4, 64]);
    for prediction in scaling.predictions() {
        assert_eq!((prediction.time().as_millis(), prediction.speed_up()), (40, 1.0));
    }
    let text = scaling.to_string();
    assert!(text.contains("from 4 workers on, waiting in items is the limit, as for a lock"), "{text}");
    // Asleep, they have none.
    let scaling = recorded(Waited::new(160 * MS, 159 * MS, 0)).scaling([4, 64]);
    assert!(scaling.predictions()[1].speed_up() > 20.0, "{scaling}");
}

#[test]
fn numbers_of_workers_are_brought_into_their_range() {
    let scaling = Recording::of_loop(&[MS; 8]).scaling([0, usize::MAX]);
    let workers: Vec<usize> = scaling.predictions().iter().map(Prediction::workers).collect();
    assert_eq!(workers, [1, 4096]);
}

#[test]
fn nothing_takes_no_time() {
    for recording in [Recording::of_loop(&[]), Recording::of_loop(&[0, 0]), named(vec![program(&[], 0)])] {
        let prediction = only(&recording, 8);
        assert_eq!((prediction.time().as_nanos(), prediction.speed_up()), (0, 1.0));
        assert!(!recording.scaling([1, 2]).to_string().is_empty());
    }
}

#[test]
fn times_beyond_what_can_be_counted_are_told_without_a_panic() {
    let recording = Recording::of_loop(&[u64::MAX; 3]);
    assert!(recording.work().as_secs() > 1 << 30);
    assert!(!recording.scaling([2]).to_string().is_empty());
}

#[test]
fn deep_trees_do_not_need_a_deep_stack() {
    // `join(|| item, || rest)` down a list.
    const DEPTH: usize = 20_000;
    let join = |at: usize| {
        let rest = Part::new(1, 1, 0);
        let rest = if at < DEPTH { rest.with_calls(vec![(at + 1, 0)]) } else { rest };
        Call::new(CallKind::Join, 1, vec![Part::new(0, 1, 10_000), rest])
    };
    let mut calls = vec![program(&[1], 0)];
    calls.extend((1..=DEPTH).map(join));
    let recording = named(calls);
    assert_eq!(recording.work().as_micros(), 10 * DEPTH as u128);
    assert_eq!(recording.span().as_micros(), 10);
    assert!(only(&recording, 2).speed_up() > 1.5);
    assert_eq!(Recording::from_json(&recording.to_json()).unwrap(), recording);
}

#[test]
fn a_file_has_all_of_a_recording() {
    let mut timed = items(&[3, u64::MAX]);
    timed.expected_ns = Some(12.5);
    let part = Part::new(0, 7, 2).with_calls(vec![(2, 9)]);
    let recording =
        named(vec![program(&[1], 5), Call::new(CallKind::Beside, 2, vec![part, Part::new(9, 1, 1)]), timed]);
    let recording = recording.with_waited(Waited::new(3, 2, 1)).with_left_out(4);
    assert_eq!(Recording::from_json(&recording.to_json()).unwrap(), recording);
}

#[test]
fn what_is_no_recording_is_told() {
    let json = Recording::of_loop(&[5, 7]).to_json();
    let error = |json: &str| Recording::from_json(json).unwrap_err().to_string();
    for (from, to, expected) in [
        ("\"taskel_recording\":1", "\"taskel_recording\":2", "expected a recording of version 1, found 2"),
        ("\"loop\"", "\"lop\"", "expected program, loop, join, scope, task or beside, found \"lop\""),
        ("[1,1,7]", "[0,1,7]", "expected parts of one item or more, in the order of items (call 1)"),
        ("[1,1,7]", "[1,1]", "expected three numbers of a part"),
        ("[1,1,7]", "[1,1,7,1,0]", "expected the calls of a part behind its own (call 1)"),
        ("[0,1,0,1,0]", "[0,1,0,1,0,1,0]", "expected each call in one part, found one in two (call 0)"),
        ("[0,1,0,1,0]", "[0,1,0]", "expected each call in a part, found one in none (call 1)"),
        ("[0,1,0,1,0]", "[0,1,0,7,0]", "expected the calls of a part behind its own (call 0)"),
        ("\"workers\":1", "\"workers\":0", "expected at least one worker, found 0"),
        ("\"workers\":1", "\"workers\":-1", "expected a recording in JSON"),
        ("\"site\":1", "\"site\":9", "expected the number of a site"),
    ] {
        assert!(json.contains(from), "{from} in {json}");
        let found = error(&json.replace(from, to));
        assert!(found.starts_with(expected), "{to}: {found}");
    }
    assert!(error("").starts_with("expected a recording in JSON"));
    assert!(error(&"[".repeat(100_000)).contains("of at most 16 levels"));
}
