//! A lock that survives the death of its owner at any instruction, and strands no sleeper.
//!
//! # State
//!
//! The futex word:
//!
//! | bits | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0–29 `TID` | the owner's thread id; 0 is free, whatever the other bits | the locker | the owner; the kernel when the owner dies; a sleeper that finds the owner dead |
//! | 30 `OWNER_DIED` | the value may be torn | the kernel or a sleeper, for a dead owner; an owner that releases a torn value | the owner that has repaired it |
//! | 31 `WAITERS` | a thread may sleep | a locker before it sleeps | the kernel, in the step that wakes all (`clear_and_wake_all`) |
//!
//! If all bits of `TID` are set ([`UNPLACED`]), the lock is not in a region yet, and nobody may
//! take it.
//!
//! Beside the word is `turn`, which is changed together with it in one step. It counts the changes
//! of a word that was not free, or not without flags. **Invariant: while `WAITERS` is set, every
//! thread that takes the lock counts a turn.** Consider a thread that has seen the word with
//! `WAITERS` and then finds the owner of that time dead. It marks the lock of the dead owner or
//! fails. This holds even if another thread now has the dead owner's id and this lock, because that
//! thread has counted a turn. (To reach the same count between the look and the mark, it would take
//! 2³² turns.)
//!
//! `condition` belongs to the owner. It says what `OWNER_DIED` means: with [`FRESH`], an owner
//! died; with [`POISONED`], the value was released torn; with [`LOST`], it was given up; with
//! [`WHOLE`], nothing, because the owner that died was not changing the value. Only users of
//! [`rest`](Mutex::rest), [`begin_changes`](Mutex::begin_changes) and
//! [`unlock_whole`](Mutex::unlock_whole) reach `WHOLE`. All other locks start with `FRESH`.
//!
//! `spins` is a hint: how often spinning found the word free lately, as a share of `LONGEST_SPIN`.
//!
//! `promised` is a hint as well: 1 while the lock should go to a sleeper. A thread that has waited
//! for a millisecond sets it each time before it sleeps. A thread that gets the lock after a
//! shorter wait clears it. A thread that finds a promised lock free but with sleepers gives way: it
//! also sleeps, for a few milliseconds at most, and then takes the lock, because the sleepers may
//! be stopped or dead. So this hint, whatever its value, keeps nobody from the lock.
//!
//! **Invariant: `WAITERS` clear ⇒ nobody sleeps**, except threads that the call which cleared it is
//! about to wake. A locker keeps `WAITERS` when it takes a free lock. So the word itself carries
//! the duty to wake, and neither the death of a woken thread nor a third thread that comes first
//! can lose it. (glibc stores 0 and relies on the woken thread to set the bit again. If that thread
//! is killed first, a second sleeper sleeps for ever.)
//!
//! # Transitions
//!
//! | transition | who | when |
//! |---|---|---|
//! | `0 → tid` | a locker | `lock_untouched` |
//! | `flags → flags + tid`, a turn | a locker | `lock_slowly`, free; `try_slowly` |
//! | `tid → tid + WAITERS`, a turn | a locker | before it sleeps; before it marks a lock without sleeping |
//! | `flags + tid → flags` | the owner | `unlock`, `unlock_torn`: one subtraction; if flags are left, it reads the word again and wakes one thread if `WAITERS` is set |
//! | `WAITERS + … → …` | the last owner | there was no thread to wake; the kernel does this, and wakes all that have come since |
//! | `flags + tid → WAITERS? + OWNER_DIED` | the kernel | the owner died |
//! | the same, a turn | a sleeper on a tick, `try_slowly` | the owner died |
//! | the same, a turn | a locker with the same `tid` | the lock is not on its list: the locker has got a dead owner's id |
//!
//! # Death
//!
//! The kernel finds the locks of a dead thread through a list in the thread's memory ([`Holder`]).
//! `link` and `unlink` maintain the list. `begin` and `end` enclose the instructions between the
//! change of the word and the change of the list. (`lock_untouched` leaves out `end`. It is
//! harmless for a lock to be pending and listed at the same time: the next operation on any list
//! starts anew, and `unlock` ends it.) The kernel misses a lock that is neither pending nor listed,
//! one after the first 2048 of a list, and one of a thread that called `exec` and was not the first
//! of its process (it gets another id before the kernel looks). For these, a sleeper asks from time
//! to time whether the owner is alive. So does `try_slowly`, starting with its first call. If a
//! thread dies between `begin` and `end`, the kernel does one of two things. If the thread owns the
//! word, the kernel marks it with `OWNER_DIED`. If the word is free, the kernel wakes one sleeper,
//! because the dead thread may have been about to do so, or may have been woken to take the lock.
//!
//! # Orderings
//!
//! * taking the lock (both compare-exchanges): Acquire. Pairs with the Release of `unlock`, or of
//!   the mark for a dead owner.
//! * `unlock` (the subtraction): Release. Without it, the next owner sees an incomplete value.
//! * marking a dead owner's lock: Release. The marking thread has seen the death, but another
//!   thread may take the lock.
//! * [`lets_in`](Mutex::lets_in) and [`is_free`](Mutex::is_free), reads of the word without taking
//!   the lock: Acquire. They pair with `unlock`, as taking the lock would.
//! * reading the pair: Relaxed. Conclusions from it hold if the exchange that follows finds the
//!   same pair.
//! * setting `WAITERS`, setting `OWNER_DIED` as the owner, and clearing it: Relaxed, because they
//!   publish nothing.
//! * reading `WAITERS` after `unlock`'s subtraction: Relaxed. It is the same word, so the value is
//!   no older than the subtraction.
//!
//! # Progress
//!
//! An uncontended `lock` or `unlock` is one atomic instruction and no system call. For a
//! millisecond, the lock goes to the thread that comes first, which is fastest. After that, it goes
//! to the sleepers, in their order ([parking_lot](https://docs.rs/parking_lot) calls this eventual
//! fairness, Go's `sync.Mutex` calls it starvation mode). `try_lock` takes a free lock in any case.
//! A sleeper sleeps for at most a tick before it checks again.
//!
//! # Models
//!
//! `mutex_models.rs`: exclusion; two sleepers and a thread that comes in between; timeouts; a death
//! at each step of `lock` and `unlock`, of the waker, and of the woken thread; a death that the
//! kernel does not report; a dead owner's id that a living thread has got; poison; one sleeper
//! woken at a time, and no system call if nobody sleeps. Negative control: an unlock that stores 0
//! strands a sleeper. `mutex_promise_models.rs`: a promised lock, with deaths of the threads that
//! it is promised to and of those that give way.

