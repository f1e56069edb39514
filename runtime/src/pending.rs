//! The pending halves of the joins that a lane is inside of: a chain through the frames on its stack, from the newest to the oldest.
//!
//! Only the lane touches the chain, without atomics. A frame is *private* at first: nobody else knows of it. The oldest private one becomes
//! *public* (a job in the lane's deque) whenever nothing else of the lane's is on offer. So the chain has two parts: public frames, up
//! to and including `newest_public`, then private ones. The chain ends in a node that belongs to no join and counts as public.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use crate::clock::Ticks;
use crate::job::{JobHead, Origin};
use crate::protocol::handover::Handover;
use crate::site::Site;

/// A link of the chain, with which a join's frame begins.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Pending {
    head: JobHead,
    /// Written as the frame is pushed.
    older: Cell<MaybeUninit<*const Pending>>,
    /// Written when a newer one is pushed, and read only if there is one.
    newer: Cell<MaybeUninit<NonNull<Pending>>>,
    /// Written when the frame becomes public. Most never do.
    shared: UnsafeCell<MaybeUninit<Shared>>,
}

/// What the owner of a frame has in common with the lane that takes it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) handover: Handover,
    /// The lane to wake when the half is over.
    pub(crate) owner: usize,
    pub(crate) offer: Offer,
}

/// How a frame became public.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offer {
    /// At that moment, for whoever comes.
    Since(Ticks),
    /// With the [notice](crate::brief) of that number.
    Brief(u32),
}

impl Pending {
    #[inline]
    pub(crate) fn new(head: JobHead) -> Self {
        Pending {
            head,
            older: Cell::new(MaybeUninit::uninit()),
            newer: Cell::new(MaybeUninit::uninit()),
            shared: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// The call site of the join.
    pub(crate) fn site(&self) -> Site {
        self.head.site()
    }

    /// # Safety
    ///
    /// The frame is public: it has been taken, or could have been.
    pub(crate) unsafe fn shared(&self) -> &Shared {
        let shared = self.shared.get();
        // SAFETY: it was written before the frame became public, and is only read since.
        let shared = unsafe { &*shared };
        // SAFETY: as above.
        unsafe { shared.assume_init_ref() }
    }
}

/// The chain of a lane.
#[derive(Debug)]
pub(crate) struct PendingChain {
    newest: Cell<*const Pending>,
    newest_public: Cell<*const Pending>,
    end: Pending,
}

impl PendingChain {
    pub(crate) fn new() -> Self {
        PendingChain {
            newest: Cell::new(ptr::null()),
            newest_public: Cell::new(ptr::null()),
            end: Pending::new(JobHead::of_nothing()),
        }
    }

    /// Called before the chain is used, once it stays in its place.
    pub(crate) fn settle_down(&self) {
        self.newest.set(&self.end);
        self.newest_public.set(&self.end);
    }

    /// Whether every frame is public.
    #[inline]
    pub(crate) fn all_public(&self) -> bool {
        ptr::eq(self.newest.get(), self.newest_public.get())
    }

    /// Adds `pending`, as the newest and private.
    ///
    /// # Safety
    ///
    /// It stays where it is until it has left the chain. The pointer may be used for all that the job's `execute` expects, of which
    /// this is the beginning.
    #[inline]
    pub(crate) unsafe fn push(&self, pending: NonNull<Pending>) {
        let newest = self.newest.get();
        // SAFETY: it is alive (this method's contract), and nobody else knows of it yet.
        unsafe { pending.as_ref() }.older.set(MaybeUninit::new(newest));
        // SAFETY: what is in the chain is alive, and its end is too.
        unsafe { &*newest }.newer.set(MaybeUninit::new(pending));
        self.newest.set(pending.as_ptr());
    }

    /// Removes `pending`, the newest. True if it was private still.
    #[inline]
    pub(crate) fn pop(&self, pending: NonNull<Pending>) -> bool {
        debug_assert!(ptr::eq(self.newest.get(), pending.as_ptr()), "joins are nested");
        // SAFETY: what is in the chain is alive.
        let older = unsafe { pending.as_ref() }.older.get();
        // SAFETY: written by `push`.
        let older = unsafe { older.assume_init() };
        self.newest.set(older);
        let was_private = !ptr::eq(self.newest_public.get(), pending.as_ptr());
        if !was_private {
            self.newest_public.set(older);
        }
        was_private
    }

    /// The oldest private frame, born in `run`, which is public from now on, with what `shared` makes of its site.
    pub(crate) fn publish_oldest(
        &self,
        run: Origin,
        shared: impl FnOnce(Site) -> Shared,
    ) -> Option<NonNull<Pending>> {
        if self.all_public() {
            return None;
        }
        // SAFETY: what is in the chain is alive, and its end is too.
        let newer = unsafe { &*self.newest_public.get() }.newer.get();
        // SAFETY: there is a newer one, and when it was pushed, this was written.
        let oldest = unsafe { newer.assume_init() };
        self.newest_public.set(oldest.as_ptr());
        {
            // SAFETY: what is in the chain is alive.
            let oldest = unsafe { oldest.as_ref() };
            oldest.head.set_born_in(run);
            let place = oldest.shared.get();
            // SAFETY: nobody else knows of the frame yet.
            unsafe { &mut *place }.write(shared(oldest.head.site()));
        }
        Some(oldest)
    }
}
