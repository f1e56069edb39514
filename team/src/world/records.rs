//! The finished parts of a call, as ranks exchange them.

use std::iter;
use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::error::TeamError;
use crate::ledger::Part;

/// The parts of one rank, one after the other: three words and the bytes of each.
#[derive(Default)]
pub(super) struct Own {
    bytes: Vec<u8>,
    places: Vec<u8>,
}

impl Own {
    pub(super) fn push(&mut self, part: &Part) {
        let words = [part.start, part.len, part.bytes.len() as u64];
        words.iter().for_each(|word| self.bytes.extend(word.to_le_bytes()));
        self.bytes.extend(&part.bytes);
        words[..2].iter().for_each(|word| self.places.extend(word.to_le_bytes()));
    }

    /// Returns only starts and lengths.
    pub(super) fn places(&self) -> Vec<u8> {
        self.places.clone()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes a word from the front.
fn word(bytes: &mut &[u8]) -> Option<u64> {
    let (word, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*word))
}

/// The items of a call that must be run. They are numbered from 0 without gaps: this number is an
/// item's *place*.
#[derive(Debug)]
pub(super) struct Missing {
    /// Each gap, with the place of its first item.
    gaps: Vec<(u64, Range<u64>)>,
    len: u64,
}

impl Missing {
    pub(super) fn all(items: u64) -> Missing {
        Missing::of(iter::once(0..items))
    }

    /// Returns the items that are not among these [places](Own::places).
    pub(super) fn beside(items: u64, mut places: &[u8]) -> Missing {
        let mut done = Vec::new();
        while let (Some(start), Some(len)) = (word(&mut places), word(&mut places)) {
            done.push(start..start + len);
        }
        done.sort_unstable_by_key(|done| done.start);
        let mut from = 0;
        let gaps = done.into_iter().chain(iter::once(items..items)).map(|done| {
            let gap = from..done.start;
            from = done.end;
            gap
        });
        Missing::of(gaps.collect::<Vec<_>>())
    }

    fn of(gaps: impl IntoIterator<Item = Range<u64>>) -> Missing {
        let mut len = 0;
        let with_place = |gap: Range<u64>| {
            let place = len;
            len += gap.end - gap.start;
            (place, gap)
        };
        let gaps = gaps.into_iter().filter(|gap| !gap.is_empty()).map(with_place).collect();
        Missing { gaps, len }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Returns the items at these places, as ranges.
    pub(super) fn items(&self, places: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let first = self.gaps.partition_point(|(place, gap)| place + (gap.end - gap.start) <= places.start);
        self.gaps[first..].iter().map_while(move |(place, gap)| {
            let from = places.start.max(*place);
            let to = places.end.min(place + (gap.end - gap.start));
            (from < to).then(|| gap.start + (from - place)..gap.start + (to - place))
        })
    }
}

/// What all ranks have done of a call.
pub(crate) struct Records {
    bytes: Vec<Vec<u8>>,
    /// The parts in order: the number of items, the rank that has the bytes, and where they are.
    parts: Vec<(u64, usize, Range<usize>)>,
}

impl Records {
    pub(super) fn new(items: u64, bytes: Vec<Vec<u8>>) -> Result<Records, TeamError> {
        let mut parts = Vec::new();
        for (rank, bytes) in bytes.iter().enumerate() {
            let mut rest = &bytes[..];
            while let (Some(start), Some(len), Some(size)) =
                (word(&mut rest), word(&mut rest), word(&mut rest))
            {
                let at = bytes.len() - rest.len();
                let size = (size as usize).min(rest.len());
                parts.push((start, (len, rank, at..at + size)));
                rest = &rest[size..];
            }
        }
        parts.sort_unstable_by_key(|(start, _)| *start);
        let mut next = 0;
        for (start, (len, ..)) in &parts {
            assert_eq!(*start, next, "an item that no rank has done, or that two have");
            next += len;
        }
        assert_eq!(next, items, "an item that no rank has done");
        Ok(Records { bytes, parts: parts.into_iter().map(|(_, part)| part).collect() })
    }

    /// Returns each item's result, in order.
    pub(crate) fn of_items<T: DeserializeOwned>(&self) -> Result<Vec<T>, TeamError> {
        let mut results = Vec::new();
        for (len, rank, place) in &self.parts {
            let mut rest = &self.bytes[*rank][place.clone()];
            for _ in 0..*len {
                let (result, behind) = postcard::take_from_bytes(rest)?;
                results.push(result);
                rest = behind;
            }
        }
        Ok(results)
    }

    /// Returns the result of each part, in order.
    pub(crate) fn of_parts<T: DeserializeOwned>(&self) -> Result<Vec<T>, TeamError> {
        let read = |(_, rank, place): &(u64, usize, Range<usize>)| {
            Ok(postcard::from_bytes(&self.bytes[*rank][place.clone()])?)
        };
        self.parts.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: u64, len: u64) -> Part {
        let results = (start..start + len).flat_map(|i| postcard::to_stdvec(&(10 * i)).unwrap());
        Part { start, len, bytes: results.collect() }
    }

    #[test]
    fn missing_items_are_between_finished_ones() {
        let mut own = Own::default();
        [part(7, 2), part(0, 3), part(9, 1)].iter().for_each(|part| own.push(part));
        let missing = Missing::beside(12, &own.places());
        assert_eq!(missing.len(), 6);
        let items = |places| missing.items(places).map(|items| (items.start, items.end)).collect::<Vec<_>>();
        assert_eq!(items(0..6), [(3, 7), (10, 12)]);
        assert_eq!(items(2..5), [(5, 7), (10, 11)]);
        assert_eq!(items(4..5), [(10, 11)]);
        assert_eq!(Missing::all(0).len(), 0);
        assert!(Missing::all(5).items(1..3).eq(iter::once(1..3)));
    }

    #[test]
    fn results_of_all_ranks_come_in_order() {
        let (mut one, mut other) = (Own::default(), Own::default());
        [part(5, 3), part(0, 2)].iter().for_each(|part| one.push(part));
        other.push(&part(2, 3));
        let records = Records::new(8, vec![one.into_bytes(), Vec::new(), other.into_bytes()]).unwrap();
        let expected: Vec<u64> = (0..8).map(|i| 10 * i).collect();
        assert_eq!(records.of_items::<u64>().unwrap(), expected);
        // The first result of each part, as if written by `reduce`.
        assert_eq!(records.of_parts::<u64>().unwrap(), [0, 20, 50]);
    }

    #[test]
    #[should_panic(expected = "no rank has done")]
    fn an_item_without_a_record_is_no_result() {
        let mut own = Own::default();
        own.push(&part(1, 2));
        let _ = Records::new(3, vec![own.into_bytes()]);
    }
}
