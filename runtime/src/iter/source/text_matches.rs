//! Matches in strings: `par_matches`, `par_match_indices`; and `par_split_terminator`.

use std::ops::Range;
use std::str;

use super::split::Cut;
use super::text::{EndingWith, Pattern, ceil_char_boundary};

/// The matches in a string, and where they are.
#[derive(Clone, Debug)]
pub struct MatchIndices<'data, P> {
    text: &'data str,
    pattern: P,
}

impl<'data, P: Pattern> MatchIndices<'data, P> {
    pub(super) fn new(text: &'data str, pattern: P) -> Self {
        MatchIndices { text, pattern }
    }
}

impl<'data, P: Pattern> Cut for MatchIndices<'data, P> {
    type Part = (usize, &'data str);
    type Parts<'a>
        = Found<'data, 'a, P>
    where
        Self: 'a;

    fn indices(&self) -> usize {
        self.text.len()
    }

    fn next_cut(&self, index: usize) -> usize {
        ceil_char_boundary(self.text, index)
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Found<'data, 'a, P> {
        Found {
            text: self.text,
            offset: piece.start,
            chars: self.text[piece].char_indices(),
            pattern: &self.pattern,
        }
    }
}

/// The sequential iterator of `par_match_indices`.
#[derive(Clone, Debug)]
pub struct Found<'data, 'a, P> {
    text: &'data str,
    offset: usize,
    chars: str::CharIndices<'data>,
    pattern: &'a P,
}

impl<'data, P: Pattern> Iterator for Found<'data, '_, P> {
    type Item = (usize, &'data str);

    #[inline]
    fn next(&mut self) -> Option<(usize, &'data str)> {
        let (index, c) = self.chars.find(|&(_, c)| self.pattern.matches(c))?;
        let place = self.offset + index;
        Some((place, &self.text[place..place + c.len_utf8()]))
    }
}

/// The matches in a string.
#[derive(Clone, Debug)]
pub struct Matches<'data, P>(pub(super) MatchIndices<'data, P>);

impl<'data, P: Pattern> Cut for Matches<'data, P> {
    type Part = &'data str;
    type Parts<'a>
        = FoundTexts<'data, 'a, P>
    where
        Self: 'a;

    fn indices(&self) -> usize {
        self.0.indices()
    }

    fn next_cut(&self, index: usize) -> usize {
        self.0.next_cut(index)
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> FoundTexts<'data, 'a, P> {
        FoundTexts(self.0.parts(piece))
    }
}

/// The sequential iterator of `par_matches`.
#[derive(Clone, Debug)]
pub struct FoundTexts<'data, 'a, P>(Found<'data, 'a, P>);

impl<'data, P: Pattern> Iterator for FoundTexts<'data, '_, P> {
    type Item = &'data str;

    #[inline]
    fn next(&mut self) -> Option<&'data str> {
        self.0.next().map(|(_, text)| text)
    }
}

/// A string and the separators behind its parts.
#[derive(Clone, Debug)]
pub struct Terminated<'data, P>(pub(super) EndingWith<'data, P>);

impl<'data, P: Pattern> Cut for Terminated<'data, P> {
    type Part = &'data str;
    type Parts<'a>
        = WithoutLast<'a, <EndingWith<'data, P> as Cut>::Parts<'a>, P>
    where
        Self: 'a;

    fn indices(&self) -> usize {
        self.0.indices()
    }

    fn prepare(&mut self) {
        self.0.prepare();
    }

    fn next_cut(&self, index: usize) -> usize {
        self.0.next_cut(index)
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
        WithoutLast { parts: self.0.parts(piece), separator: self.0.pattern() }
    }
}

/// The sequential iterator of `par_split_terminator`.
#[derive(Clone, Debug)]
pub struct WithoutLast<'a, I, P> {
    parts: I,
    separator: &'a P,
}

impl<'data, I: Iterator<Item = &'data str>, P: Pattern> Iterator for WithoutLast<'_, I, P> {
    type Item = &'data str;

    #[inline]
    fn next(&mut self) -> Option<&'data str> {
        let part = self.parts.next()?;
        Some(part.strip_suffix(|c| self.separator.matches(c)).unwrap_or(part))
    }
}
