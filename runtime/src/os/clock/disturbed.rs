//! Wrong readings of a clock, for tests. An environment variable selects the kind of error.

use std::cell::Cell;
use std::sync::OnceLock;

use crate::sync::{AtomicU64, Ordering};

/// The environment variable that selects the kind of error.
pub(crate) const TROUBLE: &str = "TASKEL_TEST_BAD_CLOCK";

/// A Weyl sequence with Marsaglia's multipliers, one per thread.
fn random() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }
    static SEED: AtomicU64 = AtomicU64::new(1);
    let state = match STATE.get() {
        0 => SEED.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        state => state,
    };
    let next = state ^ state << 13;
    let next = next ^ next >> 7;
    STATE.set(next ^ next << 17);
    STATE.get()
}

/// Returns the reading of the faulty clock.
pub(crate) fn disturbed(raw: u64) -> u64 {
    static KIND: OnceLock<Option<String>> = OnceLock::new();
    static OFFSET: AtomicU64 = AtomicU64::new(u64::MAX / 2);
    let kind = KIND.get_or_init(|| std::env::var(TROUBLE).ok());
    let seldom = || random() % 100 == 0;
    // Of any size, from a few ticks (as between two cores) to years.
    let jump = || (1 << (random() % 62)) + 1;
    let moved = |offset: u64| {
        OFFSET.fetch_add(offset, Ordering::Relaxed);
    };
    match kind.as_deref() {
        None => return raw,
        Some("back") if seldom() => moved(0_u64.wrapping_sub(jump())),
        Some("ahead") if seldom() => moved(jump()),
        Some("both") if seldom() => {
            moved(if random() % 2 == 0 { jump() } else { 0_u64.wrapping_sub(jump()) })
        }
        Some("noise") => return random(),
        Some(_) => (),
    }
    raw.wrapping_add(OFFSET.load(Ordering::Relaxed))
}
