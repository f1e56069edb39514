use taskel_adaptive::recording::{CallKind, Recording};

use super::Profile;
use super::WhyAlone;
use super::calls::{CallHead, CallSite, Look, MOST_CALLS, MOST_PARTS};
use super::recorder::{Clocks, Costs, Counts, Recorder};

const MS: u64 = 1_000_000;

fn head(id: u64, kind: CallKind) -> CallHead {
    CallHead { id, kind, site: CallSite::of_types("(Vec<u8>, app::run::{{closure}})"), expected_ns: None }
}

fn recording_of(recorders: Vec<Recorder>, end_ns: u64) -> Recording {
    let worker = |(lane, recorder): (usize, Recorder)| {
        recorder.into_worker(lane, format!("worker {lane}"), Counts::default())
    };
    let workers: Vec<_> = recorders.into_iter().enumerate().map(worker).collect();
    Profile::assemble(0, end_ns, workers.len(), workers).recording()
}

/// First item, items, own time up to the first call, and calls with the time after each.
type Told = (u64, u64, u64, Vec<(usize, u64)>);

/// Kinds and parts of all calls.
fn told(recording: &Recording) -> Vec<(CallKind, Vec<Told>)> {
    let part =
        |part: &taskel_adaptive::recording::Part| (part.first, part.items, part.ns, part.calls.clone());
    recording.calls().iter().map(|call| (call.kind, call.parts.iter().map(part).collect())).collect()
}

#[test]
fn what_lies_between_calls_is_the_programs() {
    let mut recorder = Recorder::new();
    assert!(recorder.begin_call());
    recorder.part(1, (0, 2), (3, 5));
    recorder.part(1, (2, 1), (5, 9));
    recorder.end_call(head(1, CallKind::Loop), 3, 10);
    let recording = recording_of(vec![recorder], 16);
    assert_eq!(
        told(&recording),
        [
            (CallKind::Program, vec![(0, 1, 3, vec![(1, 6)])]),
            (CallKind::Loop, vec![(0, 2, 2, vec![]), (2, 1, 4, vec![])]),
        ]
    );
    assert_eq!(recording.sites(), ["program", "app::run"]);
    assert_eq!(recording.serial().as_nanos(), 9);
}

#[test]
fn a_part_has_the_calls_that_were_made_in_it() {
    let (mut owner, mut thief) = (Recorder::new(), Recorder::new());
    // A join in a loop's only item, whose second closure another lane runs.
    assert!(owner.begin_call() && owner.begin_join() == Look::Worth);
    owner.half(2, 0, (15, 30));
    thief.half(2, 1, (16, 40));
    owner.end_call(head(2, CallKind::Join), 14, 42);
    owner.part(1, (7, 1), (10, 50));
    owner.end_call(head(1, CallKind::Loop), 10, 51);
    let recording = recording_of(vec![owner, thief], 51);
    assert_eq!(
        told(&recording),
        [
            (CallKind::Program, vec![(0, 1, 10, vec![(1, 0)])]),
            (CallKind::Loop, vec![(7, 1, 4, vec![(2, 8)])]),
            (CallKind::Join, vec![(0, 1, 15, vec![]), (1, 1, 24, vec![])]),
        ]
    );
}

#[test]
fn a_part_that_is_written_late_has_no_calls_of_what_comes_behind_it() {
    let mut recorder = Recorder::new();
    assert!(recorder.begin_call() && recorder.begin_join() == Look::Worth);
    recorder.end_call(head(2, CallKind::Join), 22, 30);
    recorder.part(1, (0, 5), (10, 20));
    recorder.part(1, (5, 1), (20, 40));
    recorder.end_call(head(1, CallKind::Loop), 10, 40);
    let recording = recording_of(vec![recorder], 40);
    assert_eq!(told(&recording)[1].1, [(0, 5, 10, vec![]), (5, 1, 2, vec![(2, 10)])]);
}

#[test]
fn calls_of_several_threads_at_once_are_beside_each_other() {
    let lane = |id, start_ns, end_ns| {
        let mut recorder = Recorder::new();
        assert!(recorder.begin_call());
        recorder.part(id, (0, 1), (start_ns, end_ns));
        recorder.end_call(head(id, CallKind::Loop), start_ns, end_ns);
        recorder
    };
    let recording = recording_of(vec![lane(1, 10, 30), lane(2, 20, 40)], 50);
    let kinds: Vec<CallKind> = recording.calls().iter().map(|call| call.kind).collect();
    assert_eq!(kinds, [CallKind::Program, CallKind::Beside, CallKind::Loop, CallKind::Loop]);
    assert_eq!((recording.serial().as_nanos(), recording.span().as_nanos()), (20, 40));
}

