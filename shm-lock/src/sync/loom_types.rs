//! The types of a model, and the part of the kernel that they need: `{wait, wake, wake_op, die}`
//! under a bucket lock.
//!
//! Every access to a shared word, every change of a list and every system call is a *step*. A
//! thread can be told to die after a number of steps ([`mortal`]). It unwinds without running its
//! guards, and then the kernel walks its list as Linux does.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

#[path = "loom_atomics.rs"]
mod atomics;
#[path = "loom_thread.rs"]
mod thread;

pub(crate) use atomics::{AtomicU32, AtomicU64};
pub(crate) use loom::hint::spin_loop;
pub(crate) use loom::sync::atomic::{Ordering, fence};
pub(crate) use thread::{Claim, Thread, Ticker};

use crate::protocol::mutex::{Mutex, OWNER_DIED, TID, WAITERS};

/// Not loom's: these outlive an execution, and count across executions.
#[allow(dead_code, reason = "for the protocols' own models")]
pub(crate) type Counter = std::sync::atomic::AtomicUsize;
#[allow(dead_code, reason = "for the protocols' own models")]
pub(crate) type Flag = std::sync::atomic::AtomicBool;

/// A model does not spin where it can sleep.
pub(crate) const LONGEST_SPIN: u32 = 0;

/// A fence directly after an exchange.
pub(crate) fn light_fence() {
    fence(Ordering::SeqCst); // SeqCst: pairs with another one.
}

/// What the kernel knows about the calling thread.
#[derive(Default)]
struct Me {
    /// 0 before the first use, and after a death, when the thread continues as another one.
    tid: u32,
    held: Vec<Futex>,
    pending: Option<Futex>,
    /// How many steps are left until it dies.
    left: Option<usize>,
    /// Whether it is unwinding to its death. It must change nothing any more.
    dying: bool,
}

loom::thread_local! {
    static ME: RefCell<Me> = RefCell::new(Me::default());
}

struct Kernel {
    last_tid: std::sync::Mutex<u32>,
    /// Threads that have got the id of a dead one, in the order in which they began.
    reborn: std::sync::Mutex<Vec<u32>>,
    /// Threads whose death was not reported to the locks that they held.
    unreported: loom::sync::Mutex<Vec<u32>>,
}

loom::lazy_static! {
    static ref KERNEL: Kernel = Kernel {
        last_tid: std::sync::Mutex::new(0),
        reborn: std::sync::Mutex::new(Vec::new()),
        unreported: loom::sync::Mutex::new(Vec::new()),
    };
}

fn with_me<R>(f: impl FnOnce(&mut Me) -> R) -> R {
    ME.with(|me| f(&mut me.borrow_mut()))
}

/// The payload of a thread that unwinds to its death.
struct Died;

/// A point at which the calling thread may die.
pub(crate) fn step() {
    let dies = with_me(|me| match &mut me.left {
        Some(0) => {
            me.left = None;
            me.dying = true;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    });
    if dies {
        resume_unwind(Box::new(Died));
    }
}

/// Runs `body` on the calling thread, which dies after `steps` steps. Returns how many locks the
/// kernel has marked, or `None` if `body` ended before that.
pub(crate) fn mortal(steps: usize, body: impl FnOnce()) -> Option<usize> {
    dies(steps, body).then(report)
}

/// As [`mortal`]. Returns the result of `look`, which runs after the death and before the kernel.
#[allow(dead_code, reason = "for the protocols' own models")]
pub(crate) fn mortal_with<R>(steps: usize, body: impl FnOnce(), look: impl FnOnce() -> R) -> Option<R> {
    dies(steps, body).then(|| {
        let seen = look();
        report();
        seen
    })
}

/// As [`mortal`], but the kernel does not follow the list. A check still finds the thread dead.
#[allow(dead_code, reason = "for the protocols' own models")]
pub(crate) fn mortal_unreported(steps: usize, body: impl FnOnce()) -> bool {
    let died = dies(steps, body);
    if died {
        let me = with_me(std::mem::take);
        KERNEL.unreported.lock().unwrap().push(me.tid);
        me.held.iter().for_each(Futex::expire);
    }
    died
}

/// Ends the calling thread, which holds no lock, and continues as another thread with the same id.
#[allow(dead_code, reason = "for the protocols' own models")]
pub(crate) fn be_reborn() {
    let tid = Thread::current().expect("a thread of a model").tid;
    KERNEL.reborn.lock().unwrap().push(tid);
}

fn dies(steps: usize, body: impl FnOnce()) -> bool {
    with_me(|me| me.left = Some(steps));
    let outcome: Result<(), Box<dyn Any + Send>> = catch_unwind(AssertUnwindSafe(body));
    with_me(|me| me.left = None);
    match outcome {
        Ok(()) => false,
        Err(payload) if payload.is::<Died>() => true,
        Err(payload) => resume_unwind(payload),
    }
}

/// Does what the kernel does when the calling thread has died (`exit_robust_list`), starting with
/// the lock taken last. Returns how many locks were marked.
fn report() -> usize {
    let me = with_me(std::mem::take);
    let pending = me.pending;
    let is_pending = |futex: &Futex| pending.as_ref().is_some_and(|pending| pending.is(futex));
    let listed = me.held.into_iter().rev().filter(|futex| !is_pending(futex));
    let marked = listed.filter(|futex| futex.owner_died(me.tid, false)).count();
    marked + usize::from(pending.as_ref().is_some_and(|pending| pending.owner_died(me.tid, true)))
}

/// The state of a [`Pair`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) word: u32,
    pub(crate) turn: u32,
}

