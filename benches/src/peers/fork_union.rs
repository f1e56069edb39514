//! ForkUnion, with equal shares and with shares that are claimed item by item.
//!
//! Its threads spin as long as their pool lives, so it is made anew for each sample, before the
//! clock starts.

use crate::{
    peer::{FLOATS_PER_TASKEL, Peer, Timed, lane_sum, timed},
    work::work,
};
use ::forkunion::{CacheAligned, ThreadPool, Topology};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Who gets which items.
#[derive(Clone, Copy)]
enum Shares {
    Equal,
    Claimed,
}

pub(crate) struct ForkUnion {
    threads: usize,
    shares: Shares,
}

impl ForkUnion {
    pub(crate) fn all(threads: usize) -> [ForkUnion; 2] {
        [Shares::Equal, Shares::Claimed].map(|shares| ForkUnion { threads, shares })
    }

    /// A pool whose threads have begun to spin.
    fn pool(&self) -> ThreadPool {
        let mut pool = spawn(self.threads);
        pool.for_threads(&|_, _| ()).join();
        pool
    }

    /// Calls `add` with parts of `0..len` on all threads, and the number of the thread.
    fn for_parts(
        &self,
        pool: &mut ThreadPool,
        len: usize,
        add: impl Fn(usize, std::ops::Range<usize>) + Sync,
    ) {
        match self.shares {
            Shares::Equal => {
                let op = pool.for_slices(len, |first, count| {
                    add(first.thread_index, first.task_index..first.task_index + count);
                });
                drop(op);
            }
            Shares::Claimed => {
                let op = pool
                    .for_n_dynamic(len, |item| add(item.thread_index, item.task_index..item.task_index + 1));
                drop(op);
            }
        }
    }
}

/// A pool of so many threads, the caller among them.
///
/// # Panics
///
/// If the system refuses them, or does not tell of its processors.
pub(crate) fn spawn(threads: usize) -> ThreadPool {
    let topology = Topology::new().expect("the system tells of its processors");
    ::forkunion::spawn(&topology, threads)
}

impl Peer for ForkUnion {
    fn name(&self) -> &'static str {
        match self.shares {
            Shares::Equal => "ForkUnion static",
            Shares::Claimed => "ForkUnion dynamic",
        }
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        let mut pool = self.pool();
        timed(weights, calls, |weights| {
            let sums: Vec<_> = (0..self.threads).map(|_| CacheAligned(AtomicU64::new(0))).collect();
            self.for_parts(&mut pool, weights.len(), |thread, part| {
                let more: u64 = weights[part].iter().map(|&weight| work(weight)).sum();
                // Only this thread writes it.
                let sum = &sums[thread].0;
                sum.store(sum.load(Ordering::Relaxed) + more, Ordering::Relaxed);
            });
            sums.iter().map(|sum| sum.0.load(Ordering::Relaxed)).sum()
        })
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        let mut pool = self.pool();
        timed(floats, calls, |floats| {
            let sums: Vec<_> = (0..self.threads).map(|_| CacheAligned(AtomicU32::new(0))).collect();
            let blocks = floats.len().div_ceil(FLOATS_PER_TASKEL);
            self.for_parts(&mut pool, blocks, |thread, part| {
                let end = floats.len().min(part.end * FLOATS_PER_TASKEL);
                let more = lane_sum(&floats[part.start * FLOATS_PER_TASKEL..end]);
                // Only this thread writes it.
                let sum = &sums[thread].0;
                let sum_bits = f32::from_bits(sum.load(Ordering::Relaxed)) + more;
                sum.store(sum_bits.to_bits(), Ordering::Relaxed);
            });
            sums.iter().map(|sum| f32::from_bits(sum.0.load(Ordering::Relaxed))).sum()
        })
    }
}
