//! Parallel regions where programs have them: between pieces of serial work, two at once, one
//! inside another, on fewer cores than there are threads. Each with the processor time that it
//! burns, beside the time that it takes.

mod bodies;
mod gaps;
mod shared;

use std::time::{Duration, Instant};

use crate::cpu;
use crate::result::{Group, Row, Shown};
use crate::suite::Context;
use crate::turns::{Sample, Turn, take_turns};

/// Regions after serial work, and beside and inside of others.
#[must_use]
pub fn groups(context: &Context) -> Vec<Group> {
    vec![
        group("gaps", "What a region of 20 x 5 µs takes and burns, after serial work", gaps::rows(context)),
        group("bodies", "What a step of few bodies takes and burns, in two regions", bodies::rows(context)),
        group("shared", "What regions take and burn that share pools or cores", shared::rows(context)),
    ]
}

/// Regions in a process that has one core: the calling thread's, which is the process's first, is
/// taken from it for good.
///
/// # Panics
///
/// If the system does not let it.
#[must_use]
pub fn groups_on_one_core(context: &Context) -> Vec<Group> {
    let core = core_affinity::get_core_ids().and_then(|cores| cores.first().copied());
    assert!(core.is_some_and(core_affinity::set_for_current), "the system refused to pin a thread");
    let title = "What regions take and burn in a process that has one core";
    vec![group("one-core", title, shared::rows_on_one_core(context))]
}

fn group(name: &str, title: &str, rows: Vec<Row>) -> Group {
    Group {
        name: name.to_owned(),
        title: title.to_owned(),
        unit: "µs".to_owned(),
        shown: Shown::Value,
        rows,
        cores_of_others: None,
    }
}

/// What `run` takes and burns, in microseconds.
fn cost(run: impl FnOnce()) -> Sample {
    let (start, cpu) = (Instant::now(), cpu::process_ns());
    run();
    Sample { value: micros(start.elapsed()), cpu: Some((cpu::process_ns() - cpu) / 1e3) }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A row of the wanted peers, of which the first is serial. At best, each core does its share of
/// the serial work.
fn row(name: &str, mut turns: Vec<Turn<'_>>, cores: usize, context: &Context) -> Row {
    turns.retain(|turn| context.wants_peer(&turn.peer));
    let mut row = Row { name: name.to_owned(), bound: None, cells: take_turns(&mut turns, context.reps) };
    row.bound = row.serial().map(|serial| serial / cores as f64);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Choice;
    use crate::work::Calibration;

    /// Every sample compares its answer.
    #[test]
    fn all_rows_have_times_and_processor_times() {
        // A taskel of a microsecond has one iteration.
        let calibration = Calibration { iteration_ns: 1000.0, call_ns: 0.0 };
        let context = move || Context::new(2, Choice { reps: 1, ..Choice::default() }, calibration);
        // The thread that is left with one core is not the process's first, nor the one that goes on.
        let one_core = std::thread::spawn(move || groups_on_one_core(&context())).join();
        let groups = [groups(&context()), one_core.expect("no sample panics")].concat();
        let rows: Vec<&Row> = groups.iter().flat_map(|group| &group.rows).collect();
        assert!(rows.len() > 10, "{}", rows.len());
        for row in rows {
            for cell in &row.cells {
                assert_eq!(cell.samples.len(), 1, "{} on {}", cell.peer, row.name);
                assert_eq!(cell.cpu.as_ref().map(Vec::len), Some(1), "{} on {}", cell.peer, row.name);
                assert!(cell.samples[0] > 0.0, "{} on {}", cell.peer, row.name);
            }
        }
    }
}
