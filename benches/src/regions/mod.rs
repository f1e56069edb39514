//! Parallel regions where programs have them: between pieces of serial work, two at once, one
//! inside another, on fewer cores than there are threads. Each with the processor time that it
//! burns, beside the time that it takes.

mod gaps;
mod shared;

use std::thread;
use std::time::{Duration, Instant};

use crate::cpu;
use crate::result::{Group, Row, Shown};
use crate::suite::Context;
use crate::turns::{Sample, Turn, take_turns};

/// Measures everything of this module.
#[must_use]
pub fn groups(context: &Context) -> Vec<Group> {
    let group = |name: &str, title: &str, rows| Group {
        name: name.to_owned(),
        title: title.to_owned(),
        unit: "µs".to_owned(),
        shown: Shown::Value,
        rows,
        cores_of_others: None,
    };
    vec![
        group("gaps", "What a region of 20 x 5 µs takes and burns, after serial work", gaps::rows(context)),
        group("shared", "What regions take and burn that share pools or cores", shared::rows(context)),
    ]
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

/// Runs `run` on a thread that may use one core only, as may the threads that it starts.
///
/// # Panics
///
/// If the system does not let it.
fn on_one_core<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    let pinned = || {
        let core = core_affinity::get_core_ids().and_then(|cores| cores.first().copied());
        assert!(core.is_some_and(core_affinity::set_for_current), "the system refused to pin a thread");
        run()
    };
    thread::scope(|scope| scope.spawn(pinned).join()).expect("no sample panics")
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
        let context = Context::new(2, Choice { reps: 1, ..Choice::default() }, calibration);
        let groups = groups(&context);
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

    #[test]
    fn who_is_on_one_core_and_who_is_started_there_may_use_no_other() {
        let cores = || thread::available_parallelism().map_or(0, usize::from);
        assert_eq!(on_one_core(|| (cores(), thread::spawn(cores).join().unwrap())), (1, 1));
    }
}
