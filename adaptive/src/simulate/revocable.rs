//! Adaptive chunks whose remaining work can be taken away.

use alloc::vec::Vec;
use core::ops::Range;

use super::engine::{Claim, Deal, Effect, Run, Taken, Turn};
use super::members::Members;
use super::policy::Cuts;
use super::ramp::Ramp;
use super::ranges::StealableRanges;
use super::rng::Rng;

/// After each failure to take a rest, a thief watches twice as long, up to this many doublings: the
/// owner is making progress, or other thieves are faster.
const MOST_DOUBLINGS: u32 = 5;

/// The chunk that a worker runs, or ran last.
#[derive(Clone)]
struct Chunk {
    /// Identified by its first taskel, because no other chunk begins there.
    taskels: Range<usize>,
    start_ns: f64,
    block: usize,
    /// When its last block begins, or would begin. From then on nothing can be taken.
    closed_ns: f64,
    /// Until when a thief is about to cut it, if one is.
    requested_until_ns: Option<f64>,
    cut: bool,
}

/// The state of a worker that has found all ranges empty.
#[derive(Clone, Default)]
struct Thief {
    watched: Option<Watched>,
    failures: u32,
}

#[derive(Clone, Copy)]
struct Watched {
    owner: usize,
    /// The first taskel of the chunk.
    first: usize,
    patient_until_ns: f64,
    /// The block of the chunk in which the thief made its request, if it did.
    requested_in: Option<usize>,
}

/// Ranges and chunks that thieves can take from.
pub(crate) struct RevocableChunks<'a> {
    ranges: StealableRanges,
    times_ns: &'a [f64],
    speeds: &'a [f64],
    wake_ns: f64,
    cuts: Cuts,
    rng: Rng,
    chunks: Vec<Chunk>,
    /// Workers whose chunk had a rest at the last look.
    open: Members,
    thieves: Vec<Thief>,
    /// Thieves that keep looking at all ranges, and thieves that have left because there was
    /// nothing to watch.
    watching: Members,
    asleep: Members,
    /// Used if workers sleep until others wake them.
    ramp: Option<Ramp>,
    effects: Vec<Effect>,
}

impl<'a> RevocableChunks<'a> {
    pub(crate) fn new(
        ranges: StealableRanges,
        run: &Run<'a>,
        cuts: Cuts,
        ramp: Option<Ramp>,
        seed: u64,
    ) -> Self {
        let workers = run.speeds.len();
        let none = Chunk {
            taskels: 0..0,
            start_ns: 0.0,
            block: 1,
            closed_ns: f64::NEG_INFINITY,
            requested_until_ns: None,
            cut: false,
        };
        RevocableChunks {
            ranges,
            times_ns: run.times_ns,
            speeds: run.speeds,
            wake_ns: run.wake_ns,
            cuts,
            rng: Rng::new(!seed),
            chunks: alloc::vec![none; workers],
            open: Members::new(workers),
            thieves: alloc::vec![Thief::default(); workers],
            watching: Members::new(workers),
            asleep: Members::new(workers),
            ramp,
            effects: Vec::new(),
        }
    }

    /// Divides a chunk into blocks, if the policy wants several.
    fn begin(&mut self, worker: usize, mut claim: Claim) -> Turn {
        if let Some(ramp) = &mut self.ramp {
            let (from_ns, effects) = (claim.measured_from_ns, &mut self.effects);
            let stolen = claim.taken != Taken::Own;
            let done_ns = ramp.before_run(worker, &self.ranges, stolen, from_ns, effects);
            // The time for waking others does not count for the taskels.
            claim.start_ns += done_ns - from_ns;
            claim.measured_from_ns = done_ns;
        }
        let block = self.ranges.chunker(worker).block_len();
        let (taskels, start_ns) = (claim.taskels.clone(), claim.start_ns);
        let mut closed_ns = f64::NEG_INFINITY;
        if block < taskels.len() {
            let blocks = taskels.len().div_ceil(block);
            claim.blocks_ns = blocks as f64 * self.cuts.block_ns;
            let before_last = taskels.start..taskels.start + (blocks - 1) * block;
            let busy_ns = self.times_ns[before_last].iter().sum::<f64>() / self.speeds[worker];
            closed_ns = start_ns + (busy_ns + (blocks - 1) as f64 * self.cuts.block_ns);
            self.open.set(worker, true);
        }
        self.thieves[worker] = Thief::default();
        self.chunks[worker] =
            Chunk { taskels, start_ns, block, closed_ns, requested_until_ns: None, cut: false };
        Turn::Run(claim)
    }

