//! What else the machine does while a test measures time.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::{Pinning, ThreadPool};

/// A quiet machine wakes a sleeper after some 60 µs.
const QUIET: Duration = Duration::from_micros(150);
const NAP: Duration = Duration::from_micros(500);

/// On each core somebody does nothing but sleep. These are the delays so far, in nanoseconds, that
/// no quiet machine has.
static DELAYS: LazyLock<&[AtomicU64]> = LazyLock::new(|| {
    let pool = ThreadPool::builder().pinning(Pinning::Cores).build().expect("threads");
    let pool: &ThreadPool = Box::leak(Box::new(pool));
    let delays: &[AtomicU64] =
        Box::leak((0..pool.current_num_threads()).map(|_| AtomicU64::new(0)).collect());
    pool.spawn_broadcast(|context| {
        loop {
            let began = Instant::now();
            thread::sleep(NAP);
            let delay = began.elapsed().saturating_sub(NAP + QUIET);
            delays[context.index()].fetch_add(delay.as_nanos() as u64, Ordering::Relaxed);
        }
    });
    delays
});

/// Calls `op`. Returns the delays of those who slept meanwhile, on the core where they are most.
pub(crate) fn delays_during(op: impl FnOnce()) -> Duration {
    let so_far = || DELAYS.iter().map(|delay| delay.load(Ordering::Relaxed));
    let before: Vec<u64> = so_far().collect();
    op();
    // Who is late now, tells of it when it has woken up.
    thread::sleep(2 * NAP);
    let most_ns = so_far().zip(before).map(|(after, before)| after - before).max();
    Duration::from_nanos(most_ns.unwrap_or(0))
}
