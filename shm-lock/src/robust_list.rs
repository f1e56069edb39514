//! The list of locks that the calling thread holds. The kernel walks it when the thread dies.
//!
//! Each thread has one list. glibc registers it and puts its own robust mutexes into it. So our
//! locks have the layout that the kernel expects there: the futex word is 32 bytes before the link,
//! and the pointer to the previous node is in the word before the link. The list is doubly linked.
//! Its head is part of it, and the back pointer of the first node points to the head. The lowest
//! bit of a link marks glibc's mutexes with priority inheritance.
//!
//! Links are in memory that processes share, and are addresses in the owner's process. Only the
//! owner reads them, or the kernel on its behalf. So plain writes in program order are enough
//! ([`compiler_fence`]).
//!
//! # Forks
//!
//! After a fork, the child has its parent's memory but none of its locks. A page that the kernel
//! clears in the child holds the process's *generation*. A thread that finds a generation other
//! than that of its registration registers again. A guard that finds a generation other than its
//! own does nothing.

use std::cell::{Cell, UnsafeCell};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use memmap2::MmapMut;

use crate::error::Unsupported;
use crate::pid_namespace;
use crate::protocol::mutex::{Holder, Mutex};
use crate::sync::{AtomicPtr, AtomicU32, Ordering, compiler_fence};
use crate::sys::{self, Head, Link};

/// The offset from a link to the futex word of its lock.
const OFFSET: isize = -32;

/// One in this many failed attempts in a row asks the system whether the lock's owner is alive. The
/// call takes half a microsecond.
const ASKED_ONCE_IN: u32 = 128;

/// A lock and its place in its owner's list.
#[derive(Debug)]
#[repr(C, align(8))]
pub(crate) struct RawLock {
    mutex: Mutex,
    previous: UnsafeCell<*mut Link>,
    next: UnsafeCell<*mut Link>,
}

const _: () = assert!(
    std::mem::offset_of!(RawLock, mutex) as isize - std::mem::offset_of!(RawLock, next) as isize == OFFSET
        && std::mem::offset_of!(RawLock, previous) + size_of::<usize>()
            == std::mem::offset_of!(RawLock, next)
        || usize::BITS != 64
);

// SAFETY: `mutex` is made of atomics. The links are written by the lock's owner alone, between
// `Holder::link` and `Holder::unlink`, which the protocol calls while it owns the lock.
unsafe impl Sync for RawLock {}
// SAFETY: as above; no part of it belongs to a thread while the lock is free, and it is not moved
// while it has an owner.
unsafe impl Send for RawLock {}

impl RawLock {
    pub(crate) fn new() -> Self {
        RawLock {
            mutex: Mutex::new(),
            previous: UnsafeCell::new(ptr::null_mut()),
            next: UnsafeCell::new(ptr::null_mut()),
        }
    }

    #[inline(always)]
    pub(crate) fn mutex(&self) -> &Mutex {
        &self.mutex
    }

    /// Returns the address that links of other nodes point to.
    #[inline(always)]
    fn link(&self) -> *mut Link {
        self.next.get().cast()
    }
}

/// The calling thread, as the kernel knows it.
#[derive(Clone, Copy)]
pub(crate) struct Thread {
    head: *mut Head,
    tid: u32,
}

/// A thread's own data. Each part has its own cell, because the compiler would move a structure of
/// all parts through memory.
struct Me {
    head: Cell<*mut Head>,
    tid: Cell<u32>,
    /// The generation of the process when the thread registered.
    generation: Cell<u32>,
    /// Points to the current generation, which is a static variable. (A constant of Rust 1.85 may
    /// not hold a reference to one.)
    now: Cell<*const AtomicU32>,
}

