//! Programs that people run, for rayon and for taskel: what the bench `programs` measures.
//!
//! The parallel part of each is written once, in a file `parallel.rs`. It is compiled twice, and the line that differs is the `use`:
//!
//! ```ignore
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
//! A program's `mod.rs` has its data, the plain sequential version, and what is known of the answer.

pub mod kmeans;
pub mod nbody;
pub mod quicksort;
pub mod raytracer;
pub mod wordcount;

use std::thread;
use std::time::{Duration, Instant};

/// Who runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The plain sequential version.
    Serial,
    /// rayon.
    Rayon,
    /// taskel.
    Taskel,
}

impl By {
    /// All of them, in the order of the table.
    pub const ALL: [By; 3] = [By::Serial, By::Rayon, By::Taskel];

    /// What the table calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            By::Serial => "serial",
            By::Rayon => "rayon",
            By::Taskel => "taskel",
        }
    }
}

/// A program with its input.
pub struct Program {
    /// What the table calls it.
    pub name: &'static str,
    run: Box<dyn Fn(By) -> Duration + Send + Sync>,
}

impl Program {
    /// A program that reads `input`, which is made anew for each run by `make`; `check` panics if the answer is wrong. Only `run` is timed.
    fn new<I, A>(
        name: &'static str,
        make: impl Fn() -> I + Send + Sync + 'static,
        run: impl Fn(By, &mut I) -> A + Send + Sync + 'static,
        check: impl Fn(&I, &A) + Send + Sync + 'static,
    ) -> Self {
        let run = move |by| {
            let mut input = make();
            let start = Instant::now();
            let answer = run(by, &mut input);
            let elapsed = start.elapsed();
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
    #[must_use]
    pub fn run(&self, by: By, pools: &Pools) -> Duration {
        match by {
            By::Serial => (self.run)(by),
            By::Rayon => pools.rayon.install(|| (self.run)(by)),
            By::Taskel => pools.taskel.install(|| (self.run)(by)),
        }
    }
}

/// Runs `program` `repetitions` times by each of [`By::ALL`] in turns, each repetition starting with the next: milliseconds.
#[must_use]
pub fn samples(program: &Program, pools: &Pools, repetitions: usize) -> [Vec<f64>; By::ALL.len()] {
    let mut samples = [const { Vec::new() }; By::ALL.len()];
    for repetition in 0..repetitions {
        for turn in 0..By::ALL.len() {
            let index = (repetition + turn) % By::ALL.len();
            // The threads of the one before go to sleep meanwhile.
            thread::sleep(Duration::from_millis(1));
            samples[index].push(program.run(By::ALL[index], pools).as_secs_f64() * 1e3);
        }
    }
    samples
}

/// A pool of each library.
#[derive(Debug)]
pub struct Pools {
    rayon: rayon::ThreadPool,
    taskel: taskel::ThreadPool,
}

impl Pools {
    /// Pools of as many threads.
    ///
    /// # Panics
    ///
    /// When the system has no threads to give.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for rayon");
        let taskel =
            taskel::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for taskel");
        Pools { rayon, taskel }
    }
}

/// All programs whose name contains `part`, with their inputs and what the answers must be: that takes some seconds.
#[must_use]
pub fn all(part: &str) -> Vec<Program> {
    type Make = fn(&'static str) -> Program;
    let programs: [(&str, Make); 6] = [
        ("n-body, 10 k bodies, 1 step", |name| nbody::program(name, 10_000, 1)),
        ("n-body, 500 bodies, 200 steps", |name| nbody::program(name, 500, 200)),
        ("k-means, 400 k points, 32 clusters, 5 rounds", |name| kmeans::program(name, 400_000)),
        ("word count, 16 MB", |name| wordcount::program(name, 16 << 20)),
        ("quicksort, 2 M u64", |name| quicksort::program(name, 2_000_000)),
        ("ray tracer, 800 x 600", |name| raytracer::program(name, 800, 600)),
    ];
    let chosen = programs.into_iter().filter(|(name, _)| name.contains(part));
    chosen.map(|(name, make)| make(name)).collect()
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
