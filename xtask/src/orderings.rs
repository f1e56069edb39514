//! Mutants of a protocol file in which one ordering is a step weaker.

use anyhow::{Result, bail};
use ra_ap_rustc_lexer::TokenKind;

use crate::source::{Mutant, Source};

/// Returns a mutant for each step down from each ordering stronger than Relaxed.
///
/// One step is enough for an access: what fails with it also fails with every weaker ordering.
/// Fences are also removed.
pub(crate) fn mutants(text: &str) -> Result<Vec<Mutant>> {
    let source = Source::new(text);
    let mut mutants = Vec::new();
    let mut token = 0;
    while token < source.len() {
        if source.word(token) == "use" {
            token = end_of_statement(&source, token);
        } else if is_half_of_a_pair(&source, token) {
            mutants.extend(without_fence(&source, token));
        } else if source.kind(token) == TokenKind::Ident {
            mutants.extend(weakened(&source, token)?);
        }
        token += 1;
    }
    Ok(mutants)
}

/// Returns the mutants of one word. There are none unless it is a strong ordering in a call.
fn weakened(source: &Source<'_>, token: usize) -> Result<Vec<Mutant>> {
    let ordering = source.word(token);
    let Some(callee) = source.callee(token) else { return Ok(Vec::new()) };
    let is_fence = source.word(callee) == "fence";
    let weaker: &[&str] = match ordering {
        "SeqCst" if is_fence => &["AcqRel"],
        "SeqCst" => bail!(
            "line {}: a SeqCst access, which loom treats as AcqRel and so cannot check; use fence(SeqCst)",
            source.line(token)
        ),
        "AcqRel" => &["Acquire", "Release"],
        "Acquire" | "Release" if is_fence => &[],
        "Acquire" | "Release" => &["Relaxed"],
        _ => return Ok(Vec::new()),
    };
    let call = if is_fence { format!("fence({ordering})") } else { source.word(callee).to_owned() };
    let path = source.path(token)..token + 1;
    let prefix = source.text(path.clone()).strip_suffix(ordering).expect("the path ends with it");
    let mut mutants: Vec<_> = weaker
        .iter()
        .map(|weaker| {
            let change = if is_fence {
                format!("`{call}` → `fence({weaker})`")
            } else {
                format!("`{call}`: {ordering} → {weaker}")
            };
            source.replaced(path.clone(), &format!("{prefix}{weaker}"), change)
        })
        .collect();
    if is_fence {
        let whole = source.path(callee)..source.closing(callee + 1) + 1;
        mutants.push(source.replaced(whole, "()", format!("`{call}` → removed")));
    }
    Ok(mutants)
}

/// Returns whether this is a call of a light or heavy fence.
fn is_half_of_a_pair(source: &Source<'_>, token: usize) -> bool {
    let defined = token > 0 && source.word(token - 1) == "fn";
    ["light_fence", "heavy_fence"].contains(&source.word(token))
        && !defined
        && token + 1 < source.len()
        && source.kind(token + 1) == TokenKind::OpenParen
}

/// Returns the mutants of a light or heavy fence. In a model both are full fences. A heavy fence
/// also returns success.
fn without_fence(source: &Source<'_>, token: usize) -> [Mutant; 2] {
    let call = source.path(token)..source.closing(token + 1) + 1;
    let name = source.word(token);
    let weaker = "crate::sync::fence(crate::sync::Ordering::AcqRel)";
    let (weaker, removed) = if name == "heavy_fence" {
        (format!("{{ {weaker}; true }}"), "true")
    } else {
        (weaker.to_owned(), "()")
    };
    [
        source.replaced(call.clone(), &weaker, format!("`{name}` → `fence(AcqRel)`")),
        source.replaced(call, removed, format!("`{name}` → removed")),
    ]
}

/// Returns the semicolon after `token`.
fn end_of_statement(source: &Source<'_>, token: usize) -> usize {
    (token..source.len())
        .find(|&at| source.kind(at) == TokenKind::Semi)
        .expect("statements end in source that compiles")
}
