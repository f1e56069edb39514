//! Adapters that stop or start at some point: `while_some`, `take_any`, `skip_any`,
//! `take_any_while`, `skip_any_while`.
//!
//! The lanes share counts and flags here. Their order relative to anything else does not matter, so
//! all accesses are Relaxed.

use std::borrow::Borrow;
use std::ops::ControlFlow;
use std::sync::PoisonError;

use super::adapted::{Adapt, Adapted, Outputs};
use super::debug_without_closures;
use crate::iter::Try;
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering};

/// Made by [`while_some`](crate::iter::ParallelIterator::while_some).
pub type WhileSome<I> = Adapted<I, WhileOp<Halt<()>>>;
/// Made by [`take_any`](crate::iter::ParallelIterator::take_any).
pub type TakeAny<I> = Adapted<I, TakeAnyOp>;
/// Made by [`skip_any`](crate::iter::ParallelIterator::skip_any).
pub type SkipAny<I> = Adapted<I, SkipAnyOp>;
/// Made by [`take_any_while`](crate::iter::ParallelIterator::take_any_while).
pub type TakeAnyWhile<I, F> = Adapted<I, TakeAnyWhileOp<F>>;
/// Made by [`skip_any_while`](crate::iter::ParallelIterator::skip_any_while).
pub type SkipAnyWhile<I, F> = Adapted<I, SkipAnyWhileOp<F>>;

/// Why nothing more is wanted, once that is so.
#[derive(Debug)]
pub struct Halt<R> {
    halted: AtomicBool,
    reason: Mutex<Option<R>>,
}

impl<R> Halt<R> {
    pub(crate) fn new() -> Self {
        Halt { halted: AtomicBool::new(false), reason: Mutex::new(None) }
    }

    /// The first reason that was given.
    pub(crate) fn into_reason(self) -> Option<R> {
        self.reason.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn halt(&self, reason: R) {
        self.halted.store(true, Ordering::Relaxed);
        let mut first = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() {
            *first = Some(reason);
        }
    }
}

/// An iterator is cloned before it is run.
impl Clone for WhileOp<Halt<()>> {
    fn clone(&self) -> Self {
        WhileOp(Halt::new())
    }
}

/// What `while_some` does, and collecting into an `Option` or a `Result`.
#[derive(Debug)]
pub struct WhileOp<H>(pub(crate) H);

impl<T, H> Adapt<T> for WhileOp<H>
where
    T: Try<Output: Send, Residual: Send>,
    H: Borrow<Halt<T::Residual>> + Send + Sync,
{
    type Output = T::Output;
    type Local = ();
    type Iter<'a, I: Iterator<Item = T> + 'a>
        = While<'a, I, H>
    where
        Self: 'a;
    const OUTPUTS: Outputs = Outputs::AtMostOne;
    const ENDS_EARLY: bool = true;

    fn local(&self) {}

    #[inline]
    fn adapt<'a, I: Iterator<Item = T> + 'a>(&'a self, _: &'a mut (), items: I) -> Self::Iter<'a, I> {
        While { items, halt: &self.0 }
    }

    fn is_full(&self) -> bool {
        self.0.borrow().halted.load(Ordering::Relaxed)
    }
}

/// The sequential iterator of `while_some`.
#[derive(Debug)]
pub struct While<'a, I, H> {
    items: I,
    halt: &'a H,
}

impl<I: Iterator<Item: Try>, H: Borrow<Halt<<I::Item as Try>::Residual>>> Iterator for While<'_, I, H> {
    type Item = <I::Item as Try>::Output;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let halt = self.halt.borrow();
        if halt.halted.load(Ordering::Relaxed) {
            return None;
        }
        match self.items.next()?.branch() {
            ControlFlow::Continue(item) => Some(item),
            ControlFlow::Break(residual) => {
                halt.halt(residual);
                None
            }
        }
    }
}

/// What `take_any` does.
#[derive(Debug)]
pub struct TakeAnyOp(AtomicU64);

/// What `skip_any` does.
#[derive(Debug)]
pub struct SkipAnyOp(AtomicU64);

/// Takes one from a count, if it is not 0.
fn count_down(left: &AtomicU64) -> bool {
    let less = |count: u64| count.checked_sub(1);
    // Looking first spares the line that all lanes look at from being written to for ever.
    left.load(Ordering::Relaxed) > 0 && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
}

impl TakeAnyOp {
    pub(crate) fn new(n: usize) -> Self {
        TakeAnyOp(AtomicU64::new(n as u64))
    }
}

impl SkipAnyOp {
    pub(crate) fn new(n: usize) -> Self {
        SkipAnyOp(AtomicU64::new(n as u64))
    }
}

impl<T: Send> Adapt<T> for TakeAnyOp {
    type Output = T;
    type Local = ();
    type Iter<'a, I: Iterator<Item = T> + 'a> = TakeCounted<'a, I>;
    const OUTPUTS: Outputs = Outputs::AtMostOne;
    const ENDS_EARLY: bool = true;

    fn local(&self) {}

