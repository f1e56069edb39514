//! Models of the lock for many readers or one writer: a writer excludes all, readers share, nobody
//! sleeps for ever, and a death is reported if and only if a writer that was in died.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::model::{explore, explore_long, explore_many_deaths, spawn};
use super::mutex::{Acquired, Mutex, Refused, WAITERS};
use super::rwlock::{Begun, Entered, Parts, RwLock};
use super::slots::Slots;
use super::slots_models::{Row, claimed, placed};
use crate::sync::{AtomicU32, Claim, Ordering, RawLock, Thread, Ticker, mortal_with, step};

/// A value's lock, and slots.
struct Locks {
    value: RawLock,
    row: Row,
}

impl Locks {
    fn new(slots: u32) -> Locks {
        let value = placed();
        value.mutex().rest();
        Locks { value, row: Row::new(slots) }
    }
}

impl Slots for Locks {
    type Me<'a> = Claim<'a>;

    fn count(&self) -> u32 {
        self.row.count()
    }

    fn slot(&self, index: u32) -> (&Mutex, Claim<'_>) {
        self.row.slot(index)
    }
}

impl Parts for Locks {
    fn value(&self) -> (&Mutex, Claim<'_>) {
        claimed(&self.value)
    }
}

struct Shared {
    lock: RwLock,
    row: Locks,
    pair: UnsafeCell<[u32; 2]>,
}

// SAFETY: loom's cell checks at run time what this promises: no two unordered accesses of which one
// writes.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// How many deaths were reported to a thread.
type Deaths = usize;

impl Shared {
    fn new(slots: u32) -> Arc<Shared> {
        Arc::new(Shared { lock: RwLock::new(), row: Locks::new(slots), pair: UnsafeCell::new([0; 2]) })
    }

    fn change(&self, change: impl FnOnce(&mut [u32; 2])) {
        self.pair.with_mut(|pair| {
            // SAFETY: loom verifies that the access is exclusive.
            change(unsafe { &mut *pair })
        });
    }

    fn check(&self) {
        self.pair.with(|pair| {
            // SAFETY: loom verifies that nobody writes.
            let pair = unsafe { *pair };
            assert_eq!(pair[0], pair[1], "a torn value that nobody was told of");
        });
    }

    fn leave_shared(&self, index: u32) {
        self.row.give(index);
    }

    fn leave_alone(&self) {
        let (value, me) = self.row.value();
        value.unlock_whole(&me);
    }

    fn enter(&self, usual: u32) -> Entered {
        if let Some(index) = self.lock.read_untouched(&self.row, usual) {
            return Entered::Shared(index);
        }
        self.lock.read(&self.row, usual, &mut Some(&mut Ticker::forever())).unwrap()
    }

    fn try_enter(&self, usual: u32) -> Result<Entered, Refused> {
        self.lock.read(&self.row, usual, &mut None::<&mut Ticker>)
    }

    /// Repairs what a dead or poisoning writer has left torn.
    fn repair(&self, had: Acquired) -> Deaths {
        if had == Acquired::Clean {
            self.check();
            return 0;
        }
        self.change(|pair| pair[1] = pair[0]);
        self.row.value().0.mark_whole();
        usize::from(had == Acquired::OwnerDied)
    }

    fn read(&self, usual: u32) -> Deaths {
        match self.enter(usual) {
            Entered::Shared(index) => {
                self.check();
                step();
                self.leave_shared(index);
                0
            }
            Entered::Alone(had) => {
                let deaths = self.repair(had);
                self.leave_alone();
                deaths
            }
        }
    }

    fn lock_alone(&self) -> Result<Acquired, Refused> {
        self.lock_alone_with(&mut Some(&mut Ticker::forever()))
    }

    fn try_alone(&self) -> Result<Acquired, Refused> {
        self.lock_alone_with(&mut None)
    }

    fn lock_alone_with(&self, ticker: &mut Option<&mut Ticker>) -> Result<Acquired, Refused> {
        match self.lock.write_untouched(&self.row) {
            Begun::In => Ok(Acquired::Clean),
            begun => self.lock.write(&self.row, begun, ticker),
        }
    }

    fn write(&self) -> Deaths {
        let had = self.lock_alone().unwrap();
        let deaths = self.repair(had);
        self.change(|pair| pair[0] += 1);
        step();
        self.change(|pair| pair[1] += 1);
        self.leave_alone();
        deaths
    }

