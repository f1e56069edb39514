//! The shape of a tree of joins: from a rule, or as recorded.

use alloc::vec::Vec;
use core::ops::Range;

/// How the pieces of a tree are divided.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Each join takes this many of its taskels, which are at least two, in its first half.
    Split(fn(usize) -> usize),
    Nodes(Nodes),
}

/// A part of a tree: neighbouring taskels, and its node, if it has one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) taskels: Range<usize>,
    node: usize,
}

/// How a piece is divided.
#[derive(Debug, PartialEq)]
pub(crate) enum Division {
    Taskel,
    Fork(Piece, Piece),
    /// One after the other. The second is a node.
    Then(Piece, usize),
}

impl Form {
    /// Returns a piece with all `len` taskels, if there are any.
    pub(crate) fn root(&self, len: usize) -> Option<Piece> {
        match self {
            Form::Split(_) => (len > 0).then_some(Piece { taskels: 0..len, node: 0 }),
            Form::Nodes(nodes) => (!nodes.nodes.is_empty()).then(|| self.piece(nodes.root)),
        }
    }

    /// Returns the piece of a node.
    pub(crate) fn piece(&self, node: usize) -> Piece {
        match self {
            Form::Split(_) => Piece { taskels: 0..0, node },
            Form::Nodes(nodes) => Piece { taskels: nodes.nodes[node].taskels.clone(), node },
        }
    }

    pub(crate) fn divide(&self, piece: &Piece) -> Division {
        match self {
            Form::Split(_) if piece.taskels.len() <= 1 => Division::Taskel,
            Form::Split(split) => {
                let Range { start, end } = piece.taskels;
                let middle = start + split(end - start).clamp(1, end - start - 1);
                let half = |taskels| Piece { taskels, node: 0 };
                Division::Fork(half(start..middle), half(middle..end))
            }
            Form::Nodes(nodes) => match nodes.nodes[piece.node].kind {
                Kind::Taskel => Division::Taskel,
                Kind::Fork(first, second) => Division::Fork(self.piece(first), self.piece(second)),
                Kind::Then(first, rest) => Division::Then(self.piece(first), rest),
            },
        }
    }
}

/// A tree with one node per taskel and per pair.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nodes {
    nodes: Vec<Node>,
    root: usize,
}

#[derive(Clone, Debug)]
struct Node {
    /// Neighbouring taskels, in the order of a walk through the tree.
    taskels: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Taskel,
    Fork(usize, usize),
    Then(usize, usize),
}

/// Builds a tree bottom-up.
#[derive(Debug, Default)]
pub(crate) struct TreeBuilder {
    nodes: Vec<Node>,
    /// The time of each node that is a taskel.
    times_ns: Vec<f64>,
}

impl TreeBuilder {
    pub(crate) fn taskel(&mut self, ns: f64) -> usize {
        self.push(Kind::Taskel, ns)
    }

    /// Adds a join. The worker that reaches it runs the first half.
    pub(crate) fn fork(&mut self, first: usize, second: usize) -> usize {
        self.push(Kind::Fork(first, second), 0.0)
    }

    /// Adds a sequence.
    pub(crate) fn then(&mut self, first: usize, rest: usize) -> usize {
        self.push(Kind::Then(first, rest), 0.0)
    }

    /// Adds a balanced tree of joins over all pieces. Returns `None` if there are none.
    pub(crate) fn beside(&mut self, mut pieces: Vec<usize>) -> Option<usize> {
        while pieces.len() > 1 {
            let pairs = pieces.chunks(2).map(|pair| match *pair {
                [first, second] => self.push(Kind::Fork(first, second), 0.0),
                _ => pair[0],
            });
            pieces = pairs.collect();
        }
        pieces.pop()
    }

    fn push(&mut self, kind: Kind, ns: f64) -> usize {
        self.nodes.push(Node { taskels: 0..0, kind });
        self.times_ns.push(ns);
        self.times_ns.len() - 1
    }

    /// Returns the tree below `root`, and the times of its taskels in tree order.
    pub(crate) fn finish(self, root: usize) -> (Nodes, Vec<f64>) {
        let mut times_ns = Vec::new();
        let mut nodes = self.nodes;
        // Each node is visited twice: before its content and after it.
        let mut to_see = alloc::vec![(root, false)];
        while let Some((at, is_over)) = to_see.pop() {
            if is_over {
                nodes[at].taskels.end = times_ns.len();
                continue;
            }
            nodes[at].taskels.start = times_ns.len();
            to_see.push((at, true));
            match nodes[at].kind {
                Kind::Taskel => times_ns.push(self.times_ns[at]),
                Kind::Fork(first, second) | Kind::Then(first, second) => {
                    to_see.push((second, false));
                    to_see.push((first, false));
                }
            }
        }
        (Nodes { nodes, root }, times_ns)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn taskels_are_numbered_as_a_walk_meets_them() {
        let mut tree = TreeBuilder::default();
        let [a, b, c] = [3.0, 1.0, 2.0].map(|ns| tree.taskel(ns));
        let half = tree.then(b, a);
        let root = tree.fork(c, half);
        let (nodes, times_ns) = tree.finish(root);
        assert_eq!(times_ns, [2.0, 1.0, 3.0]);
        let form = Form::Nodes(nodes);
        let Division::Fork(first, second) = form.divide(&form.root(3).expect("a root")) else { panic!() };
        assert_eq!((first.taskels, second.taskels.clone()), (0..1, 1..3));
        let Division::Then(first, rest) = form.divide(&second) else { panic!() };
        assert_eq!((first.taskels, form.piece(rest).taskels), (1..2, 2..3));
    }

    #[test]
    fn parallel_pieces_are_divided_by_halves() {
        let mut tree = TreeBuilder::default();
        let taskels = (0..5).map(|ns| tree.taskel(f64::from(ns))).collect();
        let root = tree.beside(taskels).expect("some");
        assert_eq!(tree.finish(root).1, [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(TreeBuilder::default().beside(Vec::new()), None);
    }

    #[test]
    fn nothing_has_no_root() {
        assert_eq!(Form::Split(|n| n / 2).root(0), None);
        assert_eq!(Form::Nodes(Nodes::default()).root(0), None);
    }
}