#[test]
fn what_no_part_was_written_of_has_empty_ones() {
    let mut recorder = Recorder::new();
    assert_eq!(recorder.begin_join(), Look::Worth);
    recorder.end_call(head(1, CallKind::Join), 0, 5);
    let recording = recording_of(vec![recorder], 5);
    assert_eq!(told(&recording)[1], (CallKind::Join, vec![(0, 1, 0, vec![]), (1, 1, 0, vec![])]));
}

#[test]
fn there_is_room_for_so_many_calls_and_it_is_said_how_many_more_there_were() {
    let mut recorder = Recorder::new();
    for id in 0..MOST_CALLS as u64 + 5 {
        if recorder.begin_call() {
            recorder.end_call(head(id + 1, CallKind::Scope), id, id + 1);
        }
    }
    let recording = recording_of(vec![recorder], MOST_CALLS as u64);
    assert_eq!((recording.calls().len(), recording.left_out()), (MOST_CALLS + 1, 5));
}

#[test]
fn many_chunks_are_merged_and_a_long_one_among_them_stays_apart() {
    let mut recorder = Recorder::new();
    assert!(recorder.begin_call());
    let (chunks, long) = (10 * MOST_PARTS as u64, 3 * MOST_PARTS as u64);
    let mut at_ns = 0;
    for item in 0..chunks {
        let took_ns = if item == long { MS } else { 10 };
        recorder.part(1, (item, 1), (at_ns, at_ns + took_ns));
        at_ns += took_ns;
    }
    recorder.end_call(head(1, CallKind::Loop), 0, at_ns);
    let recording = recording_of(vec![recorder], at_ns);
    let parts = &recording.calls()[1].parts;
    assert!(parts.len() <= MOST_PARTS && parts.len() > MOST_PARTS / 8, "{}", parts.len());
    assert_eq!(parts.iter().map(|part| part.items).sum::<u64>(), chunks);
    assert_eq!(parts.iter().map(|part| part.ns).sum::<u64>(), at_ns);
    assert!(parts.iter().any(|part| (part.first, part.items, part.ns) == (long, 1, MS)));
    assert_eq!(recording.left_out(), 0);
}

#[test]
fn where_joins_are_short_deeper_ones_are_not_looked_at() {
    let mut recorder = Recorder::new();
    recorder.enter(3);
    for join in 0..32 {
        assert_eq!(recorder.begin_join(), Look::Worth, "join {join}");
        recorder.half(join + 1, 0, (0, 1000));
        recorder.end_call(head(join + 1, CallKind::Join), 0, 1000);
    }
    assert_eq!(recorder.begin_join(), Look::SkipAllInside);
    recorder.enter(2);
    assert_eq!(recorder.begin_join(), Look::Worth);
}

#[test]
fn time_in_items_that_is_no_processor_time_was_waited() {
    let mut recorder = Recorder::new();
    let clocks =
        |now_ns, waited_ns, processor_ns, switches| Clocks { now_ns, waited_ns, processor_ns, switches };
    assert!(!recorder.wants_clocks(MS));
    recorder.begin_items(clocks(MS, 0, 500, (4, 7)));
    assert!(recorder.wants_clocks(2 * MS));
    recorder.were_items(clocks(11 * MS, 2 * MS, 500 + 3 * MS, (5, 8)));
    let waited = recording_of(vec![recorder.clone()], 12 * MS).waited();
    assert_eq!((waited.of_ns, waited.ns, waited.preempted_ns), (8 * MS, 5 * MS, 0));
    // Without a switch of its own, it was the processor that was taken away.
    recorder.were_items(clocks(12 * MS, 2 * MS, 500 + 3 * MS, (5, 9)));
    let waited = recording_of(vec![recorder], 12 * MS).waited();
    assert_eq!((waited.of_ns, waited.ns, waited.preempted_ns), (9 * MS, 6 * MS, MS));
}