use crate::sync::{AtomicU32, Futex, LONGEST_SPIN, Ordering, Pair, Seen, spin_loop};

/// A thread may sleep.
pub(crate) const WAITERS: u32 = 1 << 31;
/// The value may be torn.
pub(crate) const OWNER_DIED: u32 = 1 << 30;
/// The bits of the owner's thread id.
pub(crate) const TID: u32 = OWNER_DIED - 1;
/// The owner of a lock that is not in a region. No thread has this id: those of the kernel are
/// below 2²².
pub(crate) const UNPLACED: u32 = TID;

/// An owner died, as `OWNER_DIED` says.
const FRESH: u32 = 0;
/// The value was released torn. Every other unknown number means this, too.
const POISONED: u32 = 1;
/// The value was given up for good.
pub(crate) const LOST: u32 = 2;
/// The owner is not changing the value.
const WHOLE: u32 = 3;

/// What the kernel sees of one lock when the calling thread dies.
pub(crate) trait Holder {
    /// Returns the calling thread's id.
    fn tid(&self) -> u32;
    /// The thread is about to take or release the lock. Includes [`in_order`](Self::in_order).
    fn begin(&self);
    /// The thread has taken the lock. Called once after `begin`.
    fn link(&self);
    /// The thread is about to release the lock. Called between `begin` and `end`, once for each
    /// `link`.
    fn unlink(&self);
    /// The thread has finished with the lock, or the lock is on its list.
    fn end(&self);
    /// Orders what the thread wrote before this call ahead of what it writes later, for a thread
    /// that finds it dead.
    fn in_order(&self);
    /// Returns whether the kernel would find the lock among those that the calling thread holds.
    fn has_linked(&self) -> bool;
    /// Returns whether to check now that the thread `owner` is alive: at the first call, and then
    /// from time to time.
    fn asks_for(&self, owner: u32) -> bool;
    /// Returns whether no thread has the id `owner` any more.
    fn finds_gone(&self, owner: u32) -> bool;
}

