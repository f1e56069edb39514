//! How a thread waits: it sleeps for a limited time, and checks after each sleep whether the lock's
//! owner is alive.
//!
//! The first sleep lasts a millisecond. Each further sleep lasts twice as long, up to a quarter of
//! a second. So a death that the kernel did not report (more than 2048 locks, a damaged list) is
//! found soon, and a long wait costs four checks per second.

use std::time::{Duration, Instant};

use crate::liveness;
use crate::protocol::mutex::{Sleeper, Slept, TID};
use crate::sync::{AtomicBool, Futex, Ordering, Seen};
use crate::sys::{self, Wait};

const FIRST_NS: u64 = 1_000_000;
const LONGEST_NS: u64 = 250_000_000;
/// Used where the kernel wakes no waiter when a thread dies.
const SHORT_NS: u64 = 100_000_000;
/// After a wait of this length, the lock should go to a sleeper.
const HUNGRY_NS: u64 = 1_000_000;
/// How long other threads wait for this sleeper to wake up: longer than a busy system delays it.
const WAY_NS: u64 = 5_000_000;

/// Disables timeouts of sleeps, for tests that must not rescue a stranded sleeper.
static WITHOUT_TICKS: AtomicBool = AtomicBool::new(false);

/// Disables the periodic checks in this process and its children: sleeps end only by a wake-up or
/// at a deadline.
///
/// For the tests of this crate, which look for sleepers that are never woken. Programs do not need
/// it.
#[doc(hidden)]
pub fn sleep_without_ticks() {
    WITHOUT_TICKS.store(true, Ordering::Relaxed);
}

/// One wait.
pub(crate) struct Ticker {
    /// By the monotonic clock; `u64::MAX` means none.
    deadline_ns: u64,
    tick_ns: u64,
    longest_ns: u64,
    /// The time of the next check, by the same clock. Neither wake-ups nor signals delay it. 0
    /// before the first sleep.
    look_ns: u64,
    /// The start of the first sleep, and the end of the last one.
    slept_ns: (u64, u64),
    /// The word of the last sleep, its value and turn before that sleep, and when, since boot, this
    /// waiter had already seen them.
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

    /// A deadline that cannot be represented means none.
    pub(crate) fn within(patience: Duration) -> Self {
        let ns = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        Ticker { deadline_ns: sys::monotonic_ns().saturating_add(ns), ..Ticker::forever() }
    }

    pub(crate) fn until(deadline: Instant) -> Self {
        Ticker::within(deadline.saturating_duration_since(Instant::now()))
    }

    /// For waits in which a death delays no other waiter: the first tick is already the longest.
    pub(crate) fn with_long_ticks(self) -> Self {
        Ticker { tick_ns: LONGEST_NS, ..self }
    }

    /// For waits in which only a check can find a death.
    pub(crate) fn with_short_ticks(self) -> Self {
        Ticker { longest_ns: SHORT_NS, ..self }
    }

    /// Starts the wait at its first call. Returns the current time.
    fn begin(&mut self) -> u64 {
        let now = sys::monotonic_ns();
        if self.slept_ns.0 == 0 {
            self.slept_ns = (now, now);
        }
        now
    }

    /// Sleeps until a wake-up or until `tick_ns`. Signals do not end the sleep.
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
