//! Are 4 to 32 workers all busy as long as there is something to do?
//!
//! Items that sleep keep any number of workers busy on a few cores. Each sample is a process of its
//! own with a new pool, which makes three calls: the call site is new in the first, and in the
//! third known.

mod load;
mod shape;

use super::Context;
use crate::{
    result::{Cell, Group, Row, Shown},
    stats::median,
    work::Calibration,
};
use load::{Clock, For, Load, Work};
use shape::{OPERATOR, PEERS, SHAPES, SLOW_REDUCE};
use std::{
    error::Error,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const WORKERS: [usize; 4] = [4, 8, 16, 32];

/// More samples than this would take longer than all other suites together.
const MOST_SAMPLES: usize = 3;

const CALLS: [&str; 3] = ["1st call", "2nd", "3rd"];

/// What a median by the bound must not exceed: in the group of equal loads, and in the other.
const LIMITS: [f64; 2] = [1.12, 1.05];
/// What taskel's median by rayon's must not exceed.
const BEHIND: f64 = 1.03;

/// A load that a number of workers does in a shape.
#[derive(Clone, Copy, Debug)]
struct Case {
    workers: usize,
    load: &'static Load,
    shape: &'static str,
}

impl Case {
    fn all() -> impl Iterator<Item = Case> {
        let loads = WORKERS.into_iter().flat_map(|workers| load::ALL.iter().map(move |load| (workers, load)));
        let cases = loads
            .flat_map(|(workers, load)| SHAPES.into_iter().map(move |shape| Case { workers, load, shape }));
        // Nobody can have a slow operator called a hundred thousand times.
        cases.filter(|case| !(case.load.is_tiny && case.shape == SLOW_REDUCE))
    }

    fn name(&self) -> String {
        format!("P = {}, {}, {}", self.workers, self.load.name, self.shape)
    }

    /// Whether the time must be the least that is possible; if not, it must be what every order
    /// stays within.
    fn has_one_answer(&self) -> bool {
        self.load.order_hides_nothing && self.shape != SLOW_REDUCE
    }

    fn bound(&self, clock: &Clock) -> f64 {
        let items = (self.load.items)(For::new(self.workers, &clock.calibration));
        let work = Work::of(&items, self.workers, clock);
        match self.shape {
            SLOW_REDUCE => work.combined(items.len(), OPERATOR, clock).greedy_bound(),
            _ if self.load.order_hides_nothing => work.bound(),
            _ => work.greedy_bound(),
        }
    }
}

/// Makes the calls of the row `name`: what the suite starts. Nanoseconds, one for each.
///
/// # Errors
/// Says which row or peer there is not.
pub fn calls(name: &str, peer: &str, tiny_steps: u32) -> Result<Vec<f64>, Box<dyn Error>> {
    let case = Case::all().find(|case| case.name() == name);
    let case = case.ok_or_else(|| format!("there is no row {name:?}"))?;
    let items = (case.load.items)(For { workers: case.workers, tiny_steps });
    let times = match peer {
        "rayon" => shape::rayon::times,
        "taskel" => shape::taskel::times,
        other => return Err(format!("{other:?} is no peer of this suite").into()),
    };
    Ok(times(case.shape, &items, case.workers, CALLS.len()))
}

pub(super) fn run(context: &Context) -> Vec<Group> {
    let clock =
        Clock { calibration: context.calibration, late_ns: oversleeping_ns(), cores: context.threads };
    let cases: Vec<Case> = Case::all().filter(|case| context.wants_row(&case.name())).collect();
    let peers: Vec<&str> = PEERS.into_iter().filter(|peer| context.wants_peer(peer)).collect();
    let mut rows: Vec<Row> = cases.iter().map(|case| empty_row(case, &peers, &clock)).collect();
    for sample in 0..context.reps.min(MOST_SAMPLES) {
        for (index, row) in rows.iter_mut().enumerate() {
            if index == 0 || cases[index].workers != cases[index - 1].workers {
                eprintln!("  sample {}, {} workers", sample + 1, cases[index].workers);
            }
            take(row, &peers, sample + index, &clock.calibration);
        }
    }
    let (one, other): (Vec<_>, Vec<_>) = cases.iter().zip(rows).partition(|(case, _)| case.has_one_answer());
    let group = |name: &str, bound: &str, limit: f64, rows: Vec<(&Case, Row)>| Group {
        name: name.to_owned(),
        title: format!("Time of P workers / {bound}; each sample is a process of its own"),
        unit: "ns per call".to_owned(),
        shown: Shown::RatioToBound,
        rows: rows.into_iter().map(|(_, row)| judged(row, limit)).collect(),
        cores_of_others: None,
    };
    vec![
        group("workers", "max(sum / P, longest), which no order hides", LIMITS[0], one),
        group(
            "workers-unequal",
            "(sum / P + (1 - 1/P) longest), which every greedy order stays within",
            LIMITS[1],
            other,
        ),
    ]
}

/// How much later than it wanted a thread wakes that sleeps alone.
fn oversleeping_ns() -> f64 {
    const NAP: Duration = Duration::from_millis(8);
    let naps = (0..25).map(|_| {
        let start = Instant::now();
        thread::sleep(NAP);
        (start.elapsed() - NAP).as_nanos() as f64
    });
    median(&naps.collect::<Vec<_>>())
}

/// A cell for each call of each peer.
fn empty_row(case: &Case, peers: &[&str], clock: &Clock) -> Row {
    let cells =
        peers.iter().flat_map(|peer| CALLS.map(|call| Cell::new(format!("{peer}, {call}"), Vec::new())));
    Row { name: case.name(), bound: Some(case.bound(clock)), cells: cells.collect() }
}

/// Adds a sample of each peer; the next peer begins each time.
fn take(row: &mut Row, peers: &[&str], turn: usize, calibration: &Calibration) {
    for place in 0..peers.len() {
        let peer = (turn + place) % peers.len();
        let times = in_its_own_process(&row.name, peers[peer], calibration).expect("a process of its own");
        for (call, time) in times.into_iter().enumerate() {
            row.cells[peer * CALLS.len() + call].samples.push(time);
        }
    }
}

fn in_its_own_process(row: &str, peer: &str, calibration: &Calibration) -> Result<Vec<f64>, Box<dyn Error>> {
    let tiny_steps = For::new(1, calibration).tiny_steps;
    let mut process = Command::new(std::env::current_exe()?);
    process.args(["calls", row, peer, &tiny_steps.to_string()]).stderr(Stdio::inherit());
    let output = process.output()?;
    if !output.status.success() {
        return Err(format!("{row}, {peer}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Notes beside taskel's medians where they exceed what they must not.
fn judged(mut row: Row, limit: f64) -> Row {
    let bound = row.bound.expect("each row has one");
    for call in CALLS {
        let [rayon, taskel] =
            PEERS.map(|peer| row.cells.iter().position(|cell| cell.peer == format!("{peer}, {call}")));
        let Some(taskel) = taskel else { continue };
        let time = row.cells[taskel].median();
        let too_long = (time > limit * bound).then(|| format!("> {limit}"));
        let behind = rayon.map(|rayon| time / row.cells[rayon].median()).filter(|&ratio| ratio > BEHIND);
        let behind = behind.map(|ratio| format!("{ratio:.2} of rayon"));
        let notes: Vec<String> = too_long.into_iter().chain(behind).collect();
        row.cells[taskel].note = (!notes.is_empty()).then(|| format!("({})", notes.join(", ")));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        let mut names: Vec<String> = Case::all().map(|case| case.name()).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), all), (WORKERS.len() * (load::ALL.len() * SHAPES.len() - 2), names.len()));
    }

    #[test]
    fn every_shape_runs_with_each_peer() {
        for shape in SHAPES {
            for peer in PEERS {
                let times = calls(&format!("P = 4, one each, {shape}"), peer, 1).expect("a row");
                assert!(
                    times.len() == 3 && times.iter().all(|&time| time > 16e6),
                    "{shape}, {peer}: {times:?}"
                );
            }
        }
        assert!(calls("P = 5, one each, loop", "taskel", 1).is_err());
        assert!(calls("P = 4, one each, loop", "chili", 1).is_err());
    }

    #[test]
    fn what_is_too_long_is_told() {
        let cell = |peer: &str, time: f64| Cell::new(peer, vec![time]);
        let cells = vec![
            cell("rayon, 1st call", 1.0),
            cell("rayon, 2nd", 2.0),
            cell("taskel, 1st call", 1.1),
            cell("taskel, 2nd", 2.0),
            cell("taskel, 3rd", 1.0),
        ];
        let row = judged(Row { name: String::new(), bound: Some(1.0), cells }, 1.12);
        let notes: Vec<Option<&str>> = row.cells.iter().map(|cell| cell.note.as_deref()).collect();
        assert_eq!(notes, [None, None, Some("(1.10 of rayon)"), Some("(> 1.12)"), None]);
    }
}
