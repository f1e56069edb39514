//! Where the items of a pipeline come from.

use std::collections::{BTreeSet, VecDeque};

use taskel::iter::{self, Either};
use taskel::prelude::*;

use super::erased::{flat, indexed};
use super::{Choices, Pipeline, Stage};

/// Data that lives for ever, so that it can be borrowed by an iterator whose type is erased.
static NUMBERS: [u64; 3000] = {
    let mut numbers = [0; 3000];
    let mut i = 0;
    while i < numbers.len() {
        numbers[i] = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 50;
        i += 1;
    }
    numbers
};

static TEXT: &str = "the quick  brown\nföx jumps\r\n\nover ∀ the lazy dog\n, and so on, for äges, ";

/// A length: mostly short, sometimes long enough for a loop that is shared.
fn len(choices: &mut Choices<'_>) -> usize {
    match choices.below(6) {
        0 => choices.below(3) as usize,
        1 | 2 => choices.below(20) as usize,
        3 | 4 => choices.below(300) as usize,
        _ => choices.below(3000) as usize,
    }
}

pub(crate) fn source(choices: &mut Choices<'_>) -> Pipeline {
    let numbers = &NUMBERS[..len(choices)];
    let n = numbers.len() as u64;
    let other = 1 + choices.below(40) as usize;
    let size = |part: &[u64]| part.iter().sum::<u64>() * 31 + part.len() as u64;
    let odd = |n: &u64| n % 5 == 1;
    let kind = choices.below(30);
    if (11..16).contains(&kind) || kind >= 26 {
        return text(kind, len(choices));
    }
    if (20..26).contains(&kind) || kind == 17 {
        return source_of_parts(kind, numbers, other);
    }
    let (told, stage, expected): (_, _, Vec<u64>) = match kind {
        0 => ("vec", Stage::Indexed(indexed(numbers.to_vec().into_par_iter())), numbers.to_vec()),
        1 => ("range", Stage::Indexed(indexed((0..n).into_par_iter())), (0..n).collect()),
        2 => ("copied", Stage::Indexed(indexed(numbers.par_iter().copied())), numbers.to_vec()),
        3 => ("cloned", Stage::Indexed(indexed(numbers.par_iter().cloned())), numbers.to_vec()),
        4 => (
            "par_chunks",
            Stage::Indexed(indexed(numbers.par_chunks(other).map(size))),
            numbers.chunks(other).map(size).collect(),
        ),
        5 => (
            "par_chunks_exact",
            Stage::Indexed(indexed(numbers.par_chunks_exact(other).map(size))),
            numbers.chunks_exact(other).map(size).collect(),
        ),
        6 => (
            "par_rchunks",
            Stage::Indexed(indexed(numbers.par_rchunks(other).map(size))),
            numbers.rchunks(other).map(size).collect(),
        ),
        7 => (
            "par_rchunks_exact",
            Stage::Indexed(indexed(numbers.par_rchunks_exact(other).map(size))),
            numbers.rchunks_exact(other).map(size).collect(),
        ),
        8 => (
            "par_windows",
            Stage::Indexed(indexed(numbers.par_windows(other).map(size))),
            numbers.windows(other).map(size).collect(),
        ),
        9 => (
            "par_split",
            Stage::Flat(flat(numbers.par_split(odd).map(size))),
            numbers.split(odd).map(size).collect(),
        ),
        10 => (
            "par_split_inclusive",
            Stage::Flat(flat(numbers.par_split_inclusive(odd).map(size))),
            numbers.split_inclusive(odd).map(size).collect(),
        ),
        16 => (
            "VecDeque",
            Stage::Indexed(indexed(turned(numbers).into_par_iter())),
            turned(numbers).into_iter().collect(),
        ),
        18 => ("repeat_n", Stage::Indexed(indexed(iter::repeat_n(7, numbers.len()))), vec![7; numbers.len()]),
        _ => (
            "tuple",
            Stage::Indexed(indexed(
                (numbers.to_vec(), 0..1000_u64, iter::repeat(3)).into_par_iter().map(|(a, b, c)| a * b + c),
            )),
            numbers.iter().zip(0..1000).map(|(a, b)| a * b + 3).collect(),
        ),
    };
    Pipeline { stage, expected, told: vec![told] }
}