/// A generation that no process has.
static NEVER: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static ME: Me = const {
        Me {
            head: Cell::new(ptr::null_mut()),
            tid: Cell::new(0),
            generation: Cell::new(1),
            now: Cell::new(&raw const NEVER),
        }
    };
    /// The lock and owner of the last check that the owner is alive, and how many attempts have
    /// followed.
    static ASKED: Cell<((usize, u32), u32)> = const { Cell::new(((0, 0), 0)) };
}

impl Thread {
    /// Returns the calling thread, if it can hold locks that survive it.
    pub(crate) fn current() -> Result<Thread, Unsupported> {
        Thread::registered().map_or_else(register, Ok)
    }

    /// Returns the calling thread, if it is registered in this process.
    #[inline(always)]
    pub(crate) fn registered() -> Option<Thread> {
        Thread::holding_since(Thread::generation())
    }

    /// Returns the generation of the process in which the calling thread registered.
    #[inline(always)]
    pub(crate) fn generation() -> u32 {
        ME.with(|me| me.generation.get())
    }

    /// Returns the calling thread, if it still holds a lock that it took in `generation`. After a
    /// fork, it does not.
    #[inline(always)]
    pub(crate) fn holding_since(generation: u32) -> Option<Thread> {
        ME.with(|me| {
            // SAFETY: it points to a static variable.
            let now = unsafe { &*me.now.get() };
            let same = now.load(Ordering::Relaxed) == generation;
            same.then(|| Thread { head: me.head.get(), tid: me.tid.get() })
        })
    }

    /// Returns the calling thread together with `lock`.
    ///
    /// # Safety
    /// Where the lock is taken through the claim, its memory must stay mapped until it is released
    /// through a claim of the same thread, or this process no longer has that thread. It must be
    /// placed in a region, from where it does not move.
    #[inline(always)]
    pub(crate) unsafe fn claim(self, lock: &RawLock) -> Claim<'_> {
        Claim { thread: self, lock }
    }
}

/// Finds out how the kernel knows the calling thread.
#[cold]
fn register() -> Result<Thread, Unsupported> {
    let (head, size) = sys::robust_list()?;
    let refuse = |part, expected, found| Err(Unsupported::RobustList { part, expected, found });
    let Some(head) = NonNull::new(head) else { return refuse("size of its head", 24, None) };
    if size != size_of::<Head>() {
        return refuse("size of its head", 24, Some(size as i64));
    }
    // SAFETY: the kernel reads a head of this size there when the thread dies, so it is mapped.
    let offset = unsafe { (*head.as_ptr()).offset };
    if offset != OFFSET {
        return refuse("offset of the lock word", OFFSET as i64, Some(offset as i64));
    }
    let own_link = head.as_ptr().cast::<Link>();
    // SAFETY: the first field of the head.
    let first = untagged(unsafe { (*own_link).next });
    // SAFETY: `first` is the head or a node, and glibc, who made the head with this offset, has a
    // back pointer before either.
    let back = unsafe { previous_of(first).read() };
    if back != own_link {
        let found = (back.addr() as i64).wrapping_sub(own_link.addr() as i64);
        return refuse("back pointer of its first node, from the head,", 0, Some(found));
    }
    pid_namespace::check()?;
    let (now, generation) = generation()?;
    if ME.with(|me| me.generation.get()) > 1 {
        // A forked child. What was pending belongs to its parent.
        // SAFETY: the kernel reads a head there when the thread dies.
        let pending = unsafe { &raw mut (*head.as_ptr()).pending };
        // SAFETY: only this thread writes it, and it is not between `begin` and `end`, where
        // nothing registers.
        unsafe { pending.write_volatile(ptr::null_mut()) };
    }
    let thread = Thread { head: head.as_ptr(), tid: sys::thread_id() };
    ME.with(|me| {
        me.head.set(thread.head);
        me.tid.set(thread.tid);
        me.generation.set(generation);
        me.now.set(now);
    });
    Ok(thread)
}

