//! A Rust source file as tokens, and copies of it with a part replaced.

use std::ops::Range;

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// The text of a file and what the compiler sees of it.
pub(crate) struct Source<'a> {
    text: &'a str,
    code: Vec<(TokenKind, Range<usize>)>,
}

/// A copy of a file that differs in one place.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// Of the place, from 1.
    pub(crate) line: usize,
    /// The function around it.
    pub(crate) function: String,
    /// The line as it was.
    pub(crate) code: String,
    /// What was changed, for the reader.
    pub(crate) change: String,
    pub(crate) text: String,
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

    /// How many tokens there are; the methods below number them from 0.
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

    /// The line that holds the token, without its comment.
    fn code_line(&self, token: usize) -> &'a str {
        let at = self.code[token].1.start;
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        line.split(" //").next().unwrap_or_default().trim()
    }

    /// The operator that begins with `token`, if that is a binary one: it stands behind an operand, and between spaces, as
    /// rustfmt leaves them, which tells it from the brackets of a generic type and the bars of a closure.
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

    /// The name before the innermost parenthesis around `token`: what is called with it.
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

    /// The name of the function that begins last before `token`.
    pub(crate) fn function(&self, token: usize) -> &'a str {
        let is_name = |&at: &usize| self.word(at - 1) == "fn" && self.kind(at) == TokenKind::Ident;
        (1..token).rev().find(is_name).map_or("", |at| self.word(at))
    }

    /// The text from the first to the last of `tokens`.
    pub(crate) fn text(&self, tokens: Range<usize>) -> &'a str {
        &self.text[self.code[tokens.start].1.start..self.code[tokens.end - 1].1.end]
    }

    /// The file with `tokens` replaced by `text`.
    pub(crate) fn replaced(&self, tokens: Range<usize>, text: &str, change: String) -> Mutant {
        let range = self.code[tokens.start].1.start..self.code[tokens.end - 1].1.end;
        Mutant {
            line: self.line(tokens.start),
            function: self.function(tokens.start).to_owned(),
            code: self.code_line(tokens.start).to_owned(),
            change,
            text: [&self.text[..range.start], text, &self.text[range.end..]].concat(),
        }
    }
}
