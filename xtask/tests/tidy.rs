//! The style of this workspace, as far as a machine can check it: see CONTRIBUTING.md.
//!
//! Each check is a function from a source file to findings. A test applies it to the workspace, and
//! a second one to text that breaks the rule, so that a check which finds nothing is known to be
//! able to.

use std::fmt;
use std::path::{Path, PathBuf};

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// The crates that are published, by folder. Rules on orderings and atomics are about their
/// sources.
const PUBLISHED: [&str; 4] = ["adaptive", "runtime", "shm-lock", "team"];
const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 70;

/// Files that may be longer, with the reason.
const MAY_BE_LONGER: [(&str, &str); 1] =
    [("runtime/src/iter/parallel.rs", "a trait's methods stand in one block, and rayon's has some eighty")];

/// Files that may name the atomics of std although they are no `sync` module, with the reason.
const MAY_NAME_ATOMICS: [(&str, &str); 2] =
    [("runtime/src/protocol/model.rs", COUNTS_EXECUTIONS), ("team/src/protocol/model.rs", COUNTS_EXECUTIONS)];
const COUNTS_EXECUTIONS: &str = "counts the executions of a model, across which loom's atomics do not live";

/// Files in a `protocol` folder that are no protocols.
const NO_PROTOCOLS: [&str; 2] = ["mod.rs", "model.rs"];

struct Source {
    /// Relative to the workspace, with `/` between its parts.
    path: String,
    tokens: Vec<Token>,
}

struct Token {
    kind: TokenKind,
    text: String,
    /// Of its first character, from 1.
    line: usize,
}

struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl Source {
    fn new(path: &str, text: &str) -> Source {
        let mut line = 1;
        let mut rest = text;
        let tokens = tokenize(text, FrontmatterAllowed::No).map(|token| {
            let (text, after) = rest.split_at(token.len as usize);
            rest = after;
            let start = line;
            line += text.matches('\n').count();
            Token { kind: token.kind, text: text.to_owned(), line: start }
        });
        Source { path: path.to_owned(), tokens: tokens.collect() }
    }

    fn finding(&self, line: usize, what: String) -> Finding {
        Finding { path: self.path.clone(), line, what }
    }

    /// The tokens that the compiler sees.
    fn code(&self) -> Vec<&Token> {
        self.tokens
            .iter()
            .filter(|token| !token.is_comment() && token.kind != TokenKind::Whitespace)
            .collect()
    }

    fn comments(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter(|token| token.is_comment())
    }

    fn is_published(&self) -> bool {
        PUBLISHED.iter().any(|folder| self.path.starts_with(&format!("{folder}/src/")))
    }

    fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn is_for_tests(&self) -> bool {
        let name = self.file_name();
        name == "tests.rs"
            || name.ends_with("_tests.rs")
            || name == "model.rs"
            || name.ends_with("_models.rs")
    }

    /// Whether the file is `sync.rs` or lies in a folder `sync`.
    fn is_sync(&self) -> bool {
        self.file_name() == "sync.rs" || self.path.contains("/sync/")
    }
}

impl Token {
    fn is_comment(&self) -> bool {
        matches!(self.kind, TokenKind::LineComment { .. } | TokenKind::BlockComment { .. })
    }

    fn is_ident(&self, name: &str) -> bool {
        self.kind == TokenKind::Ident && self.text == name
    }
}

/// How many lines hold a part of these tokens.
fn lines_of_code(tokens: &[&Token]) -> usize {
    let mut lines = 0;
    let mut counted = 0;
    for token in tokens {
        let last = token.line + token.text.matches('\n').count();
        lines += (last + 1).saturating_sub(token.line.max(counted + 1));
        counted = counted.max(last);
    }
    lines
}

fn long_files(source: &Source) -> Vec<Finding> {
    let lines = lines_of_code(&source.code());
    let told = format!("{lines} lines of code; split the file so that each part has at most {LONGEST_FILE}");
    let excused = MAY_BE_LONGER.iter().any(|&(path, _)| path == source.path);
    (lines > LONGEST_FILE && !excused).then(|| source.finding(1, told)).into_iter().collect()
}

