//! How many of eight workers each member keeps busy, with items that sleep: the table of
//! `benches/members`, beside rayon where it has the member.

use super::Context;
use crate::result::{Cell, Group, Row, Shown};
use taskel_bench_members::{Busy, Effort, PEERS, WORKERS};

/// More samples than this tell nothing new: they differ by some per cent.
const MOST_SAMPLES: usize = 3;

/// So many rows at once.
const POOLS: usize = 4;

/// What taskel's speed-up by rayon's must not fall below.
const BEHIND: f64 = 0.85;
/// What it must not fall below where rayon has none.
const ALONE: f64 = 5.5;

pub(super) fn run(context: &Context) -> Vec<Group> {
    let mut found: Vec<(&str, Busy)> = Vec::new();
    let effort = Effort { pools: POOLS, calls: 1 };
    for sample in 0..context.reps.min(MOST_SAMPLES) {
        for &(peer, measure) in PEERS.iter().filter(|(peer, _)| context.wants_peer(peer)) {
            eprintln!("  sample {}, {peer}", sample + 1);
            let busy = measure(effort, &|name, _| context.wants_row(name));
            found.extend(busy.into_iter().map(|busy| (peer, busy)));
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    for (peer, busy) in &found {
        let name = format!("members-{}", busy.layout.replace(' ', "-"));
        let group = at(&mut groups, |group| group.name == name, || empty_group(&name, busy.layout));
        let empty = || Row { name: busy.name.to_owned(), bound: None, cells: Vec::new() };
        let row = at(&mut group.rows, |row| row.name == busy.name, empty);
        let cell = at(&mut row.cells, |cell| cell.peer == *peer, || Cell::new(*peer, Vec::new()));
        cell.samples.push(WORKERS as f64 / busy.workers);
    }
    for (_, busy) in &found {
        let group = groups.iter_mut().find(|group| group.title.ends_with(busy.layout));
        let row = group.and_then(|group| group.rows.iter_mut().find(|row| row.name == busy.name));
        judge(row.expect("made above"), busy);
    }
    groups
}

/// The one that is wanted, or else a new one at the end.
fn at<T>(all: &mut Vec<T>, is_wanted: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let place = all.iter().position(is_wanted).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    &mut all[place]
}

fn empty_group(name: &str, layout: &str) -> Group {
    Group {
        name: name.to_owned(),
        title: format!("Second calls by what {WORKERS} workers need that are all busy, items: {layout}"),
        unit: format!("{WORKERS} / speed-up"),
        shown: Shown::Value,
        rows: Vec::new(),
        cores_of_others: None,
    }
}

/// Notes beside taskel's median where its speed-up is less than it must be, with the reason if that
/// is known.
fn judge(row: &mut Row, busy: &Busy) {
    let [rayon, taskel] =
        ["rayon", "taskel"].map(|peer| row.cell(peer).map(|cell| WORKERS as f64 / cell.median()));
    let Some(taskel) = taskel else { return };
    if taskel >= rayon.map_or(ALONE, |rayon| rayon * BEHIND) {
        return;
    }
    let beside = rayon.map_or_else(|| format!("< {ALONE}"), |rayon| format!("rayon {rayon:.1}"));
    let reason = if taskel >= busy.enough { format!(": {}", busy.because) } else { String::new() };
    let cell = row.cells.iter_mut().find(|cell| cell.peer == "taskel").expect("it has a median");
    cell.note = Some(format!("(speed-up {taskel:.1}, {beside}{reason})"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rayon: Option<f64>, taskel: f64, enough: f64) -> Option<String> {
        let peers = rayon.map(|busy| ("rayon", busy)).into_iter().chain([("taskel", taskel)]);
        let cells = peers.map(|(peer, busy)| Cell::new(peer, vec![WORKERS as f64 / busy])).collect();
        let mut row = Row { name: String::new(), bound: None, cells };
        let busy = Busy { name: "", layout: "", workers: taskel, enough, because: "why" };
        judge(&mut row, &busy);
        row.cell("taskel").and_then(|cell| cell.note.clone())
    }

    #[test]
    fn both_peers_are_measured() {
        assert_eq!(PEERS.iter().map(|(peer, _)| *peer).collect::<Vec<_>>(), ["rayon", "taskel"]);
    }

    #[test]
    fn what_is_too_little_is_told_with_its_reason() {
        assert_eq!(judged(Some(8.0), 7.0, 5.0), None);
        assert_eq!(judged(Some(8.0), 6.0, 5.0).as_deref(), Some("(speed-up 6.0, rayon 8.0: why)"));
        assert_eq!(judged(Some(8.0), 4.0, 5.0).as_deref(), Some("(speed-up 4.0, rayon 8.0)"));
        assert_eq!(judged(Some(1.0), 1.0, 5.0), None);
        assert_eq!(judged(None, 5.0, 5.5).as_deref(), Some("(speed-up 5.0, < 5.5)"));
        assert_eq!(judged(None, 6.0, 5.5), None);
    }
}
