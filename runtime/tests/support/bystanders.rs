//! What else the machine does while a test measures time.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::{Pinning, ThreadPool};

/// A quiet machine wakes a sleeper sooner: after 60 to 120 µs.
const QUIET: Duration = Duration::from_micros(150);
const NAP: Duration = Duration::from_micros(500);

/// What one of the bystanders has seen so far.
#[derive(Default)]
struct Bystander {
    naps: AtomicU64,
    /// By how much naps were too long: the part that quiet machines have, too, and the rest.
    usual_ns: AtomicU64,
    delays_ns: AtomicU64,
}

/// On each core somebody does nothing but sleep.
static BYSTANDERS: LazyLock<&[Bystander]> = LazyLock::new(|| {
    let pool = ThreadPool::builder().pinning(Pinning::Cores).build().expect("threads");
    let pool: &ThreadPool = Box::leak(Box::new(pool));
    let bystanders: &[Bystander] =
        Box::leak((0..pool.current_num_threads()).map(|_| Bystander::default()).collect());
    pool.spawn_broadcast(|context| {
        let Bystander { naps, usual_ns, delays_ns } = &bystanders[context.index()];
        loop {
            let began = Instant::now();
            thread::sleep(NAP);
            let late = began.elapsed().saturating_sub(NAP);
            usual_ns.fetch_add(late.min(QUIET).as_nanos() as u64, Ordering::Relaxed);
            delays_ns.fetch_add(late.saturating_sub(QUIET).as_nanos() as u64, Ordering::Relaxed);
            naps.fetch_add(1, Ordering::Relaxed);
        }
    });
    bystanders
});

/// Calls `op`. Returns what bystanders saw meanwhile, on the core where it is most: the sum of the
/// delays that no quiet machine has, and how long it took on average to wake one but for those.
pub(crate) fn delays_and_wake_during(op: impl FnOnce()) -> (Duration, Duration) {
    let so_far = || {
        BYSTANDERS.iter().map(|bystander| {
            [&bystander.naps, &bystander.usual_ns, &bystander.delays_ns]
                .map(|sum| sum.load(Ordering::Relaxed))
        })
    };
    let before: Vec<[u64; 3]> = so_far().collect();
    op();
    // Who is late now, tells of it when it has woken up.
    thread::sleep(2 * NAP);
    let seen = so_far().zip(before).map(|(after, before)| {
        let [naps, usual_ns, delays_ns] = [0, 1, 2].map(|sum| after[sum] - before[sum]);
        [delays_ns, usual_ns / naps.max(1)]
    });
    let most = |[delays_ns, wake_ns]: [u64; 2], [d, w]: [u64; 2]| [delays_ns.max(d), wake_ns.max(w)];
    let [delays, wake] = seen.fold([0; 2], most).map(Duration::from_nanos);
    (delays, wake)
}