fn long_functions(source: &Source) -> Vec<Finding> {
    let code = source.code();
    let functions = code.windows(2).enumerate().filter(|(_, pair)| {
        pair[0].is_ident("fn") && matches!(pair[1].kind, TokenKind::Ident | TokenKind::RawIdent)
    });
    let long = functions.filter_map(|(start, pair)| {
        let lines = lines_of_code(&code[start..start + item_length(&code[start..])]);
        let name = &pair[1].text;
        let told = format!(
            "fn {name} has {lines} lines of code; split it, at most {LONGEST_FUNCTION} are easy to follow"
        );
        (lines > LONGEST_FUNCTION).then(|| source.finding(pair[0].line, told))
    });
    long.collect()
}

/// The number of tokens up to the semicolon or closing brace that ends the item which begins here.
fn item_length(code: &[&Token]) -> usize {
    let mut depth = 0_usize;
    for (i, token) in code.iter().enumerate() {
        match token.kind {
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.kind == TokenKind::CloseBrace {
                    return i + 1;
                }
            }
            TokenKind::Semi if depth == 0 => return i + 1,
            _ => (),
        }
    }
    code.len()
}

fn unlabelled_orderings(source: &Source) -> Vec<Finding> {
    if !source.is_published() || source.is_for_tests() {
        return Vec::new();
    }
    let strong = ["Acquire", "Release", "AcqRel", "SeqCst"];
    let code = source.code();
    let mut findings = Vec::new();
    let mut imports_until = 0;
    for (i, token) in code.iter().enumerate() {
        if token.is_ident("use") {
            imports_until = i + code[i..].iter().take_while(|token| token.kind != TokenKind::Semi).count();
        }
        let Some(ordering) = strong.into_iter().find(|name| token.is_ident(name)) else { continue };
        if i >= imports_until && !is_labelled(source, token.line, ordering) {
            let told = format!("say with what it pairs, `// {ordering}: …`, on this line or right above");
            findings.push(source.finding(token.line, told));
        }
    }
    findings
}

/// Whether a comment on the line, or in the comments directly above it, begins with the name of the
/// ordering.
fn is_labelled(source: &Source, line: usize, ordering: &str) -> bool {
    let label = format!("// {ordering}: ");
    let code = source.code();
    let comment_at = |line: &usize| source.comments().find(|comment| comment.line == *line);
    let holds_code = |line: &usize| code.iter().any(|token| token.line == *line);
    let above = (1..line).rev().take_while(|line| !holds_code(line) && comment_at(line).is_some());
    std::iter::once(line)
        .chain(above)
        .filter_map(|line| comment_at(&line))
        .any(|comment| comment.text.starts_with(&label) && comment.text.len() > label.len())
}

/// Protocols among the paths without models beside them.
fn unmodelled_protocols(paths: &[&str]) -> Vec<Finding> {
    let protocols = paths.iter().filter_map(|path| {
        let (folder, name) = path.split_once("/src/protocol/")?;
        let stem = name.strip_suffix(".rs")?;
        let is_protocol =
            !NO_PROTOCOLS.contains(&name) && !stem.ends_with("_models") && !stem.ends_with("_tests");
        is_protocol.then(|| (path, format!("{folder}/src/protocol/{stem}_models.rs")))
    });
    let unmodelled = protocols.filter(|(_, models)| !paths.contains(&models.as_str()));
    unmodelled
        .map(|(path, models)| Finding {
            path: (*path).to_owned(),
            line: 1,
            what: format!("a protocol without models; write them in {models}"),
        })
        .collect()
}

/// Models that do not say what they catch, in the documentation right above them.
fn models_without_a_promise(source: &Source) -> Vec<Finding> {
    if !source.file_name().ends_with("_models.rs") {
        return Vec::new();
    }
    let code = source.code();
    let models = code.windows(2).filter(|pair| pair[0].is_ident("fn") && pair[1].text.starts_with("model_"));
    let begins_attribute =
        |line: usize| code.iter().find(|token| token.line == line).map(|token| &*token.text);
    let says = |fn_line: usize| {
        let above = (1..fn_line).rev().map_while(|line| {
            let comment =
                source.comments().find(|comment| comment.line == line).map(|comment| &*comment.text);
            comment.or_else(|| (begins_attribute(line) == Some("#")).then_some(""))
        });
        above.into_iter().any(|text| text.starts_with("/// ") && text.contains("Catches "))
    };
    let silent = models.filter(|pair| !says(pair[0].line));
    let told = |name: &str| format!("{name}: say what would go wrong without this model, `/// Catches …`");
    silent.map(|pair| source.finding(pair[0].line, told(&pair[1].text))).collect()
}

