//! What changed between two reports, beyond noise.

use crate::{
    report::tables::{number, table},
    result::{Cell, Group, Report, Row, SERIAL, Shown},
    stats::{probability_of_chance, ratio_interval},
};

/// How probable it may be that chance alone makes any of a report's cells look changed.
const CHANCE: f64 = 0.01;
/// How sure the interval of the ratio is.
const CONFIDENCE: f64 = 0.99;
/// A change must be greater than this: from run to run, code lies elsewhere in memory, which alone
/// may cost or gain as much.
const LEAST_CHANGE: f64 = 0.02;
/// The same for exact counts.
const LEAST_CHANGE_OF_COUNTS: f64 = 0.005;

/// The rule, for whoever reads the verdicts.
pub const RULE: &str = "\
A cell has changed if all its samples, old and new, would be ranked as unequally by chance in less than 1 % of the comparisons of a whole report
(Mann–Whitney, two-sided, times the number of cells), and the 99 % bootstrap interval of the ratio of the medians lies beyond ±2 %. Cells with a
bound are compared as ratios to the bound of their own run, so that a machine that was slower as a whole changes nothing. Counts have changed if
they differ by more than 0.5 %. In a whole report, fewer than 14 samples a cell can show nothing.";

/// A cell that both reports have.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Group, row and peer.
    pub name: [String; 3],
    /// The old and the new median, as the tables show them.
    pub medians: [f64; 2],
    /// The new median by the old one: least, middle and greatest within the interval.
    pub ratio: [f64; 3],
}

/// What a comparison has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// How many cells both reports have.
    pub compared: usize,
    /// How many cells only one of them has.
    pub unmatched: usize,
    /// Those that changed, in the order of the new report.
    pub changes: Vec<Change>,
}

/// Compares each cell of `new` with the one of the same name in `old`.
#[must_use]
pub fn compare(old: &Report, new: &Report) -> Comparison {
    let (old_cells, new_cells) = (cells(old), cells(new));
    let pairs: Vec<_> = new_cells
        .iter()
        .filter_map(|new| old_cells.iter().find(|old| old.0 == new.0).map(|old| (old, new)))
        .collect();
    let mut comparison = Comparison {
        compared: pairs.len(),
        unmatched: old_cells.len() + new_cells.len() - 2 * pairs.len(),
        changes: Vec::new(),
    };
    for ((name, _, old), (_, shown, new)) in &pairs {
        let confidence = if *shown == Shown::Count { 0.0 } else { CONFIDENCE };
        let interval = ratio_interval(old, new, confidence);
        let beyond = |least: f64| *interval.start() > 1.0 + least || *interval.end() < 1.0 - least;
        let changed = match shown {
            Shown::Count => beyond(LEAST_CHANGE_OF_COUNTS),
            _ => beyond(LEAST_CHANGE) && probability_of_chance(old, new) * (pairs.len() as f64) < CHANCE,
        };
        if changed {
            let medians = [old, new].map(|samples| crate::stats::median(samples));
            let ratio = [*interval.start(), medians[1] / medians[0], *interval.end()];
            comparison.changes.push(Change { name: name.map(str::to_owned), medians, ratio });
        }
    }
    comparison
}

/// All cells with samples: name, how they are shown, and the samples as they are compared.
fn cells(report: &Report) -> Vec<([&str; 3], Shown, Vec<f64>)> {
    let rows = report.groups.iter().flat_map(|group| group.rows.iter().map(move |row| (group, row)));
    let cells = rows.flat_map(|(group, row)| row.cells.iter().map(move |cell| (group, row, cell)));
    let named = cells.filter_map(|(group, row, cell)| {
        Some(([&*group.name, &*row.name, &*cell.peer], group.shown, comparable(group, row, cell)?))
    });
    named.collect()
}

fn comparable(group: &Group, row: &Row, cell: &Cell) -> Option<Vec<f64>> {
    if cell.samples.is_empty() {
        return None;
    }
    match (group.shown, row.bound) {
        // Twice the bound in every run.
        (Shown::RatioToBound, _) if cell.peer == SERIAL => None,
        (Shown::RatioToBound, Some(bound)) => {
            Some(cell.samples.iter().map(|sample| sample / bound).collect())
        }
        _ => Some(cell.samples.clone()),
    }
}

