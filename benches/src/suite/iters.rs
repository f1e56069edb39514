//! What do parallel iterators cost, row by row of the same small program?

use super::Context;
use crate::{
    iters::{self, Pools, Row as Program},
    result::{Group, Row, Shown},
    turns::{Turn, take_turns},
};
use std::time::Duration;

/// A sample lasts about this long at least: what is shorter is called repeatedly.
const SAMPLE: Duration = Duration::from_millis(2);

pub(super) fn run(context: &Context) -> Vec<Group> {
    let pools = Pools::new(context.threads);
    let programs = iters::rows().into_iter().filter(|program| context.wants_row(program.name));
    let rows = programs.map(|program| measure(&program, &pools, context));
    let group = Group {
        name: "iters".to_owned(),
        title: "Parallel iterators; `deterministic` is taskel with `.deterministic()`".to_owned(),
        unit: "µs per call".to_owned(),
        shown: Shown::Value,
        rows: rows.collect(),
        cores_of_others: None,
    };
    vec![group]
}

/// Times every peer on `program`; the first is the serial one, whose answer the others must give.
fn measure(program: &Program, pools: &Pools, context: &Context) -> Row {
    let expected = pools.run(program.samples[0].0, &program.samples[0].1, 1).1;
    let wanted = program.samples.iter().filter(|(peer, _)| context.wants_peer(peer.name()));
    let turns = wanted.map(|(peer, sample)| {
        let mut calls = 1;
        while pools.run(*peer, sample, calls).0 < SAMPLE {
            calls *= 2;
        }
        Turn::new(peer.name(), move || {
            let (elapsed, answer) = pools.run(*peer, sample, calls);
            let close = (answer - expected).abs() <= program.tolerance * expected.abs();
            assert!(close, "{} answers {answer} instead of {expected} on {}", peer.name(), program.name);
            elapsed.as_secs_f64() * 1e6 / f64::from(calls)
        })
    });
    let cells = take_turns(&mut turns.collect::<Vec<_>>(), context.reps);
    Row { name: program.name.to_owned(), bound: None, cells }
}