fn named_atomics(source: &Source) -> Vec<Finding> {
    if !source.is_published() || source.is_sync() || source.is_for_tests() && source.file_name() != "model.rs"
    {
        return Vec::new();
    }
    let atomics = source.code().into_iter().filter(|token| token.is_ident("atomic"));
    let told = "take atomics from `crate::sync`, so that loom can put its own in their place";
    atomics.map(|token| source.finding(token.line, told.to_owned())).collect()
}

fn left_overs(source: &Source) -> Vec<Finding> {
    let notes = source.comments().flat_map(|comment| {
        let words = comment.text.split(|c: char| !c.is_alphanumeric());
        words
            .filter(|word| ["TODO", "FIXME", "XXX"].contains(word))
            .map(|word| (comment.line, word.to_owned()))
    });
    let code = source.code();
    let macros = code.windows(2).filter(|pair| pair[1].kind == TokenKind::Bang).filter_map(|pair| {
        let name = ["dbg", "todo", "unimplemented"].into_iter().find(|name| pair[0].is_ident(name))?;
        Some((pair[0].line, format!("{name}!")))
    });
    notes
        .chain(macros)
        .map(|(line, word)| source.finding(line, format!("{word}: do it, or open an issue")))
        .collect()
}

/// The tests that CI, or the nightly run, runs in an emulator, where a sleep or a wake-up takes as
/// long as it likes.
fn emulated_tests() -> Vec<String> {
    ["tests=(", "slow=("].iter().flat_map(|list| tests_listed(".ci/foreign", list)).collect()
}

/// The tests that CI tries once more when they fail, since they compare times. One of them is a
/// crate of its own, whose library looks at the clock; one is a team's.
fn timed_tests() -> Vec<String> {
    let elsewhere = |test: String| match test.as_str() {
        "runtime/tests/members" => "benches/members".into(),
        "runtime/tests/balance" => "team/tests/balance".into(),
        "runtime/tests/pieces" | "runtime/tests/regions" => test.replace("runtime", "compat/rayon-core"),
        _ => test,
    };
    tests_listed(".ci/run", "timed=(").into_iter().map(elsewhere).collect()
}

/// The paths, without `.rs` or `/main.rs`, of the tests in a script's list that begins with `opening`.
fn tests_listed(script: &str, opening: &str) -> Vec<String> {
    let script = std::fs::read_to_string(workspace().join(script)).expect("a readable script");
    let (_, list) = script.split_once(opening).expect("a list of tests");
    let (names, _) = list.split_once(')').expect("the list's end");
    names.split_whitespace().map(|name| format!("runtime/tests/{name}")).collect()
}

/// Whether a file belongs to the test of that path.
fn is_of(source: &Source, test: &str) -> bool {
    source.path.strip_prefix(test).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Where a test looks at the clock.
fn looks_at_the_clock(source: &Source) -> Vec<Finding> {
    let asks =
        source.code().into_iter().filter(|token| token.is_ident("Instant") || token.is_ident("elapsed"));
    asks.map(|token| source.finding(token.line, "an emulated test compares times".into())).collect()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files of the workspace, in the order of their paths.
fn sources() -> Vec<Source> {
    let root = workspace();
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(entry.file_type().is_dir() && (name == "target" || name.starts_with('.')))
    });
    let files = files.map(|entry| entry.expect("a readable workspace").into_path());
    let rust_files = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let sources = rust_files.map(|path| {
        let text = std::fs::read_to_string(&path).expect("a readable file in UTF-8");
        let relative = path.strip_prefix(&root).expect("a file of the workspace");
        Source::new(&relative.to_string_lossy().replace('\\', "/"), &text)
    });
    sources.collect()
}

fn assert_none(findings: &[Finding]) {
    let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(told.is_empty(), "\n{}\n", told.join("\n"));
}

