//! Combines the results of partials: one after the other while that is quick, otherwise as a tree
//! whose branches idle workers take.
//!
//! Combining one after the other costs about ten nanoseconds for each partial, and allocates
//! nothing. If the rest would take more than 20 µs that way, or if items took a millisecond or more
//! on average, a second loop combines pairs of neighbours. A lane that has one part of a tree
//! leaves it at the node above if the other part is not there yet. Otherwise it takes the other
//! part, and goes on with both. So no lane waits for another, and an operator of any length takes n
//! / P + log₂ P times its own time.

use std::iter;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use super::drive;
use super::ranges::{EachRange, Ranges};
use crate::os::clock::{Clock, Ticks};
use crate::sched::unwind::drop_quietly;
use crate::sync::{AtomicU64, Mutex, Ordering};

/// What takes less on one thread is not worth waking others for.
const WORTH_SHARING_NS: u64 = 20_000;

/// Before as much time has passed, nothing is known: the first calls of an operator in a loop may
/// miss the caches.
const WARMING_UP_NS: u64 = 100_000;

/// Fewer results take a tree as long as one thread.
const FEWEST: usize = 4;

/// An associative operation.
pub(crate) trait Operation<T>: Sync {
    /// Puts `right`, which comes later, behind `left`. If one of them ends everything, it is the
    /// result.
    fn apply(&self, left: T, right: T) -> T;

    /// `Break` if the result ends everything, and what comes behind it does not matter.
    fn check(&self, result: T) -> ControlFlow<T, T> {
        ControlFlow::Continue(result)
    }
}

impl<T, F: Fn(T, T) -> T + Sync> Operation<T> for F {
    #[inline]
    fn apply(&self, left: T, right: T) -> T {
        self(left, right)
    }
}

/// The same operation where there may be nothing.
pub(crate) struct OfSome<O>(pub(crate) O);

impl<T, O: Operation<T>> Operation<Option<T>> for OfSome<O> {
    #[inline]
    fn apply(&self, left: Option<T>, right: Option<T>) -> Option<T> {
        match (left, right) {
            (Some(left), Some(right)) => Some(self.0.apply(left, right)),
            (left, None) => left,
            (None, right) => right,
        }
    }

    #[inline]
    fn check(&self, result: Option<T>) -> ControlFlow<Option<T>, Option<T>> {
        match result.map(|result| self.0.check(result)) {
            None => ControlFlow::Continue(None),
            Some(flow) => flow.map_continue(Some).map_break(Some),
        }
    }
}

/// The results of all partials, in the order of their items.
pub(crate) trait Partials: Iterator<Item: Send> + Sized {
    /// One of all; `None` if there are none. May run on several workers.
    fn combine(self, op: impl Operation<Self::Item>) -> Option<Self::Item>;
}

impl<T: Send> Partials for iter::Once<T> {
    fn combine(mut self, _: impl Operation<T>) -> Option<T> {
        self.next()
    }
}

/// Partials as lanes have left them.
pub(crate) struct InOrder<I> {
    pub(crate) partials: I,
    /// An item took so long that, if it is the operation that did, a tree is due at once; and if
    /// not, it does not matter.
    pub(crate) slow: bool,
}

impl<I: Iterator> Iterator for InOrder<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.partials.next()
    }
}

impl<I: ExactSizeIterator<Item: Send>> Partials for InOrder<I> {
    fn combine(mut self, op: impl Operation<I::Item>) -> Option<I::Item> {
        let mut all = self.partials.next()?;
        let others = self.partials.len();
        // Few results need no look at the clock.
        let watch = (others + 1 >= FEWEST).then(Watch::new);
        for done in 0..others {
            let left = others - done;
            let is_slow = |watch: &Watch| self.slow || done > 0 && watch.is_worth_sharing(done, left);
            if left + 1 >= FEWEST && watch.as_ref().is_some_and(is_slow) {
                return in_a_tree(iter::once(all).chain(self.partials), left + 1, &op);
            }
            all = match op.check(op.apply(all, self.partials.next()?)) {
                ControlFlow::Continue(all) => all,
                ControlFlow::Break(all) => return Some(all),
            };
        }
        Some(all)
    }
}

