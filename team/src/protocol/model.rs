//! What all models share: how to run a model, and a check that it explored something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Runs `model` under every schedule with up to three preemptions (`LOOM_MAX_PREEMPTIONS` overrides
/// that).
///
/// A model with only one possible execution checks nothing, and fails.
pub(super) fn explore(model: impl Fn() + Send + Sync + 'static) {
    assert!(executions(3, model) > 1, "the model has a single execution: it has no race to check");
}

/// Runs `model`, with one preemption fewer, with a thread that dies after 0, 1, 2, … steps, until
/// the thread dies in no execution. The model returns whether it died.
pub(super) fn explore_deaths(model: impl Fn(usize) -> bool + Send + Sync + 'static) {
    let model = Arc::new(model);
    let mut all = 0;
    for steps in 0.. {
        let died = Arc::new(AtomicBool::new(false));
        let (this, seen) = (Arc::clone(&model), Arc::clone(&died));
        all += executions(2, move || {
            if this(steps) {
                seen.store(true, Ordering::Relaxed);
            }
        });
        if !died.load(Ordering::Relaxed) {
            assert!(steps >= 3 && all > steps + 1, "{all} executions with {steps} moments of death");
            return;
        }
    }
}

/// Returns the number of executions.
fn executions(preemptions: usize, model: impl Fn() + Send + Sync + 'static) -> usize {
    let executions = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(move || {
        seen.fetch_add(1, Ordering::Relaxed);
        model();
    });
    executions.load(Ordering::Relaxed)
}
