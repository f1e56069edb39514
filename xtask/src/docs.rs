//! Checks that files, links, commands and variables in the documentation exist.
//!
//! Each check is a function from a page to findings. `cargo test --doc` compiles and runs the
//! examples, and rustdoc checks links to items.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A Markdown file, or the documentation in a Rust file.
pub(crate) struct Page {
    /// Relative to the workspace.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// What the pages may refer to.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// All files, relative to the root.
    pub(crate) files: BTreeSet<String>,
}

/// The packages by name, with their folders.
const PACKAGES: [(&str, &str); 12] = [
    ("taskel", "runtime"),
    ("taskel-adaptive", "adaptive"),
    ("shm-lock", "shm-lock"),
    ("shm-lock-c", "shm-lock-c"),
    ("shm-lock-cli", "shm-lock-cli"),
    ("shm-lock-derive", "shm-lock-derive"),
    ("taskel-team", "team"),
    ("taskel-benches", "benches"),
    ("taskel-bench-members", "benches/members"),
    ("tests-build", "tests-build"),
    ("xtask", "xtask"),
    ("rayon-core", "compat/rayon-core"),
];

/// The endings of file names.
const EXTENSIONS: [&str; 7] = [".rs", ".md", ".toml", ".svg", ".json", ".yml", ".stderr"];

/// Files that programs create, or that are on other machines.
const NOT_HERE: [&str; 2] = ["mandelbrot.svg", "picture.svg"];

impl Workspace {
    pub(crate) fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = BTreeSet::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder of the workspace") {
                let path = entry.expect("an entry").path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if path.is_dir() {
                    let is_ours = !["target", ".git", "corpus", "artifacts"].contains(&&*name);
                    folders.extend(is_ours.then_some(path));
                } else {
                    let relative = path.strip_prefix(&root).expect("a file of the workspace");
                    files.insert(relative.to_string_lossy().replace('\\', "/"));
                }
            }
        }
        Workspace { root, files }
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Returns all Markdown files, and the documentation of all sources and examples.
    pub(crate) fn pages(&self) -> Vec<Page> {
        let pages = self.files.iter().filter_map(|path| {
            let is_documented = path.contains("/src/") || path.contains("/examples/");
            let text = match path {
                path if path.ends_with(".md") => self.read(path),
                path if path.ends_with(".rs") && is_documented => doc_comments(&self.read(path)),
                _ => return None,
            };
            Some(Page { path: path.clone(), text })
        });
        pages.collect()
    }

    fn has(&self, path: &str) -> bool {
        self.files.contains(path) || self.files.iter().any(|file| file.starts_with(&format!("{path}/")))
    }

    /// Returns whether the package has a test or an example with this name. Without a package, any
    /// package counts.
    fn has_target(&self, package: Option<&str>, kind: &str, name: &str) -> bool {
        let folders = PACKAGES.iter().filter(|(known, _)| package.is_none_or(|package| package == *known));
        folders.into_iter().any(|(_, folder)| {
            let place = format!("{folder}/{kind}/{name}");
            self.has(&format!("{place}.rs")) || self.has(&format!("{place}/main.rs"))
        })
    }

    fn has_feature(&self, package: Option<&str>, feature: &str) -> bool {
        let (package, feature) =
            feature.split_once('/').map_or((package, feature), |(package, feature)| (Some(package), feature));
        let folders = PACKAGES.iter().filter(|(known, _)| package.is_none_or(|package| package == *known));
        folders.into_iter().any(|(_, folder)| {
            let manifest = self.read(&format!("{folder}/Cargo.toml"));
            manifest.lines().any(|line| line.starts_with(&format!("{feature} = [")))
        })
    }

    /// Returns whether `cargo xtask` has this task.
    fn has_task(&self, task: &str) -> bool {
        let variant: String = task.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        let main = self.read("xtask/src/main.rs");
        main.contains(&format!("    {variant}(")) || main.contains(&format!("    {variant},"))
    }
}

/// Returns the documentation comments of a source.
fn doc_comments(source: &str) -> String {
    let lines = source.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the text without code blocks, and the code spans.
fn prose_and_spans(text: &str) -> (String, Vec<String>) {
    let mut in_block = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        !in_block && !is_fence
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let (mut prose, mut spans) = (String::new(), vec![]);
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 0 { prose.push_str(part) } else { spans.push(part.to_owned()) }
    }
    (prose, spans)
}

/// Returns the anchor of a heading, as GitHub and rustdoc generate it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

fn has_anchor(text: &str, wanted: &str) -> bool {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| anchor(line.trim_start_matches('#')) == wanted)
}

