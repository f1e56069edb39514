use super::Profile;
use super::recorder::{Counts, Place, Recorder};
use super::timeline::{CAPACITY, Timeline, Weight};
use taskel_adaptive::units::{Grouped, Time};

impl Weight for u64 {
    fn absorb(&mut self, next: u64) {
        *self += next;
    }
}

/// Two workers and a caller, with a steal, a nested loop and a chunk of every sort.
pub(super) fn small_profile() -> Profile {
    let mut caller = Recorder::new();
    caller.chunk(1_000_000, 1_000_400, 1);
    caller.chunk(1_000_500, 1_300_500, 1024);
    let mut first = Recorder::new();
    first.steal(1_050_000, 9, false);
    first.chunk(1_050_000, 1_390_000, 1);
    first.nested(3);
    first.nested(3);
    let second = Recorder::new();
    Profile::assemble(
        1_000_000,
        1_400_000,
        2,
        vec![
            first.into_worker(
                0,
                "worker 0".to_owned(),
                Counts { steals_tried: 4, steals_won: 1, wakeups: 1, parks: 2, ..Counts::default() },
            ),
            second.into_worker(1, "worker 1".to_owned(), Counts { steals_tried: 1200, ..Counts::default() }),
            caller.into_worker(9, "caller".to_owned(), Counts::default()),
        ],
    )
}

#[test]
fn totals_are_sums_over_workers() {
    let profile = small_profile();
    assert_eq!(profile.wall_time().as_nanos(), 400_000);
    assert_eq!(profile.taskel_time().as_nanos(), 400 + 300_000 + 340_000);
    assert_eq!(profile.utilisation(), 640_400.0 / 800_000.0);
    assert_eq!(profile.longest_taskel().as_nanos(), 340_000);
    assert_eq!(profile.threads(), 2);
    assert_eq!(profile.taskels(), 1 + 1024 + 1 + 6);
    assert_eq!(profile.chunks(), 5);
    assert_eq!(profile.chunk_sizes().collect::<Vec<_>>(), [(1, 2), (2, 2), (1024, 1)]);

    let [first, second, caller] = profile.workers() else { panic!("three workers") };
    assert_eq!(first.label(), "worker 0");
    assert_eq!(first.busy_time().as_nanos(), 340_000);
    assert_eq!((first.taskels(), first.chunks()), (7, 3));
    assert_eq!((first.steals_tried(), first.steals_won(), first.wakeups(), first.parks()), (4, 1, 1, 2));
    assert_eq!((second.taskels(), second.chunks(), second.steals_tried()), (0, 0, 1200));
    assert_eq!((caller.taskels(), caller.chunks()), (1025, 2));
}

#[test]
fn display_is_an_aligned_table() {
    let expected = "\
2 threads, 400 µs, 80.0 % busy, speed-up 1.60
640 µs in 1,032 taskels, 5 chunks, 1 steal; longest taskel 340 µs

                                            busy  waiting  searching  parked  taskels  chunks  steals  tried  wake-ups  parks
worker 0  ██████████████████████████░░░░  340 µs     0 ns    60.0 µs    0 ns        7       3       1      4         1      2
worker 1  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░    0 ns     0 ns     400 µs    0 ns        0       0       0  1,200         0      0
caller    ███████████████████████░░░░░░░  300 µs     0 ns    99.6 µs    0 ns    1,025       2       0      0         0      0

taskels per chunk
          1  2  ██████████████████████████████
        2–3  2  ██████████████████████████████
1,024–2,047  1  ███████████████";
    assert_eq!(small_profile().to_string(), expected);
}