/// Returns the word with the generation of this process, and its value.
fn generation() -> Result<(&'static AtomicU32, u32), Unsupported> {
    static PAGE: OnceLock<Option<&'static AtomicU32>> = OnceLock::new();
    static LAST: AtomicU32 = AtomicU32::new(1);
    let page = PAGE.get_or_init(wiped_on_fork).ok_or(Unsupported::WipeOnFork)?;
    // A child inherits the parent's count, so it reaches a number that the parent had not used
    // before the fork. 0 and 1 are not generations.
    let mut next = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    if next < 2 {
        next = 2;
    }
    match page.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => Ok((page, next)),
        Err(generation) => Ok((page, generation)),
    }
}

/// Returns a word that is 0 in a child of this process, whatever this process has stored. Returns
/// `None` if the system has no such memory.
fn wiped_on_fork() -> Option<&'static AtomicU32> {
    let mut page = MmapMut::map_anon(size_of::<AtomicU32>()).ok()?;
    sys::wipe_on_fork(&mut page).ok()?;
    let word = page.as_mut_ptr().cast::<u32>();
    std::mem::forget(page);
    // SAFETY: a page is aligned and large enough; this one is never unmapped and used for nothing
    // else. The kernel writes it only in a child, before any thread of it runs.
    Some(unsafe { AtomicU32::from_ptr(word) })
}

/// Aborts because another program has overwritten a lock that this thread holds: nothing may be
/// written through its links.
#[cold]
#[inline(never)]
fn overwritten() -> ! {
    eprintln!(
        "shm-lock: expected a held lock in its owner's list, found its links overwritten by another program; aborting"
    );
    std::process::abort()
}

/// Removes the mark for priority inheritance.
#[inline]
fn untagged(link: *mut Link) -> *mut Link {
    link.map_addr(|address| address & !1)
}

/// Returns the back pointer of a node or of the head.
#[inline]
fn previous_of(link: *mut Link) -> *mut *mut Link {
    link.cast::<*mut Link>().wrapping_sub(1)
}

/// Returns the forward pointer of a node or of the head.
#[inline(always)]
fn next_of(link: *mut Link) -> *mut *mut Link {
    link.cast()
}

/// Removes a lock that the calling thread holds from its list, where it follows `previous`.
#[inline(always)]
fn take_out(lock: &RawLock, previous: *mut Link) {
    // SAFETY: the links belong to the owner, which the caller is.
    let next = unsafe { lock.next.get().read() };
    // SAFETY: neighbours in the list are the head or locks that this thread holds, see `link`. What
    // points back carries no mark: glibc and `link` store plain addresses there.
    unsafe { previous_of(untagged(next)).write(previous) };
    // SAFETY: as above; volatile, because the kernel may read it after any instruction. It comes
    // before the lock is free for another's list, since what frees it is a Release.
    unsafe { next_of(previous).write_volatile(next) };
}

/// The same for a lock that was not put into the list last.
#[cold]
#[inline(never)]
fn take_out_from_within(lock: &RawLock) {
    // SAFETY: the links belong to the owner, which the caller is.
    let previous = untagged(unsafe { lock.previous.get().read() });
    // SAFETY: neighbours in the list are the head or locks that this thread holds, see `link`.
    let own = unsafe { next_of(previous).read() };
    if untagged(own) != lock.link() {
        overwritten();
    }
    take_out(lock, previous);
}

/// A thread and a lock that it takes or holds.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    thread: Thread,
    lock: &'a RawLock,
}

impl Claim<'_> {
    /// The store is atomic, because the kernel may read it after any instruction.
    #[inline(always)]
    fn set_pending(&self, link: *mut Link) {
        // SAFETY: `register` has found the thread's head there, and it lives as long as the thread,
        // which is the caller.
        let pending = unsafe { &raw mut (*self.thread.head).pending };
        // SAFETY: only this thread and the kernel access it, and it is aligned.
        let pending = unsafe { AtomicPtr::from_ptr(pending) };
        pending.store(link, Ordering::Release); // Release: the word and the list have changed before, for the kernel.
    }
}

