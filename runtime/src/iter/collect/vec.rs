//! Collects into vectors.
//!
//! If the producer is *exact* (one item for each index), each item is written to its final place.
//! If it is *bounded* (at most one item for each index, as with `filter`), each partial is written
//! into one allocation from the place of its first index on, and then all items are moved together
//! once. Otherwise partials gather [pieces](super::pieces), which are copied together in parallel.

use super::pieces::{Pieces, append, flatten};
use super::{FromParallelIterator, ParallelExtend};
use crate::engine::drive;
use crate::engine::producer::Producer;
use crate::iter::consumer::{CollectBounded, CollectExact, CollectPartials, UnzipExact, drive_in_order};
use crate::iter::{IntoParallelIterator, ParallelIterator};

impl<T: Send> FromParallelIterator<T> for Vec<T> {
    /// Where the number of items is known, each is written to its place at once. Where it is known
    /// how many there are at most, lanes write apart from each other into one allocation. Elsewhere
    /// each lane collects what it processes, and the pieces are put together at the end.
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(items: I) -> Self {
        let mut collected = Vec::new();
        collected.par_extend(items);
        collected
    }
}

impl<T: Send> ParallelExtend<T> for Vec<T> {
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, items: I) {
        extend(self, &items.into_par_iter().into_producer());
    }

    fn par_extend_vec(&mut self, mut items: Vec<T>) {
        if self.is_empty() {
            *self = items;
        } else {
            self.append(&mut items);
        }
    }
}

impl<'a, T: Copy + Send + Sync + 'a> ParallelExtend<&'a T> for Vec<T> {
    #[track_caller]
    fn par_extend<I: IntoParallelIterator<Item = &'a T>>(&mut self, items: I) {
        self.par_extend(items.into_par_iter().copied());
    }
}

#[track_caller]
fn extend<P: Producer>(items: &mut Vec<P::Item>, producer: &P) {
    if producer.is_exact() {
        return extend_exact(items, producer);
    }
    let items = if producer.is_bounded() {
        match CollectBounded::new(items, producer.len()) {
            Ok(bounded) => return drive(producer, bounded),
            Err(items) => items,
        }
    } else {
        items
    };
    append(items, partials(producer));
}

/// All items of a producer.
#[track_caller]
pub(crate) fn collect_from<P: Producer>(producer: &P) -> Vec<P::Item> {
    let mut items = Vec::new();
    extend(&mut items, producer);
    items
}

/// Writes the items of an exact producer behind those that are there.
#[track_caller]
pub(crate) fn extend_exact<P: Producer>(items: &mut Vec<P::Item>, producer: &P) {
    drive(producer, CollectExact::new(items, producer.len()));
}

#[track_caller]
fn partials<P: Producer>(producer: &P) -> Vec<Vec<P::Item>> {
    // Pushed from inside the iterator: `extend` would ask a nested one for each item from outside.
    let consumer = CollectPartials::new(|partial: &mut Pieces<P::Item>, item| partial.push(item));
    // Only what `fold` yields, here or inside an item, depends on where partials begin.
    flatten(if P::HAS_TAIL || P::NESTS {
        drive_in_order(producer, consumer)
    } else {
        drive(producer, consumer)
    })
}

/// All items, in pieces.
#[track_caller]
pub(crate) fn pieces<I: IntoParallelIterator>(items: I) -> Vec<Vec<I::Item>> {
    let producer = items.into_par_iter().into_producer();
    if producer.is_exact() {
        let mut all = Vec::new();
        extend_exact(&mut all, &producer);
        return vec![all];
    }
    partials(&producer)
}

/// The first and the second parts of all pairs.
#[track_caller]
pub(crate) fn unzip<A: Send, B: Send, I: IntoParallelIterator<Item = (A, B)>>(items: I) -> (Vec<A>, Vec<B>) {
    let producer = items.into_par_iter().into_producer();
    let (mut all_a, mut all_b) = (Vec::new(), Vec::new());
    if producer.is_exact() {
        unzip_exact(&producer, &mut all_a, &mut all_b);
    } else {
        let add = |(a, b): &mut (Pieces<A>, Pieces<B>), (left, right)| {
            a.push(left);
            b.push(right);
        };
        let (a, b) = drive(&producer, CollectPartials::new(add)).into_iter().unzip();
        append(&mut all_a, flatten(a));
        append(&mut all_b, flatten(b));
    }
    (all_a, all_b)
}

/// Writes the pairs of an exact producer behind what is there.
#[track_caller]
pub(crate) fn unzip_exact<A: Send, B: Send>(
    producer: &impl Producer<Item = (A, B)>,
    a: &mut Vec<A>,
    b: &mut Vec<B>,
) {
    let len = producer.len();
    drive(producer, UnzipExact(CollectExact::new(a, len), CollectExact::new(b, len)));
}

/// The items in two groups, as `sort` has added them to either.
#[track_caller]
pub(crate) fn split<I, L: Send, R: Send>(
    items: I,
    sort: impl Fn(&mut (Pieces<L>, Pieces<R>), I::Item) + Sync,
) -> (Vec<L>, Vec<R>)
where
    I: ParallelIterator,
{
    let partials = drive(&items.into_producer(), CollectPartials::new(sort));
    let (left, right) = partials.into_iter().unzip();
    let (mut all_left, mut all_right) = (Vec::new(), Vec::new());
    append(&mut all_left, flatten(left));
    append(&mut all_right, flatten(right));
    (all_left, all_right)
}
