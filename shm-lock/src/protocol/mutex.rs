//! A lock that survives the death of its owner at any instruction, and strands no sleeper.
//!
//! # State
//!
//! The futex word:
//!
//! | bits | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0–29 `TID` | the owner's thread number; 0 is free, whatever the other bits | the locker | the owner; the kernel when the owner dies; a sleeper that finds the owner dead |
//! | 30 `OWNER_DIED` | what the lock protects may be torn | the kernel or a sleeper, for a dead owner; an owner that gives a torn value back | the owner that has repaired it |
//! | 31 `WAITERS` | somebody may sleep | a locker before it sleeps | the kernel, together with waking all (`clear_and_wake_all`) |
//!
//! All bits of `TID` set ([`UNPLACED`]) is a lock that does not lie in a region yet: nobody may
//! take it.
//!
//! Beside it, changed together with it in one step, is `turn`: how often the word was changed by
//! one who found it not free, or not without flags. **Invariant: while `WAITERS` is set, the lock
//! goes to nobody without a turn.** So whoever has seen the word with `WAITERS`, and finds the
//! owner dead that it had then, marks a dead owner's lock or nothing, although another thread may
//! have the number of the dead one, and this lock, by now: its turn was counted. (A count that
//! comes to the same number again within the time from look to mark would be 2³² turns later.)
//!
//! `condition` belongs to the owner. It says what `OWNER_DIED` stands for: [`FRESH`] that an owner
//! died, [`POISONED`] that the value was given back torn, [`LOST`] that it was given up, [`WHOLE`]
//! nothing: an owner died that was not about to change the value. Only who says so with
//! [`rest`](Mutex::rest), [`begin_changes`](Mutex::begin_changes) and
//! [`unlock_whole`](Mutex::unlock_whole) has the last one; else it is `FRESH` from the beginning.
//!
//! `spins` is a hint: how often lately those who looked at the word for a while found it free, as a
//! share of `LONGEST_SPIN`.
//!
//! `promised` is a hint as well: 1 while the lock shall go to one who sleeps. One who has waited
//! for a millisecond sets it each time before it sleeps; one who gets the lock after less clears
//! it. Who comes anew to a promised lock that is free, but has sleepers, gives way: it sleeps, too,
//! but for some milliseconds at most, and then takes the lock, since those who should have it may
//! be stopped or dead. So the hint, whatever its value, keeps nobody from the lock.
//!
//! **Invariant: `WAITERS` clear ⇒ nobody sleeps**, except one that is about to be woken by the call
//! that cleared it. A locker keeps `WAITERS` when it takes a free lock, so the duty to wake is in
//! the word, where neither the death of a woken thread nor a third one that comes first can lose
//! it. (glibc stores 0 and trusts the woken to set the bit again; where that one is killed first, a
//! second sleeper sleeps for ever.)
//!
//! # Transitions
//!
//! | transition | who | when |
//! |---|---|---|
//! | `0 → tid` | a locker | `lock_untouched` |
//! | `flags → flags + tid`, a turn | a locker | `lock_slowly`, free; `try_slowly` |
//! | `tid → tid + WAITERS`, a turn | a locker | before it sleeps; before it marks what it does not sleep for |
//! | `flags + tid → flags` | the owner | `unlock`, `unlock_torn`: one subtraction; if flags are left, it looks at the word again and wakes one if `WAITERS` is there |
//! | `WAITERS + … → …` | the owner that was | nobody was there to wake; done by the kernel, which wakes all that have come since |
//! | `flags + tid → WAITERS? + OWNER_DIED` | the kernel | the owner died |
//! | the same, a turn | a sleeper on a tick, `try_slowly` | the owner died |
//! | the same, a turn | a locker with the same `tid` | the lock is not on its list: it has got a dead owner's number |
//!
//! # Death
//!
//! The kernel knows what a dead thread held through a list in its memory ([`Holder`]): `link` and
//! `unlink` keep it, `begin` and `end` enclose the instructions between changing the word and
//! changing the list. (`lock_untouched` leaves out `end`: to be pending as well as listed does no
//! harm, whatever the thread does next with a list begins anew, and `unlock` ends it.) For a word
//! that is in neither, or past the first 2048 of a list, or of a thread that called `exec` and was
//! not its process's first (it gets another number before the kernel looks), a sleeper asks now and
//! then whether the owner lives, and so does `try_slowly`, beginning with the first time. What the
//! kernel does for a thread that dies between `begin` and `end`: the word is its own, it is marked
//! `OWNER_DIED`; the word is free, one sleeper is woken, since the dead one may have been on its
//! way to do that, or may have been woken to take the lock.
//!
//! # Orderings
//!
//! * taking the lock (both compare-exchanges): Acquire. Pairs with the Release of `unlock`, or of
//!   the mark for a dead owner.
//! * `unlock` (the subtraction): Release. Without it the next owner sees half of what this one
//!   wrote.
//! * marking a dead owner's lock: Release. Whoever marked has seen the death; the one who takes the
//!   lock may be another.
//! * [`lets_in`](Mutex::lets_in) and [`is_free`](Mutex::is_free), looks at the word by one who does
//!   not take the lock: Acquire. They pair with `unlock`, as taking it would.
//! * looking at the pair: Relaxed. What is concluded from it holds if the exchange that follows
//!   finds the same pair.
//! * setting `WAITERS`, `OWNER_DIED` by its own owner, and clearing it: Relaxed, they carry
//!   nothing.
//! * the look for `WAITERS` after `unlock`'s subtraction: Relaxed. It is of the same word, so it is
//!   no older than the subtraction.
//!
//! # Progress
//!
//! An uncontended `lock` or `unlock` is one atomic instruction and no system call. For a
//! millisecond the lock goes to whoever comes first, which is fastest; then to those who sleep, in
//! their order ([parking_lot](https://docs.rs/parking_lot) calls that eventual fairness, Go's
//! `sync.Mutex` starvation mode). `try_lock` takes a free lock in any case. A sleeper sleeps at
//! most a tick before it looks again.
//!
//! # Models
//!
//! `mutex_models.rs`: exclusion; two sleepers and one who comes in between; timeouts; a death at
//! each step of `lock` and `unlock`, of the waker, of the woken; a death that the kernel does not
//! report; a dead owner's number that a living one has got; poison; one sleeper woken at a time,
//! and nobody called where none sleeps; a lock that is promised, with deaths of those to whom and
//! of those who give way. Negative control: an unlock that stores 0 strands a sleeper.