impl Holder for Claim<'_> {
    #[inline(always)]
    fn tid(&self) -> u32 {
        self.thread.tid
    }

    #[inline(always)]
    fn begin(&self) {
        self.set_pending(self.lock.link());
        compiler_fence(Ordering::SeqCst); // SeqCst: pending before the word changes, for the kernel on this core.
    }

    #[inline(always)]
    fn link(&self) {
        let head = self.thread.head.cast::<Link>();
        let own = self.lock.link();
        // SAFETY: the head's first field, as above.
        let first = unsafe { (*head).next };
        // SAFETY: the list of a living thread holds the head and locks that this thread holds, ours
        // or glibc's, which stay mapped while they are held (`Thread::claim`); each has a back
        // pointer before its link.
        unsafe { previous_of(untagged(first)).write(own) };
        // SAFETY: the links belong to the owner, which the caller is now.
        unsafe { self.lock.next.get().write(first) };
        // SAFETY: as above.
        unsafe { self.lock.previous.get().write(head) };
        compiler_fence(Ordering::SeqCst); // SeqCst: the node leads on before the list leads to it.
        // SAFETY: the head's first field, as above; volatile, because the kernel may read it after
        // any instruction.
        unsafe { next_of(head).write_volatile(own) };
        compiler_fence(Ordering::SeqCst); // SeqCst: in the list before anything else is pending, or nothing.
    }

    #[inline(always)]
    fn unlink(&self) {
        let head = self.thread.head.cast::<Link>();
        // SAFETY: the head's first field, as in `link`.
        let first = unsafe { next_of(head).read() };
        // SAFETY: the links belong to the owner, which the caller is.
        let previous = unsafe { self.lock.previous.get().read() };
        if (first, previous) == (self.lock.link(), head) {
            take_out(self.lock, head);
        } else {
            take_out_from_within(self.lock);
        }
    }

    /// Searches the list for the lock's links, not for its address: the lock may have been taken
    /// through another mapping. The links of a node in a list are unique there. The links of a lock
    /// in no list may be equal to them by chance. The answer is then wrongly true, which is
    /// harmless: the caller gets a deadlock error, waits for nothing, and takes nothing from a
    /// living owner.
    #[cold]
    fn has_linked(&self) -> bool {
        // SAFETY: the links are read by a thread that the word calls the owner. If a dead thread is
        // meant, nobody writes them until a locker has marked that.
        let own_previous = unsafe { self.lock.previous.get().read() };
        // SAFETY: as above.
        let own_next = unsafe { self.lock.next.get().read() };
        let head = self.thread.head.cast::<Link>();
        // SAFETY: the head's first field, as in `link`.
        let mut node = untagged(unsafe { (*head).next });
        while node != head {
            // SAFETY: the list holds the head and locks that this thread holds, see `link`.
            let previous = unsafe { previous_of(node).read() };
            // SAFETY: as above.
            let next = unsafe { next_of(node).read() };
            if (previous, next) == (own_previous, own_next) {
                return true;
            }
            node = untagged(next);
        }
        false
    }

    fn asks_for(&self, owner: u32) -> bool {
        let about = (self.lock.link().addr(), owner);
        let (before, times) = ASKED.get();
        let times = if before == about { times.wrapping_add(1) } else { 0 };
        ASKED.set((about, times));
        times % ASKED_ONCE_IN == 0
    }

    #[cold]
    fn finds_gone(&self, owner: u32) -> bool {
        !sys::is_alive(owner)
    }

    #[inline(always)]
    fn end(&self) {
        self.set_pending(ptr::null_mut());
    }

    #[inline(always)]
    fn in_order(&self) {
        compiler_fence(Ordering::SeqCst); // SeqCst: each write in its place, for the kernel on this core.
    }
}
