//! What a loop of several processes costs over one of as many threads.
//!
//! Each sample is a run of its own: one process with all threads, or as many processes of one
//! thread each, which share the loop as a team. It makes each call twice, and the second counts: in
//! the first, memory that processes share is touched for the first time.

use super::Context;
use crate::{
    result::{Cell, Group, Row, Shown},
    work::work,
};
use std::{
    error::Error,
    hint::black_box,
    process::{Command, Stdio},
    time::Instant,
};
use taskel_team::{Launcher, Team};

const THREADS: &str = "threads";
const PROCESSES: &str = "processes";

/// More samples than this would take minutes.
const MOST_SAMPLES: usize = 7;

/// Half a second of all cores, where that is what is promised; else a tenth.
const LOADS: [(&str, usize, f64); 4] = [
    ("1 M x 1 µs", 1_000_000, 1000.0),
    ("4000 x 50 µs", 4000, 50_000.0),
    ("200 x 1 ms", 200, 1e6),
    ("2 M x 40 ns", 2_000_000, 40.0),
];

/// What is called.
const SHAPES: [&str; 3] = ["for_each", "map to u32", "reduce"];

fn rows() -> impl Iterator<Item = (String, usize, f64, &'static str)> {
    LOADS.into_iter().flat_map(|(name, items, ns)| {
        SHAPES.into_iter().map(move |shape| (format!("team, {name}, {shape}"), items, ns, shape))
    })
}

/// Whether a row of that name is one of this suite's.
#[must_use]
pub fn has(name: &str) -> bool {
    rows().any(|(row, ..)| row == name)
}

/// Makes the call of the row `name`: what the suite starts, with all its processes. Nanoseconds;
/// `None` in those that do not tell.
///
/// # Errors
/// Says which row or peer there is not, or why there is no team.
pub fn calls(name: &str, peer: &str, steps: u32) -> Result<Option<Vec<f64>>, Box<dyn Error>> {
    let row = rows().find(|(row, ..)| row == name);
    let (_, items, _, shape) = row.ok_or_else(|| format!("there is no row {name:?}"))?;
    let team = match peer {
        THREADS => Team::alone()?,
        PROCESSES => Team::launch(&Launcher::new(std::thread::available_parallelism()?.get()).threads(1))?,
        other => return Err(format!("{other:?} is no peer of this suite").into()),
    };
    call(&team, shape, items, steps)?;
    team.barrier()?;
    let start = Instant::now();
    call(&team, shape, items, steps)?;
    let took = start.elapsed();
    // Whoever ends first is not to be in the way of another.
    team.barrier()?;
    Ok((team.rank() == 0).then(|| vec![took.as_nanos() as f64]))
}

fn call(team: &Team, shape: &str, items: usize, steps: u32) -> Result<(), Box<dyn Error>> {
    let item = |_| work(steps) as u32;
    match shape {
        "for_each" => team.for_each(0..items, |i| {
            black_box(item(i));
        })?,
        "reduce" => {
            black_box(team.reduce(0..items, |i| u64::from(item(i)), || 0, |a, b| a + b)?);
        }
        _ => drop(black_box(team.map(0..items, item)?)),
    }
    Ok(())
}

pub(super) fn run(context: &Context) -> Vec<Group> {
    let wanted = rows().filter(|(name, ..)| context.wants_row(name));
    let peers: Vec<&str> = [THREADS, PROCESSES].into_iter().filter(|peer| context.wants_peer(peer)).collect();
    let rows = wanted.map(|(name, items, ns, _)| {
        eprintln!("  {name}");
        let steps = context.calibration.iterations(ns);
        let mut cells: Vec<Cell> = peers.iter().map(|peer| Cell::new(*peer, Vec::new())).collect();
        for sample in 0..context.reps.min(MOST_SAMPLES) {
            for place in 0..peers.len() {
                let peer = (sample + place) % peers.len();
                let time = in_processes_of_its_own(&name, peers[peer], steps).expect("a run of its own");
                cells[peer].samples.push(time);
            }
        }
        let bound = items as f64 * ns / context.threads as f64;
        Row { name, bound: Some(bound), cells }
    });
    let group = Group {
        name: "teams".to_owned(),
        title: format!(
            "Time of {0} threads, or {0} processes of one thread / items, of the time that was asked for, divided by {0}",
            context.threads
        ),
        unit: "ns per call".to_owned(),
        shown: Shown::RatioToBound,
        rows: rows.collect(),
        cores_of_others: None,
    };
    vec![group]
}

fn in_processes_of_its_own(row: &str, peer: &str, steps: u32) -> Result<f64, Box<dyn Error>> {
    let mut process = Command::new(std::env::current_exe()?);
    process.args(["calls", row, peer, &steps.to_string()]).stderr(Stdio::inherit());
    let output = process.output()?;
    if !output.status.success() {
        return Err(format!("{row}, {peer}: {}", output.status).into());
    }
    let times: Vec<f64> = serde_json::from_slice(&output.stdout)?;
    times.first().copied().ok_or_else(|| format!("{row}, {peer}: nothing was measured").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_called() {
        for (name, ..) in rows().filter(|(name, ..)| name.contains("200 x")) {
            assert!(has(&name));
            assert_eq!(calls(&name, THREADS, 1).expect("a row").map(|times| times.len()), Some(1));
        }
        assert!(!has("no such row") && calls("no such row", THREADS, 1).is_err());
    }
}