#[test]
fn a_caller_in_a_workers_place_is_in_its_row() {
    let mut worker = Recorder::new();
    worker.chunk(0, 10, 2);
    worker.chunk(200, 230, 1);
    let mut caller = Recorder::new();
    caller.chunk(50, 150, 64);
    caller.steal(50, 7, false);
    caller.in_place_of(0);
    caller.in_place_of(0);
    assert_eq!(caller.place(), Place::OfWorker(0));
    let counts = |parks| Counts { parks, steals_tried: 1, ..Counts::default() };
    let mut row = worker.into_worker(0, "worker 0".to_owned(), counts(2));
    row.absorb(caller.into_worker(2, "caller".to_owned(), counts(3)));
    assert_eq!(row.label(), "worker 0 + caller");
    assert_eq!((row.busy_time().as_nanos(), row.taskels(), row.chunks()), (140, 67, 3));
    assert_eq!((row.parks(), row.steals_tried()), (5, 2));
    assert!(row.is_lane(0) && row.is_lane(2) && !row.is_lane(1));
    let starts = row.record.spans.events().iter().map(|span| span.start_ns);
    assert_eq!(starts.collect::<Vec<_>>(), [0, 50, 200]);
    assert_eq!(row.record.steals.events().len(), 1);
    assert_eq!(Profile::assemble(0, 300, 1, vec![row]).chunk_sizes().count(), 3);
}

#[test]
fn a_caller_in_several_places_is_in_none() {
    let mut caller = Recorder::new();
    assert_eq!(caller.place(), Place::Unknown);
    caller.in_place_of(0);
    caller.in_place_of(1);
    caller.in_place_of(0);
    assert_eq!(caller.place(), Place::OfSeveral);
}

#[test]
fn nothing_recorded_is_all_zero() {
    let profile = Profile::assemble(5, 5, 0, Vec::new());
    assert_eq!(profile.utilisation(), 0.0);
    assert_eq!(profile.longest_taskel().as_nanos(), 0);
    assert!(profile.to_string().ends_with("taskels per chunk: no chunks"));
}

#[test]
fn the_longest_taskel_is_the_largest_mean_of_a_chunk() {
    let mut recorder = Recorder::new();
    recorder.chunk(0, 900, 9);
    recorder.chunk(1000, 1400, 1);
    recorder.chunk(1400, 1700, 2);
    assert_eq!(recorder.longest_taskel_ns, 400);
}

#[test]
fn chunks_are_counted_by_power_of_two() {
    let mut recorder = Recorder::new();
    let top = 1 << (usize::BITS - 1);
    for taskels in [1, 2, 3, 4, 7, 8, top, 0] {
        recorder.nested(taskels);
        recorder.chunk(0, 0, 0);
    }
    let profile = Profile::assemble(0, 1, 1, vec![recorder.into_worker(0, String::new(), Counts::default())]);
    assert_eq!(profile.chunk_sizes().collect::<Vec<_>>(), [(1, 1), (2, 2), (4, 2), (8, 1), (top, 1)]);
}

#[test]
fn counts_stay_exact_when_spans_are_merged() {
    const CHUNKS: u64 = 10 * CAPACITY as u64;
    let mut recorder = Recorder::new();
    let mut at = 1_000;
    for i in 0..CHUNKS {
        recorder.chunk(at, at + 90, 1 + (i % 2) as usize);
        recorder.steal(at, i as usize, false);
        at += 100;
    }
    let worker = recorder.into_worker(0, String::new(), Counts::default());
    assert!(worker.record.spans.events().len() <= CAPACITY);
    assert!(worker.record.spans.events().len() >= CAPACITY / 8, "merged more than needed");
    assert!(worker.record.steals.events().len() <= CAPACITY);
    assert_eq!(
        (worker.record.chunks, worker.record.taskels, worker.record.busy_ns),
        (CHUNKS, CHUNKS / 2 * 3, CHUNKS * 90)
    );
    assert_eq!(worker.record.longest_taskel_ns, 90);
    assert_eq!(worker.record.chunk_sizes.buckets().collect::<Vec<_>>(), [(1, CHUNKS / 2), (2, CHUNKS / 2)]);

    let spans = worker.record.spans.events().iter().map(|span| span.weight);
    let drawn = spans.fold((0, 0, 0), |sum, w| (sum.0 + w.chunks, sum.1 + w.taskels, sum.2 + w.busy_ns));
    assert_eq!(drawn, (CHUNKS, CHUNKS / 2 * 3, CHUNKS * 90));
    assert_eq!(worker.record.steals.events().iter().map(|event| event.weight.steals).sum::<u64>(), CHUNKS);
}

