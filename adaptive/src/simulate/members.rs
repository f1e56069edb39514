//! A set of workers that can be sampled.

use alloc::vec::Vec;

use super::rng::Rng;

/// The workers that have something, as a list without gaps: a thief finds some of them without a
/// search.
pub(crate) struct Members {
    list: Vec<usize>,
    /// The place of each worker in `list`, or `ABSENT`.
    places: Vec<usize>,
}

const ABSENT: usize = usize::MAX;

impl Members {
    pub(crate) fn new(workers: usize) -> Self {
        Members { list: Vec::with_capacity(workers), places: alloc::vec![ABSENT; workers] }
    }

    pub(crate) fn set(&mut self, worker: usize, member: bool) {
        let place = self.places[worker];
        if member && place == ABSENT {
            self.places[worker] = self.list.len();
            self.list.push(worker);
        } else if !member && place != ABSENT {
            self.list.swap_remove(place);
            if let Some(&moved) = self.list.get(place) {
                self.places[moved] = place;
            }
            self.places[worker] = ABSENT;
        }
    }

    pub(crate) fn any(&self) -> bool {
        !self.list.is_empty()
    }

    pub(crate) fn contains(&self, worker: usize) -> bool {
        self.places[worker] != ABSENT
    }

    /// Returns up to `count` different members: neighbours in the list, from a random place on.
    pub(crate) fn some<'a>(&'a self, count: usize, rng: &mut Rng) -> impl Iterator<Item = usize> + use<'a> {
        let len = self.list.len();
        let start = if len == 0 { 0 } else { rng.below(len) };
        self.list.iter().cycle().skip(start).take(count.min(len)).copied()
    }
}
