//! Parts of texts.

use super::super::items::{Items, LEN};
use super::super::row::{ANY_ORDER, Row, row};
use super::library::prelude::*;

/// The numbers of all items, with something between them.
fn numbers(between: &str) -> String {
    (0..LEN).map(|item| item.to_string()).collect::<Vec<_>>().join(between)
}

fn run(items: &Items, number: &str) {
    items.run(number.trim_end_matches('-').parse().expect("a number"));
}

/// A letter for each item.
const FIRST: u32 = 'А' as u32;

fn letters() -> String {
    (FIRST..).take(LEN).filter_map(char::from_u32).collect()
}

pub(super) const ROWS: &[Row] = &[
    row("ParallelString::par_lines", |items, _| numbers("\n").par_lines().for_each(|line| run(items, line)))
        .expect(ANY_ORDER),
    row("ParallelString::par_split_whitespace", |items, _| {
        numbers("\u{2003}").par_split_whitespace().for_each(|word| run(items, word));
    })
    .expect(ANY_ORDER),
    row("ParallelString::par_split_ascii_whitespace", |items, _| {
        numbers(" ").par_split_ascii_whitespace().for_each(|word| run(items, word));
    })
    .expect(ANY_ORDER),
    row("ParallelString::par_chars", |items, _| {
        letters().par_chars().for_each(|letter| items.run((letter as u32 - FIRST) as usize));
    }),
    row("ParallelString::par_char_indices", |items, _| {
        letters().par_char_indices().for_each(|(at, _)| items.run(at / 2));
    }),
    row("ParallelString::par_bytes", |items, _| {
        let bytes: String = (0..LEN as u8).map(char::from).collect();
        bytes.par_bytes().for_each(|byte| items.run(byte.into()));
    }),
    row("ParallelString::par_split", |items, _| {
        numbers("-").par_split('-').for_each(|part| run(items, part))
    })
    .expect(ANY_ORDER),
    row("ParallelString::par_split_inclusive", |items, _| {
        numbers("-").par_split_inclusive('-').for_each(|part| run(items, part));
    })
    .expect(ANY_ORDER),
    row("ParallelString::par_split_terminator", |items, _| {
        numbers("-").par_split_terminator('-').for_each(|part| run(items, part));
    })
    .expect(ANY_ORDER),
    row("ParallelString::par_matches", |items, _| {
        let run =
            |letter: &str| letter.chars().for_each(|letter| items.run((letter as u32 - FIRST) as usize));
        letters().par_matches(char::is_alphabetic).for_each(run);
    }),
    row("ParallelString::par_match_indices", |items, _| {
        letters().par_match_indices(char::is_alphabetic).for_each(|(at, _)| items.run(at / 2));
    }),
    row("ParallelString::par_encode_utf16", |items, _| {
        letters().par_encode_utf16().for_each(|unit| items.run((u32::from(unit) - FIRST) as usize));
    }),
];