/// A futex word, and how often [`exchange`](Pair::exchange) has changed it.
#[derive(Debug)]
pub(crate) struct Pair(Futex);

impl Pair {
    pub(crate) fn new(word: u32) -> Self {
        Pair(Futex::new(word))
    }

    pub(crate) fn futex(&self) -> &Futex {
        &self.0
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        self.0.word()
    }

    pub(crate) fn load(&self) -> Seen {
        step();
        let both = self.word().0.load(Ordering::Relaxed);
        Seen { word: both as u32, turn: (both >> 32) as u32 }
    }

    pub(crate) fn exchange(&self, seen: Seen, word: u32, success: Ordering) -> bool {
        step();
        let both = |word: u32, turn: u32| u64::from(turn) << 32 | u64::from(word);
        let new = both(word, seen.turn.wrapping_add(1));
        self.word().0.compare_exchange(both(seen.word, seen.turn), new, success, Ordering::Relaxed).is_ok()
    }
}

/// A word and its sleepers. A clone is the same futex.
#[derive(Clone, Debug)]
pub(crate) struct Futex(Arc<Bucket>);

#[derive(Debug)]
struct Bucket {
    word: AtomicU32,
    /// The kernel's bucket lock: under it, comparing and going to sleep are one step.
    sleepers: loom::sync::Mutex<Sleepers>,
    changed: loom::sync::Condvar,
    /// How many wake-up calls there were.
    calls: Counter,
    /// How often a thread has given way.
    dozes: Counter,
}

#[derive(Debug, Default)]
struct Sleepers {
    queue: VecDeque<u32>,
    expired: Vec<u32>,
    last: u32,
    /// How many were woken by `clear_and_wake_all`.
    woken_by_clearing: usize,
}

impl Futex {
    pub(crate) fn new(value: u32) -> Self {
        Futex(Arc::new(Bucket {
            word: AtomicU32::new(value),
            sleepers: loom::sync::Mutex::default(),
            changed: loom::sync::Condvar::new(),
            calls: Counter::new(0),
            dozes: Counter::new(0),
        }))
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0.word
    }

    #[allow(dead_code, reason = "for the protocols' own models")]
    pub(crate) fn is(&self, other: &Futex) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the newest value, which the kernel sees. loom guarantees this only for a
    /// read-modify-write.
    fn newest(&self) -> u32 {
        self.0.word.0.fetch_add(0, Ordering::Relaxed) as u32
    }

    /// Sleeps if the word is `expected`, until it is woken, or until time passes
    /// ([`expire`](Self::expire)). Returns false in the second case. For threads that wait for one
    /// whose death is not reported, time always passes.
    pub(crate) fn wait(&self, expected: u32) -> bool {
        step();
        let mut sleepers = self.0.sleepers.lock().unwrap();
        let mut woken = true;
        if KERNEL.unreported.lock().unwrap().contains(&(expected & TID)) {
            woken = false;
        } else if self.newest() == expected {
            sleepers.last += 1;
            let own = sleepers.last;
            sleepers.queue.push_back(own);
            while sleepers.queue.contains(&own) {
                sleepers = self.0.changed.wait(sleepers).unwrap();
            }
            woken = !sleepers.expired.contains(&own);
        }
        drop(sleepers);
        step();
        woken
    }

    /// As [`wait`](Self::wait), but time passes by itself.
    pub(crate) fn doze(&self, expected: u32) -> bool {
        step();
        self.0.dozes.fetch_add(1, Ordering::Relaxed);
        let mut sleepers = self.0.sleepers.lock().unwrap();
        let mut woken = true;
        if self.newest() == expected {
            sleepers.last += 1;
            let own = sleepers.last;
            sleepers.queue.push_back(own);
            drop(sleepers);
            loom::thread::yield_now();
            sleepers = self.0.sleepers.lock().unwrap();
            woken = !sleepers.queue.contains(&own);
            sleepers.queue.retain(|&sleeper| sleeper != own);
        }
        drop(sleepers);
        step();
        woken
    }

