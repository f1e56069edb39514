//! Readings of a clock that is wrong, for tests: which kind of trouble a process has, it learns
//! from its environment.

use std::cell::Cell;
use std::sync::OnceLock;

use crate::sync::{AtomicU64, Ordering};

/// Names the kind of trouble to a process that shall have it.
pub(crate) const TROUBLE: &str = "TASKEL_TEST_BAD_CLOCK";

/// The sequence of Weyl and Marsaglia, one for each thread.
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

/// A reading as the clock in trouble gives it.
pub(crate) fn disturbed(raw: u64) -> u64 {
    static KIND: OnceLock<Option<String>> = OnceLock::new();
    static OFFSET: AtomicU64 = AtomicU64::new(u64::MAX / 2);
    let kind = KIND.get_or_init(|| std::env::var(TROUBLE).ok());
    let seldom = || random() % 100 == 0;
    // Of any size: a few ticks, as between two cores, or years.
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
