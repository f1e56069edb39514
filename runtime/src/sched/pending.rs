//! The pending halves of a lane's joins: a chain through the frames on its stack, from the newest
//! to the oldest.
//!
//! A frame is *private* at first: no other lane knows of it. It becomes *public* when its owner
//! pushes it as a job, or when another lane takes all private frames because the owner stands
//! still. The older frame always becomes public first. So the chain has two parts: public frames,
//! then newer private ones.
//!
//! Only the owner changes the chain, and it needs no lock unless it has to look at public frames
//! ([`chain`](crate::protocol::chain)). The lock decides which frames are public, and the frames
//! are marked. So a half that no other lane knows of needs no look at the lock.
//!
//! Links lead to older frames. Making frames public begins at the newest private frame, so the
//! links of a long chain are reversed on the way, for the next time.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use crate::os::clock::Ticks;
use crate::policy::site::Site;
use crate::protocol::chain::Chain;
use crate::protocol::handover::Handover;
use crate::sched::job::{JobHead, Origin, Run};
use crate::sync::{AtomicPtr, Fences, MutexGuard, Ordering};

/// Where there is no `membarrier`, or not yet, nobody [stops](Chain::stop) a chain, so that its
/// owner needs no fence.
const OWNERS_FENCES: Fences = Fences::Asymmetric;

/// In a frame's link: the frame is public.
const PUBLIC: usize = 1;

/// In a frame's link: it is `Turned::newest`.
const TURNED: usize = 2;

const MARKS: usize = PUBLIC | TURNED;

/// How many private frames are visited each time, because reversing links is not free.
const SHORT: u32 = 64;

/// A link of the chain, with which a join's frame begins. Its alignment leaves room for the marks.
#[derive(Debug)]
#[repr(C, align(8))]
pub(crate) struct Pending {
    head: JobHead,
    /// Marks, written under the lock, and the link itself, written as the frame is pushed. Not
    /// before: a frame with a link to nothing would be written twice, and one made with its link
    /// would come after an atomic load, over which the compiler does not carry what it knows of the
    /// closure.
    older: UnsafeCell<MaybeUninit<AtomicPtr<Pending>>>,
    /// Written and read under the lock only.
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
    /// At that moment, for any lane that comes.
    Since(Ticks),
    /// With a [steal delay](crate::policy::steal_delay).
    Short,
}

fn without_marks(link: *mut Pending) -> *mut Pending {
    link.map_addr(|address| address & !MARKS)
}