    /// Runs `body` on the calling thread, which may die. Returns how many deaths of a writer that
    /// was in must be reported.
    fn mortal(&self, steps: usize, body: impl FnOnce(&Shared)) -> Option<Deaths> {
        let is_in = || {
            let tid = Thread::current().unwrap().tid();
            usize::from(self.row.value().0.changer() == tid)
        };
        mortal_with(steps, || body(self), is_in)
    }
}

/// Catches a reader beside a writer, with an old slot or one that comes into use meanwhile, and a
/// value that is not published.
#[test]
fn model_a_writer_excludes_readers() {
    for usual in [0, 1] {
        explore_long(move || {
            let shared = Shared::new(2);
            let reader = spawn(&shared, |shared| shared.read(0));
            let writer = spawn(&shared, |shared| shared.write());
            assert_eq!(shared.read(usual), 0);
            assert_eq!(reader.join().unwrap() + writer.join().unwrap(), 0);
            assert_eq!(shared.write(), 0);
        });
    }
}

/// Catches two writers at the same time, and one that is left asleep.
#[test]
fn model_writers_exclude_each_other() {
    explore_long(|| {
        let shared = Shared::new(2);
        let others = [(); 2].map(|()| spawn(&shared, |shared| shared.write()));
        assert_eq!(shared.write(), 0);
        others.into_iter().for_each(|other| assert_eq!(other.join().unwrap(), 0));
        shared.change(|pair| assert_eq!(*pair, [3, 3]));
    });
}

/// Catches a reader that waits for another, and a writer that does not wait for a reader in a slot
/// that has just come into use.
#[test]
fn model_readers_share_and_a_writer_waits_for_both() {
    explore(|| {
        let shared = Shared::new(2);
        // Two readers that come at the same time, and stay.
        let readers = [(); 2].map(|()| {
            spawn(&shared, |shared| match shared.enter(0) {
                Entered::Shared(index) => index,
                Entered::Alone(_) => panic!("nobody has died"),
            })
        });
        let mut slots = readers.map(|reader| reader.join().unwrap());
        slots.sort();
        assert_eq!(slots, [0, 1]);
        assert_eq!(shared.try_enter(0), Err(Refused::TimedOut));
        assert_eq!(shared.try_alone(), Err(Refused::TimedOut));
        // The word has the id 0 when the thread has left.
        shared.row.slot(0).0.futex().word().store(0, Ordering::Relaxed);
        assert_eq!(shared.try_alone(), Err(Refused::TimedOut));
        assert_eq!(shared.try_enter(1), Ok(Entered::Shared(0)));
        shared.leave_shared(0);
        shared.row.slot(1).0.futex().word().store(0, Ordering::Relaxed);
        assert_eq!(shared.try_alone(), Ok(Acquired::Clean));
    });
}

/// Catches a new reader that is let in before a writer that waits for an earlier reader; and a gate
/// that is not opened again.
#[test]
fn model_a_writer_comes_before_readers_that_come_later() {
    explore(|| {
        let shared = Shared::new(2);
        let Entered::Shared(mine) = shared.enter(0) else { panic!("nobody has died") };
        let writer = spawn(&shared, |shared| shared.write());
        while shared.row.slot(mine).0.futex().sleepers() == 0 {
            thread::yield_now();
        }
        let late = spawn(&shared, |shared| {
            assert_eq!(shared.lock.read_untouched(&shared.row, 1), None);
            assert_eq!(shared.try_enter(1), Err(Refused::TimedOut));
            shared.read(1)
        });
        while shared.row.value().0.futex().sleepers() == 0 {
            thread::yield_now();
        }
        shared.check();
        shared.leave_shared(mine);
        assert_eq!(writer.join().unwrap() + late.join().unwrap(), 0);
        let index = shared.lock.read_untouched(&shared.row, 1);
        shared.leave_shared(index.expect("the gate is open"));
    });
}