#[test]
fn loops_are_told_by_their_place() {
    let mut recorder = Recorder::new();
    for (id, types) in [
        (1, "(A, app::one::{{closure}})"),
        (2, "(A, app::two::{{closure}})"),
        (3, "(B, app::one::{{closure}})"),
    ] {
        assert!(recorder.begin_call());
        recorder.part(id, (0, 8), (100 * id, 100 * id + 16));
        recorder.part(id, (8, 1), (100 * id + 16, 100 * id + 21));
        recorder.end_call(
            CallHead { site: CallSite::of_types(types), ..head(id, CallKind::Loop) },
            100 * id,
            100 * id + 30,
        );
    }
    let worker = recorder.into_worker(0, "worker 0".to_owned(), Counts::default());
    let profile = Profile::assemble(0, 1000, 1, vec![worker]);
    let told: Vec<_> =
        profile.loops().into_iter().map(|of| (of.site().to_owned(), of.calls(), of.items())).collect();
    assert_eq!(told, [("app::one".to_owned(), 2, 18), ("app::two".to_owned(), 1, 9)]);
    let [one, _] = &profile.loops()[..] else { panic!("two places") };
    assert_eq!(
        (one.busy_time().as_nanos(), one.mean_item().as_nanos(), one.longest_item().as_nanos()),
        (42, 2, 5)
    );
    assert_eq!((one.chunks(), one.chunk_sizes().collect::<Vec<_>>()), (4, vec![(1, 2), (8, 2)]));
    let text = profile.to_string();
    assert!(text.ends_with("      1      9  2 ns     5 ns        4.5  1, one worker  app::two"), "{text}");
}

#[test]
fn a_recursion_of_short_joins_leaves_room_for_long_ones() {
    // As many joins as there is room for, and ten times as many: each level lasts half as long as the
    // one above, down to 1 µs.
    fn halves(recorder: &mut Recorder, id: &mut u64, at_ns: u64, ns: u64, joins: u32) {
        if ns <= 1000 {
            return;
        }
        *id += 1;
        let join = *id;
        let is_recorded = recorder.begin_join() == Look::Worth;
        let half_ns = ns / 2;
        for (number, start_ns) in [(0, at_ns), (1, at_ns + half_ns)] {
            recorder.enter(joins + u32::from(is_recorded));
            halves(recorder, id, start_ns, half_ns, joins + u32::from(is_recorded));
            recorder.enter(joins + u32::from(is_recorded));
            if is_recorded {
                recorder.half(join, number, (start_ns, start_ns + half_ns));
            }
        }
        recorder.enter(joins);
        if is_recorded {
            recorder.end_call(head(join, CallKind::Join), at_ns, at_ns + 2 * half_ns);
        }
    }
    let mut recorder = Recorder::new();
    let (mut id, ns) = (0, 1000 << 18);
    halves(&mut recorder, &mut id, 1000, ns, 0);
    assert!(id > 10 * MOST_CALLS as u64);
    let recording = recording_of(vec![recorder], 1000 + ns);
    assert_eq!(recording.left_out(), 0);
    assert!(recording.span().as_nanos() < u128::from(ns / 100), "{:?}", recording.span());
}

#[test]
fn parts_whose_times_cannot_be_added_are_merged() {
    let mut recorder = Recorder::new();
    assert!(recorder.begin_call());
    for item in 0..MOST_PARTS as u64 + 10 {
        recorder.part(1, (item, 1), (item % 2, u64::MAX));
    }
    recorder.end_call(head(1, CallKind::Loop), 0, u64::MAX);
    let recording = recording_of(vec![recorder], u64::MAX);
    assert_eq!(recording.calls()[1].parts.iter().map(|part| part.items).sum::<u64>(), MOST_PARTS as u64 + 10);
}

#[test]
fn a_task_goes_on_beside_its_spawner_up_to_the_join() {
    let mut recorder = Recorder::new();
    // Two tasks, of which the lane does the first in its join, and a loop behind that.
    recorder.spawned(head(1, CallKind::Task), 10);
    recorder.spawned(head(2, CallKind::Task), 14);
    recorder.part(1, (0, 1), (21, 30));
    recorder.waited(head(3, CallKind::Task), 1, (20, 31));
    recorder.waited(head(4, CallKind::Task), 2, (33, 40));
    assert!(recorder.begin_call());
    recorder.part(5, (0, 1), (45, 50));
    recorder.end_call(head(5, CallKind::Loop), 45, 50);
    let mut other = Recorder::new();
    other.part(2, (0, 1), (15, 40));
    let recording = recording_of(vec![recorder, other], 60);
    assert_eq!(
        told(&recording),
        [
            (CallKind::Program, vec![(0, 1, 10, vec![(1, 5), (4, 10)])]),
            (CallKind::Scope, vec![(0, 1, 0, vec![(2, 4), (3, 6 + 2)])]),
            (CallKind::Task, vec![(0, 1, 9, vec![])]),
            (CallKind::Task, vec![(0, 1, 25, vec![])]),
            (CallKind::Loop, vec![(0, 1, 5, vec![])]),
        ]
    );
}