impl Pending {
    #[inline]
    pub(crate) fn new(head: JobHead) -> Self {
        Pending {
            head,
            older: UnsafeCell::new(MaybeUninit::uninit()),
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

    /// Only of a frame that was pushed.
    #[inline]
    fn link(&self) -> &AtomicPtr<Pending> {
        let link = self.older.get();
        // SAFETY: it was written as the frame was pushed, before anybody else could know of it, and
        // is an atomic since.
        let link = unsafe { &*link };
        // SAFETY: as above.
        unsafe { link.assume_init_ref() }
    }

    fn older(&self) -> *mut Pending {
        without_marks(self.link().load(Ordering::Relaxed))
    }

    fn is_marked(&self, mark: usize) -> bool {
        self.link().load(Ordering::Relaxed).addr() & mark != 0
    }

    /// Under the lock.
    fn mark(&self, mark: usize) {
        let link = self.link();
        let marked = link.load(Ordering::Relaxed).map_addr(|address| address | mark);
        link.store(marked, Ordering::Relaxed);
    }
}

/// Private frames whose links are turned round: `oldest`, the oldest of all, to `newest`. Those in
/// between know which is the next newer one.
#[derive(Debug)]
pub(crate) struct Turned {
    oldest: *const Pending,
    newest: *const Pending,
}

const NONE_TURNED: Turned = Turned { oldest: ptr::null(), newest: ptr::null() };

/// The chain of a lane.
#[derive(Debug)]
pub(crate) struct PendingChain {
    chain: Chain<Pending, Turned>,
    /// The run that all private frames were born in. The owner changes it while there are none.
    run: AtomicPtr<Run>,
}

// SAFETY: the chain's pointers are followed by the owner, and by whoever has stopped the chain; and
// so are those under its lock.
unsafe impl Send for PendingChain {}
// SAFETY: as above. Frames are usable from any thread (`push`).
unsafe impl Sync for PendingChain {}

/// The right to change what is public, and to read what is private.
pub(crate) struct Locked<'c> {
    chain: &'c PendingChain,
    turned: MutexGuard<'c, Turned>,
    newest: *mut Pending,
}

impl PendingChain {
    pub(crate) fn new() -> Self {
        PendingChain { chain: Chain::new(NONE_TURNED), run: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The run in which what is pushed is born.
    pub(crate) fn run(&self) -> *const Run {
        self.run.load(Ordering::Relaxed)
    }

    /// Says in which run what is pushed is born from now on. Only the owner says so, and only while
    /// nothing is private.
    pub(crate) fn set_run(&self, run: *const Run) {
        self.run.store(run.cast_mut(), Ordering::Relaxed);
    }

    /// Whether there is no frame; for the owner.
    pub(crate) fn is_empty(&self) -> bool {
        self.chain.newest().is_null()
    }

    /// Whether every frame is public; for lanes other than the owner, a hint.
    pub(crate) fn all_public(&self) -> bool {
        self.chain.newest_private().is_none()
    }

    /// Whether `pending` is the newest frame; for lanes other than the owner, a hint.
    pub(crate) fn is_newest(&self, pending: &Pending) -> bool {
        ptr::eq(self.chain.newest(), pending)
    }

    /// By what a lane that stands still is known: the newest private frame.
    pub(crate) fn newest_private(&self) -> Option<*const ()> {
        self.chain.newest_private().map(|frame| frame.cast_const().cast())
    }

    /// Makes the owner look up when it next adds or removes something.
    pub(crate) fn raise(&self) {
        self.chain.raise();
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.chain.is_raised()
    }

    /// Adds `pending`, as the newest and private. True if the owner must look up.
    ///
    /// # Safety
    ///
    /// It stays where it is until it has left the chain: until [`pop`](Self::pop) has answered
    /// true, or [`settle`](Self::settle) has answered. The pointer may be used for all that the
    /// job's `execute` expects, of which this is the beginning, from any thread.
    #[inline]
    #[must_use]
    pub(crate) unsafe fn push(&self, pending: NonNull<Pending>) -> bool {
        // SAFETY: it is alive (this method's contract).
        let link = unsafe { pending.as_ref() }.older.get();
        // SAFETY: nobody else knows of the frame yet.
        unsafe { &mut *link }.write(AtomicPtr::new(self.chain.newest()));
        self.chain.set_newest(pending.as_ptr(), OWNERS_FENCES)
    }

    /// Removes `pending`, the newest. True if it was private; else [`settle`](Self::settle) says.
    #[inline]
    #[must_use]
    pub(crate) fn pop(&self, pending: &Pending) -> bool {
        debug_assert!(ptr::eq(self.chain.newest(), pending), "joins are nested");
        let older = pending.link().load(Ordering::Relaxed);
        let look_up = self.chain.set_newest(older, OWNERS_FENCES);
        // One branch.
        !(look_up | (older.addr() & MARKS != 0))
    }

    /// Ends a `pop` that said false. True if `pending` was private.
    pub(crate) fn settle(&self, pending: &Pending) -> bool {
        let mut turned = self.chain.lock();
        let older = pending.older();
        self.chain.set_newest_locked(older, &turned);
        let is_public = pending.is_marked(PUBLIC);
        if is_public {
            self.chain.set_newest_public(older, &turned);
        } else if ptr::eq(turned.newest, pending) {
            if ptr::eq(turned.oldest, pending) {
                *turned = NONE_TURNED;
            } else {
                turned.newest = older;
                // SAFETY: there are older private frames: this one is not the oldest. What is in
                // the chain is alive.
                unsafe { &*older }.mark(TURNED);
            }
        }
        !is_public
    }

    /// For the owner.
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked { turned: self.chain.lock(), newest: self.chain.newest(), chain: self }
    }

    /// For others, who make the owner hold still; `None` if that cannot be.
    pub(crate) fn stop(&self, fences: Fences) -> Option<Locked<'_>> {
        if fences == Fences::Symmetric {
            return None;
        }
        let (turned, newest) = self.chain.stop(fences)?;
        // The owner may be about to settle the removal of a frame, whose link it has stored as it
        // was.
        Some(Locked { turned, newest: without_marks(newest), chain: self })
    }
}

impl Locked<'_> {
    /// The owner need not look up any more.
    pub(crate) fn lower(&self) {
        self.chain.chain.lower(&self.turned);
    }

    /// The oldest private frame, which is public from now on, with what `shared` makes of its site.
    pub(crate) fn publish_oldest(&mut self, shared: impl FnOnce(Site) -> Shared) -> Option<NonNull<Pending>> {
        let pending = self.oldest_private()?;
        // SAFETY: what is in the chain is alive, and stays so while this has the lock.
        let frame = unsafe { pending.as_ref() };
        // SAFETY: the owner is in the middle of that run, in which the frame was born, and stays so
        // while the frame is in the chain.
        frame.head.set_born_in(unsafe { Origin::inside(self.chain.run()) }.of_half());
        let place = frame.shared.get();
        // SAFETY: the frame is private, so nobody else reads this.
        unsafe { &mut *place }.write(shared(frame.head.site()));
        frame.mark(PUBLIC);
        self.chain.chain.set_newest_public(pending.as_ptr(), &self.turned);
        if ptr::eq(self.turned.newest, frame) {
            *self.turned = NONE_TURNED;
        } else if ptr::eq(self.turned.oldest, frame) {
            let newer = frame.newer.get();
            // SAFETY: it lies before `newest`, and was written as the links were turned.
            self.turned.oldest = unsafe { newer.assume_init() }.as_ptr();
        }
        Some(pending)
    }

    fn oldest_private(&mut self) -> Option<NonNull<Pending>> {
        if let Some(oldest) = NonNull::new(self.turned.oldest.cast_mut()) {
            return Some(oldest);
        }
        let is_private = |link: *mut Pending| {
            let link = NonNull::new(link)?;
            // SAFETY: what is in the chain is alive, and stays so while this has the lock.
            (!unsafe { link.as_ref() }.is_marked(PUBLIC)).then_some(link)
        };
        let mut oldest = is_private(self.newest)?;
        let mut steps = 0;
        loop {
            // SAFETY: as above.
            let frame = unsafe { oldest.as_ref() };
            if steps == SHORT {
                frame.mark(TURNED);
                self.turned.newest = frame;
            }
            let Some(older) = is_private(frame.older()) else { break };
            // SAFETY: as above.
            unsafe { older.as_ref() }.newer.set(MaybeUninit::new(oldest));
            steps += 1;
            oldest = older;
        }
        if steps >= SHORT {
            self.turned.oldest = oldest.as_ptr();
        }
        Some(oldest)
    }
}
