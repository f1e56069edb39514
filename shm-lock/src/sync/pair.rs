//! A futex word and the count of its turns, which can be changed in one step.
//!
//! The kernel and the fast paths access only the word. Rust has no atomic accesses to half of an
//! atomic. So the two accesses to both halves are written in assembly. Each behaves like an access
//! to the word and one to the count, with nothing in between.

use super::{AtomicU32, Futex, Ordering};

/// The word, and how often [`exchange`](Pair::exchange) has changed it.
#[derive(Debug)]
#[repr(C, align(8))]
pub(crate) struct Pair {
    futex: Futex,
    turn: AtomicU32,
}

/// The state of a [`Pair`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) word: u32,
    pub(crate) turn: u32,
}

impl Pair {
    pub(crate) const fn new(word: u32) -> Self {
        Pair { futex: Futex::new(word), turn: AtomicU32::new(0) }
    }

    #[inline(always)]
    pub(crate) fn futex(&self) -> &Futex {
        &self.futex
    }

    /// Returns the word.
    #[inline(always)]
    pub(crate) fn word(&self) -> &AtomicU32 {
        self.futex.word()
    }

    /// Returns both halves, as they were at one moment.
    pub(crate) fn load(&self) -> Seen {
        let both = machine::load(self);
        Seen { word: both as u32, turn: (both >> 32) as u32 }
    }

    /// Sets the word to `word` and counts a turn, if both halves are as `seen`.
    ///
    /// The machine's instruction is at least as strong as `_success`.
    pub(crate) fn exchange(&self, seen: Seen, word: u32, _success: Ordering) -> bool {
        let both = |word: u32, turn: u32| u64::from(turn) << 32 | u64::from(word);
        machine::exchange(self, both(seen.word, seen.turn), both(word, seen.turn.wrapping_add(1)))
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod machine {
    use std::arch::asm;

    use super::Pair;

    pub(super) fn load(pair: &Pair) -> u64 {
        let both: u64;
        // SAFETY: reads eight bytes that are mapped, aligned to eight, and made of atomics: at
        // once, as the processor promises for aligned words.
        unsafe {
            asm!("mov {both}, qword ptr [{pair}]", both = out(reg) both, pair = in(reg) pair,
                options(nostack, preserves_flags, readonly));
        }
        both
    }

    pub(super) fn exchange(pair: &Pair, seen: u64, new: u64) -> bool {
        let found: u64;
        // SAFETY: changes the same bytes at once, and only as exchanges of both atomics could.
        unsafe {
            asm!("lock cmpxchg qword ptr [{pair}], {new}", pair = in(reg) pair, new = in(reg) new,
                inout("rax") seen => found, options(nostack));
        }
        found == seen
    }
}

#[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
mod machine {
    use std::arch::asm;

    use super::Pair;

    pub(super) fn load(pair: &Pair) -> u64 {
        let both: u64;
        // SAFETY: reads eight bytes that are mapped, aligned to eight, and made of atomics: at
        // once, as the processor promises for aligned words.
        unsafe {
            asm!("ldr {both}, [{pair}]", both = out(reg) both, pair = in(reg) pair,
                options(nostack, preserves_flags, readonly));
        }
        both
    }

    pub(super) fn exchange(pair: &Pair, seen: u64, new: u64) -> bool {
        let failed: u64;
        // SAFETY: changes the same bytes at once, and only as exchanges of both atomics could.
        unsafe {
            asm!(
                "2: ldaxr {found}, [{pair}]",
                "cmp {found}, {seen}",
                "b.ne 3f",
                "stlxr {failed:w}, {new}, [{pair}]",
                "cbnz {failed:w}, 2b",
                "b 4f",
                "3: clrex",
                "mov {failed}, #1",
                "4:",
                found = out(reg) _, failed = out(reg) failed, pair = in(reg) pair, seen = in(reg) seen, new = in(reg) new,
                options(nostack)
            );
        }
        failed as u32 == 0
    }
}

/// In two steps, between which the word may be changed and changed back. For interpreters, and for
/// processors on which the assembly was not tested.
#[cfg(not(any(
    all(target_arch = "x86_64", not(miri)),
    all(target_arch = "aarch64", target_endian = "little", not(miri))
)))]
mod machine {
    use super::{Ordering, Pair};

    pub(super) fn load(pair: &Pair) -> u64 {
        let turn = pair.turn.load(Ordering::Acquire); // Acquire: the word below is no older.
        u64::from(turn) << 32 | u64::from(pair.word().load(Ordering::Relaxed))
    }

    pub(super) fn exchange(pair: &Pair, seen: u64, new: u64) -> bool {
        let half = |both: u64| both as u32;
        let turn = |both: u64| half(both >> 32);
        // AcqRel: as the machine's own.
        let counted = pair.turn.compare_exchange(turn(seen), turn(new), Ordering::AcqRel, Ordering::Relaxed);
        counted.is_ok()
            // AcqRel: as the machine's own.
            && pair.word().compare_exchange(half(seen), half(new), Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_needs_both_halves_and_counts() {
        let pair = Pair::new(5);
        let seen = pair.load();
        assert_eq!(seen, Seen { word: 5, turn: 0 });
        assert!(pair.exchange(seen, 6, Ordering::Relaxed));
        assert_eq!(pair.load(), Seen { word: 6, turn: 1 });
        pair.word().store(5, Ordering::Relaxed);
        assert!(!pair.exchange(seen, 7, Ordering::Relaxed), "the word is the same again, the turn is not");
        assert!(!pair.exchange(Seen { word: 4, turn: 1 }, 7, Ordering::Relaxed));
        // In two steps, a failed exchange may have counted.
        let seen = pair.load();
        assert_eq!(seen.word, 5);
        assert!(pair.exchange(seen, 0, Ordering::Relaxed));
        assert_eq!(pair.load(), Seen { word: 0, turn: seen.turn + 1 });
        let last = Pair { turn: AtomicU32::new(u32::MAX), ..Pair::new(1) };
        assert!(last.exchange(last.load(), 1, Ordering::Relaxed));
        assert_eq!(last.load(), Seen { word: 1, turn: 0 });
    }
}
