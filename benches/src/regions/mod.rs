//! Parallel regions where programs have them: between pieces of serial work, two at once, one inside another, on fewer cores than there are
//! threads. Each with the processor time that it burns, beside the time that it takes.

mod gaps;
mod shared;

use std::thread;
use std::time::{Duration, Instant};

use crate::noise::Noise;
use crate::result::{Cell, Group, Row, SERIAL, Shown};
use crate::suite::Context;

/// Measures everything of this module.
#[must_use]
pub fn groups(context: &Context) -> Vec<Group> {
    let [gaps, shared] = [gaps::rows, shared::rows].map(|rows| {
        let noise = Noise::watch();
        (rows(context), noise.and_then(|noise| noise.cores_of_others()))
    });
    let group = |name: &str, title: &str, (rows, cores_of_others): (Vec<Row>, _)| Group {
        name: name.to_owned(),
        title: title.to_owned(),
        unit: "µs".to_owned(),
        shown: Shown::Value,
        rows,
        cores_of_others,
    };
    let groups = [
        group("gaps", "What does a region of 20 x 5 µs take and burn, after serial work?", gaps),
        group("shared", "What do regions take and burn that share pools or cores?", shared),
    ];
    groups.into_iter().filter(|group| !group.rows.is_empty()).collect()
}

/// What something took, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Cost {
    time: f64,
    /// Of all threads of this process.
    cpu: f64,
}

impl Cost {
    fn of(run: impl FnOnce()) -> Self {
        let (start, cpu) = (Instant::now(), cpu_time());
        run();
        Cost { time: micros(start.elapsed()), cpu: micros(cpu_time() - cpu) }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The processor time of this process. Threads that are running are accounted for at the kernel's ticks, some milliseconds: what is measured must
/// last for many.
fn cpu_time() -> Duration {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// The processor time of this thread.
fn thread_cpu_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn clock(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(failed, 0, "every Linux has these clocks");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Takes one sample.
type Turn<'a> = (&'static str, Box<dyn FnMut() -> Cost + 'a>);

/// Lets the wanted peers, of which the first is serial, take turns, each repetition starting with the next. At best, each core does its share of the serial work.
fn take_turns(name: String, mut turns: Vec<Turn<'_>>, cores: usize, context: &Context) -> Row {
    turns.retain(|(peer, _)| context.wants_peer(peer));
    let mut cells: Vec<Cell> =
        turns.iter().map(|(peer, _)| Cell { cpu: Some(vec![]), ..Cell::new(*peer, vec![]) }).collect();
    for repetition in 0..=context.reps {
        for turn in 0..turns.len() {
            let index = (repetition + turn) % turns.len();
            // The threads of the one before go to sleep meanwhile.
            thread::sleep(Duration::from_millis(2));
            let cost = (turns[index].1)();
            // Whoever is first pays for what is learned and allocated once: that does not count.
            if repetition > 0 {
                cells[index].samples.push(cost.time);
                cells[index].cpu.get_or_insert_default().push(cost.cpu);
            }
        }
    }
    let mut row = Row { name, bound: None, cells };
    row.bound = row.serial().map(|serial| serial / cores as f64);
    debug_assert!(row.cell(SERIAL).is_some());
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
    use crate::work::Calibration;

    #[test]
    fn all_rows_check_their_answers_and_have_times_and_processor_times() {
        // A taskel of a microsecond has one iteration.
        let calibration = Calibration { iteration_ns: 1000.0, call_ns: 0.0 };
        let context = Context { threads: 2, reps: 1, row: String::new(), peer: String::new(), calibration };
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
    fn work_uses_the_processor_and_sleep_does_not() {
        let work = Cost::of(|| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(30) {}
        });
        let sleep = Cost::of(|| thread::sleep(Duration::from_millis(30)));
        assert!(work.time >= 30e3 && sleep.time >= 30e3, "{work:?} {sleep:?}");
        assert!(work.cpu > 0.0, "{work:?}");
    }
}
