//! The table of `runtime/tests/members`, for rayon and for taskel: how many of eight workers each
//! member keeps busy.
//!
//! It is a crate of its own, so that it need not be optimised: its items sleep, and five hundred
//! loops would take minutes to build.

#[path = "../../../runtime/tests/members/items.rs"]
mod items;
mod rayon;
mod taskel;

/// How many of eight workers were busy, on average.
#[derive(Clone, Debug)]
pub struct Busy {
    /// The row's name: a member, and which of several ways to use it.
    pub name: &'static str,
    /// Which items are long.
    pub layout: &'static str,
    /// In the second call.
    pub workers: f64,
    /// How many must be busy when the member is taskel's.
    pub enough: f64,
    /// Why that is not eight, where it is much less.
    pub because: &'static str,
}

/// Measures rows of which `wants` wants the name.
pub type Measure = fn(&dyn Fn(&str) -> bool) -> Vec<Busy>;

/// How many workers there are.
pub const WORKERS: usize = items::WORKERS;

/// Who can be measured.
pub const PEERS: [(&str, Measure); 2] = [("rayon", rayon::busy), ("taskel", taskel::busy)];

/// What both modules do with their rows.
macro_rules! measured {
    ($rows:expr) => {
        /// The second call of each row with each layout.
        pub(crate) fn busy(wants: &dyn Fn(&str) -> bool) -> Vec<crate::Busy> {
            let cells: Vec<(&'static row::Row, usize)> = (0..items::LAYOUTS.len())
                .flat_map(|layout| $rows.filter(|row| wants(row.name)).map(move |row| (row, layout)))
                .collect();
            schedule::all(crate::POOLS, &cells, |&(row, layout), pool| crate::Busy {
                name: row.name,
                layout: items::LAYOUTS[layout].name,
                workers: schedule::busy(row, pool, items::LAYOUTS[layout], 1),
                enough: row.expected.busy[layout],
                because: row.expected.because,
            })
        }
    };
}
use measured;

/// So many rows are called at once, each in a pool of its own: who sleeps needs no core.
const POOLS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_peers_have_all_workers_busy_in_a_plain_loop() {
        for (peer, measure) in PEERS {
            let found = measure(&|name| name == "ParallelIterator::for_each");
            assert_eq!(
                found.iter().map(|busy| busy.layout).collect::<Vec<_>>(),
                ["even", "a few long", "every 8th long"]
            );
            assert!(found[0].workers > 4.0, "{peer}: {found:?}");
        }
    }
}
