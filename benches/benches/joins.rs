//! What does a fork cost? Nanoseconds per join, of trees of joins that do nothing else.

use std::hint::black_box;
use std::num::NonZero;
use std::time::Instant;

use taskel_benches::machine::Machine;
use taskel_benches::options::{Options, USAGE};
use taskel_benches::turns::{Turn, take_turns};

/// A sample has at least this many joins.
const JOINS: u64 = 60_000;

/// A node of a complete binary tree in level order: neither child is closer to its parent than the other, so that no order of
/// visiting them is easier on the cache.
struct Node {
    value: u64,
    /// 0 in a leaf.
    left: u32,
    right: u32,
}

fn tree(depth: u32) -> Vec<Node> {
    let nodes = (1_u32 << depth) - 1;
    let child = |index: u32| if index < nodes { index } else { 0 };
    (0..nodes)
        .map(|index| Node { value: 1, left: child(2 * index + 1), right: child(2 * index + 2) })
        .collect()
}

/// `fib` and the sum of a tree, with a `join` that takes two closures.
macro_rules! forks {
    ($name:ident, $a:ident, $b:ident, $join:expr) => {
        mod $name {
            use super::Node;

            pub(crate) fn fib(n: u32) -> u64 {
                if n < 2 {
                    return n.into();
                }
                let $a = || fib(n - 1);
                let $b = || fib(n - 2);
                let (a, b) = $join;
                a + b
            }

            pub(crate) fn sum(tree: &[Node], index: u32) -> u64 {
                let node = &tree[index as usize];
                if node.left == 0 {
                    return node.value;
                }
                let $a = || sum(tree, node.left);
                let $b = || sum(tree, node.right);
                let (a, b) = $join;
                node.value + a + b
            }
        }
    };
}

forks!(serial, a, b, (a(), b()));
forks!(with_rayon, a, b, rayon::join(a, b));
forks!(with_taskel, a, b, taskel::join(a, b));

/// The same with chili, whose scope is passed down.
mod with_chili {
    use super::Node;
    use chili::Scope;

    pub(crate) fn fib(scope: &mut Scope<'_>, n: u32) -> u64 {
        if n < 2 {
            return n.into();
        }
        let (a, b) = scope.join(|scope| fib(scope, n - 1), |scope| fib(scope, n - 2));
        a + b
    }

    pub(crate) fn sum(scope: &mut Scope<'_>, tree: &[Node], index: u32) -> u64 {
        let node = &tree[index as usize];
        if node.left == 0 {
            return node.value;
        }
        let (a, b) = scope.join(|scope| sum(scope, tree, node.left), |scope| sum(scope, tree, node.right));
        node.value + a + b
    }
}

enum Load {
    Fib(u32),
    Sum(Vec<Node>),
}

impl Load {
    fn all() -> [(&'static str, Load); 4] {
        [
            ("tree sum, depth 10", Load::Sum(tree(10))),
            ("tree sum, depth 16", Load::Sum(tree(16))),
            ("tree sum, depth 21", Load::Sum(tree(21))),
            ("fib(30)", Load::Fib(30)),
        ]
    }

    fn joins(&self) -> u64 {
        match self {
            // fib(n) makes fib(n + 1) - 1 joins.
            Load::Fib(n) => serial::fib(n + 1) - 1,
            Load::Sum(tree) => tree.len() as u64 / 2,
        }
    }

    fn answer(&self) -> u64 {
        match self {
            Load::Fib(n) => serial::fib(*n),
            Load::Sum(tree) => tree.len() as u64,
        }
    }

    /// Calls `fib` or `sum`, and checks the answer each time: nanoseconds per join.
    fn sample(&self, mut fib: impl FnMut(u32) -> u64, mut sum: impl FnMut(&[Node]) -> u64) -> f64 {
        let calls = JOINS.div_ceil(self.joins());
        let answer = self.answer();
        let start = Instant::now();
        for _ in 0..calls {
            let found = match self {
                Load::Fib(n) => fib(black_box(*n)),
                Load::Sum(tree) => sum(black_box(tree)),
            };
            assert_eq!(found, answer);
        }
        start.elapsed().as_nanos() as f64 / (calls * self.joins()) as f64
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse(std::env::args_os().skip(1))?;
    if options.help {
        println!("{USAGE}");
        return Ok(());
    }
    let bar = if options.markdown { "|" } else { "" };
    println!(
        "Nanoseconds per join, median [min–max] of {}; in the parentheses, without the serial call.\n",
        options.reps
    );
    println!("{bar} load {bar} threads {bar} serial {bar} rayon {bar} chili {bar} taskel {bar}");
    if options.markdown {
        println!("|---|---|---|---|---|---|");
    }
    for threads in [1, 2] {
        let taskel = taskel::ThreadPool::builder().num_threads(threads).build().expect("a pool");
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let config = chili::Config { thread_count: NonZero::new(threads), ..Default::default() };
        let chili = chili::ThreadPool::with_config(config);
        for (name, load) in Load::all().iter().filter(|(name, _)| name.contains(&options.load)) {
            let mut turns: Vec<Turn<'_>> = vec![
                ("serial", Box::new(|| load.sample(serial::fib, |tree| serial::sum(tree, 0)))),
                (
                    "rayon",
                    Box::new(|| {
                        rayon.install(|| load.sample(with_rayon::fib, |tree| with_rayon::sum(tree, 0)))
                    }),
                ),
                (
                    "chili",
                    Box::new(|| {
                        let mut scope = chili.scope();
                        let scope = std::cell::RefCell::new(&mut scope);
                        load.sample(
                            |n| with_chili::fib(&mut scope.borrow_mut(), n),
                            |tree| with_chili::sum(&mut scope.borrow_mut(), tree, 0),
                        )
                    }),
                ),
                (
                    "taskel",
                    Box::new(|| {
                        taskel.install(|| load.sample(with_taskel::fib, |tree| with_taskel::sum(tree, 0)))
                    }),
                ),
            ];
            turns.retain(|(peer, _)| *peer == "serial" || peer.contains(&options.peer));
            let spreads = take_turns(&mut turns, options.reps);
            let serial = spreads[0].1.median;
            let cells = spreads.iter().map(|(peer, spread)| {
                let over = format!("({:+.2})", spread.median - serial);
                let over = if *peer == "serial" { "" } else { &over };
                format!("{:.2} [{:.2}–{:.2}] {over}", spread.median, spread.min, spread.max)
            });
            let cells: Vec<String> = cells.collect();
            println!("{bar} {name} {bar} {threads} {bar} {} {bar}", cells.join(&format!(" {bar} ")));
        }
    }
    println!("\n{}", Machine::here(std::thread::available_parallelism().map_or(1, usize::from)));
    Ok(())
}
