//! The feature `tracing`: the span that a parallel call is made in is current in all that it runs,
//! on every thread.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use taskel::ThreadPool;
use taskel::prelude::*;
use tracing::{Span, info_span, span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Who was the parent of each span, on which thread it was made, and how often each was entered.
#[derive(Default)]
struct Seen {
    spans: HashMap<u64, Made>,
    entered: HashMap<u64, usize>,
    /// Entered and not left again.
    open: usize,
    closed: HashSet<u64>,
}

struct Made {
    name: &'static str,
    parent: Option<u64>,
    thread: ThreadId,
}

#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Seen>>);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watch {
    fn on_new_span(&self, of: &span::Attributes<'_>, id: &span::Id, all: Context<'_, S>) {
        let parent = all.span(id).and_then(|span| span.parent()).map(|parent| parent.id().into_u64());
        let made = Made { name: of.metadata().name(), parent, thread: thread::current().id() };
        self.0.lock().unwrap().spans.insert(id.into_u64(), made);
    }

    fn on_enter(&self, id: &span::Id, _: Context<'_, S>) {
        let mut seen = self.0.lock().unwrap();
        *seen.entered.entry(id.into_u64()).or_default() += 1;
        seen.open += 1;
    }

    fn on_exit(&self, _: &span::Id, _: Context<'_, S>) {
        self.0.lock().unwrap().open -= 1;
    }

    fn on_close(&self, id: span::Id, _: Context<'_, S>) {
        self.0.lock().unwrap().closed.insert(id.into_u64());
    }
}

impl Seen {
    /// The name of a span, and of those that it is inside of.
    fn path<'s>(&'s self, mut made: &'s Made) -> Vec<&'static str> {
        let mut path = vec![made.name];
        while let Some(parent) = made.parent {
            made = &self.spans[&parent];
            path.push(made.name);
        }
        path
    }

    /// So many spans lie on this path (from inside out), and so many threads have made them.
    #[track_caller]
    fn expect(&self, path: &[&str], spans: usize, threads: usize) {
        let all: Vec<&Made> = self.spans.values().filter(|made| made.name == path[0]).collect();
        let mine = all.iter().filter(|made| self.path(made) == path);
        let made_by: HashSet<ThreadId> = mine.clone().map(|made| made.thread).collect();
        let other = all.iter().map(|made| self.path(made)).find(|other| other != path);
        assert_eq!((mine.count(), other), (spans, None), "{path:?}");
        assert!(made_by.len() >= threads, "{path:?}: {} threads", made_by.len());
    }
}

/// A span of its own, which another thread has, too, at the same time.
fn together(name: impl FnOnce() -> Span, both: &Barrier) {
    let _span = name().entered();
    both.wait();
}

const WORK: Duration = Duration::from_millis(2);

fn loops(pool: &ThreadPool, both: &Barrier) {
    info_span!("loop").in_scope(|| {
        pool.install(|| {
            (0..2).into_par_iter().for_each(|_| {
                let _outer = info_span!("item").entered();
                both.wait();
                // Loops inside of items, which others help with.
                (0..8).into_par_iter().for_each(|_| info_span!("inner").in_scope(|| thread::sleep(WORK)));
            });
        });
    });
    info_span!("bridge").in_scope(|| {
        pool.install(|| {
            let items = (0..2).par_bridge();
            items.for_each(|_| together(|| info_span!("of bridge"), both));
        });
    });
    info_span!("stream").in_scope(|| {
        let step = |n: u32| info_span!("step").in_scope(|| thread::sleep(WORK * (n % 2 + 1)));
        (0..32).par_stream().on(pool).map(step).for_each_ordered(|()| drop(info_span!("sink")));
    });
    info_span!("sort").in_scope(|| {
        let mut items: Vec<u32> = (0..64).rev().collect();
        pool.install(|| {
            items.par_sort_by_cached_key(|&n| info_span!("key").in_scope(|| (thread::sleep(WORK / 4), n).1));
        });
        assert!(items.is_sorted());
    });
}

fn joins_and_scopes(pool: &ThreadPool, both: &Barrier) {
    info_span!("join").in_scope(|| {
        pool.join(|| together(|| info_span!("half"), both), || together(|| info_span!("half"), both));
    });
    info_span!("scope").in_scope(|| {
        pool.scope(|s| {
            s.spawn(|s| {
                together(|| info_span!("task"), both);
                info_span!("spawner").in_scope(|| s.spawn(|_| drop(info_span!("of task"))));
            });
            s.spawn(|_| together(|| info_span!("task"), both));
            s.spawn_broadcast(|_, _| drop(info_span!("everywhere")));
        });
    });
    info_span!("in place").in_scope(|| {
        pool.in_place_scope(|s| s.spawn(|_| drop(info_span!("of place"))));
    });
}