    /// Returns the block that a worker runs at `now_ns`, before its chunk is closed.
    fn block_at(&self, owner: usize, now_ns: f64) -> usize {
        let Chunk { taskels, start_ns, block, .. } = &self.chunks[owner];
        let mut sum_ns = 0.0;
        let ended = |&(at, times_ns): &(usize, &[f64])| {
            // Added in the same order as in the engine, which adds up all taskels of a chunk.
            sum_ns = times_ns.iter().fold(sum_ns, |sum, ns| sum + ns);
            start_ns + (sum_ns / self.speeds[owner] + (at + 1) as f64 * self.cuts.block_ns) <= now_ns
        };
        self.times_ns[taskels.clone()].chunks(*block).enumerate().take_while(ended).count()
    }

    /// Returns whether something can be taken from the watched chunk.
    fn has_rest(&self, watched: &Watched, now_ns: f64) -> bool {
        let chunk = &self.chunks[watched.owner];
        chunk.taskels.start == watched.first && now_ns < chunk.closed_ns
    }

    /// Takes the rest of the chunk for a thief whose fence has passed, unless the owner has made
    /// progress.
    fn cut(&mut self, thief: usize, watched: Watched, requested_in: usize, now_ns: f64) -> Option<Claim> {
        let Watched { owner, first, .. } = watched;
        if self.chunks[owner].taskels.start != first {
            return None;
        }
        self.chunks[owner].requested_until_ns = None;
        if !self.has_rest(&watched, now_ns) || self.block_at(owner, now_ns) != requested_in {
            return None;
        }
        let chunk = &mut self.chunks[owner];
        let blocks = requested_in + 1;
        let middle = first + blocks * chunk.block;
        let rest = middle..chunk.taskels.end;
        chunk.taskels.end = middle;
        (chunk.closed_ns, chunk.cut) = (f64::NEG_INFINITY, true);
        let blocks_ns = blocks as f64 * self.cuts.block_ns;
        self.effects.push(Effect::Cut { worker: owner, end: middle, blocks_ns });
        let claim = self.ranges.revoke(thief, owner, rest, now_ns);
        self.call(self.ranges.left(thief), now_ns);
        Some(claim)
    }

    /// Returns what the worker has cut off, if its fence has passed.
    fn revoked(&mut self, worker: usize, now_ns: f64) -> Option<Claim> {
        let watched = self.thieves[worker].watched?;
        let claim = self.cut(worker, watched, watched.requested_in?, now_ns);
        if claim.is_none() {
            self.thieves[worker].watched = None;
            self.thieves[worker].failures += 1;
        }
        claim
    }

    /// Calls up to `count` workers for work that can now be stolen: first those that keep looking,
    /// which come at once, then those that have left, which come after a wake-up.
    fn call(&mut self, mut count: usize, now_ns: f64) {
        for (workers, at_ns) in [(&mut self.watching, now_ns), (&mut self.asleep, now_ns + self.wake_ns)] {
            let called: Vec<usize> = workers.some(count, &mut self.rng).collect();
            count -= called.len();
            for worker in called {
                workers.set(worker, false);
                self.effects.push(Effect::Call { worker, at_ns });
            }
        }
    }