/// How a thread waits, and for how long.
pub(crate) trait Sleeper {
    /// Sleeps if `futex` is the word of `expected`, until it is woken, or for a limited time. May
    /// wake spuriously.
    fn sleep(&mut self, futex: &Futex, expected: Seen) -> Slept;
    /// Sleeps if `futex` is the word of `expected`, until it is woken, or until a woken thread has
    /// had the time to take the lock ([`Slept::Tick`]).
    fn give_way(&mut self, futex: &Futex, expected: Seen) -> Slept;
    /// Returns whether the thread has waited so long that one of the sleepers should get the lock
    /// next.
    fn is_hungry(&self) -> bool;
    /// Returns whether the owner with the id `owner` is dead: the thread that had this id when the
    /// value expected by the last sleep was first seen. Another thread may have the id by now.
    fn finds_dead(&mut self, owner: u32) -> bool;
}

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slept {
    /// A wake-up, or the word had another value.
    Woken,
    /// It is time to check whether the owner is alive.
    Tick,
    /// The time is up.
    TimedOut,
    /// The thread did not sleep: the system's error number.
    #[cfg_attr(loom, allow(dead_code, reason = "a model's system lets everybody wait"))]
    Failed(i32),
}

/// The caller holds the lock, and must act on the state of the value.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    /// The value is consistent.
    Clean,
    /// The last owner died and may have left the value torn.
    OwnerDied,
    /// An owner released the value torn.
    Poisoned,
}

/// Why the caller does not hold the lock.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The time is up.
    TimedOut,
    /// The caller already holds the lock.
    Deadlock,
    /// The value was given up.
    Lost,
    /// The lock is not in a region.
    Unplaced,
    /// The system does not let threads wait: its error number.
    CannotWait(i32),
}

/// The words.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Mutex {
    pair: Pair,
    condition: AtomicU32,
    spins: AtomicU32,
    promised: AtomicU32,
}

impl Mutex {
    /// Creates a lock that nobody can take until it is [placed](Self::place).
    pub(crate) fn new() -> Self {
        Mutex {
            pair: Pair::new(UNPLACED),
            condition: AtomicU32::new(FRESH),
            spins: AtomicU32::new(LONGEST_SPIN),
            promised: AtomicU32::new(0),
        }
    }

    /// Makes the lock free. It is in a region that no other process knows yet, and does not move
    /// any more.
    pub(crate) fn place(&self) {
        self.pair.word().store(0, Ordering::Relaxed);
    }

    /// Returns the owner's id, or 0 if there is none. A hint unless the caller is the owner.
    pub(crate) fn owner(&self) -> u32 {
        self.pair.word().load(Ordering::Relaxed) & TID
    }

