//! Which external lane each thread from outside the pool holds.
//!
//! There are as many external lanes as such threads were ever inside at once. The *first* few are
//! created with the pool. The *later* ones are created in blocks, when all others are held.
//!
//! # State
//!
//! | word | meaning |
//! |---|---|
//! | `held`, a bit per external lane (one word for the first lanes, one for each 32 of the later ones) | a thread owns the lane and everything private to it |
//! | `known`, a bit for each of the first lanes | a thread has owned it: others search there for work from now on |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`acquire`](Lease::acquire) sets the lowest clear bit of `held` | any thread | one is clear |
//! | and that of `known`, if it is clear | the holder of one of the first lanes | before it offers any work |
//! | or it creates a block of later lanes, and words for them, all clear | a thread that has found no clear bit twice, under a mutex | |
//! | [`release`](Lease::release) clears the bit of `held` | its holder | it does not touch the lane again |
//!
//! Lanes that search for work among the first lanes read `known`, which hardly ever changes. They
//! do not read `held`: that would take its cache line from the holder, who needs it twice in each
//! call. For the later lanes they do read `held`. Holders contend there anyway, and of a thousand
//! lanes that were once needed at the same time, only a few may be in use now.
//!
//! # Orderings
//!
//! * Release in `release`, Acquire in a successful `acquire`. What one holder did to the lane (its
//!   deque, its spare loop memory), and that it gave a worker's seat back, happens before the next
//!   holder touches the lane.
//! * `known`: Relaxed. A lane that goes to sleep reads it together with the deques, and the same
//!   fence orders both: a holder sets the bit, or sees it set, before it pushes and fences (see
//!   [`sleep`](super::sleep)). The same is true for `held`, where the bit of a holder is set as
//!   long as it may push.
//! * A word for later lanes is found through a `OnceLock`, which is set after the lanes are
//!   created. A thread that sees a bit can use the lane.
//!
//! # Progress
//!
//! Lock-free while there is a clear bit. A thread that finds none waits for the thread that creates
//! the next block.
//!
//! # Models
//!
//! `lease_models.rs`: two threads and one lane with private data, a first or a later one; two
//! threads and two lanes; two threads that both need a new block; a push against a lane that goes
//! to sleep, where the push is on a lane that was never held before, on one that changes hands, on
//! one of a new block, and on one whose last holder had the sleeper's seat.

use crate::containers::table::Table;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// The number of later lanes that share a word.
const LANES: usize = 32;

/// The words.
#[derive(Debug)]
pub(crate) struct Lease {
    first: Held,
    known: AtomicU32,
    first_lanes: usize,
    later: Table<AtomicU32>,
    growing: Mutex<()>,
}

/// On a cache line of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Held(AtomicU32);

impl Lease {
    /// The most first lanes: what fits into a word.
    pub(crate) const MOST_FIRST: usize = 32;

    /// The length of the first block of later lanes; each further one is twice as long.
    pub(crate) const BLOCK: usize = LANES;

    pub(crate) fn new(first_lanes: usize) -> Self {
        debug_assert!(first_lanes <= Self::MOST_FIRST);
        Lease {
            first: Held(AtomicU32::new(0)),
            known: AtomicU32::new(0),
            first_lanes,
            later: Table::empty(),
            growing: Mutex::new(()),
        }
    }

    /// Acquires an external lane and returns its number. If all are held, calls `make` with a
    /// number: all lanes below it must exist when `make` returns.
    #[must_use]
    pub(crate) fn acquire(&self, make: impl Fn(usize)) -> usize {
        loop {
            if let Some(lane) = self.try_acquire() {
                return lane;
            }
            // No user code runs under the lock, so the data is consistent even if it is poisoned.
            let _growing = self.growing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            // Another thread may have created a block meanwhile.
            if let Some(lane) = self.try_acquire() {
                return lane;
            }
            let words = self.later.len();
            // Each block is twice as long as the one before.
            make(self.first_lanes + LANES * (2 * words + 1));
            self.later.get_or_make(words, |_| AtomicU32::new(0));
        }
    }

    fn try_acquire(&self) -> Option<usize> {
        if let Some(lane) = set_clear_bit(&self.first.0, self.first_lanes) {
            if !self.is_known(lane) {
                self.known.fetch_or(1 << lane, Ordering::Relaxed);
            }
            return Some(lane);
        }
        let lane_of = |(n, word)| Some(self.first_lanes + LANES * n + set_clear_bit(word, LANES)?);
        self.later.iter().enumerate().find_map(lane_of)
    }

    /// Returns whether a thread has ever held `lane`, which is one of the first lanes.
    pub(crate) fn is_known(&self, lane: usize) -> bool {
        self.known.load(Ordering::Relaxed) & 1 << lane != 0
    }

    /// Returns the later lanes that are held, starting at a random word.
    pub(crate) fn later_held(&self, random: usize) -> impl Iterator<Item = usize> {
        let words = self.later.len();
        (0..words).flat_map(move |n| {
            let n = (n + random) % words;
            let mut held = self.later[n].load(Ordering::Relaxed);
            std::iter::from_fn(move || {
                let lane = (held != 0).then(|| held.trailing_zeros() as usize)?;
                held &= held - 1;
                Some(self.first_lanes + LANES * n + lane)
            })
        })
    }

    /// Releases `lane`.
    pub(crate) fn release(&self, lane: usize) {
        let (held, lane) = match lane.checked_sub(self.first_lanes) {
            None => (&self.first.0, lane),
            Some(later) => (&self.later[later / LANES], later % LANES),
        };
        // Release: what this holder did to the lane happens before the next one's `acquire`.
        let before = held.fetch_and(!(1 << lane), Ordering::Release);
        debug_assert!(before & 1 << lane != 0, "only a held lane is released");
    }
}

/// Sets the lowest clear bit among the first `lanes` bits.
fn set_clear_bit(held: &AtomicU32, lanes: usize) -> Option<usize> {
    let mut now = held.load(Ordering::Relaxed);
    loop {
        let lane = now.trailing_ones() as usize;
        if lane >= lanes {
            return None;
        }
        // Acquire: pairs with `release` of the lane's last holder.
        match held.compare_exchange_weak(now, now | 1 << lane, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return Some(lane),
            Err(other) => now = other,
        }
    }
}
