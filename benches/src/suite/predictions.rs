//! What a recording of one worker predicts, beside what is measured: for each load of the suite
//! `loops`, and for each program of the suite `programs`.

use super::Context;
use crate::{
    load::{DECLARATIONS, Data, Load},
    programs,
    result::{Cell, Group, Row, Shown},
    stats::median,
    turns::{Turn, take_turns},
    work::work,
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use taskel::{Profile, ThreadPool, ThreadPoolBuilder, prelude::*};

const ALONE: &str = "1 worker";
const PREDICTED: &str = "predicted";
const MEASURED: &str = "measured";

/// What is shorter is called repeatedly, back to back, in one recording.
const SAMPLE: Duration = Duration::from_millis(2);

pub(super) fn run(context: &Context) -> Vec<Group> {
    let pools = Pools { one: pool(1), all: pool(context.threads), threads: context.threads };
    let declarations = DECLARATIONS.iter().filter(|declaration| context.wants_row(declaration.name));
    let loads = declarations.map(|declaration| {
        let load = Load::build(declaration, &context.calibration);
        let calls = calls_per_sample(&pools.one, &load.data);
        let all = || (0..calls).for_each(|_| call(&load.data));
        pools.row(load.name, calls, context.reps, &|pool| timed(pool, all), &|pool| pool.profile(all).1)
    });
    let loads: Vec<Row> = loads.collect();
    let programs = programs::all(|name| context.wants_row(name)).map(|program| {
        let measured = |pool: &ThreadPool| program.run_by_taskel(&mut |body| pool.install(body));
        let recorded = |pool: &ThreadPool| {
            let mut profile = None;
            program.run_by_taskel(&mut |body| profile = Some(pool.profile(body).1));
            profile.expect("the program has run")
        };
        pools.row(program.name(), 1, context.reps, &measured, &recorded)
    });
    let programs = programs.collect();
    let group = |name: &str, of: &str, rows| Group {
        name: name.to_owned(),
        title: format!(
            "{of}: recorded on 1 worker, predicted for {} and measured there; the prediction is too long by",
            context.threads
        ),
        unit: "ms".to_owned(),
        shown: Shown::Value,
        rows,
        cores_of_others: None,
    };
    vec![group("predicted-loops", "Loops", loads), group("predicted-programs", "Programs", programs)]
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started")
}

struct Pools {
    one: ThreadPool,
    all: ThreadPool,
    threads: usize,
}

impl Pools {
    /// Measures something that is done `calls` times in a sample.
    fn row(
        &self,
        name: &str,
        calls: u32,
        reps: usize,
        measured: &dyn Fn(&ThreadPool) -> Duration,
        recorded: &dyn Fn(&ThreadPool) -> Profile,
    ) -> Row {
        eprintln!("  {name}");
        let each_ms = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(calls);
        let predicted = || recorded(&self.one).scaling([self.threads]).predictions()[0].time();
        // The first run pays for what is learned and allocated once.
        measured(&self.one);
        measured(&self.all);
        let mut turns = [
            Turn::new(ALONE, || each_ms(measured(&self.one))),
            Turn::new(PREDICTED, || each_ms(predicted())),
            Turn::new(MEASURED, || each_ms(measured(&self.all))),
        ];
        let mut cells = take_turns(&mut turns, reps);
        cells[1].note = Some(error(&cells[1], &cells[2]));
        Row { name: name.to_owned(), bound: None, cells }
    }
}

/// `+3 %`: by how much the one is more than the other.
fn error(predicted: &Cell, measured: &Cell) -> String {
    let ratio = median(&predicted.samples) / median(&measured.samples);
    format!("{:+.0} %", 100.0 * (ratio - 1.0))
}

fn call(data: &Data) {
    match data {
        Data::Taskels(weights) => {
            let sum: u64 = weights.par_iter().map(|&weight| work(weight)).sum();
            black_box(sum);
        }
        Data::Floats(floats) => {
            let sum: f32 = floats.par_iter().copied().sum();
            black_box(sum);
        }
    }
}

fn timed(pool: &ThreadPool, op: impl Fn() + Sync) -> Duration {
    pool.install(|| {
        let start = Instant::now();
        op();
        start.elapsed()
    })
}

/// As many as fill a [`SAMPLE`].
fn calls_per_sample(pool: &ThreadPool, data: &Data) -> u32 {
    let mut calls = 1;
    while timed(pool, || (0..calls).for_each(|_| call(data))) < SAMPLE {
        calls *= 2;
    }
    calls
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_prediction_that_is_half_too_long_is_off_by_50_percent() {
        let cell = |ms: f64| Cell::new("", vec![ms]);
        assert_eq!(error(&cell(3.0), &cell(2.0)), "+50 %");
        assert_eq!(error(&cell(1.9), &cell(2.0)), "-5 %");
    }

    #[test]
    fn a_loop_is_recorded_predicted_and_measured() {
        let pools = Pools { one: pool(1), all: pool(2), threads: 2 };
        // They sleep, so that two workers are faster on a busy machine, too.
        let all = || (0..20).into_par_iter().for_each(|_| thread::sleep(Duration::from_millis(1)));
        let row = pools.row("loop", 1, 3, &|pool| timed(pool, all), &|pool| pool.profile(all).1);
        let medians: Vec<f64> = row.cells.iter().map(Cell::median).collect();
        assert!(medians.iter().all(|&ms| ms > 0.0), "{medians:?}");
        assert!(medians[1] < medians[0], "{medians:?}");
        assert!(row.cells[1].note.is_some());
    }
}