use crate::sync::{AtomicU32, Futex, LONGEST_SPIN, Ordering, Pair, Seen, spin_loop};

/// Somebody may sleep.
pub(crate) const WAITERS: u32 = 1 << 31;
/// What the lock protects may be torn.
pub(crate) const OWNER_DIED: u32 = 1 << 30;
/// The bits of the owner's thread number.
pub(crate) const TID: u32 = OWNER_DIED - 1;
/// The owner of a lock that does not lie in a region: no thread has this number, the kernel's are
/// below 2²².
pub(crate) const UNPLACED: u32 = TID;

/// `OWNER_DIED` says what it says.
const FRESH: u32 = 0;
/// The value was given back torn. Whatever is neither of the others means this, too.
const POISONED: u32 = 1;
/// The value was given up for good.
pub(crate) const LOST: u32 = 2;
/// The owner does not change the value.
const WHOLE: u32 = 3;

/// What the kernel finds when the calling thread dies, as far as it is about one lock.
pub(crate) trait Holder {
    /// The calling thread's number.
    fn tid(&self) -> u32;
    /// The thread is about to take or release the lock. [`in_order`](Self::in_order), too.
    fn begin(&self);
    /// It has taken the lock. After `begin`, once.
    fn link(&self);
    /// It is going to release the lock. Between `begin` and `end`, once for each `link`.
    fn unlink(&self);
    /// It is done with the lock for now, or has it on its list.
    fn end(&self);
    /// What the thread has written before is in memory before what it writes after, for one who
    /// finds it dead.
    fn in_order(&self);
    /// Whether the kernel would find the lock among those that the calling thread holds.
    fn has_linked(&self) -> bool;
    /// Whether it is time to ask if the thread `owner` is gone: the first time, and then now and
    /// then.
    fn asks_for(&self, owner: u32) -> bool;
    /// Whether no thread has the number `owner` any more.
    fn finds_gone(&self, owner: u32) -> bool;
}

/// How a thread waits, and for how long.
pub(crate) trait Sleeper {
    /// Sleeps if `futex` is the word of `expected`, until it is woken, or for a while; may return
    /// without cause.
    fn sleep(&mut self, futex: &Futex, expected: Seen) -> Slept;
    /// Sleeps if `futex` is the word of `expected`, until it is woken or one who was woken has had
    /// the time to get up ([`Slept::Tick`]).
    fn give_way(&mut self, futex: &Futex, expected: Seen) -> Slept;
    /// Whether it has waited so long that the next to have the lock shall be one of those who
    /// sleep.
    fn is_hungry(&self) -> bool;
    /// Whether the thread that was the owner, with the number `owner`, when what the last sleep
    /// expected was first seen, is dead. Another thread may have the number by now.
    fn finds_dead(&mut self, owner: u32) -> bool;
}

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slept {
    /// By a wake-up, or because the word was another one.
    Woken,
    /// It is time to look whether the owner lives.
    Tick,
    /// The time is up.
    TimedOut,
    /// Not at all: the system's error number.
    #[cfg_attr(loom, allow(dead_code, reason = "a model's system lets everybody wait"))]
    Failed(i32),
}

