//! A panic by the caller's fault names the method, and where it was called.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex};
use std::thread;

use taskel::prelude::*;
use taskel::{Chunk, MemoryGuard, ThreadPool};

/// The file and the message of the panic of `op`.
fn panic_of(op: &dyn Fn()) -> (String, String) {
    let seen = Arc::new(Mutex::new(None));
    let told = Arc::clone(&seen);
    let before = take_hook();
    let this = thread::current().id();
    set_hook(Box::new(move |info| {
        if thread::current().id() != this {
            return; // Another test's.
        }
        let text = info.payload_as_str().unwrap_or_default().to_owned();
        *told.lock().unwrap() = Some((info.location().unwrap().file().to_owned(), text));
    }));
    let result = catch_unwind(AssertUnwindSafe(op));
    set_hook(before);
    assert!(result.is_err(), "no panic");
    let seen = seen.lock().unwrap().take();
    seen.expect("the hook was told")
}

fn numbers() -> impl IndexedParallelIterator<Item = i32> {
    vec![1, 2, 3].into_par_iter()
}

/// One test, since the hook is the process's.
#[test]
fn panics_by_the_callers_fault_name_the_method_and_the_callers_line() {
    let slice = [1, 2, 3];
    let calls: &[(&str, &dyn Fn())] = &[
        ("chunk", &|| drop(numbers().chunk(Chunk::Exact(0)))),
        ("chunks", &|| drop(numbers().chunks(0))),
        ("fold_chunks", &|| drop(numbers().fold_chunks(0, || 0, |a, b| a + b))),
        ("step_by", &|| drop(numbers().step_by(0))),
        ("zip_eq", &|| drop(numbers().zip_eq([1, 2]))),
        ("par_chunks", &|| drop(slice.par_chunks(0))),
        ("par_chunks_exact", &|| drop(slice.par_chunks_exact(0))),
        ("par_rchunks", &|| drop(slice.par_rchunks(0))),
        ("par_rchunks_exact", &|| drop(slice.par_rchunks_exact(0))),
        ("par_windows", &|| drop(slice.par_windows(0))),
        ("par_chunks_mut", &|| drop({ slice }.par_chunks_mut(0))),
        ("par_chunks_exact_mut", &|| drop({ slice }.par_chunks_exact_mut(0))),
        ("par_rchunks_mut", &|| drop({ slice }.par_rchunks_mut(0))),
        ("par_rchunks_exact_mut", &|| drop({ slice }.par_rchunks_exact_mut(0))),
        ("max_in_flight", &|| drop((0..3).par_stream().max_in_flight(0))),
        ("max_in_flight_bytes", &|| drop((0..3).par_stream().max_in_flight_bytes(0, |_| 1))),
        ("most_used", &|| _ = MemoryGuard::new().most_used(0.0)),
        ("most_stalled", &|| _ = MemoryGuard::new().most_stalled(2.0)),
    ];
    for (method, call) in calls {
        let (file, text) = panic_of(call);
        assert!(text.starts_with(&format!("{method}: ")), "{method}: {text:?}");
        assert!(file.ends_with("callers_faults.rs"), "{method} points to {file}");
    }
}

/// Only a consumer counts the items, so the line is not the caller's.
#[test]
fn sums_of_lengths_that_overflow_name_the_method() {
    let message = |op: &dyn Fn()| {
        let payload = catch_unwind(AssertUnwindSafe(op)).unwrap_err();
        payload
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| (*payload.downcast_ref::<&str>().expect("a text")).to_owned())
    };
    let most = || taskel::iter::repeat_n((), usize::MAX);
    let chained = message(&|| _ = most().chain(most()).len());
    assert!(chained.starts_with("chain: "), "{chained}");
    let interspersed = message(&|| _ = most().intersperse(()).len());
    assert!(interspersed.starts_with("intersperse: "), "{interspersed}");
}

#[test]
fn a_pool_that_waits_for_itself_names_the_method() {
    let pool = Arc::new(ThreadPool::builder().num_threads(1).build().unwrap());
    let (sender, texts) = std::sync::mpsc::channel();
    let own = Arc::clone(&pool);
    pool.spawn(move || {
        // The test gives its reference up.
        let mut own = own;
        let pool = loop {
            match Arc::try_unwrap(own) {
                Ok(pool) => break pool,
                Err(shared) => own = shared,
            }
            thread::yield_now();
        };
        let payload = catch_unwind(AssertUnwindSafe(|| pool.shutdown())).unwrap_err();
        sender.send(*payload.downcast::<&str>().expect("a text")).unwrap();
    });
    drop(pool);
    let text = texts.recv().unwrap();
    assert!(text.starts_with("ThreadPool::shutdown: "), "{text}");
}
