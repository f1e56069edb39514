//! Where time stamps come from. If the processor has a counter which programs may read and which
//! ticks at a constant rate, it is used: one read takes 10 ns here, against 25 ns for
//! `Instant::now`. Otherwise, the system's monotonic clock is used.

/// A counter and the length of its ticks.
#[derive(Debug)]
pub(super) struct Source {
    /// Nanoseconds per tick, in units of 2⁻³².
    scale: u64,
    counter: Counter,
}

#[derive(Debug)]
enum Counter {
    OfProcessor,
    /// Nanoseconds since the clock was created.
    OfSystem(system::Origin),
}

const SCALE_OF_1_NS: u64 = 1 << 32;

/// One point in time, read from both clocks.
#[derive(Debug)]
pub(super) struct Start {
    origin: system::Origin,
    ns: u64,
    ticks: u64,
}

impl Start {
    pub(super) fn now() -> Self {
        let origin = system::Origin::now();
        let (ns, ticks) = both(&origin);
        Start { origin, ns, ticks }
    }
}

impl Source {
    /// Selects the source, and measures the rate of the counter since `start`. Waits until 20 µs
    /// have passed since `start`.
    pub(super) fn new(start: &Start) -> Self {
        match processor::is_steady().then(|| measure_scale(start)).flatten() {
            Some(scale) => Source { scale, counter: Counter::OfProcessor },
            None => Source { scale: SCALE_OF_1_NS, counter: Counter::OfSystem(system::Origin::now()) },
        }
    }

    #[inline]
    pub(super) fn now(&self) -> u64 {
        match &self.counter {
            Counter::OfProcessor => processor::ticks(),
            Counter::OfSystem(origin) => origin.elapsed_ns(),
        }
    }

    /// Returns 0 if `later` is not later.
    #[inline]
    pub(super) fn ns_between(&self, earlier: u64, later: u64) -> u64 {
        let ticks = u128::from(later.saturating_sub(earlier));
        u64::try_from((ticks * u128::from(self.scale)) >> 32).unwrap_or(u64::MAX)
    }
}

/// Compares the processor's counter with the system's clock. Returns `None` if the counter does not
/// advance.
fn measure_scale(start: &Start) -> Option<u64> {
    /// The rate is then off by 0.005 % in the median, and by at most 0.05 % in 400 runs. The first
    /// parallel call waits for it.
    const LONG_ENOUGH_NS: u64 = 20_000;
    loop {
        let (ns, ticks) = both(&start.origin);
        if ns - start.ns >= LONG_ENOUGH_NS {
            let ticks = u128::from(ticks.checked_sub(start.ticks)?);
            let scale = (u128::from(ns - start.ns) << 32).checked_div(ticks)?;
            return u64::try_from(scale).ok().filter(|&scale| scale > 0);
        }
        std::hint::spin_loop();
    }
}

/// Reads both clocks several times. Returns the reading with the shortest time between the two
/// reads of the counter, which was not interrupted.
fn both(origin: &system::Origin) -> (u64, u64) {
    const TRIES: u32 = 8;
    let read = || {
        let (before, ns, after) = (processor::ticks(), origin.elapsed_ns(), processor::ticks());
        (after.wrapping_sub(before), ns, before)
    };
    let (_, ns, ticks) = (0..TRIES).map(|_| read()).min().expect("more than one try");
    (ns, ticks)
}

/// The time-stamp counter of x86.
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod processor {
    use std::arch::x86_64::{__cpuid, _rdtsc};

    /// Returns whether the counter ticks at a constant rate: the "invariant" bit in the manuals of
    /// Intel and AMD.
    #[allow(unused_unsafe, reason = "`__cpuid` is unsafe in Rust 1.85")]
    pub(super) fn is_steady() -> bool {
        const HIGHEST_EXTENDED: u32 = 0x8000_0000;
        const POWER_MANAGEMENT: u32 = 0x8000_0007;
        const INVARIANT: u32 = 1 << 8;
        // SAFETY: every x86-64 processor has the instruction.
        let highest = unsafe { __cpuid(HIGHEST_EXTENDED) }.eax;
        // SAFETY: as above.
        highest >= POWER_MANAGEMENT && unsafe { __cpuid(POWER_MANAGEMENT) }.edx & INVARIANT != 0
    }

    #[inline]
    pub(super) fn ticks() -> u64 {
        // SAFETY: every x86-64 processor has the instruction. (A system may forbid it and kill the
        // program; no system in use does.)
        unsafe { _rdtsc() }
    }
}

/// The virtual counter of 64-bit ARM, which programs may read on these systems.
#[cfg(all(
    target_arch = "aarch64",
    any(target_os = "linux", target_os = "android", target_os = "macos"),
    not(miri)
))]
mod processor {
    pub(super) fn is_steady() -> bool {
        true // by the architecture's definition
    }

    #[inline]
    pub(super) fn ticks() -> u64 {
        let ticks: u64;
        // SAFETY: reads a register that the system makes readable, and changes nothing.
        unsafe {
            std::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack, preserves_flags));
        }
        ticks
    }
}

/// No counter is known.
#[cfg(not(any(
    all(target_arch = "x86_64", not(miri)),
    all(
        target_arch = "aarch64",
        any(target_os = "linux", target_os = "android", target_os = "macos"),
        not(miri)
    )
)))]
mod processor {
    pub(super) fn is_steady() -> bool {
        false
    }

    pub(super) fn ticks() -> u64 {
        0
    }
}

/// The monotonic clock of the standard library.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod system {
    use std::time::Instant;

    #[derive(Debug)]
    pub(super) struct Origin(Instant);

    impl Origin {
        pub(super) fn now() -> Self {
            Origin(Instant::now())
        }

        pub(super) fn elapsed_ns(&self) -> u64 {
            self.0.elapsed().as_nanos() as u64
        }
    }
}

/// WebAssembly without a system has no clock. Time does not pass, so chunks become large. This is
/// harmless, because no other thread could take a part of them.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod system {
    #[derive(Debug)]
    pub(super) struct Origin;

    impl Origin {
        pub(super) fn now() -> Self {
            Origin
        }

        pub(super) fn elapsed_ns(&self) -> u64 {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_nanoseconds_of_any_size() {
        let source = |scale| Source { scale, counter: Counter::OfProcessor };
        let third = source(SCALE_OF_1_NS / 3);
        assert_eq!((third.ns_between(0, 3_000_000), third.ns_between(7, 7)), (999_999, 0));
        let slow = source(41 * SCALE_OF_1_NS);
        assert_eq!((slow.ns_between(10, 11), slow.ns_between(11, 10)), (41, 0));
        assert_eq!(slow.ns_between(0, u64::MAX), u64::MAX);
    }

    #[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
    #[test]
    fn the_processor_is_asked_where_it_says_that_its_counter_is_steady() {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").expect("Linux describes its processors");
        let flags = cpuinfo.lines().find(|line| line.starts_with("flags")).expect("x86 has flags");
        // Both flags come from the same bit. A hypervisor may hide it.
        assert_eq!(processor::is_steady(), flags.split_whitespace().any(|flag| flag == "nonstop_tsc"));
        assert_eq!(
            processor::is_steady(),
            matches!(Source::new(&Start::now()).counter, Counter::OfProcessor)
        );
    }
}
