//! Mutants of a file in which one condition is negated or off by one.

use std::ops::Range;

use ra_ap_rustc_lexer::{LiteralKind, TokenKind};

use crate::source::{Mutant, Source};

/// Returns a mutant for each way to get a condition or a sum wrong:
///
/// * a comparison negated, its boundary moved, or the number on its right greater by one;
/// * `&&` for `||` and back, a `!` left out, `is_ok` for `is_err` and back;
/// * a condition without any of these negated whole;
/// * `+` for `-` and back.
///
/// Assertions are not mutated, because they have no effect on correct code.
pub(crate) fn mutants(text: &str) -> Vec<Mutant> {
    let source = Source::new(text);
    let mut mutants = Vec::new();
    let mut token = 0;
    while token < source.len() {
        if is_assertion(&source, token) {
            token = after_brackets(&source, token + 2);
            continue;
        }
        if !source.function(token).is_empty() {
            mutants.extend(of_operator(&source, token));
            mutants.extend(of_word(&source, token));
        }
        token += 1;
    }
    mutants
}

fn of_operator(source: &Source<'_>, token: usize) -> Vec<Mutant> {
    if is_negation(source, token) {
        return vec![source.replaced(token..token + 1, "", "`!` left out".to_owned())];
    }
    let Some(operator) = source.operator(token) else { return Vec::new() };
    let wrong: &[&str] = match operator {
        "==" => &["!="],
        "!=" => &["=="],
        "<" => &[">=", "<="],
        "<=" => &[">", "<"],
        ">" => &["<=", ">="],
        ">=" => &["<", ">"],
        "&&" => &["||"],
        "||" => &["&&"],
        "+" => &["-"],
        "+=" => &["-="],
        "-" => &["+"],
        "-=" => &["+="],
        _ => return Vec::new(),
    };
    let end = token + operator.len();
    let mut mutants: Vec<_> = wrong
        .iter()
        .map(|wrong| source.replaced(token..end, wrong, format!("`{operator}` → `{wrong}`")))
        .collect();
    if "=!<>".contains(&operator[..1]) {
        mutants.extend(off_by_one(source, end));
    }
    mutants
}

/// Returns the mutant with a larger number, if `token` is a number.
fn off_by_one(source: &Source<'_>, token: usize) -> Option<Mutant> {
    let TokenKind::Literal { kind: LiteralKind::Int { .. }, .. } = source.kind(token) else { return None };
    let number: u64 = source.word(token).parse().ok()?;
    let greater = (number + 1).to_string();
    Some(source.replaced(token..token + 1, &greater, format!("`{number}` → `{greater}`")))
}

fn of_word(source: &Source<'_>, token: usize) -> Option<Mutant> {
    let (word, other) = match source.word(token) {
        "is_ok" => ("is_ok", "is_err"),
        "is_err" => ("is_err", "is_ok"),
        "if" | "while" => return negated(source, token),
        _ => return None,
    };
    Some(source.replaced(token..token + 1, other, format!("`{word}` → `{other}`")))
}

/// Returns the mutant of a condition that no other mutant negates.
fn negated(source: &Source<'_>, keyword: usize) -> Option<Mutant> {
    let condition = condition_after(source, keyword)?;
    let has_others = condition.clone().any(|at| {
        ["let", "is_ok", "is_err"].contains(&source.word(at))
            || is_negation(source, at)
            || source
                .operator(at)
                .is_some_and(|operator| ["==", "!=", "<", "<=", ">", ">=", "&&", "||"].contains(&operator))
    });
    if has_others {
        return None;
    }
    let text = source.text(condition.clone());
    Some(source.replaced(condition, &format!("!({text})"), format!("`{text}` negated")))
}

/// Returns what is between `if` or `while` and the block, or the arrow of a match arm.
fn condition_after(source: &Source<'_>, keyword: usize) -> Option<Range<usize>> {
    let mut end = keyword + 1;
    while end < source.len() {
        match source.kind(end) {
            TokenKind::OpenParen | TokenKind::OpenBracket => end = after_brackets(source, end),
            TokenKind::OpenBrace => return Some(keyword + 1..end),
            TokenKind::Eq if source.operator(end) == Some("=>") => return Some(keyword + 1..end),
            _ => end += 1,
        }
    }
    None
}

/// Returns whether `token` is a `!` before an operand. It may also follow a macro's name or be part
/// of `!=`.
fn is_negation(source: &Source<'_>, token: usize) -> bool {
    source.kind(token) == TokenKind::Bang
        && source.operator(token) != Some("!=")
        && (token == 0
            || source.kind(token - 1) != TokenKind::Ident
            || ["return", "if", "while", "in"].contains(&source.word(token - 1)))
}

fn is_assertion(source: &Source<'_>, token: usize) -> bool {
    let names = ["assert", "assert_eq", "debug_assert", "debug_assert_eq"];
    names.contains(&source.word(token))
        && token + 1 < source.len()
        && source.kind(token + 1) == TokenKind::Bang
}

/// Returns the token after the bracket that closes the one at `open`.
fn after_brackets(source: &Source<'_>, open: usize) -> usize {
    let mut depth = 0_usize;
    for at in open..source.len() {
        match source.kind(at) {
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => depth += 1,
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => (),
        }
    }
    source.len()
}
