//! A broadcast in a user's model: a call for each lane, all of which may run at the same time.

use std::panic;
use std::sync::Arc;

use super::{BroadcastContext, call_detached_here, call_here, nobody_waits_for};
use crate::sched::modelled::{self, Job, as_worker, catch};
use crate::sched::pool::with_surrounding;
use crate::sched::unwind::drop_quietly;

pub(super) fn call_without_pool<OP, R>(op: &OP) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    if !crate::sync::is_modelled() {
        return call_here(op);
    }
    let lanes = modelled::lanes();
    let mut results: Vec<_> = (0..lanes).map(|_| None).collect();
    let mut calls = results.iter_mut().enumerate().map(|(index, result)| {
        let call = move || op(BroadcastContext::new(index, lanes));
        Box::new(move || *result = Some(as_worker(index, || catch(call)))) as Job<'_>
    });
    let own = calls.next().expect("there is a lane");
    modelled::together(calls, own);
    let (mut answers, mut panicked) = (Vec::with_capacity(lanes), None);
    for result in results {
        match result.expect("the call is over") {
            Ok(answer) => answers.push(answer),
            Err(payload) => drop_quietly(panicked.replace(payload)),
        }
    }
    if let Some(payload) = panicked {
        answers.into_iter().for_each(drop_quietly);
        panic::resume_unwind(payload);
    }
    answers
}

pub(super) fn call_detached_without_pool<OP>(op: OP)
where
    OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
{
    if !crate::sync::is_modelled() {
        return call_detached_here(op);
    }
    let lanes = modelled::lanes();
    let op = Arc::new(op);
    let ancestor = Arc::as_ptr(&op).addr();
    for index in 0..lanes {
        let op = Arc::clone(&op);
        let call = move || {
            with_surrounding(|pool| {
                nobody_waits_for(pool, || op(BroadcastContext::new(index, lanes)));
                nobody_waits_for(pool, || drop(op));
            });
        };
        modelled::post_detached(ancestor, Box::new(move || as_worker(index, call)));
    }
}
