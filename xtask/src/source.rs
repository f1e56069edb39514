//! A Rust source file as tokens, and copies of it with a part replaced.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// The text of a file and what the compiler sees of it.
pub(crate) struct Source<'a> {
    text: &'a str,
    code: Vec<(TokenKind, Range<usize>)>,
}

/// A copy of a file with one difference.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// Its line number, from 1.
    pub(crate) line: usize,
    /// The function around it.
    pub(crate) function: String,
    /// The original line.
    pub(crate) code: String,
    /// A description of the change.
    pub(crate) change: String,
    /// The byte range that is replaced.
    range: Range<usize>,
    replacement: String,
}

impl Mutant {
    /// Applies the mutant to the file `text`.
    pub(crate) fn of(&self, text: &str) -> String {
        [&text[..self.range.start], &self.replacement, &text[self.range.end..]].concat()
    }
}

/// The environment variable that selects one of several mutants in a program.
pub(crate) const CHOICE: &str = "MUTANT";

/// Returns the file `text` with all `mutants`, each an expression that replaces an expression. The
/// first mutant has the number `first`. The number 0 selects the original.
pub(crate) fn all_in_one(text: &str, mutants: &[Mutant], first: usize) -> String {
    let mut sites = BTreeMap::<_, Vec<_>>::new();
    for (number, Mutant { range, replacement, .. }) in (first..).zip(mutants) {
        // A site comes before the sites inside it.
        let site = sites.entry((range.start, Reverse(range.end))).or_default();
        site.push(format!("{number} => {replacement}, "));
    }
    let sites: Vec<_> =
        sites.into_iter().map(|((start, Reverse(end)), arms)| (start..end, arms.concat())).collect();
    let chosen = format!(
        "\nfn chosen_mutant() -> usize {{\n    \
         static CHOSEN: std::sync::LazyLock<usize> =\n        \
         std::sync::LazyLock::new(|| std::env::var(\"{CHOICE}\").map_or(0, |number| number.parse().unwrap()));\n    \
         *CHOSEN\n\
         }}\n"
    );
    with_choices(text, 0..text.len(), &sites) + &chosen
}

/// Returns the part `range` of the text, with a `match` over the mutants at each site.
fn with_choices(text: &str, range: Range<usize>, sites: &[(Range<usize>, String)]) -> String {
    let (mut written, mut at, mut sites) = (String::new(), range.start, sites);
    while let [(site, arms), others @ ..] = sites {
        let (inside, behind) = others.split_at(others.partition_point(|(other, _)| other.start < site.end));
        let original = with_choices(text, site.clone(), inside);
        written += &text[at..site.start];
        written += &format!("match chosen_mutant() {{ {arms}_ => {original} }}");
        (at, sites) = (site.end, behind);
    }
    written + &text[at..range.end]
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut start = 0;
        let tokens = tokenize(text, FrontmatterAllowed::No).map(|token| {
            let range = start..start + token.len as usize;
            start = range.end;
            (token.kind, range)
        });
        let is_code = |(kind, _): &(TokenKind, _)| {
            let passed_over = matches!(
                kind,
                TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. }
            );
            !passed_over
        };
        Source { text, code: tokens.filter(is_code).collect() }
    }

    /// Returns the number of tokens. The methods below number them from 0.
    pub(crate) fn len(&self) -> usize {
        self.code.len()
    }

    pub(crate) fn kind(&self, token: usize) -> TokenKind {
        self.code[token].0
    }

    pub(crate) fn word(&self, token: usize) -> &'a str {
        &self.text[self.code[token].1.clone()]
    }

    pub(crate) fn line(&self, token: usize) -> usize {
        1 + self.text[..self.code[token].1.start].matches('\n').count()
    }

    /// Returns the line of the token without its comment.
    fn code_line(&self, token: usize) -> &'a str {
        let at = self.code[token].1.start;
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        line.split(" //").next().unwrap_or_default().trim()
    }

    /// Returns the operator that begins with `token`, if it is a binary one. rustfmt puts spaces
    /// around binary operators, so they differ from the brackets of generic types and the bars of
    /// closures.
    pub(crate) fn operator(&self, token: usize) -> Option<&'a str> {
        let behind_operand = matches!(
            self.kind(token.checked_sub(1)?),
            TokenKind::Ident
                | TokenKind::Literal { .. }
                | TokenKind::CloseParen
                | TokenKind::CloseBracket
                | TokenKind::CloseBrace
                | TokenKind::Question
        );
        if !behind_operand {
            return None;
        }
        let start = self.code[token].1.start;
        let before = self.text[..start].chars().next_back()?;
        let operator = self.text[start..].split(char::is_whitespace).next()?;
        let is_one = before.is_whitespace() && operator.chars().all(|c| c.is_ascii_punctuation());
        is_one.then_some(operator)
    }

    /// Returns the name before the innermost parenthesis around `token`, which is what is called
    /// with it.
    pub(crate) fn callee(&self, token: usize) -> Option<usize> {
        let mut closed = 0_usize;
        for at in (0..token).rev() {
            match self.kind(at) {
                TokenKind::CloseParen => closed += 1,
                TokenKind::OpenParen if closed == 0 => return at.checked_sub(1),
                TokenKind::OpenParen => closed -= 1,
                _ => (),
            }
        }
        None
    }

    /// Returns the name of the last function that begins before `token`.
    pub(crate) fn function(&self, token: usize) -> &'a str {
        let is_name = |&at: &usize| self.word(at - 1) == "fn" && self.kind(at) == TokenKind::Ident;
        (1..token).rev().find(is_name).map_or("", |at| self.word(at))
    }

    /// Returns the text from the first to the last of `tokens`.
    pub(crate) fn text(&self, tokens: Range<usize>) -> &'a str {
        &self.text[self.code[tokens.start].1.start..self.code[tokens.end - 1].1.end]
    }

    /// Returns the first token of the path that ends with `token`.
    pub(crate) fn path(&self, mut token: usize) -> usize {
        while token >= 3
            && self.kind(token - 1) == TokenKind::Colon
            && self.kind(token - 2) == TokenKind::Colon
            && self.kind(token - 3) == TokenKind::Ident
        {
            token -= 3;
        }
        token
    }

    /// Returns the parenthesis that closes the one at `open`.
    pub(crate) fn closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        let is_closing = |&at: &usize| {
            match self.kind(at) {
                TokenKind::OpenParen => depth += 1,
                TokenKind::CloseParen => depth -= 1,
                _ => (),
            }
            depth == 0
        };
        (open..self.len()).find(is_closing).expect("parentheses are closed in source that compiles")
    }

    /// Returns the file with `tokens` replaced by `text`.
    pub(crate) fn replaced(&self, tokens: Range<usize>, text: &str, change: String) -> Mutant {
        let range = self.code[tokens.start].1.start..self.code[tokens.end - 1].1.end;
        Mutant {
            line: self.line(tokens.start),
            function: self.function(tokens.start).to_owned(),
            code: self.code_line(tokens.start).to_owned(),
            change,
            range,
            replacement: text.to_owned(),
        }
    }
}
