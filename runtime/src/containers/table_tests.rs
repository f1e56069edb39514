//! Blocks are made once, and entries stay where they are.

use crate::containers::table::Table;

#[test]
fn every_index_has_an_entry_of_its_own_which_stays_where_it_is() {
    for (first, unit) in [(0, 1), (3, 1), (0, 4), (5, 32)] {
        let table = Table::new(0..first, unit);
        let places: Vec<*const usize> =
            (0..1000).map(|index| std::ptr::from_ref(table.get_or_make(index, |index| index))).collect();
        assert!(table.len() >= 1000);
        assert!(table.iter().copied().eq(0..table.len()), "first {first}, unit {unit}");
        for (index, place) in places.into_iter().enumerate() {
            assert_eq!(table[index], index);
            assert!(std::ptr::eq(&table[index], place));
        }
        assert!(table.len() <= 2 * 1000 + first + unit, "{} entries", table.len());
    }
}

#[test]
fn blocks_are_made_when_needed_and_once() {
    let mut table = Table::new(0..2, 4);
    let mut made = Vec::new();
    assert_eq!(table.get(17), None);
    table.get_or_make(1, |_| unreachable!("it is there"));
    for index in [17, 14, 29, 2] {
        table.get_or_make(index, |index| {
            made.push(index);
            index
        });
    }
    assert!(made.iter().copied().eq((14..30).chain(2..6)));
    made.extend([0, 1]);
    made.sort_unstable();
    let mut entries: Vec<usize> = table.iter_mut().map(|entry| *entry).collect();
    entries.sort_unstable();
    assert_eq!(entries, made);
    let mut entries: Vec<usize> = table.into_iter().collect();
    entries.sort_unstable();
    assert_eq!(entries, made);
}
