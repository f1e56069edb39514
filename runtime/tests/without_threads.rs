//! What has to work on the calling thread alone, as in WebAssembly, where this is run
//! (`.ci/foreign`); elsewhere pools have their threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use taskel::prelude::*;
use taskel::{CancelToken, Chunk, ThreadPool, WorkerLocal};

const ARE_THERE: bool = cfg!(not(target_family = "wasm"));

fn fib(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = taskel::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

fn everything() {
    assert_eq!(
        (0..10_000_u64).into_par_iter().chunk(Chunk::Exact(7)).map(|n| n + 1).sum::<u64>(),
        50_005_000
    );
    let mut numbers: Vec<u32> = (0..5000).map(|n| n * 7919 % 5003).collect();
    numbers.par_sort();
    assert!(numbers.is_sorted());
    assert_eq!(fib(15), 610);
    let ran = AtomicUsize::new(0);
    taskel::scope(|s| {
        for _ in 0..10 {
            s.spawn(|s| {
                s.spawn(|_| {
                    ran.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
    });
    assert_eq!(ran.into_inner(), 10);
    let (sender, receiver) = std::sync::mpsc::channel();
    taskel::spawn(move || sender.send(3).unwrap());
    assert_eq!((receiver.recv(), taskel::submit(|| 7).join()), (Ok(3), 7));
    assert_eq!(taskel::broadcast(|context| context.num_threads()).len(), taskel::current_num_threads());
    let local = WorkerLocal::new(|| 1);
    assert!(local.with(|one| *one == 1));
    let token = CancelToken::new();
    token.cancel();
    assert!(token.join(|| (), || ()).is_err());
    // Longer than `usize` counts, the first one on 32-bit systems.
    let found = (0..1_u64 << 40).into_par_iter().filter(|n| n % 2 == 1).find_first(|&n| n > 100_000);
    assert_eq!(found, Some(100_001));
    assert_eq!((0..u128::MAX).into_par_iter().take_any(1000).count(), 1000);
    let mut seen = Vec::new();
    (0..100).par_stream().map(|n| 2 * n).max_in_flight(4).for_each_ordered(|n| seen.push(n));
    assert_eq!(seen, (0..100).map(|n| 2 * n).collect::<Vec<i32>>());
}

#[test]
fn everything_on_the_global_pool() {
    everything();
}

#[test]
fn everything_on_a_pool() {
    let pool = ThreadPool::builder().num_threads(3).build().unwrap();
    assert_eq!(pool.current_num_threads(), if ARE_THERE { 3 } else { 1 });
    pool.install(everything);
    let (sum, profile) = pool.profile(|| (0..1000_u64).into_par_iter().sum::<u64>());
    assert_eq!(sum, 499_500);
    assert!(profile.to_string().contains("taskels"));
    drop(pool);
}
