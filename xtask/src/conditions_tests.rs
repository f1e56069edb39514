//! What the list of mutants must contain, and what it must leave out.

use crate::conditions::mutants;

/// Returns the changed lines of `text` inside a function, with the description of each mutant.
fn changes(text: &str) -> Vec<(String, String)> {
    let function = format!("fn f() {{\n{text}\n}}");
    let mutants = mutants(&function).into_iter();
    mutants
        .map(|mutant| {
            let text = mutant.of(&function);
            let inside = text.strip_prefix("fn f() {\n").and_then(|text| text.strip_suffix("\n}"));
            (mutant.change, inside.expect("only the body is changed").to_owned())
        })
        .collect()
}

fn change(change: &str, text: &str) -> (String, String) {
    (change.to_owned(), text.to_owned())
}

#[test]
fn a_comparison_is_negated_and_moved() {
    assert_eq!(
        changes("if a < 2 {}"),
        [
            change("`<` → `>=`", "if a >= 2 {}"),
            change("`<` → `<=`", "if a <= 2 {}"),
            change("`2` → `3`", "if a < 3 {}")
        ]
    );
    assert_eq!(changes("let last = f(1) == b;"), [change("`==` → `!=`", "let last = f(1) != b;")]);
}

#[test]
fn logic_and_sums_are_turned_around() {
    assert_eq!(
        changes("if a && !b || c {}"),
        [
            change("`&&` → `||`", "if a || !b || c {}"),
            change("`!` left out", "if a && b || c {}"),
            change("`||` → `&&`", "if a && !b && c {}")
        ]
    );
    assert_eq!(
        changes("x.is_ok() as u8 + 1"),
        [change("`is_ok` → `is_err`", "x.is_err() as u8 + 1"), change("`+` → `-`", "x.is_ok() as u8 - 1")]
    );
    assert_eq!(changes("a += 1;"), [change("`+=` → `-=`", "a -= 1;")]);
}

#[test]
fn a_plain_condition_is_negated_whole() {
    assert_eq!(changes("if f(|a| { a }) {}"), [change("`f(|a| { a })` negated", "if !(f(|a| { a })) {}")]);
    assert_eq!(changes("match a { b if c => d }"), [change("`c` negated", "match a { b if !(c) => d }")]);
    assert_eq!(changes("if let Some(a) = b {}"), []);
}

#[test]
fn only_conditions_of_functions_have_mutants() {
    assert_eq!(changes("let a: Vec<u8> = vec![]; // a < b\nlet f: fn() -> u8 = || 1;"), []);
    assert_eq!(changes("assert!(a < b, \"{}\", c == d); debug_assert_eq!(a + 1, b);"), []);
    assert!(mutants("const A: u32 = B - 1;").is_empty());
}

#[test]
fn a_mutant_names_its_line() {
    let mutants = mutants("fn a() {\n    if b == c { // why\n    }\n}");
    assert_eq!((mutants[0].function.as_str(), mutants[0].code.as_str()), ("a", "if b == c {"));
}