/// What is known to be slow. Where one result ends everything already, nothing is combined.
#[cold]
fn in_a_tree<T: Send>(partials: impl Iterator<Item = T>, len: usize, op: &impl Operation<T>) -> Option<T> {
    let mut leaves = Vec::with_capacity(len);
    for partial in partials {
        match op.check(partial) {
            ControlFlow::Continue(partial) => leaves.push(partial),
            ControlFlow::Break(partial) => return Some(partial),
        }
    }
    Some(Tree::new(op, leaves, 1).combine())
}

/// Results that are combined in the same way on every run: by a tree whose form depends on their
/// number alone. Some may be missing behind one that ends everything.
pub(crate) struct InBlocks<T>(std::vec::IntoIter<Option<T>>);

impl<T> InBlocks<T> {
    pub(crate) fn new(results: Vec<Option<T>>) -> Self {
        InBlocks(results.into_iter())
    }
}

impl<T> Iterator for InBlocks<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.by_ref().flatten().next()
    }
}

impl<T: Send> Partials for InBlocks<T> {
    fn combine(self, op: impl Operation<T>) -> Option<T> {
        let op = OfSome(op);
        let mut leaves: Vec<Option<T>> = self.0.collect();
        match catch_unwind(AssertUnwindSafe(|| beginning(&op, &mut leaves))) {
            Ok(ControlFlow::Continue(done)) if done < leaves.len() => Tree::new(&op, leaves, done).combine(),
            Ok(ControlFlow::Continue(_)) => leaves.swap_remove(0),
            Ok(ControlFlow::Break(all)) => all,
            Err(payload) => {
                drop_quietly(leaves);
                panic::resume_unwind(payload)
            }
        }
    }
}

/// Combines ever larger parts of a tree, from the first leaf on, until it shows that this takes
/// long; leaves the result in the first leaf, and yields of how many leaves it is.
fn beginning<T>(op: &impl Operation<Option<T>>, leaves: &mut [Option<T>]) -> ControlFlow<Option<T>, usize> {
    let watch = Watch::new();
    let mut all = op.check(leaves[0].take())?;
    let mut done = 1;
    while done < leaves.len() {
        let next = leaves.len().min(2 * done);
        all = op.check(op.apply(all, part(op, &mut leaves[done..next])?))?;
        done = next;
        let left = leaves.len() - done;
        if left + 1 >= FEWEST && watch.is_worth_sharing(done - 1, left) {
            break;
        }
    }
    leaves[0] = all;
    ControlFlow::Continue(done)
}

/// Combines some leaves, at least one, on this thread.
fn part<T>(op: &impl Operation<Option<T>>, leaves: &mut [Option<T>]) -> ControlFlow<Option<T>, Option<T>> {
    if let [leaf] = leaves {
        return op.check(leaf.take());
    }
    let (left, right) = leaves.split_at_mut(first_part(leaves.len()));
    let left = part(op, left)?;
    op.check(op.apply(left, part(op, right)?))
}

/// How many of several leaves are combined on the left: the largest power of two that leaves some
/// over.
fn first_part(leaves: usize) -> usize {
    leaves.next_power_of_two() / 2
}

/// Results that several workers combine: neighbours in pairs, then neighbouring pairs, and so on. A
/// lane that has one part of a pair leaves it, or goes on with both if the other part is there. So
/// no lane waits.
struct Tree<'a, T, O> {
    op: &'a O,
    nodes: Vec<Node<T>>,
    /// How many leaves are already combined in the first one.
    done: usize,
    /// What comes from this leaf on does not matter, for something in front of it ends everything.
    /// It saves work and orders nothing (Relaxed).
    end: AtomicU64,
}

