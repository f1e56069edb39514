//! How a load is timed: the peers take turns, and every answer is checked.

use crate::{load::Load, peer::Peer, work::Calibration, work::work};
use std::time::Duration;

/// A sample lasts about this long at least: what is shorter is called repeatedly, back to back.
///
/// Reading the clock takes 25 ns and a preemption some microseconds; neither shows in a millisecond.
pub const SAMPLE: Duration = Duration::from_millis(1);

/// Before each sample the calling thread works alone for this many nanoseconds, until the threads of the peer
/// before have gone to sleep and no longer take a core from the next.
const SETTLE_NS: f64 = 200e3;

/// The times of one peer on one load, in nanoseconds per call.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The peer's name.
    pub peer: &'static str,
    /// Back-to-back calls in a sample.
    pub calls: u32,
    /// Half of the samples were faster.
    pub median: f64,
    /// The fastest sample.
    pub min: f64,
    /// The slowest sample.
    pub max: f64,
}

/// The times of all peers on one load.
#[derive(Clone, Debug)]
pub struct Row {
    /// The load's name.
    pub load: &'static str,
    /// The serial loop's median, in nanoseconds per call.
    pub serial: f64,
    /// The least time possible, in nanoseconds per call: see [`Load::bound`].
    pub bound: f64,
    /// One for each peer, in the peers' order.
    pub cells: Vec<Cell>,
}

/// Times every peer `repetitions` times on `load`; the first peer is the serial one.
///
/// Every repetition starts with the next peer, so that each peer comes at each place equally often, and a slow
/// drift of the machine meets all of them.
///
/// # Panics
/// Panics if a peer's answer is wrong, and if there is no peer or no repetition.
pub fn measure(
    load: &Load,
    peers: &mut [Box<dyn Peer>],
    threads: usize,
    repetitions: usize,
    calibration: &Calibration,
) -> Row {
    let settle = calibration.iterations(SETTLE_NS);
    let calls: Vec<u32> = peers.iter_mut().map(|peer| calls_per_sample(load, peer.as_mut())).collect();
    let mut samples = vec![Vec::with_capacity(repetitions); peers.len()];
    for repetition in 0..repetitions {
        for turn in 0..peers.len() {
            let index = (repetition + turn) % peers.len();
            std::hint::black_box(work(settle));
            let elapsed = checked_run(load, peers[index].as_mut(), calls[index]);
            samples[index].push(elapsed.as_nanos() as f64 / f64::from(calls[index]));
        }
    }
    let cells: Vec<Cell> = peers
        .iter()
        .zip(calls)
        .zip(&samples)
        .map(|((peer, calls), samples)| Cell {
            peer: peer.name(),
            calls,
            median: median(samples.iter().copied()),
            min: samples.iter().copied().fold(f64::INFINITY, f64::min),
            max: samples.iter().copied().fold(0.0, f64::max),
        })
        .collect();
    let serial = cells[0].median;
    Row { load: load.name, serial, bound: load.bound(serial, threads), cells }
}

/// Finds how many calls fill a [`SAMPLE`]; its own calls warm the peer and the load's memory up.
fn calls_per_sample(load: &Load, peer: &mut dyn Peer) -> u32 {
    let mut calls = 1;
    loop {
        let elapsed = checked_run(load, peer, calls);
        if elapsed >= SAMPLE {
            return calls;
        }
        if elapsed * 4 >= SAMPLE {
            let fill = SAMPLE.as_secs_f64() / elapsed.as_secs_f64();
            return (f64::from(calls) * fill).ceil() as u32;
        }
        calls *= 4;
    }
}

fn checked_run(load: &Load, peer: &mut dyn Peer, calls: u32) -> Duration {
    let timed = peer.run(&load.data, calls);
    assert_eq!(timed.answer, load.expected, "{} gives a wrong answer on {}", peer.name(), load.name);
    timed.elapsed
}

/// The middle value, or the mean of the two middle ones.
///
/// ```
/// use taskel_benches::measure::median;
/// assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
/// assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
/// ```
///
/// # Panics
/// Panics if there are no values.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    assert!(!sorted.is_empty(), "no values have no median");
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{load::Data, peer::Timed};

    /// Takes as long as it is told to, and answers what it is told to.
    struct Scripted {
        call: Duration,
        answer: u64,
        runs: std::rc::Rc<std::cell::RefCell<Vec<u64>>>,
    }

    impl Peer for Scripted {
        fn name(&self) -> &'static str {
            "scripted"
        }

        fn sum_work(&mut self, _: &[u32], calls: u32) -> Timed<u64> {
            self.runs.borrow_mut().push(self.call.as_micros() as u64);
            Timed { elapsed: self.call * calls, answer: self.answer }
        }

        fn sum_floats(&mut self, _: &[f32], _: u32) -> Timed<f32> {
            unreachable!("the load has taskels")
        }
    }

    const CALIBRATION: Calibration = Calibration { iteration_ns: 1e4, call_ns: 0.0 };

    fn load() -> Load {
        Load { name: "", data: Data::Taskels(vec![1]), expected: 7.0, longest_share: 0.75 }
    }

    #[test]
    fn peers_take_turns_and_short_calls_are_batched() {
        let runs = std::rc::Rc::default();
        let peer = |call, runs: &std::rc::Rc<_>| -> Box<dyn Peer> {
            Box::new(Scripted { call, answer: 7, runs: std::rc::Rc::clone(runs) })
        };
        let mut peers =
            [Duration::from_micros(10), Duration::from_micros(8000)].map(|call| peer(call, &runs));
        let row = measure(&load(), &mut peers, 2, 3, &CALIBRATION);

        let expected_turns: Vec<u64> = vec![10, 8000, 8000, 10, 10, 8000];
        assert!(runs.borrow().ends_with(&expected_turns), "{:?}", runs.borrow());
        assert_eq!(row.cells[0].calls, 100);
        assert_eq!(row.cells[1].calls, 1);
        assert_eq!((row.serial, row.bound), (10e3, 7.5e3));
        assert_eq!((row.cells[1].min, row.cells[1].median, row.cells[1].max), (8e6, 8e6, 8e6));
    }

    #[test]
    #[should_panic(expected = "scripted gives a wrong answer")]
    fn a_wrong_answer_is_no_result() {
        let peer = Scripted { call: SAMPLE, answer: 8, runs: std::rc::Rc::default() };
        let _ = measure(&load(), &mut [Box::new(peer)], 2, 1, &CALIBRATION);
    }
}
