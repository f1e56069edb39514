//! The desks of the lanes, and what a waiting lane finds on those of others.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::Source;
use crate::protocol::desk::{Desk, Owner, stop_owners};
use crate::sync::Fences;

/// A lane's desk.
pub(super) struct Place<I: Source> {
    pub(super) desk: Desk,
    things: UnsafeCell<Things<I>>,
}

// SAFETY: only a lane at the desk reaches `things`, one lane at a time (`protocol/desk.rs`). It may
// be any lane.
unsafe impl<I: Source> Sync for Place<I> {}

/// What lies on a desk.
pub(super) struct Things<I: Source> {
    pub(super) items: VecDeque<I::Item>,
    pub(super) source: Option<Box<I>>,
    /// The owner holds the source, and is about to put more items here.
    pub(super) asks_for_more: bool,
}

impl<I: Source> Place<I> {
    pub(super) fn new() -> Arc<Self> {
        let things = Things { items: VecDeque::new(), source: None, asks_for_more: false };
        Arc::new(Place { desk: Desk::new(), things: UnsafeCell::new(things) })
    }

    /// # Safety
    ///
    /// The caller is at the desk. Either it is the owner, has come (`enter`, `ask`), and has not
    /// left; or it is the owner and holds the mutex; or it is a visitor that holds the mutex, has
    /// found the owner away, and has not released the desk. The reference ends before this does.
    #[expect(clippy::mut_from_ref, reason = "exclusiveness is the caller's promise")]
    #[inline]
    pub(super) unsafe fn things(&self) -> &mut Things<I> {
        // SAFETY: exclusive by this method's contract.
        unsafe { &mut *self.things.get() }
    }
}

/// What a waiting lane has found on the desks of others.
pub(super) enum Found<I: Source> {
    Source(Box<I>),
    Items(VecDeque<I::Item>),
    Nothing,
    /// A lane was at its desk, and may leave something there at any moment.
    Unsure,
}

impl<I: Source> Place<I> {
    /// Takes something from the desks of other lanes: all items of a lane that asks for more;
    /// otherwise the source; otherwise half of the items of the lane that has most.
    pub(super) fn look_around(places: &[Arc<Self>], own: &Arc<Self>, fences: Fences) -> Found<I> {
        let others = || places.iter().filter(|place| !Arc::ptr_eq(place, own));
        others().for_each(|place| place.desk.want());
        let found = match stop_owners(fences) {
            true => Self::take_from(others()),
            false => Found::Unsure,
        };
        others().for_each(|place| place.desk.release());
        found
    }

    fn take_from<'p>(places: impl Iterator<Item = &'p Arc<Self>>) -> Found<I>
    where
        I: 'p,
    {
        let mut most: Option<&mut Things<I>> = None;
        let mut found = Found::Nothing;
        for place in places {
            match place.desk.owner() {
                Owner::Away => (),
                Owner::Here => {
                    found = Found::Unsure;
                    continue;
                }
                Owner::Asking => continue,
            }
            // SAFETY: its owner is away, and stays away; each place is here once, and this thread
            // holds the mutex.
            let things = unsafe { place.things() };
            if things.asks_for_more && !things.items.is_empty() {
                return Found::Items(mem::take(&mut things.items));
            }
            let much =
                |things: &Things<I>| if things.source.is_some() { usize::MAX } else { things.items.len() };
            if much(things) > most.as_deref().map_or(0, much) {
                most = Some(things);
            }
        }
        let Some(things) = most else { return found };
        match things.source.take() {
            Some(source) => Found::Source(source),
            None => Found::Items(things.items.split_off(things.items.len() / 2)),
        }
    }
}
