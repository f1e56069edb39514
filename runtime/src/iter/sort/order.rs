//! A comparison as all threads of a sort use it. Once it has panicked, no thread begins another
//! comparison.
//!
//! Work that runs beside other work is a [`part`](Order::part). It keeps the payload of a panic for
//! the sort's caller. The other parts then unwind as well, with a payload that nobody sees.

use std::cmp::Ordering;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

use crate::profile::calls::Caller;
use crate::protocol::panic_slot::PanicSlot;
use crate::sched::join::{JoinRegion, join_at};
use crate::sched::unwind::{self, OnDrop, Payload, drop_quietly};

/// With this, a part ends because another one has panicked.
struct GivenUp;

pub(super) struct Order<C> {
    compare: C,
    panics: PanicSlot<Payload>,
    /// Where the sort is called.
    caller: Caller,
}

impl<C> Order<C> {
    /// Sorts with an order that has this comparison.
    #[track_caller]
    pub(super) fn with<R>(compare: C, sort: impl FnOnce(&Self) -> R) -> R {
        let order = Order { compare, panics: PanicSlot::new(), caller: Location::caller() };
        match unwind::catch(|| sort(&order)) {
            Ok(result) => result,
            Err(payload) => unwind::resume(order.panics.take().unwrap_or(payload)),
        }
    }

    /// Compares, or gives up.
    ///
    /// To look before each comparison of two numbers takes a fifth of the time that they are sorted
    /// in. So a closure that holds a reference at most is not held back from comparing plain data:
    /// what is not known to be slow is over soon, with the part that it is in.
    #[inline(always)]
    pub(super) fn compare<T>(&self, a: &T, b: &T) -> Ordering
    where
        C: Fn(&T, &T) -> Ordering,
    {
        if size_of::<C>() > size_of::<usize>() {
            self.give_up_if_panicked();
        }
        let panicked = OnDrop(|| self.panics.stop());
        let ordering = (self.compare)(a, b);
        mem::forget(panicked);
        ordering
    }

    #[inline(always)]
    pub(super) fn is_less<T>(&self, a: &T, b: &T) -> bool
    where
        C: Fn(&T, &T) -> Ordering,
    {
        self.compare(a, b).is_lt()
    }

    /// As `is_less`, if comparisons are known to be slow.
    pub(super) fn is_less_slowly<T>(&self, a: &T, b: &T) -> bool
    where
        C: Fn(&T, &T) -> Ordering,
    {
        self.give_up_if_panicked();
        self.is_less(a, b)
    }

    #[inline(always)]
    fn give_up_if_panicked(&self) {
        if self.panics.stopped() {
            give_up();
        }
    }

    /// Does a part of the sort.
    pub(super) fn part<R>(&self, part: impl FnOnce() -> R) -> R {
        self.give_up_if_panicked();
        match catch_unwind(AssertUnwindSafe(part)) {
            Ok(result) => result,
            Err(payload) => {
                if !payload.is::<GivenUp>() {
                    drop_quietly(self.panics.panicked(payload));
                }
                give_up()
            }
        }
    }

    /// Does two parts at the same time.
    pub(super) fn both<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B)
    where
        C: Sync,
    {
        join_at(self.caller, JoinRegion::NONE, || self.part(a), || self.part(b))
    }
}

#[cold]
#[inline(never)]
fn give_up() -> ! {
    resume_unwind(Box::new(GivenUp))
}
