//! Time stamps cheap enough for every chunk.
//!
//! The process has one clock, since it takes 20 µs to find out how fast the counter of the
//! processor ticks.

#[cfg(test)]
mod disturbed;
mod source;

use std::sync::OnceLock;

#[cfg(test)]
pub(crate) use disturbed::TROUBLE;
use source::{Source, Start};

/// Reads time stamps and tells how far apart they are; all of a process's clocks are one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(&'static Source);

fn start() -> &'static Start {
    static START: OnceLock<Start> = OnceLock::new();
    START.get_or_init(Start::now)
}

/// A moment. Means something only to [`Clock::ns_between`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticks(u64);

impl Ticks {
    /// For an atomic word.
    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Ticks(bits)
    }

    fn is_one_in_32(self) -> bool {
        // The upper bits of the product depend on all bits of the time, of which the lowest may
        // always be the same.
        self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 59 == 0
    }
}

impl Clock {
    /// The process's clock; the first call finds out how fast it ticks.
    pub(crate) fn new() -> Self {
        static CLOCK: OnceLock<Source> = OnceLock::new();
        Self(CLOCK.get_or_init(|| Source::new(start())))
    }

    /// Said by who needs the clock some 20 µs later, and need not wait then.
    pub(crate) fn start() {
        start();
    }

    /// The moment of the call, give or take the few nanoseconds that a processor reorders a counter
    /// read by.
    #[inline]
    pub(crate) fn now(self) -> Ticks {
        // No time passes in a model, whose executions must not depend on it.
        if cfg!(all(loom, feature = "loom")) {
            return Ticks(0);
        }
        #[cfg(test)]
        return Ticks(disturbed::disturbed(self.0.now()));
        #[cfg(not(test))]
        Ticks(self.0.now())
    }

    /// Whether now is a moment of a kind to which one in 32 belongs: for what is to be done now and
    /// then, without a counter.
    #[inline]
    pub(crate) fn is_one_in_32(self) -> bool {
        self.now().is_one_in_32()
    }

    /// The nanoseconds from `earlier` to `later`; 0 when `later` is not later, as it can happen
    /// between two cores whose counters are not quite in step.
    #[inline]
    pub(crate) fn ns_between(self, earlier: Ticks, later: Ticks) -> u64 {
        self.0.ns_between(earlier.0, later.0)
    }

    /// Whether `ns` have passed from `since` to `now`. Where the clock went back in between, as it
    /// may when a virtual machine is moved to another host, the time is counted anew from `now`:
    /// nobody waits for the clock to catch up.
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
        // Bracketed by the system's clock from both sides, so that a busy machine cannot fail it;
        // the 1 % is for the rate, which is measured once.
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
