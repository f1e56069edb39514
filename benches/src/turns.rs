//! Peers that take turns, one sample each, and rest between them.

use crate::result::Cell;
use std::{
    fs,
    time::{Duration, Instant},
};

/// One sample of a peer, in the unit of its group.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// What was measured.
    pub value: f64,
    /// The processor time of all threads meanwhile, in the same unit, if it was measured.
    pub cpu: Option<f64>,
}

impl From<f64> for Sample {
    fn from(value: f64) -> Self {
        Sample { value, cpu: None }
    }
}

/// One peer's part of a comparison.
pub struct Turn<'a> {
    /// Its name.
    pub peer: String,
    /// What the table says beside its samples.
    pub note: Option<String>,
    sample: Box<dyn FnMut() -> Sample + 'a>,
}

impl<'a> Turn<'a> {
    /// A peer, and a function that takes one sample.
    pub fn new<S: Into<Sample>>(peer: impl Into<String>, mut sample: impl FnMut() -> S + 'a) -> Self {
        Turn { peer: peer.into(), note: None, sample: Box::new(move || sample().into()) }
    }
}

/// Lets each peer take `repetitions` samples in turns, each repetition starting with the next peer,
/// so that each peer comes at each place equally often, and a slow drift of the machine meets all
/// of them. Before each sample everybody has come to rest.
pub fn take_turns(turns: &mut [Turn<'_>], repetitions: usize) -> Vec<Cell> {
    let mut cells: Vec<Cell> = turns
        .iter()
        .map(|turn| Cell { note: turn.note.clone(), ..Cell::new(&turn.peer, Vec::new()) })
        .collect();
    for repetition in 0..repetitions {
        for turn in 0..turns.len() {
            let index = (repetition + turn) % turns.len();
            settle();
            let Sample { value, cpu } = (turns[index].sample)();
            cells[index].samples.push(value);
            if let Some(cpu) = cpu {
                cells[index].cpu.get_or_insert_default().push(cpu);
            }
        }
    }
    cells
}

/// Keeps the calling thread busy until no other thread of this process runs, so that nobody of the
/// peer before takes a core from the next: at least 200 µs, and at most 20 ms, in case somebody
/// never rests.
fn settle() {
    const LEAST: Duration = Duration::from_micros(200);
    const MOST: Duration = Duration::from_millis(20);
    let start = Instant::now();
    let mut until = LEAST;
    loop {
        while start.elapsed() < until {
            std::hint::spin_loop();
        }
        if start.elapsed() > MOST || !another_thread_runs() {
            return;
        }
        until = start.elapsed() + LEAST;
    }
}

/// Whether a thread besides the calling one is on a core or waits for one; false where there is no
/// `/proc`.
fn another_thread_runs() -> bool {
    // SAFETY: it only tells the caller's number.
    let own = unsafe { libc::gettid() }.to_string();
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return false };
    threads.flatten().filter(|thread| thread.file_name() != *own).any(|thread| {
        // A thread that has ended meanwhile does not run.
        fs::read_to_string(thread.path().join("stat")).is_ok_and(|stat| state(&stat) == Some('R'))
    })
}

/// The state follows the name, which may contain anything, in parentheses: see proc(5).
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        cell::RefCell,
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    #[test]
    fn each_repetition_starts_with_the_next_peer() {
        let order = RefCell::new(String::new());
        let turn = |name: &'static str, value: f64| {
            let order = &order;
            Turn::new(name, move || {
                order.borrow_mut().push_str(name);
                Sample { value, cpu: (name == "b").then_some(7.0) }
            })
        };
        let cells = take_turns(&mut [turn("a", 1.0), turn("b", 2.0), turn("c", 3.0)], 3);
        assert_eq!(*order.borrow(), "abcbcacab");
        assert_eq!(cells[2], Cell::new("c", vec![3.0; 3]));
        assert_eq!(cells[1].cpu, Some(vec![7.0; 3]));
    }

    #[test]
    fn a_thread_that_runs_is_seen() {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
            assert!(another_thread_runs());
            stop.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_strange_name_does_not_hide_the_state() {
        assert_eq!(state("7 (a) S b) R 1 7 7"), Some('R'));
        assert_eq!(state("7 (a"), None);
    }
}
