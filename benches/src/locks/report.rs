//! The table of locks.

use super::measure::Cell;
use crate::report::{Style, number, table};

/// One line for each peer, one column for each case: nanoseconds per acquisition, median \[min–max\], and how many
/// acquisitions one of two had for each of the other.
#[must_use]
pub fn text(peers: &[&str], cases: &[&str], columns: &[Vec<Option<Cell>>], style: Style) -> String {
    let header = std::iter::once("lock").chain(cases.iter().copied()).map(str::to_owned).collect();
    let lines = peers.iter().enumerate().map(|(peer, name)| {
        let cells = columns.iter().map(|column| column[peer].as_ref().map_or_else(String::new, spread));
        std::iter::once((*name).to_owned()).chain(cells).collect()
    });
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(lines).collect();
    table(&lines, style)
}

fn spread(cell: &Cell) -> String {
    let [median, least, most] = cell.ns.map(number);
    let unfairness =
        if cell.unfairness > 1.0 { format!(" {}:1", number(cell.unfairness)) } else { String::new() };
    format!("{median} [{least}–{most}]{unfairness}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_cannot_take_part_has_an_empty_cell() {
        let cell = Cell { ns: [5.0, 4.0, 600.0], unfairness: 1.5 };
        let text = text(&["a", "b"], &["x"], &[vec![Some(cell), None]], Style::Plain);
        assert_eq!(text, "lock  x\\na     5.00 [4.00–600] 1.50:1\\nb\\n".replace("\\n", "\n"));
    }
}
