//! Programs that people run, for rayon and for taskel: what the suite `programs` measures.
//!
//! The parallel part of each is written once, in a file `parallel.rs`. It is compiled twice, and
//! the line that differs is the `use`:
//!
//! ```text
//! mod by_rayon {
//!     use rayon::prelude::*;
//!     include!("parallel.rs");
//! }
//! mod by_taskel {
//!     use taskel::prelude::*;
//!     include!("parallel.rs");
//! }
//! ```
//!
//! A program's `mod.rs` has its data, the plain sequential version, and what is known of the
//! answer. What takes the time is in functions that are never inlined, so that all three run the
//! same machine code: otherwise it is chance where the compiler puts the innermost loop of each,
//! which was worth 7 to 12 % in the k-means.

mod kmeans;
mod nbody;
mod quicksort;
mod raytracer;
mod wordcount;

use std::time::{Duration, Instant};

use crate::result::{Group, Row, SERIAL, Shown};
use crate::suite::Context;
use crate::turns::{Turn, take_turns};

/// Who runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The plain sequential version.
    Serial,
    /// rayon.
    Rayon,
    /// taskel.
    Taskel,
}

impl By {
    /// All of them, in the order of the table.
    const ALL: [By; 3] = [By::Serial, By::Rayon, By::Taskel];

    /// What the table calls it.
    fn name(self) -> &'static str {
        match self {
            By::Serial => SERIAL,
            By::Rayon => "rayon",
            By::Taskel => "taskel",
        }
    }
}

/// A program with its input.
pub(crate) struct Program {
    /// What the table calls it.
    name: &'static str,
    run: Box<dyn Fn(By, Around<'_>) -> Duration + Send + Sync>,
}

/// The timed part of a program, to be called once.
pub(crate) type Body<'a> = &'a mut (dyn FnMut() + Send);

/// Calls the timed part of a program from where it is to run.
pub(crate) type Around<'a> = &'a mut dyn FnMut(Body<'_>);

impl Program {
    /// A program that reads `input`, which is made anew for each run by `make`; `check` panics if
    /// the answer is wrong. Only `run` is timed.
    fn new<I, A>(
        name: &'static str,
        make: impl Fn() -> I + Send + Sync + 'static,
        run: impl Fn(By, &mut I) -> A + Send + Sync + 'static,
        check: impl Fn(&I, &A) + Send + Sync + 'static,
    ) -> Self
    where
        I: Send,
        A: Send,
    {
        let run = move |by, around: Around<'_>| {
            let mut input = make();
            let mut done = None;
            around(&mut || {
                let start = Instant::now();
                let answer = run(by, &mut input);
                done = Some((answer, start.elapsed()));
            });
            let (answer, elapsed) = done.expect("it was called");
            check(&input, &answer);
            elapsed
        };
        Program { name, run: Box::new(run) }
    }

    /// How long one run takes, from inside of the pool if `by` has one.
    ///
    /// # Panics
    ///
    /// If the answer is wrong.
    fn run(&self, by: By, pools: &Pools) -> Duration {
        match by {
            By::Serial => (self.run)(by, &mut |body| body()),
            By::Rayon => pools.rayon.install(|| (self.run)(by, &mut |body| body())),
            By::Taskel => pools.taskel.install(|| (self.run)(by, &mut |body| body())),
        }
    }

    /// How long one run by taskel takes, of which `around` calls the timed part.
    ///
    /// # Panics
    ///
    /// If the answer is wrong.
    pub(crate) fn run_by_taskel(&self, around: Around<'_>) -> Duration {
        (self.run)(By::Taskel, around)
    }

    /// What the table calls it.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

/// Measures the wanted programs, each by all who are wanted.
#[must_use]
pub fn groups(context: &Context) -> Vec<Group> {
    let pools = Pools::new(context.threads);
    let group = Group {
        name: "programs".to_owned(),
        title: "Programs, of which nothing but the `use` line changes".to_owned(),
        unit: "ms".to_owned(),
        shown: Shown::Value,
        rows: all(|name| context.wants_row(name)).map(|program| row(&program, &pools, context)).collect(),
        cores_of_others: None,
    };
    vec![group]
}

fn row(program: &Program, pools: &Pools, context: &Context) -> Row {
    let sample = |by| program.run(by, pools).as_secs_f64() * 1e3;
    let bys = By::ALL.into_iter().filter(|by| context.wants_peer(by.name()));
    let mut turns: Vec<Turn<'_>> = bys
        .map(|by| {
            // The first run pays for what is learned and allocated once.
            let _ = sample(by);
            Turn::new(by.name(), move || sample(by))
        })
        .collect();
    let mut row =
        Row { name: program.name.to_owned(), bound: None, cells: take_turns(&mut turns, context.reps) };
    row.bound = row.serial().map(|serial| serial / context.threads as f64);
    row
}

/// A pool of each library.
#[derive(Debug)]
struct Pools {
    rayon: rayon::ThreadPool,
    taskel: taskel::ThreadPool,
}

impl Pools {
    /// Pools of as many threads.
    fn new(threads: usize) -> Self {
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for rayon");
        let taskel =
            taskel::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for taskel");
        Pools { rayon, taskel }
    }
}

/// All programs whose name is `wanted`, each made, with its input and its answer, when its turn
/// comes.
pub(crate) fn all(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Program> {
    type Make = fn(&'static str) -> Program;
    let programs: [(&str, Make); 6] = [
        ("n-body, 10 k bodies, 1 step", |name| nbody::program(name, 10_000, 1)),
        ("n-body, 500 bodies, 200 steps", |name| nbody::program(name, 500, 200)),
        ("k-means, 400 k points, 32 clusters, 5 rounds", |name| kmeans::program(name, 400_000)),
        ("word count, 16 MB", |name| wordcount::program(name, 16 << 20)),
        ("quicksort, 2 M u64", |name| quicksort::program(name, 2_000_000)),
        ("ray tracer, 800 x 600", |name| raytracer::program(name, 800, 600)),
    ];
    programs.into_iter().filter(move |(name, _)| wanted(name)).map(|(name, make)| make(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs check their answers themselves.
    #[test]
    fn small_ones_of_all_programs_give_the_right_answers() {
        let pools = Pools::new(3);
        let small = [
            nbody::program("", 60, 3),
            kmeans::program("", 3_000),
            wordcount::program("", 100_000),
            quicksort::program("", 50_000),
            raytracer::program("", 40, 30),
        ];
        for program in &small {
            for by in By::ALL {
                let _ = program.run(by, &pools);
            }
        }
    }

    #[test]
    #[should_panic(expected = "wrong")]
    fn a_wrong_answer_is_no_time() {
        let program = Program::new("", || 1, |by, _| by, |_, by| assert_eq!(*by, By::Serial, "wrong"));
        let pools = Pools::new(1);
        let _ = program.run(By::Serial, &pools);
        let _ = program.run(By::Taskel, &pools);
    }
}
