//! How the result of a task reaches whoever holds its handle, or nobody.
//!
//! # State
//!
//! One stage under a mutex; whoever leaves it takes out what it held.
//!
//! | stage | meaning |
//! |---|---|
//! | `Pending(waiter)` | not over yet; `waiter` is to be told, if somebody waits |
//! | `Done(result)` | over; the result has not been taken |
//! | `Over` | nobody wants the result, or it was taken |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`complete`](TaskCell::complete) `Pending → Done`, or `Over` stays | who ran the task, once | it is over |
//! | [`wait`](TaskCell::wait) `Pending → Pending(waiter)`, `Done → Over` | who holds the handle | it wants the result |
//! | [`detach`](TaskCell::detach) `Pending → Over`, `Done → Over` | who held the handle | it drops it |
//!
//! Wakers and results are user code when they are cloned, woken or dropped: every method hands them
//! out, and none runs them under the lock.
//!
//! # Orderings
//!
//! The mutex's. A waiter that was registered is told; one that comes after the result finds it.
//!
//! # Progress
//!
//! The lock is held for a few instructions.
//!
//! # Models
//!
//! `task_models.rs`: a result against a waiter that registers, and against one that is replaced; a
//! result against a handle that is dropped, and against one that is dropped while it is registered.

use std::sync::TryLockError;

use crate::sync::{Mutex, MutexGuard};

#[derive(Debug)]
enum Stage<R, W> {
    Pending(Option<W>),
    Done(R),
    Over,
}

/// What whoever wanted the result is told.
#[derive(Debug)]
#[must_use]
pub(crate) enum Waited<R, W> {
    /// Here it is.
    Result(R),
    /// The waiter is registered; the one before it, if any, is handed back.
    Registered(Option<W>),
    /// It was taken before.
    Gone,
}

/// What is left of a task whose handle is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) enum Left<R, W> {
    Result(R),
    Waiter(Option<W>),
}

/// The stage.
#[derive(Debug)]
pub(crate) struct TaskCell<R, W>(Mutex<Stage<R, W>>);

impl<R, W> TaskCell<R, W> {
    /// A task whose result somebody may want.
    pub(crate) fn new() -> Self {
        TaskCell(Mutex::new(Stage::Pending(None)))
    }

    /// A task whose result nobody wants.
    pub(crate) fn detached() -> Self {
        TaskCell(Mutex::new(Stage::Over))
    }

    fn lock(&self) -> MutexGuard<'_, Stage<R, W>> {
        // No user code runs under it, so it is whole even if poisoned.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The task is over. The waiter is to be told; a result that nobody wants is handed back.
    #[must_use = "a waiter must be told"]
    pub(crate) fn complete(&self, result: R) -> Result<Option<W>, R> {
        let mut stage = self.lock();
        match &mut *stage {
            Stage::Pending(waiter) => {
                let waiter = waiter.take();
                *stage = Stage::Done(result);
                Ok(waiter)
            }
            Stage::Done(_) | Stage::Over => Err(result),
        }
    }

    /// Takes the result, or registers `waiter` to be told of it.
    pub(crate) fn wait(&self, waiter: W) -> Waited<R, W> {
        let mut stage = self.lock();
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Pending(before) => {
                *stage = Stage::Pending(Some(waiter));
                Waited::Registered(before)
            }
            Stage::Done(result) => Waited::Result(result),
            Stage::Over => Waited::Gone,
        }
    }

    /// Takes the result if it is there: for a process that was forked, in which nobody will
    /// complete the task any more. The lock may be held by a thread that is not there.
    pub(crate) fn take_left_behind(&self) -> Option<R> {
        let mut stage = match self.0.try_lock() {
            Ok(stage) => stage,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Done(result) => Some(result),
            other => {
                *stage = other;
                None
            }
        }
    }

    /// Nobody wants the result any more.
    pub(crate) fn detach(&self) -> Left<R, W> {
        let mut stage = self.lock();
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Pending(waiter) => Left::Waiter(waiter),
            Stage::Done(result) => Left::Result(result),
            Stage::Over => Left::Waiter(None),
        }
    }

    /// Whether the task is over, as far as its handle is concerned.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(&*self.lock(), Stage::Pending(_))
    }
}
