//! Estimates whether a user's function is slow, from calls that are made before the real work
//! begins.
//!
//! Loops measure while they run. A sort, or a search for the ends of parts, has to choose its
//! algorithm before.

use std::cell::Cell;
use std::hint::black_box;

use crate::os::clock::Clock;
use crate::policy::site::Site;

/// A call that takes longer is slow.
const SLOW_NS: f64 = 200.0;

/// No memory is as slow as this.
const LONG_NS: f64 = 5000.0;

/// The largest number of calls that are timed.
const MOST_CALLS: usize = 16;

/// What a call of a function for one of `places` takes, in nanoseconds, if it is slow somewhere.
/// `address` stands for the function; if its calls were quick, that is believed, as a rule.
pub(crate) fn look<R>(address: usize, places: usize, call: impl Fn(usize) -> R) -> Option<f64> {
    let site = Site::at(address);
    let calls = match site.estimate_ns() {
        Some(ns) if ns < SLOW_NS => {
            if !is_time_to_look_again(places) {
                return None;
            }
            few_calls(places)
        }
        _ => (places / 4).clamp(2, MOST_CALLS),
    };
    let ns = look_at(places, calls, call);
    site.learn(ns.unwrap_or_default());
    ns
}

/// What calls of the function for which `address` stands took before, in nanoseconds.
pub(crate) fn known(address: usize) -> Option<f64> {
    Site::at(address).estimate_ns()
}

/// Whether calls that take so long are slow.
pub(crate) fn is_slow(ns: f64) -> bool {
    ns >= SLOW_NS
}

/// Notes what calls of the function for which `address` stands take.
pub(crate) fn learn(address: usize, ns: f64) {
    Site::at(address).learn(ns);
}

/// As [`look`], at a part of what was looked at before.
pub(crate) fn look_again<R>(places: usize, call: impl Fn(usize) -> R) -> Option<f64> {
    look_at(places, few_calls(places), call)
}

/// Few enough for nobody to notice.
fn few_calls(places: usize) -> usize {
    (places / 8192).clamp(2, MOST_CALLS)
}

/// True by chance, once in 4096 places, so that looking takes a hundredth of the time of
/// comparisons of numbers.
fn is_time_to_look_again(places: usize) -> bool {
    thread_local! {
        static RANDOM: Cell<u64> = const { Cell::new(1) };
    }
    // Knuth's linear congruential generator, whose upper bits are good.
    let next = RANDOM.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    RANDOM.set(next);
    (next >> 52) < places as u64
}

/// That many calls, spread over all places, including the first and the last.
#[cold]
#[inline(never)]
fn look_at<R>(places: usize, calls: usize, call: impl Fn(usize) -> R) -> Option<f64> {
    let clock = Clock::new();
    let time = |place| {
        let since = clock.now();
        // Its result is of no use here, but must be worked out.
        black_box(call(place));
        clock.ns_between(since, clock.now()) as f64
    };
    (0..calls).find_map(|number| {
        let place = (places - 1) * number / (calls - 1);
        let mut ns = time(place);
        // The items may have had to come from memory, perhaps those of the call before, too; or the
        // thread was interrupted.
        for _ in 0..if ns < LONG_NS { 3 } else { 1 } {
            if ns < SLOW_NS {
                return None;
            }
            ns = ns.min(time(place));
        }
        Some(ns).filter(|&ns| ns >= SLOW_NS)
    })
}
