//! Collects items of unknown number in pieces. Lanes gather the pieces, which are put together
//! once.

use std::mem;

use crate::iter::consumer::Append;
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// A piece does not grow beyond this, but a new one is begun: memory of this size is used again and
/// again, while the system has to map (and clear) larger ones anew each time.
const PIECE_BYTES: usize = 256 << 10;

/// Below this, putting the pieces together is not worth sharing.
const WORTH_SHARING: usize = 1 << 20;

/// The items of a partial.
#[derive(Debug)]
pub(crate) struct Pieces<T> {
    full: Vec<Vec<T>>,
    last: Vec<T>,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Pieces { full: Vec::new(), last: Vec::new() }
    }
}

impl<T> Pieces<T> {
    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        if self.last.len() == self.last.capacity() {
            self.grow();
        }
        self.last.push(item);
    }

    #[cold]
    fn grow(&mut self) {
        let most = (PIECE_BYTES / size_of::<T>().max(1)).max(1);
        if self.last.capacity() < most {
            let more = self.last.capacity().clamp(4, most - self.last.capacity());
            self.last.reserve_exact(more);
        } else {
            self.full.push(mem::replace(&mut self.last, Vec::with_capacity(most)));
        }
    }

    fn into_vecs(self) -> impl Iterator<Item = Vec<T>> {
        self.full.into_iter().chain([self.last]).filter(|piece| !piece.is_empty())
    }
}

impl<T> Append for Pieces<T> {
    fn append(&mut self, mut behind: Self) {
        if behind.full.is_empty() && behind.last.len() <= self.last.capacity() - self.last.len() {
            return self.last.append(&mut behind.last);
        }
        if !self.last.is_empty() {
            self.full.push(mem::take(&mut self.last));
        }
        self.full.append(&mut behind.full);
        self.last = behind.last;
    }
}

/// All pieces of all partials.
pub(crate) fn flatten<T>(partials: Vec<Pieces<T>>) -> Vec<Vec<T>> {
    partials.into_iter().flat_map(Pieces::into_vecs).collect()
}

/// Moves all pieces behind what is in `items`, with at most one allocation, in parallel if they are
/// large.
pub(crate) fn append<T: Send>(items: &mut Vec<T>, mut pieces: Vec<Vec<T>>) {
    if items.is_empty() && pieces.len() == 1 {
        *items = pieces.remove(0);
        return;
    }
    let total: usize = pieces.iter().map(Vec::len).sum();
    items.reserve_exact(total);
    if total.saturating_mul(size_of::<T>()) < WORTH_SHARING {
        return pieces.iter_mut().for_each(|piece| items.append(piece));
    }
    /// Where a piece goes.
    struct Place<T>(*mut T);
    // SAFETY: a place goes to one closure, which writes `T`s there.
    unsafe impl<T: Send> Send for Place<T> {}
    let mut end = items.len();
    let places = pieces.iter().map(|piece| {
        // SAFETY: the room that was reserved holds all pieces, one after the other.
        let place = Place(unsafe { items.as_mut_ptr().add(end) });
        end += piece.len();
        place
    });
    let places: Vec<Place<T>> = places.collect();
    pieces.into_par_iter().zip(places).with_max_len(1).for_each(|(mut piece, place)| {
        // SAFETY: the places do not overlap, and nothing lives there.
        unsafe { piece.as_ptr().copy_to_nonoverlapping(place.0, piece.len()) };
        // SAFETY: the items live on in `items` alone.
        unsafe { piece.set_len(0) };
    });
    // SAFETY: everything up to here is written: the loop is over, and nothing in it panics.
    unsafe { items.set_len(end) };
}
