//! How close do parallel loops come to the best time possible, whatever their taskels take?

use super::Context;
use crate::{
    load::{DECLARATIONS, Load},
    peer::{self, Peer},
    result::{Group, Row, Shown},
    turns::{Turn, take_turns},
};
use std::{cell::RefCell, time::Duration};

/// A sample lasts about this long at least: what is shorter is called repeatedly, back to back.
///
/// Reading the clock takes 25 ns and a preemption some microseconds; neither shows in a
/// millisecond.
const SAMPLE: Duration = Duration::from_millis(1);

/// A slow peer's sample may last so much longer, for as many calls as the quickest makes: what the
/// first of them costs a sleeping pool, all should divide by the same number.
const LONGER: u32 = 8;

/// Of loops that are shorter, one asks how little they cost over the serial loop, and not how much
/// they gain.
const WORTH_SHARING_NS: f64 = 20e3;

pub(super) fn run(context: &Context) -> Vec<Group> {
    let mut peers = peer::all(context.threads);
    peers.retain(|peer| context.wants_peer(peer.name()));
    let declarations = DECLARATIONS.iter().filter(|declaration| context.wants_row(declaration.name));
    let mut rows: Vec<Row> = declarations
        .map(|declaration| {
            eprintln!("  {}", declaration.name);
            measure(&Load::build(declaration, &context.calibration), &mut peers, context)
        })
        .collect();
    let long = |row: &Row| row.serial().is_some_and(|ns| ns >= WORTH_SHARING_NS);
    let short: Vec<Row> = rows.extract_if(.., |row| !long(row)).collect();
    let group = |name: &str, title: &str, rows| Group {
        name: name.to_owned(),
        title: title.to_owned(),
        unit: "ns per call".to_owned(),
        shown: Shown::RatioToBound,
        rows,
        cores_of_others: None,
    };
    let title = format!(
        "Time / max(sum / {}, longest taskel); those under 1 ms back to back (× calls per sample)",
        context.threads
    );
    let over = "Loops that are hardly worth a second thread, back to back (× calls per sample); in parentheses, above the serial loop";
    vec![
        group("loops", &title, rows),
        Group { shown: Shown::OverSerial, ..group("short-loops", over, short) },
    ]
}

/// Times every peer on `load`; the first peer is the serial one.
///
/// # Panics
/// Panics if a peer's answer is wrong, and if there is no peer or no repetition.
fn measure(load: &Load, peers: &mut [Box<dyn Peer>], context: &Context) -> Row {
    let calls: Vec<u32> = peers.iter_mut().map(|peer| calls_per_sample(load, peer.as_mut())).collect();
    let most = calls.iter().copied().max().unwrap_or(1);
    let turns = peers.iter_mut().zip(calls).map(|(peer, calls)| {
        let calls = if calls == 1 { 1 } else { most.min(calls.saturating_mul(LONGER)) };
        let name = peer.name();
        let peer = RefCell::new(peer);
        let mut turn = Turn::new(name, move || {
            let elapsed = checked_run(load, peer.borrow_mut().as_mut(), calls);
            elapsed.as_nanos() as f64 / f64::from(calls)
        });
        turn.note = (calls > 1).then(|| format!("×{calls}"));
        turn
    });
    let cells = take_turns(&mut turns.collect::<Vec<_>>(), context.reps);
    let serial = cells[0].median();
    Row { name: load.name.to_owned(), bound: Some(load.bound(serial, context.threads)), cells }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{load::Data, options::Choice, peer::Timed, work::Calibration};
    use std::rc::Rc;

    /// Takes as long as it is told to, and answers what it is told to.
    struct Scripted {
        call: Duration,
        answer: u64,
        runs: Rc<RefCell<Vec<u64>>>,
    }

    impl Peer for Scripted {
        fn name(&self) -> &'static str {
            crate::result::SERIAL
        }

        fn sum_work(&mut self, _: &[u32], calls: u32) -> Timed<u64> {
            self.runs.borrow_mut().push(self.call.as_micros() as u64);
            Timed { elapsed: self.call * calls, answer: self.answer }
        }

        fn sum_floats(&mut self, _: &[f32], _: u32) -> Timed<f32> {
            unreachable!("the load has taskels")
        }
    }

    fn context(reps: usize) -> Context {
        let calibration = Calibration { iteration_ns: 1e4, call_ns: 0.0 };
        Context::new(2, Choice { reps, ..Choice::default() }, calibration)
    }

    fn load() -> Load {
        Load { name: "", data: Data::Taskels(vec![1]), expected: 7.0, longest_share: 0.75 }
    }

    #[test]
    fn peers_take_turns_and_short_calls_are_batched() {
        let runs = Rc::default();
        let peer = |call, runs: &Rc<_>| -> Box<dyn Peer> {
            Box::new(Scripted { call, answer: 7, runs: Rc::clone(runs) })
        };
        let mut peers = [10, 8000, 50].map(|micros| peer(Duration::from_micros(micros), &runs));
        let row = measure(&load(), &mut peers, &context(3));

        let expected_turns: Vec<u64> = vec![10, 8000, 50, 8000, 50, 10, 50, 10, 8000];
        assert!(runs.borrow().ends_with(&expected_turns), "{:?}", runs.borrow());
        assert_eq!(row.cells[0].note.as_deref(), Some("×100"));
        assert_eq!(row.cells[1].note, None);
        assert_eq!(row.cells[2].note.as_deref(), Some("×100"), "as often as the quickest");
        assert_eq!((row.serial(), row.bound), (Some(10e3), Some(7.5e3)));
        assert_eq!(row.cells[1].samples, [8e6; 3]);
    }

    #[test]
    #[should_panic(expected = "serial gives a wrong answer")]
    fn a_wrong_answer_is_no_result() {
        let peer = Scripted { call: SAMPLE, answer: 8, runs: Rc::default() };
        let _ = measure(&load(), &mut [Box::new(peer)], &context(1));
    }
}
