//! The mutants of a protocol file in which one ordering is a step weaker.

use anyhow::{Result, bail};
use ra_ap_rustc_lexer::TokenKind;

use crate::source::{Mutant, Source};

/// A mutant for each step down from each ordering stronger than Relaxed.
///
/// One step is enough for an access: what fails with it fails with everything weaker. A fence is removed as well.
pub(crate) fn mutants(text: &str) -> Result<Vec<Mutant>> {
    let source = Source::new(text);
    let mut mutants = Vec::new();
    let mut token = 0;
    while token < source.len() {
        if source.word(token) == "use" {
            token = end_of_statement(&source, token);
        } else if source.kind(token) == TokenKind::Ident {
            mutants.extend(weakened(&source, token)?);
        }
        token += 1;
    }
    Ok(mutants)
}

/// The mutants of one word, none unless it is a strong ordering that something is called with.
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
    let mut mutants: Vec<_> = weaker
        .iter()
        .map(|weaker| {
            let change = if is_fence {
                format!("`{call}` → `fence({weaker})`")
            } else {
                format!("`{call}`: {ordering} → {weaker}")
            };
            source.replaced(token..token + 1, weaker, change)
        })
        .collect();
    if is_fence {
        let statement = callee..end_of_statement(source, callee) + 1;
        mutants.push(source.replaced(statement, "", format!("`{call}` → removed")));
    }
    Ok(mutants)
}

/// The semicolon after `token`.
fn end_of_statement(source: &Source<'_>, token: usize) -> usize {
    (token..source.len())
        .find(|&at| source.kind(at) == TokenKind::Semi)
        .expect("statements end in source that compiles")
}
