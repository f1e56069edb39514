//! Time stamps that are cheap enough for every chunk.
//!
//! The process has one clock, because measuring the rate of the processor's counter takes 20 µs.

#[cfg(test)]
mod disturbed;
mod source;

use std::sync::OnceLock;

#[cfg(test)]
pub(crate) use disturbed::TROUBLE;
use source::{Source, Start};

/// Reads time stamps and computes the time between them. All instances share one clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(&'static Source);

fn start() -> &'static Start {
    static START: OnceLock<Start> = OnceLock::new();
    START.get_or_init(Start::now)
}

/// A point in time. Only [`Clock::ns_between`] gives it a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticks(u64);

impl Ticks {
    /// Converts the time to a word for an atomic.
    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Ticks(bits)
    }

    fn is_one_in_32(self) -> bool {
        // The upper bits of the product depend on all bits of the time. The lowest bits of the time
        // itself may never change.
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 59 == 0
    }
}

impl Clock {
    /// Returns the process's clock. The first call measures its rate.
    pub(crate) fn new() -> Self {
        static CLOCK: OnceLock<Source> = OnceLock::new();
        Self(CLOCK.get_or_init(|| Source::new(start())))
    }

    /// Starts measuring early: a [`new`](Self::new) that comes 20 µs later does not have to wait.
    pub(crate) fn start() {
        start();
    }

    /// Returns the current time. The processor may reorder the read of its counter by a few
    /// nanoseconds.
    #[inline]
    pub(crate) fn now(self) -> Ticks {
        // In a model no time passes, because executions must be repeatable.
        if cfg!(all(loom, feature = "loom")) {
            return Ticks(0);
        }
        #[cfg(test)]
        return Ticks(disturbed::disturbed(self.0.now()));
        #[cfg(not(test))]
        Ticks(self.0.now())
    }

    /// Returns true for about one in 32 points in time. For things to do now and then, without a
    /// counter.
    #[inline]
    pub(crate) fn is_one_in_32(self) -> bool {
        self.now().is_one_in_32()
    }

    /// Returns the nanoseconds from `earlier` to `later`, or 0 if `later` is not later. This can
    /// happen if the counters of two cores differ slightly.
    #[inline]
    pub(crate) fn ns_between(self, earlier: Ticks, later: Ticks) -> u64 {
        self.0.ns_between(earlier.0, later.0)
    }

    /// Returns whether `ns` have passed from `since` to `now`. If the clock went back, as it may
    /// when a virtual machine moves to another host, sets `since` to `now`. So nobody waits for the
    /// clock to catch up.
    #[inline]
    pub(crate) fn have_passed(self, ns: u64, since: &mut Ticks, now: Ticks) -> bool {
        if now.0 < since.0 {
            *since = now;
        }
        self.ns_between(*since, now) >= ns
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn one_moment_in_32_is_of_a_kind_however_far_they_are_apart() {
        for step in [1, 41, 100, 5000, 1 << 20, 12_345_678] {
            let of_a_kind = (0..3200).filter(|n| Ticks(n * step).is_one_in_32()).count();
            assert!((50..200).contains(&of_a_kind), "{of_a_kind} of 3200, {step} ticks apart");
        }
    }

    #[test]
    fn a_clock_that_goes_backwards_stands_still() {
        let clock = Clock::new();
        let earlier = clock.now();
        let later = Ticks(earlier.0 + 1_000_000);
        assert!(clock.ns_between(earlier, later) > 0);
        assert_eq!(clock.ns_between(later, earlier), 0);
        assert_eq!(clock.ns_between(earlier, earlier), 0);
        assert_eq!(clock.ns_between(Ticks(u64::MAX), Ticks(0)), 0);
    }

    #[test]
    fn time_is_counted_anew_when_the_clock_goes_back() {
        let clock = Clock::new();
        let start = Ticks(u64::MAX / 2);
        let mut since = start;
        assert!(!clock.have_passed(1000, &mut since, start));
        assert!(clock.have_passed(1000, &mut since, Ticks(start.0 + 1_000_000)));
        assert_eq!(since, start);
        assert!(!clock.have_passed(1000, &mut since, Ticks(5)), "it went back");
        assert!(clock.have_passed(1000, &mut since, Ticks(1_000_005)), "and is not waited for");
    }

    #[test]
    fn it_counts_the_nanoseconds_that_the_system_counts() {
        // The system's clock brackets the measurement, so a busy machine cannot make the test fail.
        // The 1 % allows for the rate, which is measured once.
        let clock = Clock::new();
        let outer_start = Instant::now();
        let start = clock.now();
        let inner_start = Instant::now();
        thread::sleep(Duration::from_millis(20));
        let inner = inner_start.elapsed().as_nanos() as f64;
        let end = clock.now();
        let outer = outer_start.elapsed().as_nanos() as f64;
        let measured = clock.ns_between(start, end) as f64;
        assert!(inner * 0.99 <= measured && measured <= outer * 1.01, "{inner} <= {measured} <= {outer}");
    }

    #[test]
    fn all_clocks_are_one() {
        let other = thread::spawn(Clock::new).join().expect("a clock");
        assert!(std::ptr::eq(other.0, Clock::new().0));
    }
}