#[test]
fn a_long_event_among_many_short_ones_stays_apart() {
    let mut timeline = Timeline::new();
    let mut at = 0;
    for i in 0..4 * CAPACITY as u64 {
        let took = if i == 3 * CAPACITY as u64 { 1_000_000_000 } else { 10 };
        timeline.push(at, at + took, 1_u64);
        at += took;
    }
    let long = timeline.events().iter().find(|event| event.end_ns - event.start_ns >= 1_000_000_000);
    assert!(long.expect("it is kept").weight <= 2);
    assert_eq!(timeline.events().iter().map(|event| event.weight).sum::<u64>(), 4 * CAPACITY as u64);
}

#[test]
fn a_timeline_is_bounded_whatever_the_clock_does() {
    let mut timeline = Timeline::new();
    let times = [0, u64::MAX, 1 << 40, 3, u64::MAX - 1, 0];
    for i in 0..3 * CAPACITY {
        timeline.push(times[i % 6], times[(i / 6) % 6], 1_u64);
        assert!(timeline.events().len() <= CAPACITY);
    }
    assert!(timeline.events().windows(2).all(|pair| pair[0].end_ns <= pair[1].start_ns));
    assert_eq!(timeline.events().iter().map(|event| event.weight).sum::<u64>(), 3 * CAPACITY as u64);
}

#[test]
fn sums_beyond_what_a_clock_can_show_are_the_greatest() {
    let mut recorder = Recorder::new();
    for _ in 0..2 {
        recorder.chunk(0, u64::MAX, usize::MAX);
        recorder.nested(usize::MAX);
    }
    let workers = [recorder.clone(), recorder]
        .map(|recorder| recorder.into_worker(0, String::new(), Counts::default()));
    let profile = Profile::assemble(u64::MAX - 1, u64::MAX, 2, workers.into());
    assert_eq!(profile.taskel_time(), std::time::Duration::from_nanos(u64::MAX));
    assert_eq!((profile.taskels(), profile.chunks()), (u64::MAX, 8));
    #[cfg(feature = "svg")]
    assert!(roxmltree::Document::parse(&profile.to_svg()).is_ok());
    assert!(profile.to_string().contains("100.0 % busy") || profile.utilisation() > 1.0);
}

#[test]
fn units_are_those_people_use() {
    let shown =
        [0.0, 1.0, 999.4, 999.6, 1234.0, 9_996.0, 65_432.0, 999_600.0, 1.5e6, 2e9, 86_400e9].map(Time);
    assert_eq!(
        shown.map(|time| time.to_string()),
        [
            "0 ns", "1 ns", "999 ns", "1.00 µs", "1.23 µs", "10.0 µs", "65.4 µs", "1.00 ms", "1.50 ms",
            "2.00 s", "86400 s"
        ]
    );
    assert_eq!([0, 999, 1000, 1_234_567].map(|n| Grouped(n).to_string()), ["0", "999", "1,000", "1,234,567"]);
}

#[cfg(feature = "svg")]
mod picture {
    use super::*;

    const MEGABYTE: usize = 1 << 20;

    /// The titles of a picture's bars, after a check that it is well-formed and its shapes lie
    /// within it.
    fn bar_titles(svg: &str) -> Vec<String> {
        let document = roxmltree::Document::parse(svg).expect("well-formed XML");
        assert!(svg.len() < MEGABYTE, "{} bytes", svg.len());
        let height: f64 = document.root_element().attribute("height").unwrap().parse().unwrap();
        let number =
            |node: roxmltree::Node<'_, '_>, name| node.attribute(name).unwrap_or("0").parse::<f64>().unwrap();
        let mut titles = Vec::new();
        for bar in document.descendants().filter(|node| node.has_tag_name("rect")) {
            assert!(number(bar, "x") >= 0.0 && number(bar, "x") + number(bar, "width") <= 1200.0);
            assert!(number(bar, "y") >= 0.0 && number(bar, "y") + number(bar, "height") <= height);
            titles.extend(bar.first_element_child().and_then(|title| title.text()).map(str::to_owned));
        }
        titles
    }