#[test]
fn what_it_takes_to_write_a_call_down_is_not_the_programs() {
    let mut recorder = Recorder::new();
    for id in [1, 2] {
        assert!(recorder.begin_call());
        recorder.part(id, (0, 1), (100 * id, 100 * id + 20));
        recorder.end_call(head(id, CallKind::Loop), 100 * id, 100 * id + 20);
    }
    let worker = recorder.into_worker(0, String::new(), Counts::default());
    let profile =
        Profile::assemble(0, 240, 1, vec![worker]).with_costs(Costs { call_ns: 30, ..Costs::default() });
    assert_eq!(told(&profile.recording())[0].1, [(0, 1, 100, vec![(1, 50), (2, 0)])]);
}

#[test]
fn what_it_takes_to_write_short_loops_down_is_in_none_of_them() {
    let mut recorder = Recorder::new();
    for id in [1, 2, 3] {
        assert!(recorder.begin_call());
        recorder.part(id, (0, 20), (100 * id, 100 * id + 80));
        recorder.end_call(head(id, CallKind::Loop), 100 * id, 100 * id + 80);
        recorder.was_short(id, 100 * id + 85);
    }
    // From 385 on, 5 of which nothing is known but their number.
    recorder.fill();
    for _ in 0..5 {
        assert!(!recorder.begin_call());
        recorder.is_untold();
    }
    let worker = recorder.into_worker(0, String::new(), Counts::default());
    let profile = Profile::assemble(0, 1000, 1, vec![worker]).with_costs(Costs {
        short_ns: 30,
        untold_ns: 40,
        ..Costs::default()
    });
    let recording = profile.recording();
    let all = told(&recording);
    assert_eq!(all[0].1, [(0, 1, 100, vec![(1, 0), (2, 0), (3, 615 - 30 - 5 * 40)])]);
    // 15 lie between one and the next: the other 15 were in it.
    assert_eq!([&all[1].1[0].2, &all[2].1[0].2, &all[3].1[0].2], [&65, &65, &80]);
    assert_eq!(recording.left_out(), 5);
}

#[test]
fn short_loops_that_had_no_room_made_what_they_were_in_longer() {
    let mut recorder = Recorder::new();
    assert!(recorder.begin_call());
    recorder.fill();
    recorder.is_untold();
    recorder.is_untold();
    recorder.part(1, (0, 1), (0, 500));
    recorder.part(1, (1, 1), (500, 900));
    recorder.end_call(head(1, CallKind::Loop), 0, 900);
    let worker = recorder.into_worker(0, String::new(), Counts::default());
    let profile =
        Profile::assemble(0, 900, 1, vec![worker]).with_costs(Costs { untold_ns: 40, ..Costs::default() });
    assert_eq!(told(&profile.recording())[1].1, [(0, 1, 420, vec![]), (1, 1, 400, vec![])]);
}

#[test]
fn where_a_loop_was_not_shared_it_is_said_why() {
    let mut lanes = [Recorder::new(), Recorder::new()];
    let parts: [(u64, &[(usize, u64)]); 4] =
        [(1, &[(0, 1)]), (2, &[(0, 9)]), (3, &[(0, 5), (1, 4)]), (4, &[(0, 9)])];
    for (id, parts) in parts {
        let mut first = 0;
        for &(lane, items) in parts {
            lanes[lane].part(id, (first, items), (100 * id, 100 * id + 9));
            first += items;
        }
        assert!(lanes[0].begin_call());
        lanes[0].end_call(head(id, CallKind::Loop), 100 * id, 100 * id + 10);
        if id == 4 {
            lanes[0].was_short(id, 100 * id + 10);
        }
    }
    let worker = |recorder: Recorder| recorder.into_worker(0, String::new(), Counts::default());
    let profile = Profile::assemble(0, 1000, 2, lanes.map(worker).into());
    let [place] = &profile.loops()[..] else { panic!("one place") };
    let why = [WhyAlone::OneItem, WhyAlone::Short, WhyAlone::NobodyCame].map(|why| (why, 1));
    assert_eq!((place.calls(), place.alone().collect::<Vec<_>>()), (4, why.to_vec()));
}