fn assert_tidy(check: fn(&Source) -> Vec<Finding>) {
    let findings: Vec<Finding> = sources().iter().flat_map(check).collect();
    assert_none(&findings);
}

/// The lines that a check finds fault with when a file of the runtime, named `name`, holds `text`.
fn faults(check: fn(&Source) -> Vec<Finding>, name: &str, text: &str) -> Vec<usize> {
    check(&Source::new(&format!("runtime/src/{name}"), text)).iter().map(|finding| finding.line).collect()
}

#[test]
fn the_whole_workspace_is_looked_at() {
    let sources = sources();
    let looked_at = |path: &str| sources.iter().any(|source| source.path == path);
    assert!(looked_at("xtask/tests/tidy.rs") && looked_at("runtime/src/profile/mod.rs"));
    for folder in PUBLISHED {
        assert!(looked_at(&format!("{folder}/src/lib.rs")), "{folder}");
    }
}

#[test]
fn files_are_short() {
    assert_tidy(long_files);
    let lines = "// why\n\nconst A: u8 = 1; /* one\n\n */\n";
    assert!(faults(long_files, "a.rs", &lines.repeat(LONGEST_FILE)).is_empty());
    assert_eq!(faults(long_files, "a.rs", &lines.repeat(LONGEST_FILE + 1)), [1]);
    let string = format!("const A: &str = \"{}\";", "\n".repeat(LONGEST_FILE));
    assert_eq!(faults(long_files, "a.rs", &string), [1], "a string over many lines is code");
}

#[test]
fn functions_are_short() {
    assert_tidy(long_functions);
    let function =
        |lines: usize| format!("trait T {{\n fn a();\n fn b() {{\n{}}}\n}}\n", "{ '}'; }\n\n".repeat(lines));
    assert!(faults(long_functions, "a.rs", &function(LONGEST_FUNCTION - 2)).is_empty());
    assert_eq!(faults(long_functions, "a.rs", &function(LONGEST_FUNCTION - 1)), [3]);
    let pointer = format!("const A: [fn(u8); 1] = [{}];", "\n0,".repeat(LONGEST_FUNCTION));
    assert!(faults(long_functions, "a.rs", &pointer).is_empty(), "a function pointer is no function");
}

#[test]
fn strong_orderings_are_labelled() {
    assert_tidy(unlabelled_orderings);
    let faults = |text| faults(unlabelled_orderings, "protocol/a.rs", text);
    assert!(faults("use Ordering::{Acquire, Relaxed};\na.load(Relaxed);").is_empty());
    assert!(faults("// Acquire: pairs with b.\na.load(Ordering::Acquire);").is_empty());
    assert!(faults("a.load(Ordering::Acquire); // Acquire: pairs with b.").is_empty());
    assert!(faults("// Acquire: pairs with\n// b and c.\na.load(Ordering::Acquire);").is_empty());
    assert!(faults("// Release: to b.\n// Acquire: from c.\na.x(Release, Acquire);").is_empty());
    assert!(faults("let text = \"SeqCst\"; // SeqCst").is_empty());

    assert_eq!(faults("a.load(Ordering::Acquire);"), [1]);
    assert_eq!(faults("\na.store(1, SeqCst); // Release: to b."), [2]);
    assert_eq!(faults("// Acquire: pairs with b.\n\na.load(Acquire);"), [3]);
    assert_eq!(faults("// Acquire: pairs with b.\na.load(Acquire);\na.load(Acquire);"), [3]);
    assert_eq!(faults("a.load(Acquire); // Acquire: pairs with b.\na.load(Acquire);"), [2]);
    assert_eq!(faults("// Acquire: \na.load(Acquire);"), [2], "a label without a reason");
    assert_eq!(faults("// Acquire: from c.\na.x(AcqRel, Acquire);"), [2]);
}

#[test]
fn protocols_have_models() {
    let sources = sources();
    let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    assert!(paths.contains(&"runtime/src/protocol/mod.rs"));
    assert_none(&unmodelled_protocols(&paths));

    let modelled =
        ["a/src/protocol/mod.rs", "a/src/protocol/b.rs", "a/src/protocol/b_models.rs", "a/src/c.rs"];
    assert!(unmodelled_protocols(&modelled).is_empty());
    let elsewhere = ["a/src/protocol/b.rs", "c/src/protocol/b_models.rs"];
    assert_eq!(unmodelled_protocols(&elsewhere).len(), 1);
}

