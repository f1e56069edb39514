//! What `report` measures: a list of suites, each of which answers with groups of rows.

use crate::{result::Group, work::Calibration};

/// One thing that `report` measures.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// What `--only` chooses.
    pub name: &'static str,
    /// What it answers, in a line.
    pub about: &'static str,
    /// Measures it. Rows and peers that [`Context`] does not want are left out, and so is a group without rows.
    pub run: fn(&Context) -> Vec<Group>,
}

/// All of them, in the order in which they run.
pub const ALL: &[Suite] = &[];

/// What a suite has to know.
#[derive(Clone, Debug)]
pub struct Context {
    /// How many threads each peer has: as many as there are cores.
    pub threads: usize,
    /// Samples of each peer in each row.
    pub reps: usize,
    /// Part of the names of the wanted rows.
    pub row: String,
    /// Part of the names of the wanted peers.
    pub peer: String,
    /// What a taskel takes.
    pub calibration: Calibration,
}

impl Context {
    /// Whether that row is wanted.
    #[must_use]
    pub fn wants_row(&self, name: &str) -> bool {
        name.contains(&self.row)
    }

    /// Whether that peer is wanted; the serial one always is.
    #[must_use]
    pub fn wants_peer(&self, name: &str) -> bool {
        name == crate::result::SERIAL || name.contains(&self.peer)
    }
}
