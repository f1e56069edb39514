//! What the list of mutants must contain, and what it must leave out.

use crate::orderings::mutants;
use crate::source::all_in_one;

fn changes(text: &str) -> Vec<(usize, String, String)> {
    let mutants = mutants(text).unwrap();
    mutants.into_iter().map(|mutant| (mutant.line, mutant.change.clone(), mutant.of(text))).collect()
}

fn change(line: usize, change: &str, text: &str) -> (usize, String, String) {
    (line, change.to_owned(), text.to_owned())
}

#[test]
fn an_access_goes_down_one_step() {
    assert_eq!(
        changes("fn f() {\n a.load(Ordering::Acquire); }"),
        [change(2, "`load`: Acquire → Relaxed", "fn f() {\n a.load(Ordering::Relaxed); }")]
    );
    assert_eq!(
        changes("a.swap(f(1), AcqRel)"),
        [
            change(1, "`swap`: AcqRel → Acquire", "a.swap(f(1), Acquire)"),
            change(1, "`swap`: AcqRel → Release", "a.swap(f(1), Release)")
        ]
    );
}

#[test]
fn each_ordering_of_a_call_is_weakened_by_itself() {
    assert_eq!(
        changes("a.compare_exchange(0, 1, Release, Acquire)"),
        [
            change(1, "`compare_exchange`: Release → Relaxed", "a.compare_exchange(0, 1, Relaxed, Acquire)"),
            change(1, "`compare_exchange`: Acquire → Relaxed", "a.compare_exchange(0, 1, Release, Relaxed)")
        ]
    );
}

#[test]
fn a_fence_is_weakened_and_removed() {
    assert_eq!(
        changes("a();\nfence(Ordering::SeqCst);\nb();"),
        [
            change(2, "`fence(SeqCst)` → `fence(AcqRel)`", "a();\nfence(Ordering::AcqRel);\nb();"),
            change(2, "`fence(SeqCst)` → removed", "a();\n();\nb();")
        ]
    );
    assert_eq!(changes("fence(Acquire);"), [change(1, "`fence(Acquire)` → removed", "();")]);
}

#[test]
fn halves_of_a_pair_of_fences_are_weakened_and_removed() {
    let weaker = "{ crate::sync::fence(crate::sync::Ordering::AcqRel); true }";
    assert_eq!(
        changes("use a::heavy_fence;\nlet done = heavy_fence(f(1)) && b;"),
        [
            change(
                2,
                "`heavy_fence` → `fence(AcqRel)`",
                &format!("use a::heavy_fence;\nlet done = {weaker} && b;")
            ),
            change(2, "`heavy_fence` → removed", "use a::heavy_fence;\nlet done = true && b;")
        ]
    );
    assert_eq!(
        changes("light_fence(f);"),
        [
            change(
                1,
                "`light_fence` → `fence(AcqRel)`",
                "crate::sync::fence(crate::sync::Ordering::AcqRel);"
            ),
            change(1, "`light_fence` → removed", "();")
        ]
    );
    assert_eq!(changes("fn light_fence(f: Fences) {}"), []);
}

#[test]
fn one_file_holds_all_mutants_by_number() {
    let text = "fence(Ordering::SeqCst);\na.swap(1, Ordering::AcqRel)";
    let all = all_in_one(text, &mutants(text).unwrap(), 5);
    let expected = "match chosen_mutant() { 6 => (), \
                    _ => fence(match chosen_mutant() { 5 => Ordering::AcqRel, _ => Ordering::SeqCst }) };\n\
                    a.swap(1, match chosen_mutant() { 7 => Ordering::Acquire, 8 => Ordering::Release, \
                    _ => Ordering::AcqRel })";
    let (code, chosen) = all.split_once("\nfn ").unwrap();
    assert_eq!(code, expected);
    assert!(chosen.starts_with("chosen_mutant() -> usize {"), "{chosen}");
}

#[test]
fn only_code_has_mutants() {
    let text = "use a::{Acquire, Release};\n// load(Acquire)\nlet text = \"load(Acquire)\";\na.load(Relaxed); Acquire;";
    assert_eq!(changes(text), []);
}

#[test]
fn a_mutant_names_its_function() {
    let mutants = mutants("fn a() {} fn b(f: fn()) { x.load(Acquire) } fn c() {}").unwrap();
    assert_eq!(mutants[0].function, "b");
}

#[test]
fn an_access_that_loom_cannot_check_is_refused() {
    let error = mutants("\na.load(SeqCst)").unwrap_err().to_string();
    assert!(error.starts_with("line 2: a SeqCst access"), "{error}");
}
