//! The initial values of lanes or of runs of items.

use super::debug_without_closures;
use crate::sched::with_lock::with_lock;
use crate::sync::Mutex;

/// Makes what something is folded into, or a lane's state: a closure does, and a [`Cloner`].
pub trait Identity: Sync {
    /// What it makes.
    type Output;

    /// What a lane keeps that makes many.
    type Local;

    /// Makes one.
    fn make(&self) -> Self::Output;

    /// Makes what a lane keeps.
    fn local(&self) -> Self::Local;

    /// Makes one of many.
    fn make_with(&self, local: &Self::Local) -> Self::Output;
}

impl<T, F: Fn() -> T + Sync> Identity for F {
    type Output = T;
    type Local = ();

    #[inline]
    fn make(&self) -> T {
        self()
    }

    fn local(&self) {}

    #[inline]
    fn make_with(&self, (): &()) -> T {
        self()
    }
}

/// Makes clones of a value that need not be `Sync`. The lock is held over `clone`, a user's code:
/// whoever waits for it needs that clone. A lane that needs many has a clone of its own that it
/// clones.
#[derive(Debug)]
pub struct Cloner<T>(Mutex<T>);

impl<T> Cloner<T> {
    pub(crate) fn new(prototype: T) -> Self {
        Cloner(Mutex::new(prototype))
    }
}

impl<T: Clone> Clone for Cloner<T> {
    fn clone(&self) -> Self {
        Cloner::new(with_lock(&self.0, T::clone))
    }
}

impl<T: Clone + Send> Identity for Cloner<T> {
    type Output = T;
    type Local = T;

    fn make(&self) -> T {
        with_lock(&self.0, T::clone)
    }

    fn local(&self) -> T {
        self.make()
    }

    fn make_with(&self, local: &T) -> T {
        local.clone()
    }
}

/// How items are folded: into what, and by what.
#[derive(Clone)]
pub struct FoldOps<ID, F> {
    pub(super) identity: ID,
    pub(super) fold_op: F,
}

debug_without_closures! { [ID, F] FoldOps<ID, F> {}; }
