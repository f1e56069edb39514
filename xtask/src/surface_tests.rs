//! Common properties of the libraries' public types.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Public enums that are exhaustive, with the reason. All others may get new variants.
const EXHAUSTIVE: [(&str, &str); 3] = [
    ("Yield", "rayon's is: some work was done, or there was none"),
    ("History", "a caller passes on what it has kept of earlier loops, in two bits"),
    ("State", "only the runtime makes and matches it"),
];

/// Endings of the names of types that must be used.
const TO_BE_USED: [&str; 4] = ["Guard", "Builder", "Permit", "Stream"];

/// The sources of the published crates.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> =
        ["adaptive", "runtime", "shm-lock", "team"].map(|it| root.join(it).join("src")).into();
    let mut sources = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a file in UTF-8");
                sources.push((path, text));
            }
        }
    }
    sources
}

/// Returns the public items of a kind, such as `struct`, with their attributes: the lines directly
/// above that do not belong to the previous item.
fn items<'a>(text: &'a str, kind: &str) -> Vec<(&'a str, String)> {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let start = format!("pub {kind} ");
    let found = lines.iter().enumerate().filter_map(|(at, line)| {
        let rest = line.strip_prefix(&start)?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
        let above =
            lines[..at].iter().rev().take_while(|line| line.starts_with('#') || line.starts_with("//"));
        Some((&rest[..end], above.copied().collect::<Vec<_>>().join("\n")))
    });
    found.collect()
}

/// Returns the types for which a text implements `ParallelIterator`.
fn parallel_iterators(text: &str) -> BTreeSet<&str> {
    let after = text.split(" ParallelIterator for ").skip(1);
    after.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '$').next().unwrap_or(rest)).collect()
}

/// Returns the types of a text that do nothing unless used and have no `#[must_use]`.
fn left_unused(text: &str) -> Vec<String> {
    let lazy = parallel_iterators(text);
    let structs = items(text, "struct").into_iter();
    let found = structs.filter(|(name, attributes)| {
        let is_to_be_used = lazy.contains(name) || TO_BE_USED.iter().any(|end| name.ends_with(end));
        is_to_be_used && !attributes.contains("#[must_use")
    });
    found.map(|(name, _)| name.to_owned()).collect()
}

fn exhaustive(text: &str) -> Vec<String> {
    let enums = items(text, "enum").into_iter();
    enums
        .filter(|(_, attributes)| !attributes.contains("#[non_exhaustive]"))
        .map(|(name, _)| name.into())
        .collect()
}

#[test]
fn what_is_lazy_and_what_guards_must_be_used() {
    let mut looked_at = 0;
    for (path, text) in sources() {
        looked_at += parallel_iterators(&text).len();
        assert!(
            left_unused(&text).is_empty(),
            "{}: without #[must_use]: {:?}",
            path.display(),
            left_unused(&text)
        );
    }
    assert!(looked_at >= 25, "the parallel iterators are gone");
    let source = "/// A.\n#[derive(Clone)]\npub struct A<I> {}\nimpl<I> ParallelIterator for A<I> {}\npub struct NoBuilderOf;\n";
    assert_eq!(left_unused(source), ["A"]);
    assert_eq!(left_unused("struct Inner;\npub struct LockGuard<'a>(&'a u8);"), ["LockGuard"]);
    assert!(left_unused("#[must_use = \"kept\"]\n/// Text.\npub struct LockGuard;").is_empty());
}

#[test]
fn it_is_decided_which_enums_may_grow() {
    let mut found = BTreeSet::new();
    for (path, text) in sources() {
        let is_public = !path.to_string_lossy().contains("protocol");
        found.extend(exhaustive(&text).into_iter().filter(|_| is_public));
    }
    let decided = EXHAUSTIVE.map(|(name, _)| name.to_owned()).into();
    assert_eq!(found, decided, "mark them #[non_exhaustive], or say in EXHAUSTIVE why not");
    assert_eq!(exhaustive("pub enum A {}\n#[non_exhaustive]\npub enum B {}"), ["A"]);
}
