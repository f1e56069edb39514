//! Parallel iterators over strings: lines, words, characters, bytes.

use std::ops::Range;
use std::str;

use either::Either;

use super::separators::Separators;
use super::slice::SliceIter;
use super::split::{Cut, Split};
use super::text_matches::{MatchIndices, Matches, Terminated};
use crate::iter::{Copied, IntoParallelIterator, ParallelIterator};

/// Parallel iterators over parts of a string.
pub trait ParallelString {
    /// The string itself.
    #[doc(hidden)]
    fn as_parallel_string(&self) -> &str;

    /// Yields the lines without their line ends, like [`str::lines`].
    ///
    /// ```
    /// use taskel::prelude::*;
    /// let numbers: Vec<u32> = "1\n22\r\n333".par_lines().map(|line| line.parse().unwrap()).collect();
    /// assert_eq!(numbers, [1, 22, 333]);
    /// ```
    fn par_lines(&self) -> Split<Lines<'_>> {
        Split(Lines(self.as_parallel_string()))
    }

    /// Yields the words between white space.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!(" to be  or\nnot ".par_split_whitespace().collect::<Vec<_>>(), ["to", "be", "or", "not"]);
    /// ```
    fn par_split_whitespace(&self) -> Split<Words<'_>> {
        Split(Words(self.as_parallel_string()))
    }

    /// Yields the words between ASCII white space.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("a\u{a0}b c".par_split_ascii_whitespace().count(), 2);
    /// ```
    fn par_split_ascii_whitespace(&self) -> Split<AsciiWords<'_>> {
        Split(AsciiWords(self.as_parallel_string()))
    }

    /// Yields the characters.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("grün".par_chars().map(|c| c.to_ascii_uppercase()).collect::<String>(), "GRüN");
    /// ```
    fn par_chars(&self) -> Split<Chars<'_>> {
        Split(Chars(self.as_parallel_string()))
    }

    /// Yields the characters and the indices where they begin.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("üb".par_char_indices().collect::<Vec<_>>(), [(0, 'ü'), (2, 'b')]);
    /// ```
    fn par_char_indices(&self) -> Split<CharIndices<'_>> {
        Split(CharIndices(self.as_parallel_string()))
    }

    /// Yields the bytes.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("abc".par_bytes().max(), Some(b'c'));
    /// ```
    fn par_bytes(&self) -> Copied<SliceIter<'_, u8>> {
        self.as_parallel_string().as_bytes().into_par_iter().copied()
    }

    /// Splits the string at characters that match `separator`: a `char`, an array or a slice of
    /// them, or a closure. A slow closure is called once for each character, and a few times more.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("a,,b".par_split(',').collect::<Vec<_>>(), ["a", "", "b"]);
    /// ```
    fn par_split<P: Pattern>(&self, separator: P) -> Split<Between<'_, P>> {
        Split(Between(Source::new(self.as_parallel_string(), separator)))
    }

    /// Splits the string like [`par_split`](Self::par_split), with each separator at the end of the
    /// part in front of it.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("so. and so. on".par_split_inclusive('.').collect::<Vec<_>>(), ["so.", " and so.", " on"]);
    /// assert_eq!("so.".par_split_inclusive('.').count(), 1); // nothing follows the last
    /// ```
    fn par_split_inclusive<P: Pattern>(&self, separator: P) -> Split<EndingWith<'_, P>> {
        Split(EndingWith(Source::new(self.as_parallel_string(), separator)))
    }

    /// Splits the string like [`par_split`](Self::par_split), but without an empty part at the end:
    /// separators end parts.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("((1 + 3) * 2)".par_split_terminator(')').collect::<Vec<_>>(), ["((1 + 3", " * 2"]);
    /// ```
    fn par_split_terminator<P: Pattern>(&self, separator: P) -> Split<Terminated<'_, P>> {
        Split(Terminated(EndingWith(Source::new(self.as_parallel_string(), separator))))
    }

    /// Yields the characters that match `pattern`, as strings.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("a1 b22".par_matches(char::is_numeric).collect::<Vec<_>>(), ["1", "2", "2"]);
    /// ```
    fn par_matches<P: Pattern>(&self, pattern: P) -> Split<Matches<'_, P>> {
        Split(Matches(MatchIndices::new(self.as_parallel_string(), pattern)))
    }

    /// Yields the characters that match `pattern`, as strings, and the indices where they begin.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("ä1 b2".par_match_indices(char::is_numeric).collect::<Vec<_>>(), [(2, "1"), (5, "2")]);
    /// ```
    fn par_match_indices<P: Pattern>(&self, pattern: P) -> Split<MatchIndices<'_, P>> {
        Split(MatchIndices::new(self.as_parallel_string(), pattern))
    }

    /// Yields the string in UTF-16.
    ///
    /// ```
    /// use taskel::prelude::*;
    /// assert_eq!("a𝄞".par_encode_utf16().collect::<Vec<_>>(), [0x61, 0xD834, 0xDD1E]);
    /// ```
    fn par_encode_utf16(&self) -> Split<EncodeUtf16<'_>> {
        Split(EncodeUtf16(self.as_parallel_string()))
    }
}

