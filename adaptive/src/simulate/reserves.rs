//! Reserve threads, which work in place of workers that sleep in a wait.

use alloc::vec::Vec;

/// How long a worker waits before it lends its seat.
const BEFORE_LENDING_NS: f64 = 100_000.0;

/// One reserve per worker. Reserves are numbered after the workers.
pub(crate) struct Reserves {
    workers: usize,
    /// The number of lent seats that are free. If it is negative, this many reserves must leave.
    free: isize,
    /// How many reserves were called and have not arrived.
    calls: isize,
    idle: Vec<usize>,
    /// For each thread: since when it waits, whether it has lent its seat and, for a reserve,
    /// whether it has one.
    waits_since_ns: Vec<Option<f64>>,
    has_lent: Vec<bool>,
    has_seat: Vec<bool>,
}

impl Reserves {
    /// Without `any`, there are only the workers.
    pub(crate) fn new(workers: usize, any: bool) -> Self {
        let threads = if any { 2 * workers } else { workers };
        Reserves {
            workers,
            free: 0,
            calls: 0,
            idle: (workers..threads).rev().collect(),
            waits_since_ns: alloc::vec![None; threads],
            has_lent: alloc::vec![false; threads],
            has_seat: alloc::vec![false; threads],
        }
    }

    /// Returns the number of threads, including reserves.
    pub(crate) fn threads(&self) -> usize {
        self.has_seat.len()
    }

    pub(crate) fn is_reserve(&self, thread: usize) -> bool {
        thread >= self.workers
    }

    /// Records that the thread waits at `now_ns`. Returns when it will lend its seat, if it has not
    /// done so.
    pub(crate) fn wait(&mut self, thread: usize, now_ns: f64) -> Option<f64> {
        if self.has_lent[thread] || self.threads() == self.workers {
            return None;
        }
        let until_ns = *self.waits_since_ns[thread].get_or_insert(now_ns) + BEFORE_LENDING_NS;
        if now_ns < until_ns {
            return Some(until_ns);
        }
        self.has_lent[thread] = true;
        self.free += 1;
        None
    }

    /// Takes the thread's seat back, because it has something to do.
    pub(crate) fn wait_is_over(&mut self, thread: usize) {
        self.waits_since_ns[thread] = None;
        if core::mem::take(&mut self.has_lent[thread]) {
            self.free -= 1;
        }
    }

    /// Returns a reserve to call for a free seat.
    pub(crate) fn called(&mut self) -> Option<usize> {
        if self.calls >= self.free {
            return None;
        }
        let reserve = self.idle.pop()?;
        self.calls += 1;
        Some(reserve)
    }

    /// Returns whether an idle reserve may take work: it was just called, or no worker wants its
    /// seat back.
    pub(crate) fn may_begin(&mut self, reserve: usize) -> bool {
        if !self.has_seat[reserve] {
            self.calls -= 1;
            if self.free <= 0 {
                self.idle.push(reserve);
                return false;
            }
            self.free -= 1;
            self.has_seat[reserve] = true;
        } else if self.free < 0 {
            self.leave(reserve);
            return false;
        }
        true
    }

    /// Gives the reserve's seat back.
    pub(crate) fn leave(&mut self, reserve: usize) {
        self.has_seat[reserve] = false;
        self.free += 1;
        self.idle.push(reserve);
    }
}
