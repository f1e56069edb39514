//! What recordings say of tasks, broadcasts and scopes: what runs beside what, and nothing twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use taskel::{Profile, ThreadPool, WhyAlone, prelude::*};
use taskel_adaptive::recording::CallKind;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().num_threads(threads).build().unwrap()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sleeps, and sums up how long that has been: on a busy machine it is longer than asked for. And
/// the longest of all.
struct Sleeps(AtomicU64, AtomicU64);

impl Sleeps {
    const fn new() -> Self {
        Sleeps(AtomicU64::new(0), AtomicU64::new(0))
    }

    fn ms(&self, ms: u64) {
        let began = Instant::now();
        sleep(Duration::from_millis(ms));
        let ns = began.elapsed().as_nanos() as u64;
        self.0.fetch_add(ns, Ordering::Relaxed);
        self.1.fetch_max(ns, Ordering::Relaxed);
    }

    /// Expects it to be predicted that with so many workers the longest sleep is all.
    #[track_caller]
    fn expect_longest(&self, profile: &Profile, workers: usize) {
        let time = profile.scaling([workers]).predictions()[0].time().as_secs_f64() * 1e3;
        let longest = self.1.load(Ordering::Relaxed) as f64 / 1e6;
        let is_near = time >= longest && time <= 1.1 * longest + 1.5;
        assert!(is_near, "{workers} workers: {time} ms, longest {longest}\n{:#?}", profile.recording());
    }

    /// Expects the profile to have all sleeps since the last call as its work, and once each, and
    /// what is predicted for so many workers if sleeps were as long as asked for, which is
    /// `work_ms` in all.
    #[track_caller]
    fn expect(&self, profile: &Profile, work_ms: u64, predicted: impl IntoIterator<Item = (usize, u64)>) {
        let recording = profile.recording();
        let slept = self.0.swap(0, Ordering::Relaxed) as f64 / 1e6;
        self.1.store(0, Ordering::Relaxed);
        let work = recording.work().as_secs_f64() * 1e3;
        assert!(slept <= work && work <= 1.1 * slept + 3.0, "{work} ms of {slept}\n{recording:#?}");
        let longer = slept / work_ms as f64;
        for (workers, expected_ms) in predicted {
            let time = profile.scaling([workers]).predictions()[0].time().as_secs_f64() * 1e3;
            let expected = expected_ms as f64 * longer;
            let is_near = time >= 0.8 * expected && time <= 1.2 * expected + 3.0;
            assert!(is_near, "{workers} workers: {time} ms, expected {expected}\n{recording:#?}");
        }
    }
}

#[test]
fn a_task_that_its_spawner_does_itself_counts_once() {
    static SLEEPS: Sleeps = Sleeps::new();
    // From outside of the pool, from a worker, and inside of an item.
    let submits = || {
        let task = taskel::submit(|| SLEEPS.ms(20));
        SLEEPS.ms(10);
        task.join();
        SLEEPS.ms(10);
    };
    for threads in [1, 2] {
        let pool = pool(threads);
        let ((), outside) = pool.profile(submits);
        SLEEPS.expect(&outside, 40, [(1, 40), (2, 30), (8, 30)]);
        let ((), worker) = pool.profile(|| pool.run_on_worker(submits));
        SLEEPS.expect(&worker, 40, [(2, 30)]);
        let ((), item) = pool.profile(|| (0..2).into_par_iter().for_each(|_| submits()));
        SLEEPS.expect(&item, 80, [(1, 80), (2, 40), (4, 30)]);
    }
}

#[test]
fn tasks_run_beside_each_other_up_to_their_joins() {
    static SLEEPS: Sleeps = Sleeps::new();
    let pool = pool(1);
    let ((), profile) = pool.profile(|| {
        let tasks: Vec<_> = (0..4).map(|_| taskel::submit(|| SLEEPS.ms(12))).collect();
        tasks.into_iter().for_each(|task| task.join());
        // Not before they are over.
        SLEEPS.ms(12);
    });
    SLEEPS.expect(&profile, 60, [(1, 60), (2, 36), (4, 24), (64, 24)]);
    let kinds: Vec<CallKind> = profile.recording().calls().iter().map(|call| call.kind).collect();
    assert_eq!(kinds[..2], [CallKind::Program, CallKind::Scope], "{kinds:?}");
    assert_eq!(kinds[2..], [CallKind::Task; 4]);
}