impl ParallelString for str {
    fn as_parallel_string(&self) -> &str {
        self
    }
}

/// Characters at which a string can be split. This trait is sealed.
pub trait Pattern: Send + Sync + sealed::Matches {}
impl<P: Send + Sync + sealed::Matches> Pattern for P {}

mod sealed {
    pub trait Matches {
        /// Whether a user's code is asked.
        const IS_CLOSURE: bool = false;

        fn matches(&self, c: char) -> bool;
    }
    impl Matches for char {
        fn matches(&self, c: char) -> bool {
            *self == c
        }
    }
    impl<const N: usize> Matches for [char; N] {
        fn matches(&self, c: char) -> bool {
            self.contains(&c)
        }
    }
    impl<const N: usize> Matches for &[char; N] {
        fn matches(&self, c: char) -> bool {
            self.contains(&c)
        }
    }
    impl Matches for &[char] {
        fn matches(&self, c: char) -> bool {
            self.contains(&c)
        }
    }
    impl<F: Fn(char) -> bool> Matches for F {
        const IS_CLOSURE: bool = true;

        fn matches(&self, c: char) -> bool {
            self(c)
        }
    }
}

/// Strings that are cut where `$cut` says, the pieces being iterated over by a method of `str`.
macro_rules! pieces_of_text {
    ($($Cut:ident, $doc:literal, $Part:ty, $Parts:ty, $method:ident, $cut:expr;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub struct $Cut<'data>(&'data str);

        impl<'data> Cut for $Cut<'data> {
            type Part = $Part;
            type Parts<'a>
                = $Parts
            where
                Self: 'a;

            fn indices(&self) -> usize {
                self.0.len()
            }

            fn next_cut(&self, index: usize) -> usize {
                let cut: fn(&str, usize) -> usize = $cut;
                if index == 0 { 0 } else { cut(self.0, index.min(self.0.len())) }
            }

            #[inline]
            fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
                self.0[piece].$method()
            }
        }
    )*};
}

pieces_of_text! {
    Lines, "Cuts a string behind each line.", &'data str, str::Lines<'data>, lines, behind_line;
    Words, "Cuts a string at white space.", &'data str, str::SplitWhitespace<'data>, split_whitespace,
        |text, index| at_char(text, index, char::is_whitespace);
    AsciiWords, "Cuts a string at ASCII white space.", &'data str, str::SplitAsciiWhitespace<'data>,
        split_ascii_whitespace, |text, index| at_char(text, index, |c| c.is_ascii_whitespace());
    Chars, "Cuts a string anywhere.", char, str::Chars<'data>, chars,
        |text, index| ceil_char_boundary(text, index);
    EncodeUtf16, "Cuts a string anywhere, and encodes it.", u16, str::EncodeUtf16<'data>, encode_utf16,
        |text, index| ceil_char_boundary(text, index);
}

/// The standard library's, which is newer than the oldest Rust that this crate is built with.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}

/// The standard library's, likewise.
pub(super) fn ceil_char_boundary(text: &str, index: usize) -> usize {
    (index..text.len()).find(|&index| text.is_char_boundary(index)).unwrap_or(text.len())
}

/// The beginning of the first line at or behind `index`, which is not 0.
fn behind_line(text: &str, index: usize) -> usize {
    // A newline is never within a character.
    let from = floor_char_boundary(text, index - 1);
    text[from..].find('\n').map_or(text.len(), |place| from + place + 1)
}

