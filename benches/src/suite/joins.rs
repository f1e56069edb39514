//! What does a fork cost, and what does it gain? Trees of joins that do nothing else.

use super::Context;
use crate::{
    result::{Group, Row, SERIAL, Shown},
    turns::{Turn, take_turns},
};
use std::{cell::RefCell, hint::black_box, num::NonZero, time::Instant};

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

            pub(super) fn fib(n: u32) -> u64 {
                if n < 2 {
                    return n.into();
                }
                let $a = || fib(n - 1);
                let $b = || fib(n - 2);
                let (a, b) = $join;
                a + b
            }

            pub(super) fn sum(tree: &[Node], index: u32) -> u64 {
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

    pub(super) fn fib(scope: &mut Scope<'_>, n: u32) -> u64 {
        if n < 2 {
            return n.into();
        }
        let (a, b) = scope.join(|scope| fib(scope, n - 1), |scope| fib(scope, n - 2));
        a + b
    }

    pub(super) fn sum(scope: &mut Scope<'_>, tree: &[Node], index: u32) -> u64 {
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

pub(super) fn run(context: &Context) -> Vec<Group> {
    let loads = Load::all();
    let wanted: Vec<_> = loads.iter().filter(|(name, _)| context.wants_row(name)).collect();
    let mut threads = vec![1, context.threads];
    threads.dedup();
    threads.into_iter().map(|threads| group(context, threads, &wanted)).collect()
}

fn group(context: &Context, threads: usize, loads: &[&(&str, Load)]) -> Group {
    let taskel = taskel::ThreadPool::builder().num_threads(threads).build().expect("a pool");
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    let config = chili::Config { thread_count: NonZero::new(threads), ..Default::default() };
    let chili = chili::ThreadPool::with_config(config);
    let with_chili = |load: &Load| {
        let scope = RefCell::new(chili.scope());
        let fib = |n| with_chili::fib(&mut scope.borrow_mut(), n);
        let sum = |tree: &[Node]| with_chili::sum(&mut scope.borrow_mut(), tree, 0);
        load.sample(fib, sum)
    };
    let row = |name: &str, load: &Load| {
        let mut turns = vec![
            Turn::new(SERIAL, || load.sample(serial::fib, |tree| serial::sum(tree, 0))),
            Turn::new("rayon", || {
                rayon.install(|| load.sample(with_rayon::fib, |tree| with_rayon::sum(tree, 0)))
            }),
            Turn::new("chili", || with_chili(load)),
            Turn::new("taskel", || {
                taskel.install(|| load.sample(with_taskel::fib, |tree| with_taskel::sum(tree, 0)))
            }),
        ];
        turns.retain(|turn| context.wants_peer(&turn.peer));
        Row { name: name.to_owned(), bound: None, cells: take_turns(&mut turns, context.reps) }
    };
    let many = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
    Group {
        name: if threads == 1 { "joins-alone" } else { "joins" }.to_owned(),
        title: format!("Trees of joins, {many}"),
        unit: "ns per join".to_owned(),
        shown: Shown::OverSerial,
        rows: loads.iter().map(|(name, load)| row(name, load)).collect(),
        cores_of_others: None,
    }
}