#[test]
fn a_task_that_has_a_loop_has_its_items() {
    static SLEEPS: Sleeps = Sleeps::new();
    let pool = pool(2);
    let ((), profile) = pool.profile(|| {
        let task = taskel::submit(|| (0..8).into_par_iter().for_each(|_| SLEEPS.ms(5)));
        task.join();
    });
    SLEEPS.expect(&profile, 40, [(1, 40), (4, 10), (8, 5)]);
    assert_eq!(profile.taskels(), 8);
}

#[test]
fn what_nobody_joins_goes_on_beside_the_rest() {
    static SLEEPS: Sleeps = Sleeps::new();
    let pool = pool(2);
    let ((), profile) = pool.profile(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        taskel::spawn(move || {
            SLEEPS.ms(20);
            sender.send(()).unwrap();
        });
        SLEEPS.ms(30);
        receiver.recv().unwrap();
        // For the worker to write down that it is done.
        SLEEPS.ms(2);
    });
    SLEEPS.expect(&profile, 52, [(1, 52), (2, 32)]);
}

#[test]
fn a_task_that_panics_is_joined_all_the_same() {
    static SLEEPS: Sleeps = Sleeps::new();
    let pool = pool(1);
    let ((), profile) = pool.profile(|| {
        let task = taskel::submit(|| -> () { std::panic::resume_unwind(Box::new("a panic")) });
        assert!(std::panic::catch_unwind(|| task.join()).is_err());
        SLEEPS.ms(10);
    });
    SLEEPS.expect(&profile, 10, [(4, 10)]);
}

#[test]
fn a_broadcast_has_a_part_for_each_worker() {
    static SLEEPS: Sleeps = Sleeps::new();
    let pool = pool(2);
    let ((), profile) = pool.profile(|| {
        pool.broadcast(|context| SLEEPS.ms(10 * (1 + context.index() as u64)));
    });
    SLEEPS.expect(&profile, 30, [(2, 20)]);
    let recording = profile.recording();
    let parts = recording.calls()[1].parts.iter().map(|part| part.first).collect::<Vec<_>>();
    assert_eq!((recording.calls()[1].kind, parts), (CallKind::Beside, vec![0, 1]));
    assert!(profile.taskel_time() >= ms(30), "{profile}");
    let ((), profile) = pool.profile(|| {
        let (sender, over) = std::sync::mpsc::channel();
        pool.spawn_broadcast(move |_| {
            SLEEPS.ms(10);
            sender.send(()).unwrap();
        });
        SLEEPS.ms(20);
        (0..2).for_each(|_| over.recv().unwrap());
        SLEEPS.ms(2);
    });
    SLEEPS.expect(&profile, 42, [(3, 22)]);
}

#[test]
fn the_tasks_of_a_scope_whose_owner_only_waits_are_its_own() {
    static SLEEPS: Sleeps = Sleeps::new();
    let pool = pool(2);
    let ((), profile) = pool.profile(|| {
        pool.in_place_scope(|s| {
            (0..4).for_each(|_| s.spawn(|_| SLEEPS.ms(10)));
            s.spawn_broadcast(|_, _| SLEEPS.ms(10));
            SLEEPS.ms(10);
        });
    });
    SLEEPS.expect(&profile, 70, [(1, 70), (2, 35), (7, 10)]);
}

#[test]
fn a_profile_says_who_was_parked_and_who_was_awake() {
    let pool = pool(2);
    let ((), profile) = pool.profile(|| {
        pool.run_on_worker(|| (0..2).into_par_iter().for_each(|_| sleep(ms(10))));
        sleep(ms(40));
    });
    for worker in &profile.workers()[..2] {
        let all = worker.busy_time() + worker.searching() + worker.parked();
        assert_eq!(all, profile.wall_time(), "{profile}");
        assert!(worker.parked() >= ms(30), "{profile}");
    }
    assert!(profile.to_string().contains("parked"), "{profile}");
}

