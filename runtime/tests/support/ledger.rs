//! Things that are counted as they come and go.

use std::backtrace::Backtrace;
use std::fmt::Write;
use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The first block of entries has so many; each further one has twice as many as the one before.
const FIRST: usize = 16;
const BLOCKS: usize = 28;

/// How often each thing that was made was dropped. Numbers alone would let a leak make up for a
/// double drop.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: AtomicUsize,
    entries: [OnceLock<Box<[Entry]>>; BLOCKS],
    /// The things below should have been dropped.
    closed: AtomicUsize,
}

#[derive(Debug, Default)]
struct Entry {
    made_at: OnceLock<&'static Location<'static>>,
    drops: AtomicU32,
}

impl Ledger {
    #[track_caller]
    pub(crate) fn thing(&self, value: usize) -> Thing<'_> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.entry(number).made_at.set(Location::caller()).expect("each number is taken once");
        Thing { value, number, ledger: self }
    }

    #[track_caller]
    pub(crate) fn things(&self, len: usize) -> Vec<Thing<'_>> {
        let mut things = Vec::with_capacity(len);
        for value in 0..len {
            things.push(self.thing(value));
        }
        things
    }

    fn entry(&self, number: usize) -> &Entry {
        let block = (number / FIRST + 1).ilog2() as usize;
        let len = FIRST << block;
        let entries = self.entries[block].get_or_init(|| (0..len).map(|_| Entry::default()).collect());
        &entries[number - (len - FIRST)]
    }

    /// A line for each thing that was not dropped once.
    fn imbalance(&self) -> String {
        let mut lines = String::new();
        for number in 0..self.made.load(Ordering::Relaxed) {
            let drops = self.entry(number).drops.load(Ordering::Relaxed);
            if drops != 1 {
                writeln!(lines, "{}: {drops} drops", self.name(number)).unwrap();
            }
        }
        lines
    }

    fn name(&self, number: usize) -> String {
        match self.entry(number).made_at.get() {
            Some(place) => format!("thing {number}, made at {place}"),
            None => format!("thing {number}, made just now"),
        }
    }

    /// Fails unless everything that was made was dropped once. What is dropped afterwards ends the
    /// process.
    #[track_caller]
    pub(crate) fn assert_balanced(&self, what: &str) {
        self.closed.store(self.made.load(Ordering::Relaxed), Ordering::Relaxed);
        let now = self.imbalance();
        if !now.is_empty() {
            // What is dropped late shows by whom, and ends the process.
            thread::sleep(Duration::from_millis(500));
            let later = self.imbalance();
            let later = if later.is_empty() { "one drop each, after the call\n" } else { &later };
            panic!("not dropped once: {what}\n{now}half a second later:\n{later}");
        }
    }
}

/// Something whose making and dropping is counted.
#[derive(Debug)]
pub(crate) struct Thing<'l> {
    pub(crate) value: usize,
    number: usize,
    ledger: &'l Ledger,
}

impl Clone for Thing<'_> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.ledger.thing(self.value)
    }
}

impl Drop for Thing<'_> {
    /// # Aborts
    ///
    /// When it is dropped for the second time, or after the call that it was made for: what goes on
    /// is a program with undefined behaviour, and the stack shows who does it.
    fn drop(&mut self) {
        let Thing { number, ledger, .. } = *self;
        let drops = ledger.entry(number).drops.fetch_add(1, Ordering::Relaxed) + 1;
        let late = number < ledger.closed.load(Ordering::Relaxed);
        if drops > 1 || late {
            let when = if late { "after its call had returned" } else { "during its call" };
            let (name, thread, stack) = (ledger.name(number), thread::current(), Backtrace::force_capture());
            eprintln!("{name}: drop {drops}, {when}, by thread {:?}\n{stack}", thread.name());
            std::process::abort();
        }
    }
}
