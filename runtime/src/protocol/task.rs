//! How the result of a task reaches the holder of its handle.
//!
//! # State
//!
//! One stage under a mutex. Each transition takes out what the old stage held.
//!
//! | stage | meaning |
//! |---|---|
//! | `Pending(waiter)` | not done yet; `waiter`, if any, must be told when it is |
//! | `Done(result)` | done; the result has not been taken |
//! | `Over` | the result was taken, or nobody wants it |
//!
//! | transition | who | when |
//! |---|---|---|
//! | [`complete`](TaskCell::complete) `Pending → Done`, or `Over` stays | the lane that ran the task, once | the task is done |
//! | [`wait`](TaskCell::wait) `Pending → Pending(waiter)`, `Done → Over` | the holder of the handle | it wants the result |
//! | [`detach`](TaskCell::detach) `Pending → Over`, `Done → Over` | the holder of the handle | it drops the handle |
//!
//! To clone, wake or drop a waker or result runs user code. So each method hands them out, and none
//! does this under the lock.
//!
//! # Orderings
//!
//! Those of the mutex. A registered waiter is told; a waiter that comes after the result finds it.
//!
//! # Progress
//!
//! The lock is held for a few instructions.
//!
//! # Models
//!
//! `task_models.rs`: a result against a waiter that registers, and against one that is replaced; a
//! result against a handle that is dropped, with and without a registered waiter.

use std::sync::TryLockError;

use crate::sync::{Mutex, MutexGuard};

#[derive(Debug)]
enum Stage<R, W> {
    Pending(Option<W>),
    Done(R),
    Over,
}

/// The answer to a waiter.
#[derive(Debug)]
#[must_use]
pub(crate) enum Waited<R, W> {
    /// The result.
    Result(R),
    /// The waiter is registered. The one before it, if any, is handed back.
    Registered(Option<W>),
    /// The result was already taken.
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
        // No user code runs under the lock, so the data is consistent even if it is poisoned.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Completes the task. Returns the waiter to be told, or hands back a result that nobody wants.
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

    /// Takes the result, or registers `waiter`.
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

    /// Takes the result if it is there. For a forked process, in which no thread completes the
    /// task. The lock may be held by a thread that does not exist there.
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

    /// Marks the result as unwanted.
    pub(crate) fn detach(&self) -> Left<R, W> {
        let mut stage = self.lock();
        match std::mem::replace(&mut *stage, Stage::Over) {
            Stage::Pending(waiter) => Left::Waiter(waiter),
            Stage::Done(result) => Left::Result(result),
            Stage::Over => Left::Waiter(None),
        }
    }

    /// Returns whether the task is over for the holder of its handle.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(&*self.lock(), Stage::Pending(_))
    }
}
