//! Trees of tasks as public comparisons of task runtimes have them: `fib(39)`, a skynet of a million
//! leaves, the queens on a board of 14, a product of matrices by recursion.

mod matrix;
#[cfg(onetbb)]
mod onetbb;

use super::Context;
use crate::result::{Group, Row, SERIAL, Shown};
use crate::turns::{Turn, take_turns};
use std::hint::black_box;
use std::num::NonZero;
use std::ops::Range;
use std::time::Instant;

use self::matrix::Matrix;

/// A sample takes seconds with some peers.
const MOST_SAMPLES: usize = 5;

/// Whoever runs two closures, perhaps at the same time.
trait Fork {
    /// What is passed down from join to join.
    type Scope<'s>;

    fn join<A: Send, B: Send>(
        scope: &mut Self::Scope<'_>,
        a: impl FnOnce(&mut Self::Scope<'_>) -> A + Send,
        b: impl FnOnce(&mut Self::Scope<'_>) -> B + Send,
    ) -> (A, B);
}

/// Implements it for a function that takes two closures.
macro_rules! fork {
    ($Name:ident, $a:ident, $b:ident, $join:expr) => {
        struct $Name;

        impl Fork for $Name {
            type Scope<'s> = ();

            #[inline]
            fn join<A: Send, B: Send>(
                (): &mut (),
                a: impl FnOnce(&mut ()) -> A + Send,
                b: impl FnOnce(&mut ()) -> B + Send,
            ) -> (A, B) {
                let $a = || a(&mut ());
                let $b = || b(&mut ());
                $join
            }
        }
    };
}

fork!(Serial, a, b, (a(), b()));
fork!(Rayon, a, b, rayon::join(a, b));
fork!(Taskel, a, b, taskel::join(a, b));

struct Chili;

impl Fork for Chili {
    type Scope<'s> = chili::Scope<'s>;

    #[inline]
    fn join<A: Send, B: Send>(
        scope: &mut Self::Scope<'_>,
        a: impl FnOnce(&mut Self::Scope<'_>) -> A + Send,
        b: impl FnOnce(&mut Self::Scope<'_>) -> B + Send,
    ) -> (A, B) {
        scope.join(a, b)
    }
}

fn fib<F: Fork>(scope: &mut F::Scope<'_>, n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = F::join(scope, |scope| fib::<F>(scope, n - 1), |scope| fib::<F>(scope, n - 2));
    a + b
}

/// The sum of what `of` makes of some numbers, at least one, in halves.
fn sum<F: Fork>(
    scope: &mut F::Scope<'_>,
    numbers: Range<u64>,
    of: &(impl Fn(&mut F::Scope<'_>, u64) -> u64 + Sync),
) -> u64 {
    if numbers.end - numbers.start == 1 {
        return of(scope, numbers.start);
    }
    let middle = numbers.start.midpoint(numbers.end);
    let (left, right) = (numbers.start..middle, middle..numbers.end);
    let (left, right) = F::join(scope, |scope| sum::<F>(scope, left, of), |scope| sum::<F>(scope, right, of));
    left + right
}

/// The sum of the numbers of `leaves` leaves from `first` on: ten children each, down to the leaves.
fn skynet<F: Fork>(scope: &mut F::Scope<'_>, first: u64, leaves: u64) -> u64 {
    if leaves == 1 {
        return first;
    }
    let part = leaves / 10;
    sum::<F>(scope, 0..10, &|scope, child| skynet::<F>(scope, first + child * part, part))
}

const MOST_QUEENS: usize = 16;

/// In how many ways queens can stand in the rows from `row` on, of which none attacks another.
/// `columns` are those of the rows before.
fn queens<F: Fork>(scope: &mut F::Scope<'_>, size: usize, row: usize, columns: [u8; MOST_QUEENS]) -> u64 {
    if row == size {
        return 1;
    }
    sum::<F>(scope, 0..size as u64, &|scope, column| {
        let column = column as u8;
        let attacks = |(other, &above): (usize, &u8)| {
            above == column || usize::from(above.abs_diff(column)) == row - other
        };
        if columns[..row].iter().enumerate().any(attacks) {
            return 0;
        }
        let mut columns = columns;
        columns[row] = column;
        queens::<F>(scope, size, row + 1, columns)
    })
}

enum Load {
    Fib(u32),
    Skynet(u64),
    Queens(usize),
    Product([Matrix; 2]),
}

impl Load {
    fn all() -> [(&'static str, Load); 4] {
        [
            ("fib(39)", Load::Fib(39)),
            ("skynet, 10⁶ leaves", Load::Skynet(1_000_000)),
            ("14 queens", Load::Queens(14)),
            ("product of matrices, 1024 x 1024", Load::Product([1, 2].map(|seed| Matrix::of(1024, seed)))),
        ]
    }

    fn run<F: Fork>(&self, scope: &mut F::Scope<'_>) -> u64 {
        match self {
            Load::Fib(n) => fib::<F>(scope, *n),
            Load::Skynet(leaves) => skynet::<F>(scope, 0, *leaves),
            Load::Queens(size) => queens::<F>(scope, *size, 0, [0; MOST_QUEENS]),
            Load::Product([a, b]) => Matrix::product::<F>(scope, a, b).sum(),
        }
    }

    /// Milliseconds of a call, which must find `answer`.
    fn sample(&self, answer: u64, call: impl FnOnce(&Load) -> u64) -> f64 {
        let start = Instant::now();
        let found = call(black_box(self));
        let elapsed = start.elapsed();
        assert_eq!(found, answer);
        elapsed.as_secs_f64() * 1e3
    }
}

pub(super) fn run(context: &Context) -> Vec<Group> {
    let threads = context.threads;
    let taskel = taskel::ThreadPool::builder().num_threads(threads).build().expect("a pool");
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    let config = chili::Config { thread_count: NonZero::new(threads), ..Default::default() };
    let chili = chili::ThreadPool::with_config(config);
    if cfg!(not(onetbb)) {
        context.leave_out("oneTBB's task_group is left out of the trees: it was not built");
    }
    let row = |(name, load): &(&'static str, Load)| {
        let answer = load.run::<Serial>(&mut ());
        let mut turns = vec![
            Turn::new(SERIAL, || load.sample(answer, |load| load.run::<Serial>(&mut ()))),
            Turn::new("rayon", || rayon.install(|| load.sample(answer, |load| load.run::<Rayon>(&mut ())))),
            Turn::new("chili", || load.sample(answer, |load| load.run::<Chili>(&mut chili.scope()))),
            Turn::new("taskel", || {
                taskel.install(|| load.sample(answer, |load| load.run::<Taskel>(&mut ())))
            }),
        ];
        #[cfg(onetbb)]
        turns.push({
            let mut arena = crate::peers::onetbb::OneTbb::new(threads);
            Turn::new("oneTBB", move || load.sample(answer, |load| onetbb::run(&mut arena, load)))
        });
        turns.retain(|turn| context.wants_peer(&turn.peer));
        let cells = take_turns(&mut turns, context.reps.min(MOST_SAMPLES));
        let mut row = Row { name: (*name).to_owned(), bound: None, cells };
        row.bound = row.serial().map(|serial| serial / threads as f64);
        row
    };
    let loads = Load::all();
    let wanted = loads.iter().filter(|(name, _)| context.wants_row(name));
    vec![Group {
        name: "trees".to_owned(),
        title: "Trees of tasks, as public comparisons of task runtimes have them".to_owned(),
        unit: "ms".to_owned(),
        shown: Shown::Value,
        rows: wanted.map(row).collect(),
        cores_of_others: None,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small ones, and what is known of them.
    fn small() -> [(Load, u64); 5] {
        let [a, b] = [1, 2].map(|seed| Matrix::of(128, seed));
        let product = a.product_by_definition(&b);
        [
            (Load::Fib(15), 610),
            (Load::Skynet(1000), 499_500),
            (Load::Queens(1), 1),
            (Load::Queens(8), 92),
            (Load::Product([a, b]), product),
        ]
    }

    #[test]
    fn every_peer_finds_the_answers() {
        let taskel = taskel::ThreadPool::builder().num_threads(2).build().unwrap();
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let chili = chili::ThreadPool::new();
        for (load, answer) in small() {
            assert_eq!(load.run::<Serial>(&mut ()), answer);
            assert_eq!(rayon.install(|| load.run::<Rayon>(&mut ())), answer);
            assert_eq!(taskel.install(|| load.run::<Taskel>(&mut ())), answer);
            assert_eq!(load.run::<Chili>(&mut chili.scope()), answer);
            #[cfg(onetbb)]
            assert_eq!(onetbb::run(&mut crate::peers::onetbb::OneTbb::new(2), &load), answer);
        }
    }
}