/// Catches a writer that gets in between when another becomes a reader, and a reader that does not
/// get in.
#[test]
fn model_downgrading_lets_readers_in_and_no_writer() {
    explore_long(|| {
        let shared = Shared::new(2);
        shared.leave_shared(match shared.enter(0) {
            Entered::Shared(index) => index,
            Entered::Alone(_) => panic!("nobody has died"),
        });
        assert_eq!(shared.lock_alone(), Ok(Acquired::Clean));
        let writer = spawn(&shared, |shared| shared.write());
        let reader = spawn(&shared, |shared| shared.read(0));
        shared.change(|pair| *pair = [7, 7]);
        let kept = shared.lock.downgrade(&shared.row, 1, &mut Ticker::forever());
        shared.pair.with(|pair| {
            // SAFETY: loom verifies that nobody writes.
            assert_eq!(unsafe { *pair }, [7, 7]);
        });
        shared.leave_shared(kept);
        assert_eq!(writer.join().unwrap() + reader.join().unwrap(), 0);
        shared.change(|pair| assert_eq!(*pair, [8, 8]));
    });
}

/// Catches a reader that is left asleep while all slots are taken, also if another slot becomes
/// free than the one it waits for.
#[test]
fn model_more_readers_than_slots() {
    explore(|| {
        let shared = Shared::new(1);
        let others = [0, 1].map(|usual| spawn(&shared, move |shared| shared.read(usual)));
        assert_eq!(shared.read(0), 0);
        others.into_iter().for_each(|other| assert_eq!(other.join().unwrap(), 0));
    });
    explore(|| {
        let shared = Shared::new(2);
        let ended = Arc::new(AtomicU32::new(0));
        let [first, second] = [shared.enter(0), shared.enter(1)];
        assert_eq!([first, second], [Entered::Shared(0), Entered::Shared(1)]);
        let ends = Arc::clone(&ended);
        let third = spawn(&shared, move |shared| {
            assert_eq!(shared.try_enter(0), Err(Refused::TimedOut));
            let Entered::Shared(index) = shared.enter(0) else { panic!("nobody has died") };
            shared.check();
            shared.leave_shared(index);
            ends.store(1, Ordering::Relaxed);
        });
        while shared.row.slot(0).0.futex().sleepers() == 0 {
            thread::yield_now();
        }
        shared.leave_shared(1);
        shared.row.slot(0).0.futex().expire();
        third.join().unwrap();
        shared.leave_shared(0);
        assert_eq!(ended.load(Ordering::Relaxed), 1);
    });
}

/// Catches a reader that takes the value's lock although a slot is free.
#[test]
fn model_a_reader_that_finds_a_slot_does_without_the_value_s_lock() {
    explore(|| {
        let shared = Shared::new(3);
        assert_eq!([0; 3].map(|usual| shared.enter(usual)), [0, 1, 2].map(Entered::Shared));
        shared.leave_shared(1);
        shared.leave_shared(2);
        // The last holder of the lock removes the mark, because nobody sleeps.
        shared.row.value().0.futex().word().store(WAITERS, Ordering::Relaxed);
        let other = spawn(&shared, |shared| shared.enter(0));
        let slots = [shared.enter(0), other.join().unwrap()];
        assert!([[1, 2], [2, 1]].iter().any(|order| slots == order.map(Entered::Shared)), "{slots:?}");
        assert_eq!(shared.row.value().0.futex().calls(), 0);
    });
}

/// Catches a thread that waits for itself, or for a thread that waits for it.
#[test]
fn model_who_would_wait_for_itself_is_told() {
    explore(|| {
        let shared = Shared::new(3);
        assert_eq!(shared.enter(0), Entered::Shared(0));
        assert_eq!(shared.lock_alone(), Err(Refused::Deadlock));
        // The same thread gets a second slot if nobody waits.
        assert_eq!(shared.enter(0), Entered::Shared(1));
        shared.leave_shared(1);
        let writer = spawn(&shared, |shared| shared.write());
        while shared.row.slot(0).0.futex().sleepers() == 0 {
            thread::yield_now();
        }
        let waits = || shared.lock.read(&shared.row, 1, &mut Some(&mut Ticker::forever()));
        assert_eq!(waits(), Err(Refused::Deadlock));
        assert_eq!(shared.lock_alone(), Err(Refused::Deadlock));
        shared.leave_shared(0);
        assert_eq!(writer.join().unwrap(), 0);
        assert_eq!(shared.lock_alone(), Ok(Acquired::Clean));
        assert_eq!(waits(), Err(Refused::Deadlock));
        shared.leave_alone();
    });
}

