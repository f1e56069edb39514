//! A join in a user's model.

use std::panic;

use super::join_inline;
use crate::sched::modelled::{self, Job, catch};
use crate::sched::unwind::drop_quietly;
use crate::sync::{AtomicBool, Ordering};

/// Runs the closures on two lanes of the model, or one after the other.
pub(super) fn join_without_pool<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    if modelled::lanes() < 2 {
        return join_inline(oper_a, oper_b);
    }
    let is_wanted = AtomicBool::new(true);
    let mut b = None;
    let (result, wanted) = (&mut b, &is_wanted);
    let other: Job<'_> = Box::new(move || match wanted.load(Ordering::Relaxed) {
        true => *result = Some(catch(oper_b)),
        false => drop_quietly(oper_b),
    });
    let a = modelled::together([other], || {
        let a = catch(oper_a);
        is_wanted.store(a.is_ok(), Ordering::Relaxed);
        a
    });
    match (a, b) {
        (Ok(a), Some(Ok(b))) => (a, b),
        (Ok(a), Some(Err(payload))) => {
            drop_quietly(a);
            panic::resume_unwind(payload)
        }
        (Ok(_), None) => unreachable!("it was wanted"),
        (Err(payload), b) => {
            drop_quietly(b);
            panic::resume_unwind(payload)
        }
    }
}