/// The first such character at or behind `index`.
fn at_char(text: &str, index: usize, is_separator: impl Fn(char) -> bool) -> usize {
    let index = ceil_char_boundary(text, index);
    text[index..].find(is_separator).map_or(text.len(), |place| index + place)
}

/// Cuts a string anywhere, and counts.
#[derive(Clone, Copy, Debug)]
pub struct CharIndices<'data>(&'data str);

impl<'data> Cut for CharIndices<'data> {
    type Part = (usize, char);
    type Parts<'a>
        = OffsetChars<'data>
    where
        Self: 'a;

    fn indices(&self) -> usize {
        self.0.len()
    }

    fn next_cut(&self, index: usize) -> usize {
        ceil_char_boundary(self.0, index)
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> OffsetChars<'data> {
        OffsetChars { offset: piece.start, chars: self.0[piece].char_indices() }
    }
}

/// The sequential iterator of `par_char_indices`.
#[derive(Clone, Debug)]
pub struct OffsetChars<'data> {
    offset: usize,
    chars: str::CharIndices<'data>,
}

impl Iterator for OffsetChars<'_> {
    type Item = (usize, char);

    #[inline]
    fn next(&mut self) -> Option<(usize, char)> {
        self.chars.next().map(|(index, c)| (self.offset + index, c))
    }
}

/// A string, and where it is cut.
#[derive(Clone, Debug)]
struct Source<'data, P> {
    text: &'data str,
    separators: Separators<P>,
}

impl<'data, P: Pattern> Source<'data, P> {
    fn new(text: &'data str, separator: P) -> Self {
        Source { text, separators: Separators::new(separator) }
    }

    /// `address` stands for the pattern.
    fn prepare(&mut self, address: usize) {
        if P::IS_CLOSURE {
            let text = self.text;
            // Asked about any index, tells about the character that it is in.
            let ask = |pattern: &P, index| {
                let from = floor_char_boundary(text, index);
                text[from..].chars().next().is_some_and(|c| pattern.matches(c))
            };
            self.separators.prepare(address, text.len(), ask);
        }
    }

    /// The place behind the first separator in a range of whole characters, and where that begins.
    #[inline]
    fn first_separator(&self, range: Range<usize>) -> Option<Range<usize>> {
        let pattern = &self.separators.is_separator;
        let quick = |range: Range<usize>| {
            let start = range.start;
            let (place, _) = self.text[range].char_indices().find(|&(_, c)| pattern.matches(c))?;
            Some(start + place)
        };
        let char_at = |index| self.text.get(index..).and_then(|rest| rest.chars().next());
        let place = self
            .separators
            .first(range, quick, |index| char_at(index).is_some_and(|c| pattern.matches(c)))?;
        char_at(place).map(|c| place..place + c.len_utf8())
    }

    /// The place behind the first separator that ends at `index` or later.
    fn behind_separator(&self, index: usize) -> Option<usize> {
        let Some(before) = index.checked_sub(1) else { return Some(0) };
        // A character that begins in front of `index` ends at it or behind it.
        let from = floor_char_boundary(self.text, before);
        self.first_separator(from..self.text.len()).map(|separator| separator.end)
    }
}

/// A string and the separators between its parts.
#[derive(Clone, Debug)]
pub struct Between<'data, P>(Source<'data, P>);

impl<'data, P: Pattern> Cut for Between<'data, P> {
    type Part = &'data str;
    type Parts<'a>
        = Either<TextBetween<'data, 'a, P>, SlowBetween<'data, 'a, P>>
    where
        Self: 'a;

    /// The last part may begin at the end, behind a separator.
    fn indices(&self) -> usize {
        self.0.text.len() + 1
    }

    fn prepare(&mut self) {
        self.0.prepare(Self::next_cut as *const () as usize);
    }

