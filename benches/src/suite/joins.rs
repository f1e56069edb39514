//! What does a fork cost, and what does it gain? Trees of joins that do nothing else.

use super::Context;
use crate::{
    result::{Group, Row, SERIAL, Shown},
    turns::{Turn, take_turns},
};
use std::{hint::black_box, num::NonZero, time::Instant};

/// A sample has at least this many joins.
const JOINS: u64 = 60_000;

/// A node of a complete binary tree in level order: neither child is closer to its parent than the
/// other, so that no order of visiting them is easier on the cache.
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

/// A node of a complete binary tree in memory of its own: children were allocated before their
/// parent, the left one, with all below it, first.
struct Boxed {
    value: u64,
    children: Option<[Box<Boxed>; 2]>,
}

fn boxed(depth: u32) -> Box<Boxed> {
    let children = (depth > 1).then(|| [boxed(depth - 1), boxed(depth - 1)]);
    Box::new(Boxed { value: 1, children })
}

/// `fib` and the sum of a tree, with a `join` that takes two closures.
macro_rules! forks {
    ($name:ident, $a:ident, $b:ident, $join:expr) => {
        mod $name {
            use super::{Boxed, Node};

            pub(super) fn call(load: &super::Load) -> u64 {
                match load {
                    super::Load::Fib(n) => fib(*n),
                    super::Load::Sum(tree) => sum(tree, 0),
                    super::Load::LeftFirst(root) => boxed::<0>(root),
                    super::Load::RightFirst(root) => boxed::<1>(root),
                }
            }

            fn boxed<const FIRST: usize>(node: &Boxed) -> u64 {
                let Some(children) = &node.children else { return node.value };
                let $a = || boxed::<FIRST>(&children[FIRST]);
                let $b = || boxed::<FIRST>(&children[1 - FIRST]);
                let (a, b) = $join;
                node.value + a + b
            }

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
    use super::{Boxed, Node};
    use chili::Scope;

    pub(super) fn call(scope: &mut Scope<'_>, load: &super::Load) -> u64 {
        match load {
            super::Load::Fib(n) => fib(scope, *n),
            super::Load::Sum(tree) => sum(scope, tree, 0),
            super::Load::LeftFirst(root) => boxed::<0>(scope, root),
            super::Load::RightFirst(root) => boxed::<1>(scope, root),
        }
    }

    fn boxed<const FIRST: usize>(scope: &mut Scope<'_>, node: &Boxed) -> u64 {
        let Some(children) = &node.children else { return node.value };
        let (first, second) = (&children[FIRST], &children[1 - FIRST]);
        let (a, b) = scope.join(|scope| boxed::<FIRST>(scope, first), |scope| boxed::<FIRST>(scope, second));
        node.value + a + b
    }

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
    LeftFirst(Box<Boxed>),
    RightFirst(Box<Boxed>),
}

/// The nodes of a boxed tree of depth 21.
const BOXED: u64 = (1 << 21) - 1;

impl Load {
    fn all() -> [(&'static str, Load); 6] {
        [
            ("tree sum, depth 10", Load::Sum(tree(10))),
            ("tree sum, depth 16", Load::Sum(tree(16))),
            ("tree sum, depth 21", Load::Sum(tree(21))),
            ("fib(30)", Load::Fib(30)),
            ("boxed, left first", Load::LeftFirst(boxed(21))),
            ("boxed, right first", Load::RightFirst(boxed(21))),
        ]
    }

    fn joins(&self) -> u64 {
        match self {
            // fib(n) makes fib(n + 1) - 1 joins.
            Load::Fib(n) => serial::fib(n + 1) - 1,
            Load::Sum(tree) => tree.len() as u64 / 2,
            Load::LeftFirst(_) | Load::RightFirst(_) => BOXED / 2,
        }
    }

    fn answer(&self) -> u64 {
        match self {
            Load::Fib(n) => serial::fib(*n),
            Load::Sum(tree) => tree.len() as u64,
            Load::LeftFirst(_) | Load::RightFirst(_) => BOXED,
        }
    }

    /// Makes calls, and checks the answer each time: nanoseconds per join.
    fn sample(&self, mut call: impl FnMut(&Load) -> u64) -> f64 {
        let calls = JOINS.div_ceil(self.joins());
        let answer = self.answer();
        let start = Instant::now();
        for _ in 0..calls {
            assert_eq!(call(black_box(self)), answer);
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
        let mut scope = chili.scope();
        load.sample(|load| with_chili::call(&mut scope, load))
    };
    let row = |name: &str, load: &Load| {
        let mut turns = vec![
            Turn::new(SERIAL, || load.sample(serial::call)),
            Turn::new("rayon", || rayon.install(|| load.sample(with_rayon::call))),
            Turn::new("chili", || with_chili(load)),
            Turn::new("taskel", || taskel.install(|| load.sample(with_taskel::call))),
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
