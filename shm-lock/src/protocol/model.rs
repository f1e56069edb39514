//! What all models share: how to run a model, and a check that it explored something.

use std::sync::Arc;

use loom::thread;

use crate::sync::{Counter, Flag, Ordering};

/// Starts a thread of a model, which shares the model's state.
pub(super) fn spawn<S: 'static, T: 'static>(
    shared: &Arc<S>,
    body: impl FnOnce(&S) -> T + 'static,
) -> thread::JoinHandle<T> {
    let shared = Arc::clone(shared);
    thread::spawn(move || body(&shared))
}

/// Runs `model` under every schedule with up to two preemptions (`LOOM_MAX_PREEMPTIONS` overrides
/// that).
///
/// A model with only one possible execution checks nothing, and fails.
pub(super) fn explore(model: impl Fn() + Send + Sync + 'static) {
    assert!(executions(2, model) > 1, "the model has a single execution: it has no race to check");
}

/// As [`explore`], with one preemption fewer, for models with many steps.
pub(super) fn explore_long(model: impl Fn() + Send + Sync + 'static) {
    assert!(executions(1, model) > 1, "the model has a single execution: it has no race to check");
}

/// Runs `model` with a thread that dies after 0, 1, 2, … steps, until the thread dies in no
/// execution. The model returns whether it died.
pub(super) fn explore_deaths(model: impl Fn(usize) -> bool + Send + Sync + 'static) {
    explore_deaths_within(2, model);
}

/// As [`explore_deaths`], with one preemption fewer, for models with many moments of death.
pub(super) fn explore_many_deaths(model: impl Fn(usize) -> bool + Send + Sync + 'static) {
    explore_deaths_within(1, model);
}

fn explore_deaths_within(preemptions: usize, model: impl Fn(usize) -> bool + Send + Sync + 'static) {
    let model = Arc::new(model);
    let mut all = 0;
    for steps in 0.. {
        let died = Arc::new(Flag::new(false));
        let (this, seen) = (Arc::clone(&model), Arc::clone(&died));
        all += executions(preemptions, move || {
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
    let executions = Arc::new(Counter::new(0));
    let seen = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(move || {
        seen.fetch_add(1, Ordering::Relaxed);
        model();
    });
    executions.load(Ordering::Relaxed)
}