#[test]
fn a_profile_says_why_one_worker_alone_ran_a_loop() {
    // A place is a function.
    fn short() {
        (0..4).into_par_iter().for_each(|n: u64| _ = std::hint::black_box(n));
    }
    fn one() {
        [7].par_iter().for_each(|_| sleep(ms(5)));
    }
    fn shared() {
        (0..8).into_par_iter().for_each(|_| sleep(ms(5)));
    }
    let pool = pool(2);
    let ((), profile) = pool.profile(|| {
        (0..100).for_each(|_| short());
        one();
        shared();
    });
    let loops = profile.loops();
    let [shared, one, short] = &loops[..] else { panic!("{profile}") };
    let why = |of: &taskel::LoopProfile| of.alone().collect::<Vec<_>>();
    assert_eq!((why(shared), why(one)), (vec![], vec![(WhyAlone::OneItem, 1)]), "{profile}");
    let quick = why(short).into_iter().find(|(why, _)| *why == WhyAlone::Short).map_or(0, |(_, calls)| calls);
    assert!((50..=100).contains(&quick), "{profile}");
    assert_eq!((short.calls(), short.items()), (100, 400), "{profile}");
    let alone = taskel::ThreadPool::builder().num_threads(1).build().unwrap();
    let ((), profile) = alone.profile(|| (0..100).into_par_iter().for_each(|_| sleep(ms(1) / 10)));
    assert_eq!(why(&profile.loops()[0]), [(WhyAlone::OneWorker, 1)]);
}

#[test]
fn a_stream_is_its_items_beside_its_source_and_sink() {
    static SLEEPS: Sleeps = Sleeps::new();
    for threads in [1, 2] {
        let pool = pool(threads);
        let stream = |sink_ms| {
            let items = (0..16).par_stream().map(|_| SLEEPS.ms(5));
            items.for_each_ordered(|()| SLEEPS.ms(sink_ms));
        };
        let ((), profile) = pool.profile(|| pool.install(|| stream(0)));
        SLEEPS.expect_longest(&profile, 16);
        SLEEPS.expect(&profile, 80, [(1, 80), (4, 20)]);
        assert_eq!((profile.taskels(), profile.loops()[0].items()), (16, 16), "{profile}");
        assert!(profile.taskel_time() >= ms(80), "{profile}");
        // A sink that takes as long as the items is the limit on many workers.
        let ((), profile) = pool.profile(|| pool.install(|| stream(5)));
        SLEEPS.expect(&profile, 160, [(1, 160), (2, 80), (16, 80)]);
    }
}

#[test]
fn long_items_of_a_stream_are_told_apart_whatever_they_came_with() {
    for threads in [1, 2] {
        static SLEEPS: Sleeps = Sleeps::new();
        SLEEPS.1.store(0, Ordering::Relaxed);
        // What is quick comes in bundles: the long ones are in one, or in two.
        let is_long = |n: u64| (2000..2008).contains(&n);
        let stream = || {
            let items = (0..4000_u64).par_stream().map(|n| {
                if is_long(n) {
                    SLEEPS.ms(5)
                }
            });
            items.for_each_unordered(|()| ());
        };
        let pool = pool(threads);
        let ((), profile) = pool.profile(|| pool.install(stream));
        let recording = profile.recording();
        let items = recording.calls().iter().filter(|call| call.kind == CallKind::Loop);
        let parts = items.flat_map(|call| &call.parts);
        let long: Vec<u64> =
            parts.filter(|part| part.ns >= 4_000_000 && part.items == 1).map(|part| part.first).collect();
        assert_eq!(long, (2000..2008).collect::<Vec<_>>(), "{threads} threads: {recording:#?}");
        assert_eq!(profile.taskels(), 4000);
        SLEEPS.expect_longest(&profile, 32);
    }
}

#[test]
fn a_stream_of_quick_items_is_recorded_whole() {
    for threads in [1, 3] {
        let pool = pool(threads);
        let sum = |profile: &Profile| profile.loops().iter().map(|of| of.items()).sum::<u64>();
        let (all, profile) =
            pool.profile(|| (0..10_000_u64).par_stream().on(&pool).map(|n| n * 2).sum::<u64>());
        assert_eq!((all, sum(&profile), profile.taskels()), (99_990_000, 10_000, 10_000), "{profile}");
    }
}