/// The lock is the caller's, who must act on what this says of the value.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    /// The value is as the last owner left it.
    Clean,
    /// The last owner died and may have left the value torn.
    OwnerDied,
    /// An owner gave the value back torn.
    Poisoned,
}

/// The lock is not the caller's.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The time is up.
    TimedOut,
    /// The caller has it already.
    Deadlock,
    /// The value was given up.
    Lost,
    /// The lock does not lie in a region.
    Unplaced,
    /// The system lets nobody wait: its error number.
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
    /// A lock that nobody can take until it is [placed](Self::place).
    pub(crate) fn new() -> Self {
        Mutex {
            pair: Pair::new(UNPLACED),
            condition: AtomicU32::new(FRESH),
            spins: AtomicU32::new(LONGEST_SPIN),
            promised: AtomicU32::new(0),
        }
    }

    /// Makes the lock free: it lies in a region that nobody else knows yet, from where it will not
    /// move.
    pub(crate) fn place(&self) {
        self.pair.word().store(0, Ordering::Relaxed);
    }

    /// The owner's number, 0 if there is none; a hint unless the caller is the owner.
    pub(crate) fn owner(&self) -> u32 {
        self.pair.word().load(Ordering::Relaxed) & TID
    }

    /// The word, for a model of the kernel.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn futex(&self) -> &Futex {
        self.pair.futex()
    }

    /// Whether the lock lies in no region yet.
    pub(crate) fn is_unplaced(&self) -> bool {
        self.owner() == UNPLACED
    }

    /// Whether it has no owner, and its value is whole. A hint unless nobody can take the lock.
    #[inline(always)]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.pair.word().load(Ordering::Relaxed) & (TID | OWNER_DIED) == 0
    }

    /// As [`is_at_rest`](Self::is_at_rest), for one who then reads what the last owner wrote.
    #[inline(always)]
    pub(crate) fn lets_in(&self) -> bool {
        // Acquire: pairs with `unlock`.
        self.pair.word().load(Ordering::Acquire) & (TID | OWNER_DIED) == 0
    }

    /// Whether it has no owner, for one who then changes what the last owner read.
    #[inline(always)]
    pub(crate) fn is_free(&self) -> bool {
        // Acquire: pairs with `unlock`.
        self.pair.word().load(Ordering::Acquire) & TID == 0
    }

    /// The value is whole whatever happens to an owner, until one [begins](Self::begin_changes) to
    /// change it.
    pub(crate) fn rest(&self) {
        self.condition.store(WHOLE, Ordering::Relaxed);
    }

    /// The owner is going to change the value: if it dies from now on, that is told.
    #[inline(always)]
    pub(crate) fn begin_changes(&self, me: &impl Holder) {
        self.condition.store(FRESH, Ordering::Relaxed);
        me.in_order();
    }

    /// The number of an owner whose death is told, 0 if there is none; a hint unless the caller is
    /// the owner.
    pub(crate) fn changer(&self) -> u32 {
        if self.condition.load(Ordering::Relaxed) == WHOLE { 0 } else { self.owner() }
    }

    /// Whether the caller has the lock.
    pub(crate) fn is_owned(&self, me: &impl Holder) -> bool {
        self.owner() == me.tid() && me.has_linked()
    }

    /// Takes the lock if it is free and has no flags; after `false`, `try_slowly`, `lock_slowly` or
    /// `try_free` is called, of this lock or another.
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

    /// Takes the lock if it is free, or its owner is gone; `None` if it has an owner.
    #[cold]
    pub(crate) fn try_slowly(&self, me: &impl Holder) -> Option<Result<Acquired, Refused>> {
        me.begin();
        let outcome = self.try_flagged(me).or_else(|| self.try_of_gone(me));
        me.end();
        outcome
    }

    /// Takes a lock whose owner has ended without the kernel's marking it; `None` if it has an
    /// owner.
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
        // Only what is found of a word with `WAITERS` holds until the mark, since whoever takes the
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

    /// Takes the lock if it has no owner, of whom it does not ask whether it lives; `None` if it
    /// has one.
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
                    // It is that of a dead thread, whose number this one has got.
                    self.mark_dead(seen);
                    continue;
                }
                _ => (),
            }
            let Some(awaited) = self.announced(seen) else { continue };
            if sleeper.is_hungry() {
                // Again each time: one who was woken before may have ended the promise.
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

    /// Lets one of those who sleep have the lock, which is free. After this the caller may take it:
    /// all of them may be dead.
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

    /// How the wait ends with a sleep, if it does. A wake-up may have come together with the end of
    /// the time; it must not be lost.
    fn ended(&self, slept: Slept, me: &impl Holder) -> Option<Result<Acquired, Refused>> {
        let refused = match slept {
            Slept::TimedOut => Refused::TimedOut,
            Slept::Failed(errno) => Refused::CannotWait(errno),
            Slept::Woken | Slept::Tick => return None,
        };
        Some(self.try_flagged(me).unwrap_or(Err(refused)))
    }

    /// As one does who has waited for long.
    #[cfg(any(test, loom))]
    #[allow(dead_code, reason = "for the models")]
    pub(crate) fn promise(&self) {
        self.promised.store(1, Ordering::Relaxed);
    }

    /// Whether the lock shall go to one who sleeps. A hint.
    pub(crate) fn is_promised(&self) -> bool {
        self.promised.load(Ordering::Relaxed) != 0
    }

    /// Ends the time of promises when somebody has got the lock who had not waited long: the others
    /// have not, either, since those who sleep get up in the order in which they lay down.
    fn keep_promise(&self, sleeper: &impl Sleeper) {
        if self.is_promised() && !sleeper.is_hungry() {
            self.promised.store(0, Ordering::Relaxed);
        }
    }

    /// The pair with `WAITERS`, which it has or gets; `None` if it is no longer as it was `seen`.
    fn announced(&self, seen: Seen) -> Option<Seen> {
        if seen.word & WAITERS != 0 {
            return Some(seen);
        }
        let word = seen.word | WAITERS;
        let counted = Seen { word, turn: seen.turn.wrapping_add(1) };
        self.pair.exchange(seen, word, Ordering::Relaxed).then_some(counted)
    }

    /// Takes the lock if it is free, and keeps its flags; `None` if it has an owner.
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

    /// The lock, whose word was `seen`, is the caller's: sees to the value.
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
                // If this owner dies, the next one shall hear that.
                self.condition.store(FRESH, Ordering::Relaxed);
                Ok(Acquired::Poisoned)
            }
        }
    }

    /// Does what the kernel would have done when the owner of this word died; nothing if there was
    /// a turn since it was `seen`.
    fn mark_dead(&self, seen: Seen) {
        let dead = seen.word & WAITERS | OWNER_DIED;
        // Release: that the owner is dead happens before the next lock, which another thread may
        // get.
        let _ = self.pair.exchange(seen, dead, Ordering::Release);
    }

    /// Looks at the word until the lock is free, for the longer, the more often that helped lately.
    ///
    /// There are pauses between looks, of about half a microsecond and then twice as long: the
    /// owner works fastest while it keeps the cache line. (With a look after 1, 2, 4, … pauses, two
    /// threads took 25 ns a turn instead of 14; where the owner takes the lock again at once, it is
    /// free for some 3 % of the time, and pauses of two microseconds miss that.)
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

    /// Gives the lock back. The caller owns it, and its value is whole.
    #[inline(always)]
    pub(crate) fn unlock(&self, me: &impl Holder) {
        me.begin();
        me.unlink();
        self.release(me.tid());
        me.end();
    }

    /// Gives the lock back, whose owner has [begun](Self::begin_changes) to change the value or not,
    /// and whose value is whole.
    #[inline(always)]
    pub(crate) fn unlock_whole(&self, me: &impl Holder) {
        me.begin();
        self.rest();
        me.unlink();
        self.release(me.tid());
        me.end();
    }

    /// Gives the lock back with a value that is torn. The caller owns the lock.
    #[cold]
    pub(crate) fn unlock_torn(&self, me: &impl Holder, for_good: bool) {
        self.condition.store(if for_good { LOST } else { POISONED }, Ordering::Relaxed);
        self.pair.word().fetch_or(OWNER_DIED, Ordering::Relaxed);
        me.begin();
        me.unlink();
        self.release(me.tid());
        me.end();
    }

    /// The owner has repaired the value.
    pub(crate) fn mark_whole(&self) {
        self.pair.word().fetch_and(!OWNER_DIED, Ordering::Relaxed);
    }

    /// Gives the lock back, keeping its flags, and sees to it that a sleeper gets up if there is
    /// one.
    ///
    /// All that is asked of the subtraction is whether anything is left: that is a processor flag,
    /// so the compiler does without fetching what was there before, which takes longer (x86-64:
    /// `sub` for `xadd`, 0.7 of 5.5 ns). A sleeper whose mark is gone when the word is looked at
    /// again has been woken: no mark goes without its sleepers.
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