    /// Returns the word, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &Futex {
        self.pair.futex()
    }

    /// Returns whether the lock is not in a region yet.
    pub(crate) fn is_unplaced(&self) -> bool {
        self.owner() == UNPLACED
    }

    /// Returns whether the lock is free and its value is consistent. A hint unless nobody can take
    /// the lock.
    #[inline(always)]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.pair.word().load(Ordering::Relaxed) & (TID | OWNER_DIED) == 0
    }

    /// As [`is_at_rest`](Self::is_at_rest), for a thread that then reads what the last owner wrote.
    #[inline(always)]
    pub(crate) fn lets_in(&self) -> bool {
        // Acquire: pairs with `unlock`.
        self.pair.word().load(Ordering::Acquire) & (TID | OWNER_DIED) == 0
    }

    /// Returns whether the lock is free, for a thread that then changes what the last owner read.
    #[inline(always)]
    pub(crate) fn is_free(&self) -> bool {
        // Acquire: pairs with `unlock`.
        self.pair.word().load(Ordering::Acquire) & TID == 0
    }

    /// Marks the value as consistent, whatever happens to an owner, until one
    /// [begins](Self::begin_changes) to change it.
    pub(crate) fn rest(&self) {
        self.condition.store(WHOLE, Ordering::Relaxed);
    }

    /// The owner is about to change the value: if it dies from now on, the next locker learns it.
    #[inline(always)]
    pub(crate) fn begin_changes(&self, me: &impl Holder) {
        self.condition.store(FRESH, Ordering::Relaxed);
        me.in_order();
    }

    /// Returns the id of an owner whose death would be reported, or 0 if there is none. A hint
    /// unless the caller is the owner.
    pub(crate) fn changer(&self) -> u32 {
        if self.condition.load(Ordering::Relaxed) == WHOLE { 0 } else { self.owner() }
    }

    /// Returns whether the caller holds the lock.
    pub(crate) fn is_owned(&self, me: &impl Holder) -> bool {
        self.owner() == me.tid() && me.has_linked()
    }

    /// Takes the lock if it is free and has no flags. After `false`, call `try_slowly`,
    /// `lock_slowly` or `try_free`, of this lock or another.
    #[inline(always)]
    pub(crate) fn lock_untouched(&self, me: &impl Holder) -> bool {
        me.begin();
        // Acquire: pairs with `unlock`.
        if self.pair.word().compare_exchange(0, me.tid(), Ordering::Acquire, Ordering::Relaxed).is_ok() {
            me.link();
            return true;
        }
        false
    }

    /// Takes the lock if it is free or its owner is gone. Returns `None` if it has an owner.
    #[cold]
    pub(crate) fn try_slowly(&self, me: &impl Holder) -> Option<Result<Acquired, Refused>> {
        me.begin();
        let outcome = self.try_flagged(me).or_else(|| self.try_of_gone(me));
        me.end();
        outcome
    }

    /// Takes the lock if its owner has ended and the kernel has not marked it. Returns `None` if it
    /// has an owner.
    fn try_of_gone(&self, me: &impl Holder) -> Option<Result<Acquired, Refused>> {
        let gone = |owner| match owner {
            0 | UNPLACED => false,
            owner if owner == me.tid() => !me.has_linked(),
            owner => me.finds_gone(owner),
        };
        let owner = self.owner();
        if !me.asks_for(owner) || !gone(owner) {
            return None;
        }
        // Only with `WAITERS` does the conclusion hold until the mark: every thread that takes the
        // lock meanwhile counts a turn.
        let seen = self.announced(self.pair.load())?;
        if !gone(seen.word & TID) {
            return None;
        }
        self.mark_dead(seen);
        self.try_flagged(me)
    }

    /// Takes the lock, waiting for it as long as `sleeper` does.
    pub(crate) fn lock_slowly(
        &self,
        me: &impl Holder,
        sleeper: &mut impl Sleeper,
    ) -> Result<Acquired, Refused> {
        me.begin();
        let outcome = self.wait_for(me, sleeper);
        me.end();
        outcome
    }

    /// Takes the lock if it is free, without a check that the owner is alive. Returns `None` if it
    /// has an owner.
    pub(crate) fn try_free(&self, me: &impl Holder) -> Option<Result<Acquired, Refused>> {
        me.begin();
        let outcome = self.try_flagged(me);
        me.end();
        outcome
    }

    /// Takes the lock in one step or slowly.
    pub(crate) fn lock<S: Sleeper>(
        &self,
        me: &impl Holder,
        sleeper: impl FnOnce() -> S,
    ) -> Result<Acquired, Refused> {
        if self.lock_untouched(me) { Ok(Acquired::Clean) } else { self.lock_slowly(me, &mut sleeper()) }
    }

    fn wait_for(&self, me: &impl Holder, sleeper: &mut impl Sleeper) -> Result<Acquired, Refused> {
        let mut has_slept = false;
        loop {
            let gives_way = !has_slept && self.is_promised();
            if !gives_way {
                self.spin();
                if let Some(outcome) = self.try_flagged(me) {
                    self.keep_promise(sleeper);
                    return outcome;
                }
            }
            let seen = self.pair.load();
            let owner = seen.word & TID;
            match owner {
                0 if gives_way => {
                    has_slept = true;
                    if let Some(outcome) = self.give_way(seen, me, sleeper) {
                        return outcome;
                    }
                    continue;
                }
                0 => continue,
                UNPLACED => return Err(Refused::Unplaced),
                owner if owner == me.tid() => {
                    if me.has_linked() {
                        return Err(Refused::Deadlock);
                    }
                    // The id belonged to a dead thread, and this thread has got it.
                    self.mark_dead(seen);
                    continue;
                }
                _ => (),
            }
            let Some(awaited) = self.announced(seen) else { continue };
            if sleeper.is_hungry() {
                // Set again each time: a thread that was woken earlier may have ended the promise.
                self.promised.store(1, Ordering::Relaxed);
            }
            let slept = sleeper.sleep(self.pair.futex(), awaited);
            has_slept = true;
            if slept == Slept::Woken {
                continue;
            }
            if sleeper.finds_dead(owner) {
                self.mark_dead(awaited);
            }
            if let Some(outcome) = self.ended(slept, me) {
                return outcome;
            }
        }
    }

    /// Gives way to the sleepers of the free lock. Afterwards the caller may take the lock, because
    /// all sleepers may be dead.
    fn give_way(
        &self,
        seen: Seen,
        me: &impl Holder,
        sleeper: &mut impl Sleeper,
    ) -> Option<Result<Acquired, Refused>> {
        if seen.word & WAITERS == 0 {
            return None;
        }
        let slept = sleeper.give_way(self.pair.futex(), seen);
        if slept == Slept::Tick {
            self.promised.store(0, Ordering::Relaxed);
        }
        self.ended(slept, me)
    }

    /// Returns the result if the wait ends with this sleep. A wake-up may have come at the same
    /// time as the timeout, and must not be lost.
    fn ended(&self, slept: Slept, me: &impl Holder) -> Option<Result<Acquired, Refused>> {
        let refused = match slept {
            Slept::TimedOut => Refused::TimedOut,
            Slept::Failed(errno) => Refused::CannotWait(errno),
            Slept::Woken | Slept::Tick => return None,
        };
        Some(self.try_flagged(me).unwrap_or(Err(refused)))
    }

    /// Promises the lock, as a thread does that has waited long.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn promise(&self) {
        self.promised.store(1, Ordering::Relaxed);
    }

    /// Returns whether the lock should go to a sleeper. A hint.
    pub(crate) fn is_promised(&self) -> bool {
        self.promised.load(Ordering::Relaxed) != 0
    }

    /// Ends the promise when a thread that has not waited long gets the lock. The others have not
    /// waited longer, because sleepers are woken in the order in which they went to sleep.
    fn keep_promise(&self, sleeper: &impl Sleeper) {
        if self.is_promised() && !sleeper.is_hungry() {
            self.promised.store(0, Ordering::Relaxed);
        }
    }

    /// Sets `WAITERS` if needed. Returns the new pair, or `None` if it differs from `seen`.
    fn announced(&self, seen: Seen) -> Option<Seen> {
        if seen.word & WAITERS != 0 {
            return Some(seen);
        }
        let word = seen.word | WAITERS;
        let counted = Seen { word, turn: seen.turn.wrapping_add(1) };
        self.pair.exchange(seen, word, Ordering::Relaxed).then_some(counted)
    }

    /// Takes the lock if it is free, and keeps its flags. Returns `None` if it has an owner.
    fn try_flagged(&self, me: &impl Holder) -> Option<Result<Acquired, Refused>> {
        let mut seen = self.pair.load();
        while seen.word & TID == 0 {
            // Acquire: pairs with `unlock`, and with `mark_dead`.
            if self.pair.exchange(seen, seen.word | me.tid(), Ordering::Acquire) {
                return Some(self.taken(me, seen.word));
            }
            seen = self.pair.load();
        }
        None
    }

    /// Handles the value after the caller has taken the lock, whose word was `seen`.
    fn taken(&self, me: &impl Holder, seen: u32) -> Result<Acquired, Refused> {
        me.link();
        if seen & OWNER_DIED == 0 {
            return Ok(Acquired::Clean);
        }
        match self.condition.load(Ordering::Relaxed) {
            FRESH => Ok(Acquired::OwnerDied),
            LOST => {
                me.unlink();
                self.release(me.tid());
                Err(Refused::Lost)
            }
            WHOLE => {
                self.mark_whole();
                Ok(Acquired::Clean)
            }
            _ => {
                // If this owner dies, the next locker must learn it.
                self.condition.store(FRESH, Ordering::Relaxed);
                Ok(Acquired::Poisoned)
            }
        }
    }

    /// Does what the kernel does when the owner of this word dies. Does nothing if there was a turn
    /// since `seen`.
    fn mark_dead(&self, seen: Seen) {
        let dead = seen.word & WAITERS | OWNER_DIED;
        // Release: that the owner is dead happens before the next lock, which another thread may
        // get.
        let _ = self.pair.exchange(seen, dead, Ordering::Release);
    }

    /// Spins until the lock is free. The more often this has helped lately, the longer it spins.
    ///
    /// The pauses between reads start at about half a microsecond and double each time, because the
    /// owner is fastest while it keeps the cache line. (With reads after 1, 2, 4, … pause
    /// instructions, two threads took 25 ns per turn instead of 14. If the owner takes the lock
    /// again at once, the lock is free for about 3 % of the time, and pauses of two microseconds
    /// miss that.)
    #[allow(clippy::unnecessary_min_or_max, reason = "the longest spin of a model is 0")]
    fn spin(&self) {
        let usual = self.spins.load(Ordering::Relaxed).min(LONGEST_SPIN);
        let most = (2 * usual + LONGEST_SPIN / 16).min(LONGEST_SPIN);
        let (mut spent, mut pause) = (0, LONGEST_SPIN / 128);
        let free = loop {
            if self.owner() == 0 {
                break true;
            }
            if spent >= most {
                break false;
            }
            (0..pause).for_each(|_| spin_loop());
            spent += pause;
            pause = LONGEST_SPIN / 64;
        };
        let useful = if free { LONGEST_SPIN } else { 0 };
        let learned = (7 * usual + useful) / 8;
        if learned != usual {
            self.spins.store(learned, Ordering::Relaxed);
        }
    }

    /// Releases the lock. The caller owns it, and the value is consistent.
    #[inline(always)]
    pub(crate) fn unlock(&self, me: &impl Holder) {
        me.begin();
        me.unlink();
        self.release(me.tid());
        me.end();
    }

    /// Releases the lock. The value is consistent, whether or not the owner has
    /// [begun](Self::begin_changes) to change it.
    #[inline(always)]
    pub(crate) fn unlock_whole(&self, me: &impl Holder) {
        me.begin();
        self.rest();
        me.unlink();
        self.release(me.tid());
        me.end();
    }

    /// Releases the lock with a torn value. The caller owns the lock.
    #[cold]
    pub(crate) fn unlock_torn(&self, me: &impl Holder, for_good: bool) {
        self.condition.store(if for_good { LOST } else { POISONED }, Ordering::Relaxed);
        self.pair.word().fetch_or(OWNER_DIED, Ordering::Relaxed);
        me.begin();
        me.unlink();
        self.release(me.tid());
        me.end();
    }

    /// Marks the value as repaired.
    pub(crate) fn mark_whole(&self) {
        self.pair.word().fetch_and(!OWNER_DIED, Ordering::Relaxed);
    }

    /// Releases the lock, keeps its flags, and wakes a sleeper if there is one.
    ///
    /// Of the subtraction, only the zero flag of the result is used. So the compiler need not fetch
    /// the old value, which takes longer (x86-64: `sub` instead of `xadd` saves 0.7 of 5.5 ns). If
    /// `WAITERS` is no longer set when the word is read again, the sleepers have been woken:
    /// nothing clears it without waking them.
    #[inline(always)]
    fn release(&self, owner: u32) {
        // Release: pairs with the next `lock`.
        if self.pair.word().fetch_sub(owner, Ordering::Release) != owner {
            self.wake_next();
        }
    }

    #[cold]
    fn wake_next(&self) {
        if self.pair.word().load(Ordering::Relaxed) & WAITERS != 0 && self.pair.futex().wake(1) == 0 {
            self.pair.futex().clear_and_wake_all();
        }
    }
}