/// Finds links of a Markdown file to files and headings that do not exist.
pub(crate) fn broken_links(page: &Page, workspace: &Workspace) -> Vec<String> {
    if !page.path.ends_with(".md") {
        return vec![];
    }
    let (prose, _) = prose_and_spans(&page.text);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let broken = targets.filter(|target| {
        let is_item = ["crate", "super"].iter().any(|start| target.starts_with(start));
        if target.contains("://") || is_item && page.path.contains("/docs/guide/") {
            return false;
        }
        let (file, heading) = target.split_once('#').map_or((*target, None), |(file, at)| (file, Some(at)));
        let file = if file.is_empty() { page.path.clone() } else { normal(folder, file) };
        !workspace.has(&file) || heading.is_some_and(|at| !has_anchor(&workspace.read(&file), at))
    });
    broken.map(|target| format!("{}: a link to {target}, which does not exist", page.path)).collect()
}

/// Returns `file`, as seen from `folder`, relative to the workspace.
fn normal(folder: &str, file: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.trim_end_matches('/').split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Finds file names that no file has.
pub(crate) fn missing_files(page: &Page, workspace: &Workspace) -> Vec<String> {
    let (_, spans) = prose_and_spans(&page.text);
    let names = spans.iter().filter(|span| {
        let is_name = span.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
        let is_file =
            EXTENSIONS.iter().any(|extension| span.ends_with(extension) && span.len() > extension.len());
        // Capitals and `x` are placeholders, except in real file names.
        let stem = span.rsplit('/').next().unwrap_or(span).split(['.', '_']).next().unwrap_or(span);
        let is_any = stem == "x" || stem.chars().all(char::is_uppercase) && !span.ends_with(".md");
        is_name && is_file && !is_any && !span.starts_with(['/', '.']) && !NOT_HERE.contains(&span.as_str())
    });
    let missing = names.filter(|name| {
        let end = format!("/{name}");
        !workspace.files.contains(*name) && !workspace.files.iter().any(|file| file.ends_with(&end))
    });
    missing.map(|name| format!("{}: there is no file {name}", page.path)).collect()
}

/// Finds commands with a package, test, example, feature, task or script that does not exist.
pub(crate) fn wrong_commands(page: &Page, workspace: &Workspace) -> Vec<String> {
    let text = page.text.replace(['`', '"', '(', ')', ';', '|'], "\n");
    let lines = text.lines().filter_map(|line| {
        line.find("cargo ")
            .or_else(|| line.find("--test "))
            .or_else(|| line.find(".ci/"))
            .map(|at| &line[at..])
    });
    let wrong = lines.filter_map(|command| {
        let words: Vec<&str> = command.split_whitespace().collect();
        let fault = fault_of(&words, workspace)?;
        Some(format!("{}: {fault} in: {command}", page.path))
    });
    wrong.collect()
}

fn fault_of(words: &[&str], workspace: &Workspace) -> Option<String> {
    // The rest belongs to the program.
    let words = &words[..words.iter().position(|word| *word == "--").unwrap_or(words.len())];
    let is_name = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_/,".contains(c))
    };
    let after = |option: &str| {
        let option = option.to_owned();
        words
            .windows(2)
            .filter(move |pair| pair[0] == option)
            .map(|pair| pair[1].trim_end_matches([',', '.', ':']))
    };
    let package = after("-p").find(is_name);
    if let Some(package) = package.filter(|name| !PACKAGES.iter().any(|(known, _)| known == name)) {
        return Some(format!("no package {package}"));
    }
    let missing = |kind: &str, option: &str| {
        let names: Vec<&str> = after(option).filter(is_name).collect();
        names.into_iter().find(|name| !workspace.has_target(package, kind, name)).map(str::to_owned)
    };
    if let Some(test) = missing("tests", "--test") {
        return Some(format!("no test {test}"));
    }
    if let Some(example) = missing("examples", "--example") {
        return Some(format!("no example {example}"));
    }
    let features = after("--features").filter(is_name).flat_map(|names| names.split(','));
    if let Some(feature) = features.into_iter().find(|feature| !workspace.has_feature(package, feature)) {
        return Some(format!("no feature {feature}"));
    }
    let is_task = words.starts_with(&["cargo", "xtask"]);
    if let Some(task) =
        after("xtask").filter(|_| is_task).filter(is_name).find(|task| !workspace.has_task(task))
    {
        return Some(format!("no task {task}"));
    }
    let is_fuzz = words.contains(&"fuzz");
    let target = after("run").filter(is_name).find(|_| is_fuzz);
    if let Some(target) = target.filter(|name| !workspace.has(&format!("fuzz/fuzz_targets/{name}.rs"))) {
        return Some(format!("no fuzz target {target}"));
    }
    let named = words.iter().filter(|word| word.starts_with(".ci/") || word.ends_with("Cargo.toml"));
    let paths = named.map(|word| word.trim_end_matches([',', '.', ':']));
    paths.into_iter().find(|path| !workspace.has(path)).map(|path| format!("no file {path}"))
}

/// Finds environment variables that no program reads.
pub(crate) fn unknown_variables(page: &Page, code: &str) -> Vec<String> {
    let words = page.text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    let ours = words.filter(|word| word.starts_with("TASKEL_") && !code.contains(&format!("\"{word}\"")));
    ours.map(|word| format!("{}: no program reads {word}", page.path)).collect()
}
