//! Models of the hand-over: the half runs once, and its result is seen whole.

use std::sync::Arc;

use loom::cell::UnsafeCell;

use super::handover::Handover;
use super::model::explore;
use super::sleep::Sleep;
use crate::sync::{AtomicU32, Ordering};

const OWNER: usize = 0;
const THIEF: usize = 1;

/// A join's frame, the deque that holds its job, and the pool. loom checks every access to the
/// cell: a thief that touches it after `finish`, or an owner that reads too early, is a data race.
struct Join {
    handover: Handover,
    result: UnsafeCell<Option<Result<u32, &'static str>>>,
    /// 1 while the job is in the deque. Like a deque, it goes to one lane, and orders the owner
    /// before its thief.
    deque: AtomicU32,
    sleep: Sleep,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses.
unsafe impl Sync for Join {}

fn join() -> Arc<Join> {
    Arc::new(Join {
        handover: Handover::new(),
        result: UnsafeCell::new(None),
        deque: AtomicU32::new(1),
        sleep: Sleep::new(2),
    })
}

impl Join {
    fn take(&self) -> bool {
        self.deque.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn write(&self, result: Result<u32, &'static str>) {
        self.result.with_mut(|cell| {
            // SAFETY: loom verifies that the access is exclusive.
            let before = unsafe { (*cell).replace(result) };
            assert!(before.is_none(), "the half ran twice");
        });
    }

    /// Frees the frame: the owner reads the result and reuses the memory.
    fn read_and_free(&self) -> Result<u32, &'static str> {
        self.result.with_mut(|cell| {
            // SAFETY: loom verifies that the access is exclusive.
            unsafe { (*cell).replace(Err("freed")).expect("a half that has run") }
        })
    }

    fn steal(&self, result: Result<u32, &'static str>) {
        if self.take() {
            self.handover.begin(THIEF);
            self.write(result);
            self.handover.finish();
            self.sleep.wake_waiting(OWNER);
        }
    }

    fn wait(&self) {
        while !self.handover.is_done() {
            self.sleep.announce_wait(OWNER);
            if !self.handover.is_done() {
                self.sleep.parker(OWNER).park();
            }
            self.sleep.end_wait(OWNER);
        }
    }
}

/// Catches a half that runs twice or never, and a result that is read before it is written.
#[test]
fn model_owner_takes_back_against_thief() {
    explore(|| {
        let join = join();
        let thief = Arc::clone(&join);
        let handle = loom::thread::spawn(move || thief.steal(Ok(2)));
        if join.take() {
            join.write(Ok(1));
            assert_eq!(join.read_and_free(), Ok(1));
        } else {
            join.wait();
            assert_eq!(join.read_and_free(), Ok(2));
        }
        handle.join().unwrap();
    });
}

/// Catches a `finish` or an `is_done` that does not publish the result.
#[test]
fn model_result_of_stolen_half() {
    explore(|| {
        let join = join();
        let thief = Arc::clone(&join);
        let handle = loom::thread::spawn(move || thief.steal(Ok(2)));
        while !join.handover.is_done() {
            if let Some(lane) = join.handover.thief() {
                assert_eq!(lane, THIEF);
            }
            loom::thread::yield_now();
        }
        assert_eq!(join.read_and_free(), Ok(2));
        handle.join().unwrap();
    });
}

/// Catches a lost panic, a payload that is read before it is written, and an owner that sleeps
/// through the end.
#[test]
fn model_panic_of_stolen_half_while_owner_sleeps() {
    explore(|| {
        let join = join();
        let thief = Arc::clone(&join);
        let handle = loom::thread::spawn(move || thief.steal(Err("panic")));
        join.wait();
        assert_eq!(join.read_and_free(), Err("panic"));
        handle.join().unwrap();
    });
}
