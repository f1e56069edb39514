//! Sources that grow while they are processed: trees that are walked, and values that are split
//! until there are enough.
//!
//! A lane has a stack of what it has still to look at, with the next one on top. If that takes
//! long, what is on the stack becomes an inner loop, of which other lanes take their share. A lane
//! does this after a time that grows with the depth of such inner loops. So the depth is the
//! logarithm of the time that a tree takes, however deep the tree is, and a lane keeps no more to
//! itself than a part of what it has done before.

use std::fmt::{self, Debug, Formatter};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::vec::VecProducer;
use crate::engine::drive_inner;
use crate::engine::producer::{Producer, Receiver};
use crate::iter::adapter::debug_without_closures;
use crate::iter::{IntoParallelIterator, ParallelIterator};
use crate::os::clock::{Clock, Ticks};

/// How nodes become items and further nodes.
pub trait Grow: Send + Sync {
    /// What is looked at.
    type Node: Send;
    /// What is found.
    type Item: Send;

    /// Looks at a node. What comes behind the item that this returns, if any, is put on the stack,
    /// the last first.
    fn grow(&self, node: Self::Node, stack: &mut Vec<Entry<Self::Node, Self::Item>>) -> Option<Self::Item>;
}

/// What comes at a place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Entry<N, T> {
    /// What is still to be looked at.
    Node(N),
    /// What was found.
    Item(T),
}

/// Parallel iterator over what is found when a node is looked at, and all that it becomes.
#[derive(Clone)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct Grown<N, G> {
    pub(super) root: N,
    pub(super) grow: G,
}

debug_without_closures! { [N: Debug, G] Grown<N, G> { root }; }

impl<G: Grow> ParallelIterator for Grown<G::Node, G> {
    type Item = G::Item;
    type Producer = GrownProducer<G>;

    fn into_producer(self) -> Self::Producer {
        GrownProducer::new(vec![Entry::Node(self.root)], Arc::new(self.grow), FIRST_PATIENCE_NS)
    }
}

/// A lane calls other lanes to its stack after so long, at first.
const FIRST_PATIENCE_NS: u64 = 20_000;

/// With each loop inside, a quarter later.
const fn longer(patience_ns: u64) -> u64 {
    patience_ns / 4 * 5
}

/// A lane looks so often at whether its items are still wanted.
const LOOK_NS: u64 = 20_000;

/// Hands out the entries of a stack, each with what it becomes.
pub struct GrownProducer<G: Grow> {
    entries: VecProducer<Entry<G::Node, G::Item>>,
    grow: Arc<G>,
    patience_ns: u64,
    clock: Clock,
}

impl<G: Grow> Debug for GrownProducer<G> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrownProducer").finish_non_exhaustive()
    }
}

impl<G: Grow> GrownProducer<G> {
    /// In their order.
    fn new(entries: Vec<Entry<G::Node, G::Item>>, grow: Arc<G>, patience_ns: u64) -> Self {
        let entries = entries.into_par_iter().into_producer();
        GrownProducer { entries, grow, patience_ns, clock: Clock::new() }
    }

    /// Passes on what an entry becomes.
    fn feed_one<R: Receiver<G::Item>>(
        &self,
        entry: Entry<G::Node, G::Item>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        let began = self.clock.now();
        let pauses = |since| Pauses { clock: self.clock, since, is_due: false };
        let mut walk = Walk { stack: vec![entry], grow: &*self.grow, pauses: Some(pauses(began)) };
        loop {
            receiver.items(&mut walk)?;
            // Who leaves items, as an adapter may, does not want them.
            if walk.stack.is_empty() || !walk.pauses.is_some_and(|pauses| pauses.is_due) {
                return ControlFlow::Continue(());
            }
            let now = self.clock.now();
            if walk.stack.len() > 1 && self.clock.ns_between(began, now) >= self.patience_ns {
                break;
            }
            walk.pauses = Some(pauses(now));
        }
        walk.stack.reverse();
        let rest = GrownProducer::new(walk.stack, Arc::clone(&self.grow), longer(self.patience_ns));
        drive_inner(rest, receiver)
    }
}

impl<G: Grow> Producer for GrownProducer<G> {
    type Item = G::Item;
    type Local = ();
    type Iter<'a>
        = Walk<'a, G>
    where
        Self: 'a;
    const NESTS: bool = true;

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn local(&self) {}

    unsafe fn chunk<'a>(&'a self, local: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
        // SAFETY: the same demands.
        let entries = unsafe { self.entries.chunk(local, indices) };
        Walk { stack: entries.rev().collect(), grow: &*self.grow, pauses: None }
    }

    unsafe fn feed<R: Receiver<G::Item>>(
        &self,
        local: &mut (),
        indices: Range<usize>,
        receiver: &mut R,
    ) -> ControlFlow<()> {
        // SAFETY: the same demands.
        let mut entries = unsafe { self.entries.chunk(local, indices) };
        entries.try_for_each(|entry| self.feed_one(entry, receiver))
    }

    unsafe fn discard(&self, indices: Range<usize>) {
        // SAFETY: the same demands.
        unsafe { self.entries.discard(indices) }
    }
}

/// The sequential iterator over what the entries of a stack become, up to some time.
pub struct Walk<'a, G: Grow> {
    stack: Vec<Entry<G::Node, G::Item>>,
    grow: &'a G,
    pauses: Option<Pauses>,
}

/// Has a walk stop now and then.
#[derive(Clone, Copy)]
struct Pauses {
    clock: Clock,
    since: Ticks,
    /// The walk has stopped, and not at the end.
    is_due: bool,
}

impl<G: Grow> Debug for Walk<'_, G> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("on the stack", &self.stack.len()).finish_non_exhaustive()
    }
}

impl<G: Grow> Iterator for Walk<'_, G> {
    type Item = G::Item;

    #[inline]
    fn next(&mut self) -> Option<G::Item> {
        loop {
            if let Some(Pauses { clock, since, is_due }) = &mut self.pauses {
                *is_due = clock.ns_between(*since, clock.now()) >= LOOK_NS;
                if *is_due {
                    return None;
                }
            }
            let item = match self.stack.pop()? {
                Entry::Item(item) => Some(item),
                Entry::Node(node) => self.grow.grow(node, &mut self.stack),
            };
            if item.is_some() {
                return item;
            }
        }
    }
}
