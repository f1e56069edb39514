//! Models of a task's result: it arrives once, each waiter is told, and nothing leaks.

use std::sync::Arc;

use super::model::explore;
use super::parker::Parker;
use super::task::{Left, TaskCell, Waited};
use crate::sync::{AtomicU32, Ordering};

/// A result that counts its instances.
struct Counted(Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Waiter = (u32, Arc<Parker>);

fn task() -> (Arc<TaskCell<Counted, Waiter>>, Arc<AtomicU32>) {
    (Arc::new(TaskCell::new()), Arc::new(AtomicU32::new(0)))
}

/// What a worker does after it has run the task.
fn complete(task: &TaskCell<Counted, Waiter>, dropped: &Arc<AtomicU32>) {
    match task.complete(Counted(Arc::clone(dropped))) {
        Ok(Some((_, parker))) => drop(parker.unpark()),
        Ok(None) => (),
        Err(unwanted) => drop(unwanted),
    }
}

/// Catches a waiter that registers while the task completes, and is never told: a deadlock.
#[test]
fn model_result_against_waiter() {
    explore(|| {
        let (task, dropped) = task();
        let (worker, count) = (Arc::clone(&task), Arc::clone(&dropped));
        let handle = loom::thread::spawn(move || complete(&worker, &count));
        let parker = Arc::new(Parker::new());
        let result = loop {
            match task.wait((0, Arc::clone(&parker))) {
                Waited::Result(result) => break result,
                Waited::Registered(_) => parker.park(),
                Waited::Gone => panic!("the result is gone"),
            }
        };
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
        drop(result);
        handle.join().unwrap();
        assert!(task.is_over());
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}

/// Catches a waiter that is replaced while the task completes: the newer one must be told or see
/// the result.
#[test]
fn model_result_against_replaced_waiter() {
    explore(|| {
        let (task, dropped) = task();
        let (worker, count) = (Arc::clone(&task), Arc::clone(&dropped));
        let handle = loom::thread::spawn(move || complete(&worker, &count));
        let (first, second) = (Arc::new(Parker::new()), Arc::new(Parker::new()));
        if let Waited::Registered(before) = task.wait((1, Arc::clone(&first))) {
            assert!(before.is_none());
            match task.wait((2, Arc::clone(&second))) {
                Waited::Result(_) => (),
                Waited::Registered(before) => {
                    assert_eq!(before.map(|(number, _)| number), Some(1));
                    second.park();
                    assert!(matches!(task.wait((3, second)), Waited::Result(_)));
                }
                Waited::Gone => panic!("the result is gone"),
            }
        }
        handle.join().unwrap();
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}

/// Catches a result that neither the worker nor the dropped handle drops, or that both drop.
#[test]
fn model_result_against_dropped_handle() {
    explore(|| {
        let (task, dropped) = task();
        let (worker, count) = (Arc::clone(&task), Arc::clone(&dropped));
        let handle = loom::thread::spawn(move || complete(&worker, &count));
        match task.detach() {
            Left::Result(result) => drop(result),
            Left::Waiter(waiter) => assert!(waiter.is_none()),
        }
        handle.join().unwrap();
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}

/// Catches a waiter that is leaked, or told twice, when a handle is dropped after it was polled.
#[test]
fn model_result_against_handle_dropped_after_registering() {
    explore(|| {
        let (task, dropped) = task();
        let (worker, count) = (Arc::clone(&task), Arc::clone(&dropped));
        let handle = loom::thread::spawn(move || complete(&worker, &count));
        let parker = Arc::new(Parker::new());
        let registered = matches!(task.wait((0, Arc::clone(&parker))), Waited::Registered(_));
        match task.detach() {
            Left::Result(result) => drop(result),
            Left::Waiter(waiter) => drop(waiter),
        }
        handle.join().unwrap();
        assert_eq!(Arc::strong_count(&parker), 1, "registered: {registered}");
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}
