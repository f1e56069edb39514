//! Runs the checks of [`docs`](super::docs) on the workspace and on wrong texts, and checks the
//! content of single pages.

use std::process::Command;

use crate::docs::{Page, Workspace, broken_links, missing_files, unknown_variables, wrong_commands};
use crate::docs_claims::CLAIMS;

/// The published READMEs. They are also read without the workspace around them.
const PUBLISHED: [&str; 6] = [
    "adaptive/README.md",
    "runtime/README.md",
    "shm-lock/README.md",
    "shm-lock-c/README.md",
    "shm-lock-cli/README.md",
    "team/README.md",
];

fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

fn page(path: &str, text: &str) -> Page {
    Page { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn links_lead_somewhere() {
    let workspace = Workspace::here();
    let pages = workspace.pages();
    assert!(pages.iter().filter(|page| page.path.ends_with(".md")).count() > 20, "the pages are gone");
    assert_none(&pages.iter().flat_map(|page| broken_links(page, &workspace)).collect::<Vec<_>>());
    let faults = |text: &str| broken_links(&page("benches/A.md", text), &workspace).len();
    assert_eq!(faults("[a](README.md) [b](../README.md#guide) [c](https://docs.rs) `[d](e)`"), 0);
    assert_eq!(faults("[a](NONE.md) [b](../README.md#none) [c](crate::join)"), 3);
}

#[test]
fn files_that_are_named_exist() {
    let workspace = Workspace::here();
    let found = workspace.pages().iter().flat_map(|page| missing_files(page, &workspace)).collect::<Vec<_>>();
    assert_none(&found);
    let faults = |text: &str| missing_files(&page("A.md", text), &workspace).len();
    assert_eq!(faults("`engine/small.rs`, `runtime/src/lib.rs`, `x.rs y`"), 0);
    assert_eq!(faults("`engine/none.rs` and `none.md`"), 2);
}

#[test]
fn commands_name_what_there_is() {
    let workspace = Workspace::here();
    let found =
        workspace.pages().iter().flat_map(|page| wrong_commands(page, &workspace)).collect::<Vec<_>>();
    assert_none(&found);
    let faults = |text: &str| wrong_commands(&page("A.md", text), &workspace).len();
    let right = [
        "cargo test -p taskel --test loom`, `cargo test -p taskel --test it iter",
        "cargo run --release --example checksum -- --test none",
        "cargo run --release --example NAME",
        "cargo xtask mutate-orderings runtime",
        "cargo +nightly fuzz run region",
        ".ci/sanitize miri",
        "cargo test -p taskel --features loom --test user_models",
    ];
    for command in right {
        assert_eq!(faults(&format!("`{command}`")), 0, "{command}");
    }
    let wrong = [
        "cargo test -p none",
        "cargo test -p taskel --test none",
        "cargo run --example none",
        "cargo xtask none",
        "cargo +nightly fuzz run none",
        ".ci/none",
        "cargo test -p taskel --features none",
        "cargo test --manifest-path none/Cargo.toml",
    ];
    for command in wrong {
        assert_eq!(faults(&format!("see `{command}`")), 1, "{command}");
    }
}

#[test]
fn variables_are_looked_at() {
    let workspace = Workspace::here();
    let sources = workspace.files.iter().filter(|path| path.ends_with(".rs") && !path.starts_with("xtask/"));
    let code: String = sources.map(|path| workspace.read(path)).collect();
    let found = workspace.pages().iter().flat_map(|page| unknown_variables(page, &code)).collect::<Vec<_>>();
    assert_none(&found);
    assert_eq!(unknown_variables(&page("A.md", "`TASKEL_NUM_THREADS=2` or TASKEL_NONE"), &code).len(), 1);
}

#[test]
fn numbers_in_the_documentation_are_those_of_the_code() {
    let workspace = Workspace::here();
    // A paragraph may be wrapped anywhere.
    let flat = |text: String| {
        let lines = text
            .lines()
            .map(|line| line.trim_start().trim_start_matches("//!").trim_start_matches("///").trim());
        lines.collect::<Vec<_>>().join(" ")
    };
    for (page, claim, source, code) in CLAIMS {
        assert!(
            flat(workspace.read(page)).contains(claim),
            "{page} does not say {claim:?}: does the claim about {code} still hold?"
        );
        assert!(
            workspace.read(source).contains(code),
            "{source} has no {code:?}, but {page} claims {claim:?}"
        );
    }
}

#[test]
fn published_readmes_have_absolute_links() {
    let workspace = Workspace::here();
    for path in PUBLISHED {
        let text = workspace.read(path);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let relative: Vec<&str> = links.filter(|target| !target.starts_with("https://")).collect();
        assert!(relative.is_empty(), "{path}: {relative:?} lead nowhere on crates.io");
        let pages = text.split("https://docs.rs/taskel/latest/taskel/").skip(1);
        let sources = ["lib.rs", "iter/mod.rs", "iter/parallel.rs"]
            .map(|it| workspace.read(&format!("runtime/src/{it}")));
        for page in pages.filter_map(|rest| rest.split(')').next()) {
            let name = page.trim_end_matches("/index.html").rsplit(['/', '#']).next().unwrap_or(page);
            let name = name.trim_end_matches(".html").rsplit('.').next().unwrap_or(name);
            assert!(
                sources.iter().any(|source| source.contains(name)),
                "{path}: there is no {name} for {page}"
            );
        }
    }
}

#[test]
fn each_chapter_of_the_guide_is_shown_everywhere() {
    let workspace = Workspace::here();
    let start = "runtime/docs/guide/";
    let chapters: Vec<&str> = workspace
        .files
        .iter()
        .filter_map(|path| path.strip_prefix(start)?.strip_suffix(".md"))
        .filter(|name| !name.ends_with("_table"))
        .collect();
    assert!(chapters.len() >= 10, "the guide is gone");
    let (lib, readme) = (workspace.read("runtime/src/lib.rs"), workspace.read("README.md"));
    let packaged = workspace.read("runtime/README.md");
    for name in chapters {
        let text = workspace.read(&format!("{start}{name}.md"));
        let lines = text.lines().count();
        assert!((40..=120).contains(&lines), "{name} has {lines} lines");
        assert!(text.contains("```rust\n") || text.contains("```rust,no_run\n"), "{name} has no example");
        assert!(lib.contains(&format!("include_str!(\"../docs/guide/{name}.md\")")), "{name} is no module");
        assert!(lib.contains(&format!("](guide::{name})")), "{name} is not on the first page");
        assert!(readme.contains(&format!("({start}{name}.md)")), "{name} is not in README.md");
        assert!(
            packaged.contains(&format!("/guide/{name}/index.html)")),
            "{name} is not in runtime/README.md"
        );
    }
}

#[test]
fn the_package_holds_what_its_documentation_includes() {
    let workspace = Workspace::here();
    let listed = Command::new(env!("CARGO"))
        .args(["package", "-p", "taskel", "--list", "--allow-dirty", "--offline"])
        .current_dir(&workspace.root)
        .output()
        .expect("cargo");
    let listed = String::from_utf8_lossy(&listed.stdout).replace('\\', "/");
    let lib = workspace.read("runtime/src/lib.rs");
    let included: Vec<&str> =
        lib.split("include_str!(\"../").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert!(included.len() >= 12, "{included:?}");
    for file in included {
        assert!(listed.lines().any(|line| line == file), "{file} is not published; there are:\n{listed}");
    }
}

#[test]
fn the_readmes_figures_are_the_reports() {
    let workspace = Workspace::here();
    let (readme, report) = (workspace.read("README.md"), workspace.read("benches/results/report.md"));
    let rows =
        readme.split("\n## Why").nth(1).expect("the table").lines().filter(|line| line.starts_with("| "));
    let mut compared = 0;
    for row in rows.skip(1).take_while(|row| !row.contains("| tool")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let load = cells[0].split(':').next().unwrap_or(cells[0]);
        let of_load: Vec<&str> =
            report.lines().filter(|line| line.starts_with(&format!("| {load} "))).collect();
        for figure in &cells[1..] {
            let is_there = |line: &&str| line.split(['|', ' ']).any(|cell| cell == *figure);
            assert!(of_load.iter().any(is_there), "{load}: the report has no {figure}");
            compared += 1;
        }
    }
    assert!(compared >= 40, "{compared} figures");
}

#[test]
fn as_many_programs_do_not_compile_as_is_said() {
    let workspace = Workspace::here();
    let programs = workspace.files.iter().filter(|path| {
        path.ends_with(".rs")
            && ["taskel", "shm_lock"].iter().any(|it| path.starts_with(&format!("tests-build/tests/{it}/")))
    });
    let claim = format!("| {} programs", programs.count());
    assert!(workspace.read("docs/promises.md").contains(&claim), "docs/promises.md does not say {claim:?}");
}
