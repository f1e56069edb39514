//! What does it cost to carry spans of `tracing` to whoever runs a part of a call?
//!
//! A program that is built without the feature `tracing` shows what the calls take without all
//! that. One that is built with it has the same calls before there is a subscriber, and then inside
//! of a span. There is no way back, so these come last.

use super::{
    Context,
    profiles::{ROWS, What, in_parallel, serially, timed},
};
use crate::{
    result::{Group, Row, SERIAL, Shown},
    turns::{Turn, take_turns},
};
use taskel::ThreadPool;

pub(super) fn run(context: &Context) -> Vec<Group> {
    let pool = ThreadPool::builder().num_threads(context.threads).build().expect("a pool");
    let mut groups = Vec::new();
    if cfg!(feature = "tracing") {
        groups.push(group("spans-off", "with the feature `tracing`, without a subscriber", &pool, context));
        let _span = subscribe();
        groups.push(group("spans-on", "with a subscriber, inside of a span", &pool, context));
    } else {
        groups.push(group("spans-none", "without the feature `tracing`", &pool, context));
    }
    groups
}

/// From here on, a subscriber that keeps spans and shows nothing, and a span around all.
#[cfg(feature = "tracing")]
fn subscribe() -> impl Drop {
    // The second time, in tests, there is one.
    _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    tracing::info_span!("spans").entered()
}

#[cfg(not(feature = "tracing"))]
fn subscribe() -> Option<()> {
    None
}

fn group(name: &str, how: &str, pool: &ThreadPool, context: &Context) -> Group {
    let wanted = ROWS.into_iter().filter(|(name, ..)| context.wants_row(name));
    Group {
        name: name.to_owned(),
        title: format!("Calls {how}; in parentheses, above the serial ones"),
        unit: "ns per call".to_owned(),
        shown: Shown::OverSerial,
        rows: wanted.map(|(name, what, calls)| measure(name, what, calls, pool, context)).collect(),
        cores_of_others: None,
    }
}

fn measure(name: &str, what: What, calls: u32, pool: &ThreadPool, context: &Context) -> Row {
    let timed = timed(what, calls, context);
    let mut turns = vec![
        Turn::new(SERIAL, move || timed(serially)),
        Turn::new("taskel", move || pool.install(|| timed(in_parallel))),
    ];
    turns.retain(|turn| context.wants_peer(&turn.peer));
    Row { name: name.to_owned(), bound: None, cells: take_turns(&mut turns, context.reps) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{options::Choice, work::Calibration};

    #[test]
    fn each_row_has_a_cell_for_each_way() {
        let calibration = Calibration { iteration_ns: 1e5, call_ns: 0.0 };
        let choice = Choice { reps: 1, ..Choice::default() };
        for group in run(&Context::new(2, choice, calibration)) {
            assert_eq!(group.rows.len(), ROWS.len());
            assert!(group.rows.iter().all(|row| row.cells.len() == 2));
        }
    }
}
