//! External lanes: which of them a calling thread from outside the pool holds.
//!
//! There are as many as there ever were such threads inside at once: the *first* few are made with
//! the pool, the *later* ones in blocks, when all others are held.
//!
//! # State
//!
//! | word | meaning |
//! |---|---|
//! | `held`, a bit per external lane (one word for the first lanes, one for each 32 of the later ones) | some thread owns the lane and everything private to it |
//! | `known`, a bit for each of the first lanes | some thread has owned it: others look there for work from now on |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`acquire`](Lease::acquire) sets the lowest clear bit of `held` | any thread | one is clear |
//! | and that of `known`, if it is clear | the holder of one of the first lanes | before it offers anything |
//! | or it makes a block of later lanes, and words for them, all clear | a thread that has found none clear twice, under a mutex | |
//! | [`release`](Lease::release) clears the bit of `held` | its holder | it will not touch the lane again |
//!
//! Of the first lanes, those that search read `known`, which hardly ever changes, and not `held`:
//! reading that, they would take its cache line from the holder, who waits for it twice in each
//! call. Of the later ones they read `held`: holders get in each other's way there anyhow, and of a
//! thousand lanes that were once needed together, hardly any may be in use now.
//!
//! # Orderings
//!
//! * `release`: Release, `acquire`: Acquire on success. They pair: what one holder did to the lane
//!   (its deque, its spare loop memory), and that it gave a worker's seat back, happens before the
//!   next holder touches it.
//! * `known`: Relaxed. A lane that goes to sleep looks at it as at the deques, and what orders that
//!   look orders this one: a holder sets the bit, or has seen it set, before it pushes and fences
//!   (see [`sleep`](super::sleep)). The same holds for a look at `held`, in which a holder's bit is
//!   set as long as it may push anything.
//! * A word for later lanes is found through a `OnceLock`, which is set after the lanes are made:
//!   who sees a bit can use the lane.
//!
//! # Progress
//!
//! Lock-free while there is a clear bit. Who finds none waits for whoever makes the next block.
//!
//! # Models
//!
//! `lease_models.rs`: two threads and one lane with private data, a first or a later one; two
//! threads and two lanes; two that both need a further block; a push on a lane that nobody has held
//! before, on one that changes hands, and on one of a block that is made just now, against a lane
//! that goes to sleep; a push on a lane whose last holder had the sleeper's seat.

use crate::containers::table::Table;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// So many later lanes share a word.
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

    /// The number of an external lane which is now the caller's alone. If all are held, `make` is
    /// called with a number below which all lanes shall exist when it returns.
    #[must_use]
    pub(crate) fn acquire(&self, make: impl Fn(usize)) -> usize {
        loop {
            if let Some(lane) = self.try_acquire() {
                return lane;
            }
            // No user code runs under it, so it is whole even if poisoned.
            let _growing = self.growing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            // Others have waited for the lock as well.
            if let Some(lane) = self.try_acquire() {
                return lane;
            }
            let words = self.later.len();
            // Twice as many, and one.
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

    /// Whether anybody has held `lane`, one of the first, or holds it and may have offered
    /// something.
    pub(crate) fn is_known(&self, lane: usize) -> bool {
        self.known.load(Ordering::Relaxed) & 1 << lane != 0
    }

    /// The later lanes that are held, beginning somewhere.
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

    /// Gives `lane` back.
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

/// Sets the lowest of the first `lanes` bits that is clear.
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