    fn adapt<'a, I: Iterator<Item = T> + 'a>(&'a self, _: &'a mut (), items: I) -> Self::Iter<'a, I> {
        TakeCounted { items, left: &self.0 }
    }

    fn is_full(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl<T: Send> Adapt<T> for SkipAnyOp {
    type Output = T;
    type Local = ();
    type Iter<'a, I: Iterator<Item = T> + 'a> = SkipCounted<'a, I>;
    const OUTPUTS: Outputs = Outputs::AtMostOne;

    fn local(&self) {}

    fn adapt<'a, I: Iterator<Item = T> + 'a>(&'a self, _: &'a mut (), items: I) -> Self::Iter<'a, I> {
        SkipCounted { items, left: &self.0 }
    }
}

/// The sequential iterator of `take_any`.
#[derive(Debug)]
pub struct TakeCounted<'a, I> {
    items: I,
    left: &'a AtomicU64,
}

impl<I: Iterator> Iterator for TakeCounted<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        if self.left.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.items.next().filter(|_| count_down(self.left))
    }
}

/// The sequential iterator of `skip_any`.
#[derive(Debug)]
pub struct SkipCounted<'a, I> {
    items: I,
    left: &'a AtomicU64,
}

impl<I: Iterator> Iterator for SkipCounted<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        loop {
            let item = self.items.next()?;
            if !count_down(self.left) {
                return Some(item);
            }
        }
    }
}

/// What `take_any_while` does.
pub struct TakeAnyWhileOp<F> {
    taking: AtomicBool,
    predicate: F,
}

/// What `skip_any_while` does.
pub struct SkipAnyWhileOp<F> {
    skipping: AtomicBool,
    predicate: F,
}

debug_without_closures! {
    [F] TakeAnyWhileOp<F> { taking };
    [F] SkipAnyWhileOp<F> { skipping };
}

impl Clone for TakeAnyOp {
    fn clone(&self) -> Self {
        TakeAnyOp(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Clone for SkipAnyOp {
    fn clone(&self) -> Self {
        SkipAnyOp(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl<F: Clone> Clone for TakeAnyWhileOp<F> {
    fn clone(&self) -> Self {
        TakeAnyWhileOp::new(self.predicate.clone())
    }
}

impl<F: Clone> Clone for SkipAnyWhileOp<F> {
    fn clone(&self) -> Self {
        SkipAnyWhileOp::new(self.predicate.clone())
    }
}

impl<F> TakeAnyWhileOp<F> {
    pub(crate) fn new(predicate: F) -> Self {
        TakeAnyWhileOp { taking: AtomicBool::new(true), predicate }
    }
}

impl<F> SkipAnyWhileOp<F> {
    pub(crate) fn new(predicate: F) -> Self {
        SkipAnyWhileOp { skipping: AtomicBool::new(true), predicate }
    }
}

impl<T: Send, F: Fn(&T) -> bool + Send + Sync> Adapt<T> for TakeAnyWhileOp<F> {
    type Output = T;
    type Local = ();
    type Iter<'a, I: Iterator<Item = T> + 'a>
        = TakeWhileFlag<'a, I, F>
    where
        Self: 'a;
    const OUTPUTS: Outputs = Outputs::AtMostOne;
    const ENDS_EARLY: bool = true;

    fn local(&self) {}

    fn adapt<'a, I: Iterator<Item = T> + 'a>(&'a self, _: &'a mut (), items: I) -> Self::Iter<'a, I> {
        TakeWhileFlag { items, op: self }
    }

    fn is_full(&self) -> bool {
        !self.taking.load(Ordering::Relaxed)
    }
}

impl<T: Send, F: Fn(&T) -> bool + Send + Sync> Adapt<T> for SkipAnyWhileOp<F> {
    type Output = T;
    type Local = ();
    type Iter<'a, I: Iterator<Item = T> + 'a>
        = SkipWhileFlag<'a, I, F>
    where
        Self: 'a;
    const OUTPUTS: Outputs = Outputs::AtMostOne;

    fn local(&self) {}

    fn adapt<'a, I: Iterator<Item = T> + 'a>(&'a self, _: &'a mut (), items: I) -> Self::Iter<'a, I> {
        SkipWhileFlag { items, op: self }
    }
}

/// The sequential iterator of `take_any_while`.
#[derive(Debug)]
pub struct TakeWhileFlag<'a, I, F> {
    items: I,
    op: &'a TakeAnyWhileOp<F>,
}

impl<I: Iterator, F: Fn(&I::Item) -> bool> Iterator for TakeWhileFlag<'_, I, F> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        if !self.op.taking.load(Ordering::Relaxed) {
            return None;
        }
        let item = self.items.next()?;
        if (self.op.predicate)(&item) {
            return Some(item);
        }
        self.op.taking.store(false, Ordering::Relaxed);
        None
    }
}

/// The sequential iterator of `skip_any_while`.
#[derive(Debug)]
pub struct SkipWhileFlag<'a, I, F> {
    items: I,
    op: &'a SkipAnyWhileOp<F>,
}

impl<I: Iterator, F: Fn(&I::Item) -> bool> Iterator for SkipWhileFlag<'_, I, F> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        loop {
            let item = self.items.next()?;
            if !self.op.skipping.load(Ordering::Relaxed) {
                return Some(item);
            }
            if !(self.op.predicate)(&item) {
                self.op.skipping.store(false, Ordering::Relaxed);
                return Some(item);
            }
        }
    }
}