    fn next_cut(&self, index: usize) -> usize {
        self.0.behind_separator(index).unwrap_or(self.indices())
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
        let text = self.0.text;
        let rest = (!piece.is_empty()).then(|| {
            // What lies in front of a cut is a separator, or the end.
            let last = match piece.end > text.len() {
                true => text.len(),
                false => floor_char_boundary(text, piece.end - 1),
            };
            piece.start..last
        });
        match self.0.separators.is_quick() {
            true => Either::Left(TextBetween {
                rest: rest.map(|rest| &text[rest]),
                separator: &self.0.separators.is_separator,
            }),
            false => Either::Right(SlowBetween { source: &self.0, rest }),
        }
    }
}

/// The sequential iterator of `par_split`.
#[derive(Clone, Debug)]
pub struct TextBetween<'data, 'a, P> {
    rest: Option<&'data str>,
    separator: &'a P,
}

impl<'data, P: Pattern> Iterator for TextBetween<'data, '_, P> {
    type Item = &'data str;

    fn next(&mut self) -> Option<&'data str> {
        let rest = self.rest.take()?;
        match rest.char_indices().find(|&(_, c)| self.separator.matches(c)) {
            None => Some(rest),
            Some((place, c)) => {
                self.rest = Some(&rest[place + c.len_utf8()..]);
                Some(&rest[..place])
            }
        }
    }
}

/// The same with a slow pattern.
#[derive(Clone, Debug)]
pub struct SlowBetween<'data, 'a, P> {
    source: &'a Source<'data, P>,
    rest: Option<Range<usize>>,
}

impl<'data, P: Pattern> Iterator for SlowBetween<'data, '_, P> {
    type Item = &'data str;

    #[inline]
    fn next(&mut self) -> Option<&'data str> {
        let mut part = self.rest.take()?;
        if let Some(separator) = self.source.first_separator(part.clone()) {
            self.rest = Some(separator.end..part.end);
            part.end = separator.start;
        }
        Some(&self.source.text[part])
    }
}

/// A string and the separators at the ends of its parts.
#[derive(Clone, Debug)]
pub struct EndingWith<'data, P>(Source<'data, P>);

impl<P> EndingWith<'_, P> {
    pub(super) fn pattern(&self) -> &P {
        &self.0.separators.is_separator
    }
}

impl<'data, P: Pattern> Cut for EndingWith<'data, P> {
    type Part = &'data str;
    type Parts<'a>
        = Either<TextEndingWith<'data, 'a, P>, SlowEndingWith<'data, 'a, P>>
    where
        Self: 'a;

    fn indices(&self) -> usize {
        self.0.text.len()
    }

    fn prepare(&mut self) {
        self.0.prepare(Self::next_cut as *const () as usize);
    }

    fn next_cut(&self, index: usize) -> usize {
        self.0.behind_separator(index).unwrap_or(self.indices())
    }

    fn parts<'a>(&'a self, piece: Range<usize>) -> Self::Parts<'a> {
        match self.0.separators.is_quick() {
            true => Either::Left(TextEndingWith {
                rest: &self.0.text[piece],
                separator: &self.0.separators.is_separator,
            }),
            false => Either::Right(SlowEndingWith { source: &self.0, rest: piece }),
        }
    }
}

/// The sequential iterator of `par_split_inclusive`.
#[derive(Clone, Debug)]
pub struct TextEndingWith<'data, 'a, P> {
    rest: &'data str,
    separator: &'a P,
}

impl<'data, P: Pattern> Iterator for TextEndingWith<'data, '_, P> {
    type Item = &'data str;

    fn next(&mut self) -> Option<&'data str> {
        if self.rest.is_empty() {
            return None;
        }
        let found = self.rest.char_indices().find(|&(_, c)| self.separator.matches(c));
        let end = found.map_or(self.rest.len(), |(place, c)| place + c.len_utf8());
        let (part, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(part)
    }
}

/// The same with a slow pattern.
#[derive(Clone, Debug)]
pub struct SlowEndingWith<'data, 'a, P> {
    source: &'a Source<'data, P>,
    rest: Range<usize>,
}

impl<'data, P: Pattern> Iterator for SlowEndingWith<'data, '_, P> {
    type Item = &'data str;

    #[inline]
    fn next(&mut self) -> Option<&'data str> {
        if self.rest.is_empty() {
            return None;
        }
        let end =
            self.source.first_separator(self.rest.clone()).map_or(self.rest.end, |separator| separator.end);
        let part = self.rest.start..end;
        self.rest.start = end;
        Some(&self.source.text[part])
    }
}
