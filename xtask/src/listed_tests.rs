//! A table names a test for each mutant.

use crate::listed::Listed;

#[test]
fn a_row_is_found_by_its_site_and_used_once() {
    let mut listed = Listed::of(
        "# Orderings\n\
         \n\
         | file | function | line | mutation | first model to fail | with |\n\
         |---|---|---|---|---|---|\n\
         | `a.rs` | `f` | `x.load(A)` | `load`: A → R | `models::model_one` | data race |\n\
         | `a.rs` | `f` | `x.load(A)` | `load`: A → R | `models::model_two` | deadlock |\n\
         | `a.rs` | `g` | `y.load(A)` | `load`: A → R | **SURVIVED** |  |\n",
    );
    let twice = "| `a.rs` | `f` | `x.load(A)` | `load`: A → R |";
    assert_eq!(listed.take(twice).as_deref(), Some("models::model_one"));
    assert_eq!(listed.take(twice).as_deref(), Some("models::model_two"));
    assert_eq!(listed.take(twice), None);
    assert_eq!(listed.take("| `a.rs` | `g` | `y.load(A)` | `load`: A → R |"), None, "no test has failed");
    assert_eq!(listed.take("| `b.rs` |"), None);
}