    pub(crate) fn wake(&self, most: u32) -> u32 {
        step();
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let woken = self.wake_for_kernel(most);
        step();
        woken
    }

    fn wake_for_kernel(&self, most: u32) -> u32 {
        let mut sleepers = self.0.sleepers.lock().unwrap();
        let count = sleepers.queue.len().min(most as usize);
        sleepers.queue.drain(..count);
        if count > 0 {
            self.0.changed.notify_all();
        }
        count as u32
    }

    pub(crate) fn clear_and_wake_all(&self) {
        step();
        let mut sleepers = self.0.sleepers.lock().unwrap();
        self.0.word.0.fetch_and(!u64::from(WAITERS), Ordering::Relaxed);
        sleepers.woken_by_clearing += sleepers.queue.len();
        sleepers.queue.clear();
        self.0.changed.notify_all();
        drop(sleepers);
        step();
    }

    /// Returns the number of sleepers.
    #[allow(dead_code, reason = "for the protocols' own models")]
    pub(crate) fn sleepers(&self) -> usize {
        self.0.sleepers.lock().unwrap().queue.len()
    }

    #[allow(dead_code, reason = "for the protocols' own models")]
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::Relaxed)
    }

    #[allow(dead_code, reason = "for the protocols' own models")]
    pub(crate) fn dozes(&self) -> usize {
        self.0.dozes.load(Ordering::Relaxed)
    }

    #[allow(dead_code, reason = "for the protocols' own models")]
    pub(crate) fn woken_by_clearing(&self) -> usize {
        self.0.sleepers.lock().unwrap().woken_by_clearing
    }

    /// Lets the time of all sleepers run out.
    #[allow(dead_code, reason = "for the protocols' own models")]
    pub(crate) fn expire(&self) {
        let mut sleepers = self.0.sleepers.lock().unwrap();
        let expired = std::mem::take(&mut sleepers.queue);
        sleepers.expired.extend(expired);
        self.0.changed.notify_all();
    }

    /// Does what `handle_futex_death` does. Returns whether the word was marked.
    fn owner_died(&self, tid: u32, pending: bool) -> bool {
        loop {
            let seen = self.newest();
            if seen & TID != tid {
                if pending && seen & TID == 0 {
                    self.wake_for_kernel(1);
                }
                return false;
            }
            let dead = seen & WAITERS | OWNER_DIED;
            // AcqRel: the kernel's exchange orders the dead thread's writes.
            if self.0.word.exchange_word(seen, dead, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                if seen & WAITERS != 0 {
                    self.wake_for_kernel(1);
                }
                return true;
            }
        }
    }
}

/// A lock. In a model it needs no place in a list.
#[derive(Debug)]
pub(crate) struct RawLock(Mutex);

impl RawLock {
    pub(crate) fn new() -> Self {
        RawLock(Mutex::new())
    }

    pub(crate) fn mutex(&self) -> &Mutex {
        &self.0
    }
}

/// The protected value.
#[derive(Debug)]
pub(crate) struct Cell<T>(loom::cell::UnsafeCell<T>);

#[allow(dead_code, reason = "for the public types")]
impl<T> Cell<T> {
    pub(crate) fn new(value: T) -> Self {
        Cell(loom::cell::UnsafeCell::new(value))
    }

    pub(crate) fn access(&self) -> Access<T> {
        Access(Some(self.0.get_mut()))
    }

    pub(crate) fn read_access(&self) -> ReadAccess<T> {
        ReadAccess(Some(self.0.get()))
    }
}

/// A read access, which loom watches until it ends.
#[derive(Debug)]
pub(crate) struct ReadAccess<T>(Option<loom::cell::ConstPtr<T>>);

#[allow(dead_code, reason = "for the public types")]
impl<T> ReadAccess<T> {
    pub(crate) fn pointer(&self, _cell: &Cell<T>) -> *const T {
        self.0.as_ref().expect("an access that has not ended").with(|pointer| pointer)
    }

    pub(crate) fn end(&mut self) {
        self.0 = None;
    }
}

/// An access that loom watches until it ends.
#[derive(Debug)]
pub(crate) struct Access<T>(Option<loom::cell::MutPtr<T>>);

#[allow(dead_code, reason = "for the public types")]
impl<T> Access<T> {
    pub(crate) fn pointer(&self, _cell: &Cell<T>) -> *mut T {
        self.0.as_ref().expect("an access that has not ended").with(|pointer| pointer)
    }

    pub(crate) fn end(&mut self) {
        self.0 = None;
    }
}
