//! What all models share: how to run a model, and a check that it explored something.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `model` under every schedule with up to three preemptions (`LOOM_MAX_PREEMPTIONS` overrides
/// that).
///
/// A model with only one possible execution checks nothing, and fails.
pub(super) fn explore(model: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || {
        seen.fetch_add(1, Ordering::Relaxed);
        model();
    });
    assert!(
        executions.load(Ordering::Relaxed) > 1,
        "the model has a single execution: it has no race to check"
    );
}

/// Asserts that each of the units `0..len` was handed out exactly once.
pub(super) fn assert_partition(mut units: Vec<u32>, len: u32) {
    units.sort_unstable();
    assert_eq!(units, (0..len).collect::<Vec<_>>(), "each unit exactly once");
}