/// The verdicts as a table, how many cells there were, and the [`RULE`].
#[must_use]
pub fn text(comparison: &Comparison) -> String {
    let Comparison { compared, unmatched, changes } = comparison;
    let mut text = String::new();
    if !changes.is_empty() {
        let header = ["group", "what", "peer", "old", "new", "new / old", ""].map(str::to_owned).to_vec();
        let lines = changes.iter().map(|Change { name, medians, ratio }| {
            let [low, middle, high] = ratio.map(number);
            let verdict = if ratio[1] < 1.0 { "less" } else { "more" };
            let mut line = name.to_vec();
            line.extend(medians.map(number));
            line.extend([format!("{middle} [{low}–{high}]"), verdict.to_owned()]);
            line
        });
        text = table(&std::iter::once(header).chain(lines).collect::<Vec<_>>());
        text.push('\n');
    }
    text + &format!(
        "{} of {compared} cells changed; {unmatched} are in one report only.\n\n{RULE}\n",
        changes.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples around `centre` that scatter by a tenth, in an order that looks random.
    fn around(centre: f64, seed: u32) -> Vec<f64> {
        let scattered =
            (0..21).map(|i| f64::from((i * 13 + seed) % 21) / 21.0 + f64::from(i * seed % 5) / 50.0);
        scattered.map(|part| centre * (1.0 + 0.1 * part)).collect()
    }

    fn report(shown: Shown, bound: Option<f64>, cells: Vec<Cell>) -> Report {
        let row = Row { name: "load".to_owned(), bound, cells };
        let group = Group {
            name: "loops".to_owned(),
            title: String::new(),
            unit: String::new(),
            shown,
            rows: vec![row],
            cores_of_others: None,
        };
        Report {
            machine: String::new(),
            calibration: String::new(),
            left_out: Vec::new(),
            groups: vec![group],
        }
    }

    #[test]
    fn a_real_change_is_found_and_noise_is_not() {
        let cells =
            |real, seed| vec![Cell::new("real", around(real, seed)), Cell::new("noise", around(50.0, seed))];
        let old = report(Shown::Value, None, cells(100.0, 1));
        let new = report(Shown::Value, None, cells(120.0, 8));
        let comparison = compare(&old, &new);
        assert_eq!((comparison.compared, comparison.changes.len()), (2, 1), "{comparison:?}");
        let Change { name, ratio, .. } = &comparison.changes[0];
        assert_eq!(name.each_ref().map(String::as_str), ["loops", "load", "real"]);
        assert!((ratio[1] - 1.2).abs() < 0.03 && ratio[0] < ratio[1] && ratio[1] < ratio[2], "{ratio:?}");
        assert!(text(&comparison).contains("more") && text(&comparison).contains("1 of 2 cells changed"));
        assert_eq!(compare(&old, &old).changes, []);
    }

    #[test]
    fn a_few_samples_prove_nothing() {
        let one = |value: f64| report(Shown::Value, None, vec![Cell::new("a", vec![value, value * 1.01])]);
        assert_eq!(compare(&one(1.0), &one(2.0)).changes, []);
    }

    #[test]
    fn a_machine_that_is_slower_as_a_whole_changes_no_ratio() {
        let run = |scale: f64| {
            let cells = vec![Cell::new(SERIAL, around(2.0 * scale, 3)), Cell::new("a", around(scale, 1))];
            report(Shown::RatioToBound, Some(scale), cells)
        };
        let comparison = compare(&run(1.0), &run(3.0));
        assert_eq!((comparison.compared, comparison.changes.len()), (1, 0));
    }

    #[test]
    fn counts_need_no_statistics() {
        let count = |value| report(Shown::Count, None, vec![Cell::new("a", vec![value])]);
        assert_eq!(compare(&count(1000.0), &count(1001.0)).changes.len(), 0);
        assert_eq!(compare(&count(1000.0), &count(990.0)).changes.len(), 1);
    }

    #[test]
    fn what_only_one_report_has_is_told() {
        let named = |peer: &str| report(Shown::Value, None, vec![Cell::new(peer, vec![1.0])]);
        let comparison = compare(&named("a"), &named("b"));
        assert_eq!((comparison.compared, comparison.unmatched), (0, 2));
    }
}
