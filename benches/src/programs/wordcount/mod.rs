//! Counting the words of a text, with a hash map for each part of it.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::BuildHasherDefault;
use std::hash::DefaultHasher;

use rand::SeedableRng;
use rand_distr::{Distribution, Zipf};
use rand_pcg::Pcg64Mcg;

use super::{By, Program};

pub(crate) mod by_rayon {
    use super::{Counts, merged};
    use rayon::prelude::*;
    include!("parallel.rs");
}

pub(crate) mod by_taskel {
    use super::{Counts, merged};
    use taskel::prelude::*;
    include!("parallel.rs");
}

/// The standard hash function, without a random key: every run does the same.
type Counts<'t> = HashMap<&'t str, u64, BuildHasherDefault<DefaultHasher>>;

fn merged<'t>(a: Counts<'t>, b: Counts<'t>) -> Counts<'t> {
    let (mut large, small) = if a.len() < b.len() { (b, a) } else { (a, b) };
    for (word, count) in small {
        *large.entry(word).or_default() += count;
    }
    large
}

mod serial {
    use super::Counts;

    pub(super) fn count(text: &str) -> Counts<'_> {
        let mut counts = Counts::default();
        for line in text.lines() {
            for word in line.split_ascii_whitespace() {
                *counts.entry(word).or_default() += 1;
            }
        }
        counts
    }
}

/// A word for each number: the more frequent, the shorter.
fn word(number: u64) -> String {
    const SYLLABLES: [&str; 20] = [
        "ka", "lo", "mi", "ne", "su", "ra", "ti", "po", "be", "du", "fa", "ge", "hi", "jo", "vu", "we", "ya",
        "zo", "cha", "she",
    ];
    let mut word = String::new();
    let mut rest = number;
    loop {
        word += SYLLABLES[(rest % 20) as usize];
        rest /= 20;
        if rest == 0 {
            return word;
        }
    }
}

/// A text of about that many bytes and 60 000 different words, as frequent as Zipf's law says of a
/// natural language, and how often each occurs.
fn text(bytes: usize) -> (String, HashMap<String, u64>) {
    let words: Vec<String> = (0..60_000).map(word).collect();
    let zipf = Zipf::new(words.len() as f64, 1.0).expect("both are positive");
    let mut random = Pcg64Mcg::seed_from_u64(3);
    let mut text = String::with_capacity(bytes + 100);
    let mut counts = vec![0_u64; words.len()];
    let mut line_start = 0;
    while text.len() < bytes {
        let number = zipf.sample(&mut random) as usize - 1;
        counts[number] += 1;
        let end = if text.len() - line_start > 70 { '\n' } else { ' ' };
        write!(text, "{}{end}", words[number]).expect("a String takes whatever is written");
        if end == '\n' {
            line_start = text.len();
        }
    }
    let occurring = words.into_iter().zip(counts).filter(|(_, count)| *count > 0);
    (text, occurring.collect())
}

/// The words of a text of about that many bytes.
pub(super) fn program(name: &'static str, bytes: usize) -> Program {
    let (text, expected) = text(bytes);
    let text: &'static str = text.leak();
    let run = |by, text: &mut &'static str| match by {
        By::Serial => serial::count(text),
        By::Rayon => by_rayon::count(text),
        By::Taskel => by_taskel::count(text),
    };
    let check = move |_: &&'static str, counts: &Counts<'static>| {
        assert_eq!(counts.len(), expected.len(), "different words");
        for (word, count) in counts {
            assert_eq!(expected.get(*word), Some(count), "{word}");
        }
    };
    Program::new(name, move || text, run, check)
}
