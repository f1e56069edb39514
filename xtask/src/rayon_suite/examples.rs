//! The examples in a crate's documentation, as examples of another crate.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes each doc comment of the sources in `from` that has an example to a separate file in `to`.
/// Returns items that use these files as documentation.
pub(super) fn collect(from: &Path, to: &Path) -> Result<String> {
    fs::create_dir_all(to).with_context(|| format!("creating {}", to.display()))?;
    let mut items = String::new();
    collect_folder(from, "", to, &mut items)?;
    Ok(items)
}

fn collect_folder(from: &Path, prefix: &str, to: &Path, items: &mut String) -> Result<()> {
    let mut entries = fs::read_dir(from)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().replace('.', "_");
        if entry.file_type()?.is_dir() {
            collect_folder(&entry.path(), &format!("{prefix}{name}_"), to, items)?;
            continue;
        }
        let source = fs::read_to_string(entry.path())?;
        for (line, text) in comments(&source).into_iter().filter(|(_, text)| text.contains("```")) {
            let item = format!("{prefix}{name}_{line}");
            fs::write(to.join(&item), text)?;
            items.push_str(&format!(
                "#[doc = include_str!(\"../examples/{item}\")]\n#[allow(non_camel_case_types)]\npub struct {item};\n"
            ));
        }
    }
    Ok(())
}

/// Returns the doc comments, and the lines where they begin.
fn comments(source: &str) -> Vec<(usize, String)> {
    let mut comments: Vec<(usize, String)> = Vec::new();
    let (mut in_lines, mut in_block) = (false, false);
    for (number, line) in source.lines().enumerate() {
        let trimmed = line.trim_start();
        let begins = ["/*!", "/**"].into_iter().find_map(|mark| trimmed.strip_prefix(mark));
        let of_lines = ["///", "//!"].into_iter().find_map(|mark| trimmed.strip_prefix(mark));
        let text = match (in_block, begins, of_lines) {
            (true, ..) => line,
            (false, Some(text), _) | (false, None, Some(text)) => text.strip_prefix(' ').unwrap_or(text),
            (false, None, None) => {
                in_lines = false;
                continue;
            }
        };
        let continues = in_block || in_lines && of_lines.is_some();
        in_block |= begins.is_some();
        let ends = in_block && text.contains("*/");
        let text = if in_block { text.trim_end().trim_end_matches("*/").trim_end() } else { text };
        if !continues {
            comments.push((number + 1, String::new()));
        }
        if let Some((_, comment)) = comments.last_mut() {
            comment.push_str(text);
            comment.push('\n');
        }
        in_block &= !ends;
        in_lines = !in_block && !ends;
    }
    comments
}

#[cfg(test)]
mod tests {
    use super::comments;

    #[test]
    fn comments_of_both_kinds_are_found() {
        let source = "//! of all\nfn a() {}\n/// one\n///   two\nfn b() {} // not\n/*! ```block\n\ncode\n``` */\n/** three */\n";
        let expected = [
            (1, "of all\n".to_owned()),
            (3, "one\n  two\n".to_owned()),
            (6, "```block\n\ncode\n```\n".to_owned()),
            (10, "three\n".to_owned()),
        ];
        assert_eq!(comments(source), expected);
    }
}
