//! Threads in a model, and how they wait.

use super::{Futex, KERNEL, RawLock, Seen, step, with_me};
use crate::protocol::mutex::{Holder, Sleeper, Slept};

/// The calling thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thread {
    pub(super) tid: u32,
}

#[allow(dead_code, reason = "the protocols' own models know nothing of guards")]
impl Thread {
    /// Never fails. The type is that of a real thread.
    pub(crate) fn current() -> Result<Thread, crate::error::Unsupported> {
        let tid = with_me(|me| {
            if me.tid == 0 {
                let mut last = KERNEL.last_tid.lock().unwrap();
                *last += 1;
                me.tid = *last;
            }
            me.tid
        });
        Ok(Thread { tid })
    }

    /// Returns its id.
    pub(crate) fn tid(self) -> u32 {
        self.tid
    }

    pub(crate) fn registered() -> Option<Thread> {
        Thread::current().ok()
    }

    /// A thread that has died continues as another one.
    pub(crate) fn generation() -> u32 {
        with_me(|me| me.tid)
    }

    pub(crate) fn holding_since(generation: u32) -> Option<Thread> {
        with_me(|me| (me.tid == generation && !me.dying).then_some(Thread { tid: me.tid }))
    }

    /// # Safety
    /// None here. A real thread has requirements.
    pub(crate) unsafe fn claim(self, lock: &RawLock) -> Claim<'_> {
        Claim { thread: self, lock }
    }
}

/// A thread and a lock that it takes or holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    thread: Thread,
    lock: &'a RawLock,
}

impl Claim<'_> {
    fn futex(&self) -> &Futex {
        self.lock.mutex().futex()
    }
}

impl Holder for Claim<'_> {
    fn tid(&self) -> u32 {
        self.thread.tid
    }

    fn begin(&self) {
        step();
        with_me(|me| me.pending = Some(self.futex().clone()));
    }

    fn link(&self) {
        step();
        with_me(|me| me.held.push(self.futex().clone()));
    }

    fn unlink(&self) {
        step();
        with_me(|me| me.held.retain(|futex| !futex.is(self.futex())));
    }

    fn end(&self) {
        step();
        with_me(|me| me.pending = None);
        step();
    }

    /// In a model, everything is in order.
    fn in_order(&self) {}

    fn has_linked(&self) -> bool {
        with_me(|me| me.held.iter().any(|futex| futex.is(self.futex())))
    }

    fn asks_for(&self, _owner: u32) -> bool {
        true
    }

    fn finds_gone(&self, owner: u32) -> bool {
        KERNEL.unreported.lock().unwrap().contains(&owner)
    }
}

/// How a thread waits. Time passes only when a model says so ([`Futex::expire`]).
#[derive(Debug)]
pub(crate) struct Ticker {
    /// Whether the next time that passes is the deadline.
    timed: bool,
    /// Whether the deadline has passed already.
    at_once: bool,
    /// Whether it counts as having waited long once it has slept.
    hungry: bool,
    has_slept: bool,
    /// The word and expected value of the last sleep, and how many threads had been reborn when
    /// this value was first seen.
    awaited: Option<(Futex, Seen, usize)>,
}

#[allow(dead_code, reason = "models of the protocols and of the public types use different ones")]
impl Ticker {
    pub(crate) fn forever() -> Self {
        Ticker { timed: false, at_once: false, hungry: false, has_slept: false, awaited: None }
    }

    pub(crate) fn timed() -> Self {
        Ticker { timed: true, ..Ticker::forever() }
    }

    /// A thread that would have to sleep times out: this is one of the possible outcomes.
    pub(crate) fn within(_patience: std::time::Duration) -> Self {
        Ticker { timed: true, at_once: true, ..Ticker::forever() }
    }

    pub(crate) fn until(_deadline: std::time::Instant) -> Self {
        Ticker { timed: true, at_once: true, ..Ticker::forever() }
    }

    /// A thread that has waited long once it has slept.
    pub(crate) fn hungry() -> Self {
        Ticker { hungry: true, ..Ticker::forever() }
    }

    /// A thread that has waited long before it sleeps.
    pub(crate) fn hungry_at_once() -> Self {
        Ticker { has_slept: true, ..Ticker::hungry() }
    }

    pub(crate) fn with_long_ticks(self) -> Self {
        self
    }

    pub(crate) fn with_short_ticks(self) -> Self {
        self
    }
}

impl Sleeper for Ticker {
    fn sleep(&mut self, futex: &Futex, expected: Seen) -> Slept {
        self.has_slept = true;
        let same = |(last, seen, _): &(Futex, Seen, usize)| last.is(futex) && *seen == expected;
        if !self.awaited.as_ref().is_some_and(same) {
            self.awaited = Some((futex.clone(), expected, KERNEL.reborn.lock().unwrap().len()));
        }
        match (self.at_once || !futex.wait(expected.word), self.timed) {
            (false, _) => Slept::Woken,
            (true, true) => Slept::TimedOut,
            (true, false) => Slept::Tick,
        }
    }

    fn give_way(&mut self, futex: &Futex, expected: Seen) -> Slept {
        match (self.at_once || !futex.doze(expected.word), self.timed) {
            (false, _) => Slept::Woken,
            (true, true) => Slept::TimedOut,
            (true, false) => Slept::Tick,
        }
    }

    fn is_hungry(&self) -> bool {
        self.hungry && self.has_slept
    }

    fn finds_dead(&mut self, owner: u32) -> bool {
        let since = self.awaited.as_ref().map_or(0, |awaited| awaited.2);
        let reborn = KERNEL.reborn.lock().unwrap()[since..].contains(&owner);
        reborn || KERNEL.unreported.lock().unwrap().contains(&owner)
    }
}