/// Catches a writer that times out and leaves the gate closed, a slot taken, or a sleeper asleep.
#[test]
fn model_a_writer_whose_time_is_up() {
    explore_long(|| {
        let shared = Shared::new(2);
        assert_eq!(shared.enter(0), Entered::Shared(0));
        assert_eq!(shared.enter(0), Entered::Shared(1));
        shared.leave_shared(0);
        let timed = spawn(&shared, |shared| match shared.lock_alone_with(&mut Some(&mut Ticker::timed())) {
            Ok(_) => shared.leave_alone(),
            Err(refused) => assert_eq!(refused, Refused::TimedOut),
        });
        let reader = spawn(&shared, |shared| shared.read(0));
        shared.row.slot(1).0.futex().expire();
        shared.check();
        shared.leave_shared(1);
        timed.join().unwrap();
        assert_eq!(reader.join().unwrap(), 0);
        assert_eq!(shared.try_alone(), Ok(Acquired::Clean));
    });
}

/// Catches poison that a reader does not learn of, or that stays after the repair.
#[test]
fn model_poison_is_told_to_a_reader_alone() {
    explore(|| {
        let shared = Shared::new(2);
        assert_eq!(shared.lock_alone(), Ok(Acquired::Clean));
        shared.change(|pair| pair[0] += 1);
        let next = spawn(&shared, |shared| match shared.enter(0) {
            Entered::Shared(_) => panic!("it was torn"),
            Entered::Alone(had) => {
                assert_eq!(had, Acquired::Poisoned);
                shared.repair(had);
                shared.leave_alone();
            }
        });
        let (value, me) = shared.row.value();
        value.unlock_torn(&me, false);
        next.join().unwrap();
        assert_eq!(shared.read(1), 0);
    });
}

/// Catches a reader whose death, at any step, locks out a writer or another reader, or is reported
/// as that of a writer.
#[test]
fn model_a_death_of_a_reader() {
    explore_many_deaths(|steps| {
        let shared = Shared::new(1);
        let writer = spawn(&shared, |shared| shared.write());
        let died = shared.mortal(steps, |shared| _ = shared.read(0));
        assert_eq!(shared.read(1) + writer.join().unwrap() + shared.write(), died.unwrap_or(0));
        died.is_some()
    });
}

/// Catches a death of a reader that goes through the gate because all slots in use are taken.
#[test]
fn model_a_death_of_a_reader_that_brings_a_slot_in_use() {
    explore_many_deaths(|steps| {
        let shared = Shared::new(3);
        let first = shared.row.slot(0).0.futex().word();
        // A reader that stays for now.
        first.store(1 << 20, Ordering::Relaxed);
        let reader = spawn(&shared, |shared| shared.read(0));
        let died = shared.mortal(steps, |shared| _ = shared.read(0)).is_some();
        assert_eq!(reader.join().unwrap() + shared.read(0), 0);
        first.store(0, Ordering::Relaxed);
        assert_eq!(shared.write(), 0);
        died
    });
}

/// Catches a writer whose death, at any step, locks others out, is reported although the value is
/// consistent, or is not reported although it is torn.
#[test]
fn model_a_death_of_a_writer() {
    explore_many_deaths(|steps| {
        let shared = Shared::new(1);
        let reader = spawn(&shared, |shared| shared.read(0));
        let died = shared.mortal(steps, |shared| _ = shared.write());
        let told = reader.join().unwrap() + shared.write();
        assert_eq!(told, died.unwrap_or(0));
        died.is_some()
    });
}

/// Catches a death of a writer that waits for a reader, while another writer and a reader wait for
/// it.
#[test]
fn model_a_death_of_a_writer_that_waits() {
    explore_many_deaths(|steps| {
        let shared = Shared::new(1);
        assert_eq!(shared.enter(0), Entered::Shared(0));
        let dies = spawn(&shared, move |shared| shared.mortal(steps, |shared| _ = shared.write()));
        let reader = spawn(&shared, |shared| shared.read(1));
        shared.check();
        shared.leave_shared(0);
        let died = dies.join().unwrap();
        let told = reader.join().unwrap() + shared.read(0);
        assert_eq!(told, died.unwrap_or(0));
        died.is_some()
    });
}
