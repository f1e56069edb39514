//! How a thread waits: in sleeps that end by themselves, with a look at whether the lock's owner
//! lives after each.
//!
//! The first sleep lasts a millisecond and each one twice as long as the one before, up to a
//! quarter of a second. So a death that the kernel did not report (more than 2048 locks, a list
//! that a fault has cut) is found soon, and a long wait costs four looks a second.

use std::time::{Duration, Instant};

use crate::liveness;
use crate::protocol::mutex::{Sleeper, Slept, TID};
use crate::sync::{AtomicBool, Futex, Ordering, Seen};
use crate::sys::{self, Wait};

const FIRST_NS: u64 = 1_000_000;
const LONGEST_NS: u64 = 250_000_000;
/// Where the kernel does not wake anybody for one who dies.
const SHORT_NS: u64 = 100_000_000;
/// After so long a wait the lock shall go to one who sleeps.
const HUNGRY_NS: u64 = 1_000_000;
/// How long others wait for that one to get up: longer than a busy system leaves it aside.
const WAY_NS: u64 = 5_000_000;

/// Sleeps do not end by themselves: for tests that must not have a stranded sleeper rescued.
static WITHOUT_TICKS: AtomicBool = AtomicBool::new(false);

/// From now on, in this process and its children, sleeps end by a wake-up or a deadline alone.
///
/// For the tests of this crate, which look for sleepers that nobody wakes; a program has no use for
/// it.
#[doc(hidden)]
pub fn sleep_without_ticks() {
    WITHOUT_TICKS.store(true, Ordering::Relaxed);
}

/// One wait.
pub(crate) struct Ticker {
    /// By the monotonic clock; `u64::MAX` is never.
    deadline_ns: u64,
    tick_ns: u64,
    longest_ns: u64,
    /// When the next tick is, by the same clock: neither wake-ups nor signals put it off. 0 before
    /// the first sleep.
    look_ns: u64,
    /// When the first sleep began, and when the last one ended.
    slept_ns: (u64, u64),
    /// Which word the last sleep was for, what it and its turn were before, and when, since boot,
    /// this waiter had seen them already.
    awaited: (usize, Seen, u64),
}

impl Ticker {
    pub(crate) fn forever() -> Self {
        let nothing = Seen { word: 0, turn: 0 };
        Ticker {
            deadline_ns: u64::MAX,
            tick_ns: FIRST_NS,
            longest_ns: LONGEST_NS,
            look_ns: 0,
            slept_ns: (0, 0),
            awaited: (0, nothing, 0),
        }
    }

    /// A time that is too far away to be told is never.
    pub(crate) fn within(patience: Duration) -> Self {
        let ns = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        Ticker { deadline_ns: sys::monotonic_ns().saturating_add(ns), ..Ticker::forever() }
    }

    pub(crate) fn until(deadline: Instant) -> Self {
        Ticker::within(deadline.saturating_duration_since(Instant::now()))
    }

    /// Waits in which nobody's death shortens another's sleep begin with the longest tick.
    pub(crate) fn with_long_ticks(self) -> Self {
        Ticker { tick_ns: LONGEST_NS, ..self }
    }

    /// Waits in which only a look tells that somebody has died.
    pub(crate) fn with_short_ticks(self) -> Self {
        Ticker { longest_ns: SHORT_NS, ..self }
    }

    /// The time, which is that of the first sleep if there was none before.
    fn begin(&mut self) -> u64 {
        let now = sys::monotonic_ns();
        if self.slept_ns.0 == 0 {
            self.slept_ns = (now, now);
        }
        now
    }

    /// Sleeps until it is woken, or it is `tick_ns`; through signals.
    fn sleep_until(&mut self, futex: &Futex, expected: u32, tick_ns: u64) -> Slept {
        let mut wait = Wait::Interrupted;
        loop {
            let now = sys::monotonic_ns();
            self.slept_ns.1 = now;
            match wait {
                Wait::Woken => return Slept::Woken,
                Wait::Failed(errno) => return Slept::Failed(errno),
                Wait::TimedOut | Wait::Interrupted if now >= self.deadline_ns => return Slept::TimedOut,
                Wait::TimedOut | Wait::Interrupted if now >= tick_ns => return Slept::Tick,
                Wait::TimedOut | Wait::Interrupted => (),
            }
            wait = futex.wait(expected, tick_ns.min(self.deadline_ns));
        }
    }

    fn next_look(&self, now: u64) -> u64 {
        if WITHOUT_TICKS.load(Ordering::Relaxed) { u64::MAX } else { now.saturating_add(self.tick_ns) }
    }
}

impl Sleeper for Ticker {
    fn sleep(&mut self, futex: &Futex, expected: Seen) -> Slept {
        let place = std::ptr::from_ref(futex).addr();
        if (self.awaited.0, self.awaited.1) != (place, expected) {
            self.awaited = (place, expected, sys::since_boot_ns());
        }
        let now = self.begin();
        if self.look_ns == 0 {
            self.look_ns = self.next_look(now);
        }
        let slept = self.sleep_until(futex, expected.word, self.look_ns);
        if slept == Slept::Tick {
            self.tick_ns = (2 * self.tick_ns).min(self.longest_ns);
            self.look_ns = self.next_look(self.slept_ns.1);
        }
        slept
    }

    fn give_way(&mut self, futex: &Futex, expected: Seen) -> Slept {
        let until = self.begin() + WAY_NS;
        self.sleep_until(futex, expected.word, until)
    }

    fn is_hungry(&self) -> bool {
        self.slept_ns.1 - self.slept_ns.0 >= HUNGRY_NS
    }

    fn finds_dead(&mut self, owner: u32) -> bool {
        let (_, seen, since_ns) = self.awaited;
        seen.word & TID == owner && liveness::is_dead(owner, since_ns)
    }
}
