//! Where a worker that waits for a half looks for parts of it, and which workers are called for
//! them.
//!
//! Workers know two things about each other: for whom another one waits, and for whom it works,
//! each as begun last. These are the hints of the crate `taskel` (`sched/wait.rs` there), including
//! what they miss: a waiting worker runs work that descends from its wait, and the hints do not
//! lead to all of it.

use alloc::vec::Vec;

use super::members::Members;
use super::rng::Rng;

/// How long a waiting worker looks only at the workers on its trail.
const NEAR_NS: f64 = 20_000.0;

/// After that, it looks once at the workers that those lead to, if their numbers are below this.
const FAR: usize = 512;

struct Wait {
    half: usize,
    thief: usize,
    /// When it last found something.
    since_ns: f64,
}

/// The hints, and which threads only wait.
pub(crate) struct Waits {
    /// What each thread waits for, with the innermost wait last.
    waits: Vec<Vec<Wait>>,
    /// From whom each thread has stolen its current work, with the innermost last.
    works_for: Vec<Vec<usize>>,
    /// The half for which each thread waits without doing anything else.
    rests_for: Vec<Option<usize>>,
    /// Of these threads, those that must be woken.
    asleep: Members,
}

impl Waits {
    pub(crate) fn new(threads: usize) -> Self {
        let mut waits = Vec::new();
        waits.resize_with(threads, Vec::new);
        Waits {
            waits,
            works_for: alloc::vec![Vec::new(); threads],
            rests_for: alloc::vec![None; threads],
            asleep: Members::new(threads),
        }
    }

    /// Records that the thread begins work stolen from `owner`.
    pub(crate) fn begin_work_for(&mut self, thread: usize, owner: usize) {
        self.works_for[thread].push(owner);
    }

    pub(crate) fn end_work_for_another(&mut self, thread: usize, now_ns: f64) {
        self.works_for[thread].pop();
        if let Some(wait) = self.waits[thread].last_mut() {
            wait.since_ns = now_ns;
        }
    }

    /// Records that the thread waits for `half`, which `thief` has.
    pub(crate) fn wait(&mut self, thread: usize, half: usize, thief: usize, now_ns: f64) {
        if self.waits[thread].last().is_none_or(|wait| wait.half != half) {
            self.waits[thread].push(Wait { half, thief, since_ns: now_ns });
        }
    }

    /// Ends the thread's wait for the half, if it was waiting for it.
    pub(crate) fn end_wait(&mut self, thread: usize, half: usize) {
        if self.waits[thread].last().is_some_and(|wait| wait.half == half) {
            self.waits[thread].pop();
        }
    }

    fn waits_for(&self, thread: usize) -> Option<usize> {
        self.waits[thread].last().map(|wait| wait.thief)
    }

    /// Returns which workers may have parts of what the thread waits for: the thief, the one that
    /// the thief waits for, and so on.
    pub(crate) fn trail(&self, thread: usize) -> Vec<usize> {
        let hops = core::iter::successors(self.waits_for(thread), |&next| self.waits_for(next));
        hops.take(self.waits.len()).filter(|&next| next != thread).collect()
    }

    /// Returns when the thread starts to look further.
    pub(crate) fn looks_far_from_ns(&self, thread: usize) -> f64 {
        self.waits[thread].last().map_or(0.0, |wait| wait.since_ns + NEAR_NS)
    }

    /// Returns the workers that have stolen from those on the trail, those that these wait for, and
    /// so on.
    pub(crate) fn far(&self, thread: usize) -> Vec<usize> {
        // From whom each thread that works for another one is reached.
        let threads = self.waits.len();
        let mut next_thief = alloc::vec![None; threads];
        let mut first_thief: Vec<Option<usize>> = alloc::vec![None; threads];
        for other in (0..threads).rev() {
            if let Some(&owner) = self.works_for[other].last() {
                next_thief[other] = first_thief[owner].replace(other);
            }
        }
        let mut is_reached = alloc::vec![false; threads];
        let mut reached: Vec<usize> = self.trail(thread);
        reached.retain(|&near| near < FAR && !core::mem::replace(&mut is_reached[near], true));
        let (near, mut at) = (reached.len(), 0);
        while let Some(&from) = reached.get(at) {
            at += 1;
            let thieves = core::iter::successors(first_thief[from], |&thief| next_thief[thief]);
            for next in self.waits_for(from).into_iter().chain(thieves) {
                if next != thread && next < FAR && !core::mem::replace(&mut is_reached[next], true) {
                    reached.push(next);
                }
            }
        }
        reached.split_off(near)
    }

    /// Records that the thread has found nothing, and waits for a call.
    pub(crate) fn rest(&mut self, thread: usize, half: usize, now_ns: f64) {
        self.rests_for[thread] = Some(half);
        self.asleep.set(thread, now_ns >= self.looks_far_from_ns(thread));
    }

    /// Returns whether the thread only waits.
    pub(crate) fn rests(&self, thread: usize) -> bool {
        self.rests_for[thread].is_some()
    }

    /// Records that the thread looks for work again.
    pub(crate) fn stir(&mut self, thread: usize) {
        self.rests_for[thread] = None;
        self.asleep.set(thread, false);
    }

    /// Returns whether the owner only waited for this half, which has ended, and if so, whether it
    /// slept.
    pub(crate) fn call_for(&mut self, owner: usize, half: usize) -> Option<bool> {
        let was_asleep = self.is_asleep(owner);
        (self.rests_for[owner] == Some(half)).then(|| {
            self.stir(owner);
            was_asleep
        })
    }

    fn is_asleep(&self, thread: usize) -> bool {
        self.asleep.contains(thread)
    }

    /// Returns all threads that only wait, each with the half that it waits for.
    pub(crate) fn resting(&self) -> impl Iterator<Item = (usize, usize)> {
        self.rests_for.iter().enumerate().filter_map(|(thread, half)| Some((thread, (*half)?)))
    }

    /// Returns a sleeping thread to call for new work of `thread`. Prefers one that waits for a
    /// thread which `thread` works for. Any other may be called in vain.
    pub(crate) fn call_some(&mut self, thread: usize, rng: &mut Rng) -> Option<usize> {
        let works_for = |&other: &usize| self.works_for[other].last().copied();
        let mut is_above = alloc::vec![false; self.waits.len()];
        let above = core::iter::successors(Some(thread), works_for);
        above.take(self.waits.len()).for_each(|above| is_above[above] = true);
        let waits_for_one = |&other: &usize| self.waits_for(other).is_some_and(|above| is_above[above]);
        let asleep: Vec<usize> = self.asleep.some(usize::MAX, rng).collect();
        let called = asleep.iter().copied().find(waits_for_one).or(asleep.first().copied())?;
        self.stir(called);
        Some(called)
    }
}
