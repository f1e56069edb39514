//! How much processor time does an idle pool burn in a second, and how often does it wake?

use super::Context;
use crate::{
    cpu,
    result::{Cell, Group, Row, Shown},
};
use std::{fs, thread, time::Duration};

/// Three idle seconds each, one peer after the other: turns would change nothing, for everybody
/// else is gone.
pub(super) fn run(context: &Context) -> Vec<Group> {
    let threads = context.threads;
    let mut times = Vec::new();
    let mut wakes = Vec::new();
    let mut measure = |peer: &str, pool: &mut dyn FnMut() -> Box<dyn std::any::Any>| {
        if !context.wants_peer(peer) {
            return;
        }
        let pool = pool();
        let seconds: Vec<(f64, f64)> = (0..context.reps.min(3)).map(|_| second()).collect();
        drop(pool);
        times.push(Cell::new(peer, seconds.iter().map(|second| second.0).collect()));
        wakes.push(Cell::new(peer, seconds.iter().map(|second| second.1).collect()));
    };
    measure("no pool", &mut || Box::new(()));
    measure("rayon", &mut || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.join(|| (), || ());
        Box::new(pool)
    });
    measure("chili", &mut || {
        let pool = chili::ThreadPool::with_config(chili::Config::default());
        pool.scope().join(|_| (), |_| ());
        Box::new(pool)
    });
    measure("taskel", &mut || {
        let pool = taskel::ThreadPool::builder().num_threads(threads).build().expect("a pool");
        pool.join(|| (), || ());
        Box::new(pool)
    });
    #[cfg(feature = "fork-union")]
    measure("ForkUnion", &mut || {
        let mut pool = crate::peers::fork_union::spawn(threads);
        pool.for_threads(&|_, _| ()).join();
        Box::new(pool)
    });
    let row = |name: &str, cells| Row { name: name.to_owned(), bound: None, cells };
    let rows = vec![row("µs of processor time", times), row("times that a thread was woken", wakes)];
    let group = Group {
        name: "idle".to_owned(),
        title: "A second in which a pool that has been used has nothing to do".to_owned(),
        unit: "per second".to_owned(),
        shown: Shown::Value,
        rows: rows.into_iter().filter(|row| context.wants_row(&row.name)).collect(),
        cores_of_others: None,
    };
    vec![group]
}

/// Microseconds of processor time, and how often a thread gave up its core to sleep, besides the
/// calling one's own second of sleep.
fn second() -> (f64, f64) {
    thread::sleep(Duration::from_millis(200));
    let sleeps = sleeps_of_others();
    let cpu = cpu::process_ns();
    thread::sleep(Duration::from_secs(1));
    let cpu = cpu::process_ns() - cpu;
    (cpu / 1e3, sleeps_of_others() - sleeps)
}

/// How often the other threads of this process have gone to sleep, which each must have been woken
/// for; 0 where there is no `/proc`.
fn sleeps_of_others() -> f64 {
    let own = std::process::id().to_string();
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let sleeps = threads.filter(|thread| thread.file_name() != *own).filter_map(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse::<f64>().ok()
    });
    sleeps.sum()
}