    fn one_worker(recorder: Recorder, label: &str, end_ns: u64) -> Profile {
        Profile::assemble(0, end_ns, 1, vec![recorder.into_worker(0, label.to_owned(), Counts::default())])
    }

    #[test]
    fn without_chunks_has_no_bars() {
        assert!(bar_titles(&one_worker(Recorder::new(), "worker 0", 1000).to_svg()).is_empty());
        assert!(bar_titles(&one_worker(Recorder::new(), "worker 0", 0).to_svg()).is_empty());
        assert!(bar_titles(&Profile::assemble(7, 3, 0, Vec::new()).to_svg()).is_empty());
    }

    #[test]
    fn of_one_chunk_tells_its_figures() {
        let mut recorder = Recorder::new();
        recorder.chunk(2_000, 5_000, 10);
        let titles = bar_titles(&one_worker(recorder, "worker 0", 10_000).to_svg());
        assert_eq!(titles, ["at 2.00 µs: 10 taskels in 3.00 µs, 300 ns each"]);
    }

    #[test]
    fn of_a_million_chunks_stays_small_and_accounts_for_all() {
        const WORKERS: usize = 20;
        let workers = (0..WORKERS).map(|lane| {
            let mut recorder = Recorder::new();
            for i in 0..50_000 {
                recorder.chunk(i * 100, i * 100 + 80, 1);
                recorder.steal(i * 100, (lane + 1) % WORKERS, false);
            }
            recorder.into_worker(lane, format!("worker {lane}"), Counts::default())
        });
        let svg = Profile::assemble(0, 5_000_000, WORKERS, workers.collect()).to_svg();
        let titles = bar_titles(&svg);
        assert!(titles.len() > 2000, "only {} bars", titles.len());
        let chunks = titles.iter().map(|title| {
            let number = title.split(": ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
            number.replace(',', "").parse::<u64>().unwrap()
        });
        assert_eq!(chunks.sum::<u64>(), 1_000_000);
    }

    #[test]
    fn of_many_workers_stays_small() {
        let workers = (0..256).map(|lane| {
            let mut recorder = Recorder::new();
            for i in 0..100 {
                recorder.steal(i * 100, 0, false);
                recorder.chunk(i * 100, i * 100 + 80, 1);
            }
            recorder.into_worker(lane, format!("worker {lane}"), Counts::default())
        });
        let svg = Profile::assemble(0, 10_000, 256, workers.collect()).to_svg();
        assert!(bar_titles(&svg).len() >= 256);
    }

    #[test]
    fn escapes_names() {
        let mut recorder = Recorder::new();
        recorder.steal(3, 0, false);
        let svg = one_worker(recorder, "<a&\"b\">\u{0}]]>", 10).to_svg();
        bar_titles(&svg);
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<&str> = document.descendants().filter_map(|node| node.text().map(str::trim)).collect();
        assert!(texts.contains(&"<a&\"b\">\u{fffd}]]>"), "{texts:?}");
    }

    #[test]
    fn marks_steals_and_where_from() {
        let svg = small_profile().to_svg();
        assert!(svg.contains("at 50.0 µs: stole from caller"), "{svg}");
    }

    #[test]
    fn survives_events_outside_the_profiled_time() {
        let mut recorder = Recorder::new();
        recorder.chunk(0, 50, 1);
        recorder.chunk(90, 500, 1);
        let worker = recorder.into_worker(0, String::new(), Counts::default());
        assert_eq!(bar_titles(&Profile::assemble(100, 200, 1, vec![worker]).to_svg()).len(), 2);
    }
}
