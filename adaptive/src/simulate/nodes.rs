//! Which workers are near each other.

use super::error::{Kind, SimulateError};

/// Groups of neighbouring workers, such as the cores of a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nodes {
    workers_each: usize,
    far_steal_ns: f64,
}

impl Nodes {
    /// All workers are near each other.
    pub(crate) const ONE: Nodes = Nodes { workers_each: usize::MAX, far_steal_ns: 0.0 };

    pub(crate) fn new(workers_each: usize, far_steal_ns: f64) -> Self {
        Nodes { workers_each, far_steal_ns }
    }

    /// Returns the cost of a steal that costs `near_ns` within a node.
    pub(crate) fn steal_ns(self, near_ns: f64, thief: usize, victim: usize) -> f64 {
        let near = thief / self.workers_each == victim / self.workers_each;
        if near { near_ns } else { self.far_steal_ns }
    }

    pub(crate) fn check(self) -> Result<(), SimulateError> {
        let ns = self.far_steal_ns;
        if self.workers_each == 0 {
            return Err(SimulateError(Kind::EmptyNodes));
        }
        if !(ns.is_finite() && ns >= 0.0) {
            return Err(SimulateError(Kind::Cost { name: "far steal", ns }));
        }
        Ok(())
    }
}
