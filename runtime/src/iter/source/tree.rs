//! `walk_tree` and similar functions, and `split`.

use std::marker::PhantomData;

use super::grow::{Entry, Grow, Grown};
use crate::iter::adapter::debug_without_closures;
use crate::sched::pool::current_num_threads;

/// Made by [`walk_tree_prefix`].
pub type WalkTreePrefix<S, B> = Grown<S, Prefix<S, B>>;
/// Made by [`walk_tree_postfix`].
pub type WalkTreePostfix<S, B> = Grown<S, Postfix<S, B>>;
/// Made by [`walk_tree`].
pub type WalkTree<S, B> = WalkTreePrefix<S, B>;
/// Made by [`split`].
pub type SplitData<D, S> = Grown<(D, Option<u32>), Halve<D, S>>;

/// Makes a parallel iterator over the nodes of a tree, in no particular order.
///
/// Apart from the order, this is [`walk_tree_prefix`].
///
/// ```
/// use taskel::{iter::walk_tree, prelude::*};
/// let sum: u32 = walk_tree(1_u32, |n| [2 * n, 2 * n + 1].into_iter().filter(|n| *n < 8)).sum();
/// assert_eq!(sum, 28);
/// ```
pub fn walk_tree<S, B, I>(root: S, children_of: B) -> WalkTree<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator>,
{
    walk_tree_prefix(root, children_of)
}

/// Makes a parallel iterator over the nodes of a tree, each node in front of the nodes below it.
/// `children_of` returns the children of a node. It is called in parallel, once for each node.
///
/// The tree need not be balanced, and may be deep. But if each node has only one child, nothing can
/// run in parallel.
///
/// Timing decides where lanes divide a tree. So results whose last bits depend on the grouping of
/// items may differ from run to run, even with
/// [`deterministic`](crate::iter::ParallelIterator::deterministic). Collect the nodes into a vector
/// first to avoid this.
///
/// ```
/// use taskel::{iter::walk_tree_prefix, prelude::*};
/// let below = |n: &u32| [2 * n, 2 * n + 1].into_iter().filter(|n| *n < 8);
/// assert_eq!(walk_tree_prefix(1, below).collect::<Vec<_>>(), [1, 2, 4, 5, 3, 6, 7]);
/// ```
pub fn walk_tree_prefix<S, B, I>(root: S, children_of: B) -> WalkTreePrefix<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator>,
{
    Grown { root, grow: Prefix { children_of, _nodes: PhantomData } }
}

/// Makes a parallel iterator over the nodes of a tree, each node behind the nodes below it; see
/// [`walk_tree_prefix`].
///
/// ```
/// use taskel::{iter::walk_tree_postfix, prelude::*};
/// let below = |n: &u32| [2 * n, 2 * n + 1].into_iter().filter(|n| *n < 8);
/// assert_eq!(walk_tree_postfix(1, below).collect::<Vec<_>>(), [4, 5, 2, 6, 7, 3, 1]);
/// ```
pub fn walk_tree_postfix<S, B, I>(root: S, children_of: B) -> WalkTreePostfix<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator>,
{
    Grown { root, grow: Postfix { children_of, _nodes: PhantomData } }
}

/// Splits `data` into pieces, and yields them in order. `splitter` makes two pieces of one, or
/// tells that it is too small. If pieces are halved, there are about 16 pieces for each thread of
/// the pool.
///
/// So the number of threads decides where the pieces begin. Results whose last bits depend on the
/// grouping of items differ with the number of threads, even with
/// [`deterministic`](crate::iter::ParallelIterator::deterministic).
///
/// ```
/// use std::ops::Range;
/// use taskel::prelude::*;
///
/// fn halve(range: Range<u32>) -> (Range<u32>, Option<Range<u32>>) {
///     match range.len() {
///         0 | 1 => (range, None),
///         len => (range.start..range.start + len as u32 / 2, Some(range.start + len as u32 / 2..range.end)),
///     }
/// }
///
/// let sum: u32 = taskel::iter::split(0..100, halve).map(|piece| piece.sum::<u32>()).sum();
/// assert_eq!(sum, 4950);
/// ```
pub fn split<D, S>(data: D, splitter: S) -> SplitData<D, S>
where
    D: Send,
    S: Fn(D) -> (D, Option<D>) + Send + Sync,
{
    Grown { root: (data, None), grow: Halve { splitter, _data: PhantomData } }
}

/// How often the data of a `split` are halved: workers that are done find something to take.
fn halvings() -> u32 {
    const PIECES: usize = 16;
    (current_num_threads() * PIECES).next_power_of_two().ilog2()
}

/// A node in front of those below it.
#[derive(Clone)]
pub struct Prefix<S, B> {
    children_of: B,
    _nodes: PhantomData<fn() -> S>,
}

/// A node behind those below it.
#[derive(Clone)]
pub struct Postfix<S, B> {
    children_of: B,
    _nodes: PhantomData<fn() -> S>,
}

/// Two of one.
#[derive(Clone)]
pub struct Halve<D, S> {
    splitter: S,
    _data: PhantomData<fn() -> D>,
}

debug_without_closures! {
    [S, B] Prefix<S, B> {};
    [S, B] Postfix<S, B> {};
    [D, S] Halve<D, S> {};
}

impl<S, B, I> Grow for Prefix<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator>,
{
    type Node = S;
    type Item = S;

    fn grow(&self, node: S, stack: &mut Vec<Entry<S, S>>) -> Option<S> {
        stack.extend((self.children_of)(&node).into_iter().rev().map(Entry::Node));
        Some(node)
    }
}

impl<S, B, I> Grow for Postfix<S, B>
where
    S: Send,
    B: Fn(&S) -> I + Send + Sync,
    I: IntoIterator<Item = S, IntoIter: DoubleEndedIterator>,
{
    type Node = S;
    type Item = S;

    fn grow(&self, node: S, stack: &mut Vec<Entry<S, S>>) -> Option<S> {
        let children = (self.children_of)(&node).into_iter();
        stack.push(Entry::Item(node));
        stack.extend(children.rev().map(Entry::Node));
        None
    }
}

impl<D: Send, S: Fn(D) -> (D, Option<D>) + Send + Sync> Grow for Halve<D, S> {
    /// A piece, and how often it may be halved. As to all data, that is up to the pool where the loop
    /// runs.
    type Node = (D, Option<u32>);
    type Item = D;

    fn grow(&self, (data, times): Self::Node, stack: &mut Vec<Entry<Self::Node, D>>) -> Option<D> {
        let Some(times) = times.unwrap_or_else(halvings).checked_sub(1) else { return Some(data) };
        match (self.splitter)(data) {
            (data, None) => Some(data),
            (front, Some(back)) => {
                stack.extend([back, front].map(|half| Entry::Node((half, Some(times)))));
                None
            }
        }
    }
}