/// A leaf, and what is to be combined in front of it with what is to be combined from it on.
struct Node<T> {
    leaf: Mutex<Option<T>>,
    part: Mutex<Option<T>>,
}

impl<'a, T: Send, O: Operation<T>> Tree<'a, T, O> {
    fn new(op: &'a O, leaves: Vec<T>, done: usize) -> Self {
        let node = |leaf| Node { leaf: Mutex::new(Some(leaf)), part: Mutex::new(None) };
        Tree { op, nodes: leaves.into_iter().map(node).collect(), done, end: AtomicU64::new(u64::MAX) }
    }

    /// The result of all leaves.
    fn combine(self) -> T {
        let all = Mutex::new(None);
        let leaves = self.nodes.len();
        let from_pair = |pair: usize| {
            let leaf = 2 * pair;
            let to_do = leaf == 0 || leaf >= self.done;
            if let Some(result) = to_do.then(|| self.climb(0, leaves, leaf)).flatten() {
                put(&all, result);
            }
        };
        let pairs = Ranges { len: leaves.div_ceil(2), max_len: 1 };
        let run = || drive(&pairs, EachRange(&|run| run.for_each(from_pair)));
        if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
            drop_quietly(self);
            panic::resume_unwind(payload)
        }
        take(&all).expect("who comes last has all of it")
    }

    /// Combines the pair of leaves that begins with `leaf` and whatever of leaves `first..end` it
    /// makes complete. The result of all these, if that is all of them.
    fn climb(&self, first: usize, end: usize, leaf: usize) -> Option<T> {
        if end - first <= 2 || end <= self.done {
            let left = take(&self.nodes[first].leaf);
            let right =
                if end <= self.done || end - first < 2 { None } else { take(&self.nodes[first + 1].leaf) };
            return match (left, right) {
                (Some(left), Some(right)) => Some(self.apply(first, end, left, right)),
                (left, _) => left,
            };
        }
        let mid = first + first_part(end - first);
        let (left, right) = if leaf < mid {
            let left = self.climb(first, mid, leaf)?;
            meet(&self.nodes[mid].part, left)?
        } else {
            let right = self.climb(mid, end, leaf)?;
            let (right, left) = meet(&self.nodes[mid].part, right)?;
            (left, right)
        };
        Some(self.apply(first, end, left, right))
    }

    /// Combines all of leaves `first..end`.
    fn apply(&self, first: usize, end: usize, left: T, right: T) -> T {
        if first as u64 >= self.end.load(Ordering::Relaxed) {
            return left;
        }
        match self.op.check(self.op.apply(left, right)) {
            ControlFlow::Continue(both) => both,
            ControlFlow::Break(last) => {
                self.end.fetch_min(end as u64, Ordering::Relaxed);
                last
            }
        }
    }
}

/// Leaves `part` for the lane that has the other part. If the other part has been left already,
/// returns both, `part` first.
fn meet<T>(place: &Mutex<Option<T>>, part: T) -> Option<(T, T)> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    match place.take() {
        Some(other) => Some((part, other)),
        None => {
            *place = Some(part);
            None
        }
    }
}

fn put<T>(place: &Mutex<Option<T>>, result: T) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Tells whether what is left of some operations is worth sharing.
struct Watch {
    clock: Clock,
    since: Ticks,
}

impl Watch {
    fn new() -> Self {
        let clock = Clock::new();
        Watch { clock, since: clock.now() }
    }

    /// Whether, as `done` operations have taken so far, `left` more will take long.
    fn is_worth_sharing(&self, done: usize, left: usize) -> bool {
        let taken_ns = self.clock.ns_between(self.since, self.clock.now());
        taken_ns >= WARMING_UP_NS
            && taken_ns.saturating_mul(left as u64) >= WORTH_SHARING_NS.saturating_mul(done as u64)
    }
}
