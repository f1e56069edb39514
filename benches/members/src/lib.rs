//! A table of every public member of taskel: how many of eight workers it keeps busy, and rayon's
//! where rayon has it.
//!
//! Items sleep, and so keep eight workers busy on any machine. A row is a way to have 64 items run
//! by a member; it is called with each of three layouts: items that are alike, a few long ones side
//! by side, and a long one at each eighth place. The table says how many workers must be busy on
//! average; the test `members` of this crate compares.
//!
//! It is a crate of its own, so that five hundred loops are built once, for that test and for the
//! suite `members` of the benchmarks, and need not be optimised.

mod items;
#[cfg(feature = "rayon")]
mod rayon;
mod taskel;

/// How many of eight workers were busy, on average.
#[derive(Clone, Debug)]
pub struct Busy {
    /// The row's name: a member, and which of several ways to use it.
    pub name: &'static str,
    /// Which items are long.
    pub layout: &'static str,
    /// In the median of the calls after the first.
    pub workers: f64,
    /// How many must be busy when the member is taskel's.
    pub enough: f64,
    /// Why that is not eight, where it is much less.
    pub because: &'static str,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// So many rows are called at once, each in a pool of its own: who sleeps needs no core.
    pub pools: usize,
    /// The calls after the first.
    pub calls: usize,
}

/// Measures the rows and layouts whose names are wanted: all rows with the first layout, then with
/// the next.
pub type Measure = fn(Effort, &dyn Fn(&str, &str) -> bool) -> Vec<Busy>;

/// How many workers there are.
pub const WORKERS: usize = items::WORKERS;

/// Who can be measured.
pub const PEERS: &[(&str, Measure)] = &[
    #[cfg(feature = "rayon")]
    ("rayon", rayon::busy),
    ("taskel", taskel::busy),
];

/// The names of taskel's rows.
pub fn rows() -> Vec<&'static str> {
    taskel::rows()
}

/// Measures taskel.
pub fn busy(effort: Effort, wants: &dyn Fn(&str, &str) -> bool) -> Vec<Busy> {
    taskel::busy(effort, wants)
}

/// What both modules do with their rows.
macro_rules! measured {
    ($rows:expr) => {
        pub(crate) fn busy(effort: crate::Effort, wants: &dyn Fn(&str, &str) -> bool) -> Vec<crate::Busy> {
            // By layout, so that rows which take long are not side by side.
            let cells: Vec<(&'static row::Row, usize)> = (0..items::LAYOUTS.len())
                .flat_map(|layout| $rows.map(move |row| (row, layout)))
                .filter(|(row, layout)| wants(row.name, items::LAYOUTS[*layout].name))
                .collect();
            schedule::all(effort.pools, &cells, |&(row, layout), pool| crate::Busy {
                name: row.name,
                layout: items::LAYOUTS[layout].name,
                workers: schedule::busy(row, pool, items::LAYOUTS[layout], effort.calls),
                enough: row.expected.busy[layout],
                because: row.expected.because,
            })
        }
    };
}
use measured;
