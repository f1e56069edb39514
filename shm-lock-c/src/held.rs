//! The locks that the calling thread has: a guard cannot leave its thread, so each thread keeps its
//! own.
//!
//! What is kept has no destructor, so that a thread that ends with a lock dies with it, as it would
//! in C, and its locks can be given back while it ends. The memory goes when the last lock is given
//! back.

use std::cell::RefCell;
use std::ffi::c_int;
use std::mem::ManuallyDrop;

use shm_lock::untyped::Head;
use shm_lock::{LockError, RecoverGuard, ShmMutexGuard};

use crate::Lock;
use crate::codes::{self, INVALID, NOT_HELD, OK};
use crate::message::fail;

type Bytes = [u8; 24];

enum Guard {
    Whole(ShmMutexGuard<'static, Bytes>),
    Torn(RecoverGuard<'static, Bytes>),
}

/// The guards of a thread, with the addresses of the locks they were taken through.
type Guards = ManuallyDrop<Vec<(*const Lock, Guard)>>;

thread_local! {
    static GUARDS: RefCell<Guards> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// Takes the lock in the way that `lock` does, and keeps the guard.
pub(crate) fn take<'a>(
    lock: &'a Lock,
    attempt: impl FnOnce(&'static Head) -> Result<ShmMutexGuard<'static, Bytes>, LockError<'static, Bytes>>,
) -> c_int {
    let head: &'a Head = lock.0.head();
    // SAFETY: the lock lies in a mapping that stays while a thread of this process has the lock,
    // also when it is closed (`ShmMutexGuard`: a guard that is leaked keeps the region mapped), and
    // no guard is used after it was given back.
    let head = unsafe { &*std::ptr::from_ref(head) };
    let (guard, code) = match attempt(head) {
        Ok(guard) => (Guard::Whole(guard), OK),
        Err(LockError::OwnerDied(guard)) => (Guard::Torn(guard), codes::OWNER_DIED),
        Err(LockError::Poisoned(guard)) => (Guard::Torn(guard), codes::POISONED),
        Err(error) => {
            let failure = error.into_reason();
            return fail(codes::of_lock(&failure), &failure);
        }
    };
    GUARDS.with_borrow_mut(|guards| guards.push((std::ptr::from_ref(lock), guard)));
    code
}

/// Takes the guard of a lock that this thread has out of what is kept; the latest, since a child
/// has those of its parent as well.
fn remove(lock: &Lock) -> Result<Guard, c_int> {
    GUARDS.with_borrow_mut(|guards| {
        let Some(index) = guards.iter().rposition(|&(of, _)| std::ptr::eq(of, lock)) else {
            let told = "expected a lock that this thread has, found one that it does not have; take it first, in this thread";
            return Err(fail(NOT_HELD, &told));
        };
        let (_, guard) = guards.remove(index);
        if guards.is_empty() {
            drop(std::mem::take(&mut **guards));
        }
        Ok(guard)
    })
}

fn keep(lock: &Lock, guard: Guard) {
    GUARDS.with_borrow_mut(|guards| guards.push((std::ptr::from_ref(lock), guard)));
}

pub(crate) fn give_back(lock: &Lock) -> c_int {
    match remove(lock) {
        Ok(Guard::Whole(guard)) => drop(guard),
        Ok(Guard::Torn(guard)) => drop(guard),
        Err(code) => return code,
    }
    OK
}

pub(crate) fn mark_consistent(lock: &Lock) -> c_int {
    match remove(lock) {
        Ok(Guard::Torn(guard)) => keep(lock, Guard::Whole(guard.mark_consistent())),
        Ok(whole) => keep(lock, whole),
        Err(code) => return code,
    }
    OK
}

pub(crate) fn abandon(lock: &Lock) -> c_int {
    match remove(lock) {
        Ok(Guard::Torn(guard)) => guard.abandon(),
        Ok(whole) => {
            keep(lock, whole);
            return fail(
                INVALID,
                &"expected a torn value, found a whole one; give the lock back by shm_lock_unlock",
            );
        }
        Err(code) => return code,
    }
    OK
}