#[test]
fn models_say_what_they_catch() {
    assert_tidy(models_without_a_promise);
    let sources = sources();
    let models = sources.iter().filter(|source| source.file_name().ends_with("_models.rs"));
    let models = models.flat_map(|source| source.code().into_iter().filter(|t| t.text.starts_with("model_")));
    assert!(models.count() >= 40, "the models are gone");

    let faults = |text| faults(models_without_a_promise, "a_models.rs", text);
    assert!(faults("/// Catches a loss.\n#[test]\nfn model_a() {}\nfn helper() {}").is_empty());
    assert!(faults("/// Two threads. Catches a\n/// loss.\n#[test]\nfn model_a() {}").is_empty());
    assert_eq!(faults("/// A model.\n#[test]\nfn model_a() {}"), [3]);
    assert_eq!(faults("/// Catches a loss.\nfn model_a() {}\n#[test]\nfn model_b() {}"), [4]);
    assert_eq!(faults("/// Catches a loss.\n\n#[test]\nfn model_a() {}"), [4]);
}

#[test]
fn only_sync_names_atomics() {
    let findings = sources().iter().flat_map(named_atomics).collect::<Vec<_>>();
    let (allowed, forbidden): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| MAY_NAME_ATOMICS.iter().any(|&(path, _)| path == finding.path));
    assert_none(&forbidden);
    for (path, reason) in MAY_NAME_ATOMICS {
        let needed = allowed.iter().any(|finding| finding.path == path);
        assert!(needed, "{path} names no atomics; remove it from MAY_NAME_ATOMICS ({reason})");
    }

    assert_eq!(faults(named_atomics, "a.rs", "\nuse std::sync::atomic::AtomicBool;"), [2]);
    assert_eq!(faults(named_atomics, "a.rs", "use core::sync::{\natomic::AtomicBool};"), [2]);
    assert!(faults(named_atomics, "a.rs", "// std::sync::atomic\nuse crate::sync::AtomicBool;").is_empty());
    assert!(faults(named_atomics, "sync.rs", "use std::sync::atomic::AtomicBool;").is_empty());
    assert!(faults(named_atomics, "sync/types.rs", "use std::sync::atomic::AtomicBool;").is_empty());
}

#[test]
fn nothing_is_left_over() {
    assert_tidy(left_overs);
    let faults = |text| faults(left_overs, "a.rs", text);
    assert_eq!(faults("\n// TODO: more"), [2]);
    assert_eq!(faults("/* FIXME */ dbg!(1);"), [1, 1]);
    assert_eq!(faults("fn a() {\n todo!()\n}"), [2]);
    assert!(faults("let todo = \"TODO\"; // TODOS are fine, as is debug").is_empty());
}

#[test]
fn emulated_tests_compare_no_times() {
    let names = emulated_tests();
    let sources = sources();
    let none = names.iter().find(|name| !sources.iter().any(|source| is_of(source, name)));
    assert_eq!(none, None, "a test of .ci/foreign is not there");
    let emulated = || sources.iter().filter(|source| names.iter().any(|name| is_of(source, name)));
    assert!(emulated().count() > 20);
    assert_none(&emulated().flat_map(looks_at_the_clock).collect::<Vec<_>>());
    assert_eq!(faults(looks_at_the_clock, "a.rs", "let a = 1;\nstart.elapsed();\nInstant::now()"), [2, 3]);
}

#[test]
fn tests_that_are_tried_once_more_compare_times() {
    let sources = sources();
    for test in timed_tests() {
        let looks = sources.iter().filter(|source| is_of(source, &test)).flat_map(looks_at_the_clock);
        assert!(looks.count() > 0, "{test} is not there, or compares no times");
    }
}

#[test]
fn a_finding_tells_where_and_what() {
    let findings = left_overs(&Source::new("a/b.rs", "\n\ndbg!(1);"));
    assert_eq!(findings[0].to_string(), "a/b.rs:3: dbg!: do it, or open an issue");
}