fn tasks_and_broadcasts(pool: &ThreadPool, both: &Arc<Barrier>) {
    info_span!("submit").in_scope(|| {
        let (a, b) = (Arc::clone(both), Arc::clone(both));
        let first = pool.submit(move || together(|| info_span!("submitted"), &a));
        let second = pool.submit(move || together(|| info_span!("submitted"), &b));
        first.join();
        second.join();
    });
    info_span!("spawn").in_scope(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        pool.spawn(move || info_span!("spawned").in_scope(|| sender.send(()).unwrap()));
        receiver.recv().unwrap();
    });
    info_span!("broadcast").in_scope(|| {
        pool.broadcast(|_| together(|| info_span!("call"), both));
    });
    info_span!("spawn_broadcast").in_scope(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        pool.spawn_broadcast(move |_| info_span!("later").in_scope(|| sender.send(()).unwrap()));
        assert_eq!(receiver.iter().count(), 2);
    });
    info_span!("run_on_worker").in_scope(|| pool.run_on_worker(|| drop(info_span!("moved"))));
}

#[test]
fn all_that_a_program_does_in_parallel_is_one_tree() {
    let watch = Watch::default();
    tracing::subscriber::set_global_default(Registry::default().with(watch.clone())).unwrap();
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let both = Arc::new(Barrier::new(2));
    let root = info_span!("root").entered();

    loops(&pool, &both);
    joins_and_scopes(&pool, &both);
    tasks_and_broadcasts(&pool, &both);

    let root_id = root.id().unwrap().into_u64();
    drop(root);
    // Workers are done with what nobody waits for.
    drop(pool);
    let seen = watch.0.lock().unwrap();
    seen.expect(&["item", "loop", "root"], 2, 2);
    seen.expect(&["inner", "item", "loop", "root"], 16, 2);
    seen.expect(&["of bridge", "bridge", "root"], 2, 2);
    seen.expect(&["half", "join", "root"], 2, 2);
    seen.expect(&["task", "scope", "root"], 2, 2);
    seen.expect(&["of task", "spawner", "scope", "root"], 1, 1);
    seen.expect(&["everywhere", "scope", "root"], 2, 2);
    seen.expect(&["of place", "in place", "root"], 1, 1);
    seen.expect(&["submitted", "submit", "root"], 2, 2);
    seen.expect(&["spawned", "spawn", "root"], 1, 1);
    seen.expect(&["step", "stream", "root"], 32, 2);
    seen.expect(&["sink", "stream", "root"], 32, 1);
    seen.expect(&["call", "broadcast", "root"], 2, 2);
    seen.expect(&["later", "spawn_broadcast", "root"], 2, 2);
    seen.expect(&["moved", "run_on_worker", "root"], 1, 1);
    seen.expect(&["key", "sort", "root"], 64, 2);
    // Nobody is inside of anything any more, and nobody holds a span.
    assert_eq!(seen.open, 0);
    assert_eq!(seen.closed.len(), seen.spans.len());
    assert_eq!(seen.entered[&root_id], 1, "in its thread; nothing was published right in it");
    // Once for all items of a lane: the caller is in it already, and the other lane comes once, or
    // comes back.
    let stream = seen.spans.iter().find(|(_, made)| made.name == "stream").unwrap().0;
    assert!(seen.entered[stream] <= 3, "{}", seen.entered[stream]);
}

/// A subscriber for a part of a program alone, beside that of the process.
#[test]
fn a_subscriber_of_a_thread_goes_along_to_workers() {
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let both = Arc::new(Barrier::new(2));
    let calls = || {
        pool.install(|| (0..2).into_par_iter().for_each(|_| together(|| info_span!("item"), &both)));
        pool.join(|| together(|| info_span!("half"), &both), || together(|| info_span!("half"), &both));
        pool.scope(|s| {
            s.spawn(|_| together(|| info_span!("task"), &both));
            s.spawn(|_| together(|| info_span!("task"), &both));
        });
        let other = Arc::clone(&both);
        let task = pool.submit(move || together(|| info_span!("submitted"), &other));
        together(|| info_span!("submitter"), &both);
        task.join();
        pool.broadcast(|_| together(|| info_span!("call"), &both));
    };
    // Inside of no span, and inside of one.
    for around in [&[][..], &["around"]] {
        let watch = Watch::default();
        let subscriber = Registry::default().with(watch.clone());
        tracing::subscriber::with_default(subscriber, || {
            let _around = around.first().map(|_| info_span!("around").entered());
            calls();
        });
        // The workers are without it again.
        pool.broadcast(|_| drop(info_span!("after")));
        let seen = watch.0.lock().unwrap();
        for (name, threads) in [("item", 2), ("half", 2), ("task", 2), ("submitted", 1), ("call", 2)] {
            seen.expect(&[&[name], around].concat(), threads, threads);
        }
        assert!(seen.spans.values().all(|made| made.name != "after"));
        assert_eq!((seen.open, seen.closed.len()), (0, seen.spans.len()));
    }
}
