//! A fair mutex that needs only additions: a ticket lock.
//!
//! A thread that wants the mutex draws a ticket, and owns the mutex when this ticket is called. To
//! release it, the owner calls the next ticket. Every thread of every rank draws its own ticket, so
//! turns go round. The more tickets are ahead of a waiter, the less often it polls.
//!
//! | word | what |
//! |---|---|
//! | `next` | the next ticket to draw |
//! | `called` | the ticket that owns the mutex |
//! | `failed` | not 0 if the last owner panicked |

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use shm_lock::LockFailure;

use super::World;
use crate::control::{LONGEST_NAME, MOST_MUTEXES};
use crate::error::TeamError;
use crate::program::hash_of;

/// The first two words are counters of calls.
pub(super) const WORDS_FROM: usize = 2;
/// The number of words per mutex.
const EACH: usize = 3;
/// The words of all mutexes, of one more mutex that protects their names, and of the names.
pub(super) const WORDS: usize = (MOST_MUTEXES + 1) * EACH + MOST_MUTEXES;
const NAMES_FROM: usize = WORDS_FROM + (MOST_MUTEXES + 1) * EACH;

/// How often to poll without a pause.
const LOOKS: u32 = 50;
/// How long to sleep between two polls, per ticket that is ahead.
const PAUSE: Duration = Duration::from_micros(20);
/// The longest sleep, in pauses.
const MOST_PAUSES: u32 = 100;

/// A mutex of all ranks.
pub(crate) struct Ticket {
    world: Arc<dyn World>,
    number: usize,
    /// The thread of this rank that owns it.
    owner: Mutex<Option<ThreadId>>,
}

impl Ticket {
    /// Returns the mutex with this name.
    pub(crate) fn named(world: &Arc<dyn World>, name: &str) -> Result<Ticket, TeamError> {
        let too_many = |what, most, found| TeamError::TooMany { what, most, found };
        if name.len() > LONGEST_NAME {
            return Err(too_many("bytes of a mutex's name", LONGEST_NAME as u64, name.len() as u64));
        }
        let names = Ticket::new(world, MOST_MUTEXES);
        let _held = names.lock()?;
        // Never 0, which marks an unused name.
        let name = hash_of(name) as i64;
        for number in 0..MOST_MUTEXES {
            match world.add(NAMES_FROM + number, 0) {
                0 => {
                    world.add(NAMES_FROM + number, name);
                    return Ok(Ticket::new(world, number));
                }
                known if known == name => return Ok(Ticket::new(world, number)),
                _ => (),
            }
        }
        Err(too_many("mutexes", MOST_MUTEXES as u64, MOST_MUTEXES as u64 + 1))
    }

    fn new(world: &Arc<dyn World>, number: usize) -> Ticket {
        Ticket { world: Arc::clone(world), number, owner: Mutex::new(None) }
    }

    fn add(&self, word: usize, value: i64) -> i64 {
        self.world.add(WORDS_FROM + EACH * self.number + word, value)
    }

    fn owner(&self) -> std::sync::MutexGuard<'_, Option<ThreadId>> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the mutex. Returns whether the last owner panicked.
    pub(crate) fn lock(&self) -> Result<(TicketGuard<'_>, bool), TeamError> {
        let own = thread::current().id();
        if *self.owner() == Some(own) {
            return Err(TeamError::Lock(LockFailure::Deadlock));
        }
        let [next, called, failed] = [0, 1, 2];
        let ticket = self.add(next, 1);
        let mut looks = 0;
        loop {
            match ticket - self.add(called, 0) {
                0 => break,
                1 if looks < LOOKS => thread::yield_now(),
                before => {
                    thread::sleep(PAUSE * u32::try_from(before).unwrap_or(MOST_PAUSES).min(MOST_PAUSES))
                }
            }
            looks += 1;
        }
        *self.owner() = Some(own);
        let failures = self.add(failed, 0);
        if failures != 0 {
            self.add(failed, -failures);
        }
        Ok((TicketGuard { ticket: self, stays: PhantomData }, failures != 0))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The held mutex. It stays with its thread.
#[derive(Debug)]
pub(crate) struct TicketGuard<'a> {
    ticket: &'a Ticket,
    stays: PhantomData<*const ()>,
}

impl Drop for TicketGuard<'_> {
    fn drop(&mut self) {
        *self.ticket.owner() = None;
        let [called, failed] = [1, 2];
        if thread::panicking() {
            self.ticket.add(failed, 1);
        }
        self.ticket.add(called, 1);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::One;
    use super::*;

    fn world() -> Arc<dyn World> {
        Arc::new(One::new())
    }

    #[test]
    fn one_thread_at_a_time_has_it() {
        struct Count(Cell<u64>);
        // SAFETY: used by whoever has the mutex.
        unsafe impl Sync for Count {}
        let (mutex, count) = (Ticket::named(&world(), "a").unwrap(), &Count(Cell::new(0)));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _held = mutex.lock().unwrap();
                        let count = &count.0;
                        let seen = count.get();
                        thread::yield_now();
                        count.set(seen + 1);
                    }
                });
            }
        });
        assert_eq!(count.0.get(), 800);
    }

    #[test]
    fn each_name_means_one_mutex() {
        let world = world();
        let numbers = ["a", "", "b", "a"].map(|name| Ticket::named(&world, name).unwrap().number);
        assert_eq!(numbers, [0, 1, 2, 0]);
        assert!((0..MOST_MUTEXES - 3).all(|i| Ticket::named(&world, &i.to_string()).is_ok()));
        assert!(matches!(Ticket::named(&world, "more"), Err(TeamError::TooMany { what: "mutexes", .. })));
        assert!(matches!(Ticket::named(&world, &"a".repeat(64)), Err(TeamError::TooMany { .. })));
    }

    #[test]
    fn the_next_owner_learns_of_a_panic_and_no_thread_waits_for_itself() {
        let mutex = Ticket::named(&world(), "a").unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _held = mutex.lock().unwrap();
            assert!(matches!(mutex.lock(), Err(TeamError::Lock(LockFailure::Deadlock))));
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        assert!(mutex.lock().unwrap().1);
        assert!(!mutex.lock().unwrap().1);
    }
}