    /// Chooses another worker whose chunk has a rest, and how long to watch it after `failures`
    /// failures.
    fn choose(&mut self, failures: u32, now_ns: f64) -> Option<Watched> {
        let patience_ns = self.cuts.watch_ns * f64::from(1 << failures.min(MOST_DOUBLINGS));
        loop {
            let owner = self.open.some(1, &mut self.rng).next()?;
            let Chunk { taskels, requested_until_ns, .. } = &self.chunks[owner];
            // Nothing can be taken before the other thief is done with it.
            let next_moment = |ns: f64| f64::from_bits(ns.to_bits() + 1);
            let other_is_done_ns = requested_until_ns.map_or(now_ns, next_moment);
            let patient_until_ns = other_is_done_ns.max(now_ns + patience_ns);
            let watched = Watched { owner, first: taskels.start, patient_until_ns, requested_in: None };
            if self.has_rest(&watched, now_ns) {
                return Some(watched);
            }
            self.open.set(owner, false);
        }
    }

    /// Returns what a worker does that finds all ranges empty.
    fn watch(&mut self, worker: usize, now_ns: f64) -> Turn {
        let mut thief = core::mem::take(&mut self.thieves[worker]);
        let mut watched = thief.watched.filter(|watched| self.has_rest(watched, now_ns));
        if let Some(impatient) = watched.filter(|watched| watched.patient_until_ns <= now_ns) {
            let Watched { owner, .. } = impatient;
            if self.chunks[owner].requested_until_ns.is_none() {
                let fenced_ns = now_ns + self.cuts.fence_ns;
                self.chunks[owner].requested_until_ns = Some(fenced_ns);
                let requested_in = Some(self.block_at(owner, now_ns));
                thief.watched = Some(Watched { requested_in, ..impatient });
                self.thieves[worker] = thief;
                return Turn::Look(fenced_ns);
            }
            watched = None;
            thief.failures += 1;
        }
        thief.watched = watched.or_else(|| self.choose(thief.failures, now_ns));
        match thief.watched {
            Some(Watched { owner, patient_until_ns, .. }) => {
                self.thieves[worker] = thief;
                self.watching.set(worker, true);
                Turn::Look(patient_until_ns.min(self.chunks[owner].closed_ns))
            }
            None => {
                match &mut self.ramp {
                    Some(ramp) => ramp.leave(worker),
                    None => self.asleep.set(worker, true),
                }
                Turn::Look(f64::INFINITY)
            }
        }
    }
}

impl Deal for RevocableChunks<'_> {
    fn claim(&mut self, worker: usize, now_ns: f64) -> Turn {
        self.watching.set(worker, false);
        self.asleep.set(worker, false);
        let mut now_ns = now_ns;
        if let Some(ramp) = &mut self.ramp {
            match ramp.enter(worker, now_ns, &mut self.effects) {
                Some(at_ns) => now_ns = ramp.before_claim(worker, &self.ranges, at_ns, &mut self.effects),
                None => return Turn::Look(f64::INFINITY),
            }
        }
        match self.revoked(worker, now_ns).or_else(|| self.ranges.claim_or_steal(worker, now_ns)) {
            Some(claim) => self.begin(worker, claim),
            None => self.watch(worker, now_ns),
        }
    }

    fn finish(&mut self, worker: usize, taskels: usize, elapsed_ns: f64) {
        let starved = elapsed_ns > self.cuts.watch_ns && taskels > 1 && self.ranges.left(worker) == 0;
        if self.chunks[worker].cut {
            self.ranges.chunker_mut(worker).on_outlier();
        }
        self.ranges.finish(worker, taskels, elapsed_ns);
        if starved {
            self.ranges.chunker_mut(worker).on_outlier();
        }
        self.chunks[worker].closed_ns = f64::NEG_INFINITY;
        self.open.set(worker, false);
    }

    fn met_outlier(&self, worker: usize) -> bool {
        self.ranges.chunker(worker).met_outlier()
    }

    fn sleeps(&self) -> bool {
        self.ramp.is_some()
    }

    fn effect(&mut self) -> Option<Effect> {
        self.effects.pop()
    }
}