/// Further sources, of `numbers` and their parts.
fn source_of_parts(kind: u64, numbers: &'static [u64], other: usize) -> Pipeline {
    let n = numbers.len() as u64;
    let size = |part: &[u64]| part.iter().sum::<u64>() * 31 + part.len() as u64;
    let (told, stage, expected): (_, _, Vec<u64>) = match kind {
        17 => {
            let set = || numbers.iter().copied().collect::<BTreeSet<u64>>();
            ("BTreeSet", Stage::Indexed(indexed(set().into_par_iter())), set().into_iter().collect())
        }
        20 => {
            let alike = |a: &u64, b: &u64| a % 3 == b % 3;
            (
                "par_chunk_by",
                Stage::Flat(flat(numbers.par_chunk_by(alike).map(size))),
                numbers.chunk_by(alike).map(size).collect(),
            )
        }
        21 => (
            "par_array_windows",
            Stage::Indexed(indexed(numbers.par_array_windows().map(|[a, b, c]| a + 2 * b + 3 * c))),
            numbers.windows(3).map(|part| part[0] + 2 * part[1] + 3 * part[2]).collect(),
        ),
        22 => {
            let either = if other % 2 == 0 {
                Either::Left(numbers.par_iter().copied())
            } else {
                Either::Right(numbers.to_vec().into_par_iter().rev())
            };
            let expected =
                if other % 2 == 0 { numbers.to_vec() } else { numbers.iter().rev().copied().collect() };
            ("either", Stage::Indexed(indexed(either)), expected)
        }
        23 => {
            let below = move |node: &u64| (2 * node + 1..2 * node + 3).filter(move |node| *node < n);
            let mut expected = Vec::new();
            prefix(0, n, &mut expected);
            (
                "walk_tree_prefix",
                Stage::Flat(flat(iter::walk_tree_prefix(0, below).filter(move |x| *x < n))),
                expected,
            )
        }
        24 => {
            let piece = |part: &'static [u64]| {
                let (front, back) = part.split_at(part.len() / 2);
                if front.is_empty() { (part, None) } else { (front, Some(back)) }
            };
            let numbers = iter::split(numbers, piece).flat_map_iter(|part| part.iter().copied());
            ("split", Stage::Flat(flat(numbers)), NUMBERS[..n as usize].to_vec())
        }
        _ => {
            let items = numbers.to_vec().into_par_iter().by_uniform_blocks(other);
            ("by_uniform_blocks", Stage::Flat(flat(items)), numbers.to_vec())
        }
    };
    Pipeline { stage, expected, told: vec![told] }
}

fn text(kind: u64, len: usize) -> Pipeline {
    let text = &TEXT[..TEXT.floor_char_boundary(len)];
    let (told, stage, expected): (_, _, Vec<u64>) = match kind {
        11 => ("par_lines", Stage::Flat(flat(text.par_lines().map(hash))), text.lines().map(hash).collect()),
        12 => (
            "par_split_whitespace",
            Stage::Flat(flat(text.par_split_whitespace().map(hash))),
            text.split_whitespace().map(hash).collect(),
        ),
        13 => (
            "par_split_ascii_whitespace",
            Stage::Flat(flat(text.par_split_ascii_whitespace().map(hash))),
            text.split_ascii_whitespace().map(hash).collect(),
        ),
        14 => (
            "text.par_split",
            Stage::Flat(flat(text.par_split([',', 'ö', '∀']).map(hash))),
            text.split([',', 'ö', '∀']).map(hash).collect(),
        ),
        15 => (
            "text.par_split_inclusive",
            Stage::Flat(flat(text.par_split_inclusive([',', 'ö', '∀']).map(hash))),
            text.split_inclusive([',', 'ö', '∀']).map(hash).collect(),
        ),
        26 => (
            "par_split_terminator",
            Stage::Flat(flat(text.par_split_terminator([',', 'ö', '∀']).map(hash))),
            text.split_terminator([',', 'ö', '∀']).map(hash).collect(),
        ),
        27 => (
            "par_match_indices",
            Stage::Flat(flat(text.par_match_indices([',', 'ö', '∀']).map(|(i, c)| i as u64 + hash(c)))),
            text.match_indices([',', 'ö', '∀']).map(|(i, c)| i as u64 + hash(c)).collect(),
        ),
        28 => (
            "par_encode_utf16",
            Stage::Flat(flat(text.par_encode_utf16().map(u64::from))),
            text.encode_utf16().map(u64::from).collect(),
        ),
        _ => (
            "par_char_indices",
            Stage::Flat(flat(text.par_char_indices().map(|(i, c)| i as u64 * 1000 + u64::from(c)))),
            text.char_indices().map(|(i, c)| i as u64 * 1000 + u64::from(c)).collect(),
        ),
    };
    Pipeline { stage, expected, told: vec![told] }
}

/// A ring buffer whose items wrap around its end.
fn turned(numbers: &[u64]) -> VecDeque<u64> {
    let mut ring: VecDeque<u64> = numbers.iter().copied().collect();
    ring.rotate_left(numbers.len() / 3);
    ring
}

fn hash(text: &str) -> u64 {
    text.chars().fold(text.len() as u64, |all, c| all * 31 % 1_000_003 + u64::from(c))
}

/// The nodes of a heap's tree that has `n` of them.
fn prefix(node: u64, n: u64, nodes: &mut Vec<u64>) {
    if node < n {
        nodes.push(node);
        (2 * node + 1..2 * node + 3).for_each(|node| prefix(node, n, nodes));
    }
}
