//! Runs rows, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::items::{Items, Layout, WORKERS};
use super::library::{ThreadPool, ThreadPoolBuilder};
use super::row::Row;

/// All sleep between two calls, as between most.
const PAUSE: Duration = Duration::from_millis(1);

/// The median of how many workers were busy in the calls after the first.
pub(crate) fn busy(row: &Row, pool: &ThreadPool, layout: Layout, calls: usize) -> f64 {
    once(row, pool, layout);
    let mut calls: Vec<f64> = (0..calls).map(|_| once(row, pool, layout)).collect();
    calls.sort_unstable_by(f64::total_cmp);
    calls[calls.len() / 2]
}

fn once(row: &Row, pool: &ThreadPool, layout: Layout) -> f64 {
    thread::sleep(PAUSE);
    let items = Arc::new(Items::new(layout));
    let start = Instant::now();
    pool.install(|| (row.run)(&items, pool));
    let busy = items.busy(start.elapsed());
    busy.unwrap_or_else(|| panic!("{}: an item has not run", row.name))
}

/// What `measure` makes of each of these, in their order, with so many pools at once: items that
/// sleep need no core.
pub(crate) fn all<T: Sync, R: Send>(
    pools: usize,
    work: &[T],
    measure: impl Fn(&T, &ThreadPool) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let help = || {
        let pool = ThreadPoolBuilder::new().num_threads(WORKERS).build().unwrap();
        // Until all threads have begun.
        pool.broadcast(|_| ());
        while let place = next.fetch_add(1, Ordering::Relaxed)
            && let Some(one) = work.get(place)
        {
            let result = measure(one, &pool);
            done.lock().unwrap().push((place, result));
        }
    };
    thread::scope(|scope| (0..pools.min(work.len())).for_each(|_| drop(scope.spawn(help))));
    let mut done = done.into_inner().unwrap();
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
