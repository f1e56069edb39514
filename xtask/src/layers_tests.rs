//! What counts as an import, and whether the workspace's imports go down.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::layers::Layer::{Knot, Parts};
use crate::layers::{Imports, LAYERS, Layers};

const HOUSE: Layers = Layers {
    package: "house",
    from_top: &[Parts(&["lib"]), Parts(&["roof"]), Parts(&["room", "cellar"]), Knot(&["rope", "bell"])],
    chain_from: "roof",
};

/// Returns the imports that violate `HOUSE` in a crate of these files.
fn against(files: &[(&str, &str)]) -> Vec<String> {
    imports(files).against(&HOUSE)
}

fn imports(files: &[(&str, &str)]) -> Imports {
    let module = |path: &str| path.split('/').filter(|part| *part != "lib").map(str::to_owned).collect();
    let texts: BTreeMap<_, _> = files.iter().map(|(path, text)| (module(path), (*text).to_owned())).collect();
    Imports::of(&texts)
}

#[test]
fn the_parts_of_a_knot_may_import_from_each_other_and_nothing_above() {
    let files = [("lib", ""), ("rope", "use crate::bell::Bell;"), ("bell", "use crate::rope::Rope;")];
    assert_eq!(against(&files), [""; 0]);
    let text = "use crate::rope::Rope; use crate::room::Room;";
    assert_eq!(against(&[&files[..2], &[("bell", text), ("room", "")]].concat()), ["bell imports room"]);
}

#[test]
fn what_a_macro_writes_for_others_is_no_import() {
    let text = "macro_rules! roof { () => { $crate::Roof } }";
    assert_eq!(against(&[("lib", ""), ("room", text)]), [""; 0]);
}

#[test]
fn a_chain_counts_a_circle_once() {
    let files = [
        ("lib", "use crate::roof::Roof;"),
        ("roof", "use crate::rope::Rope; use crate::cellar::Cellar;"),
        ("rope", "use crate::bell::Bell;"),
        ("bell", "use crate::rope::Rope; use crate::room::Room;"),
        ("room", ""),
        ("cellar", ""),
    ];
    assert_eq!(imports(&files).longest_chain("roof"), 3);
    assert_eq!(imports(&files).longest_chain("cellar"), 1);
}

#[test]
fn imports_from_above_and_aside_are_found() {
    let rest = [("lib", "pub use self::roof::Roof;"), ("roof", "use crate::room::door;"), ("room/door", "")];
    assert_eq!(against(&[&rest[..], &[("room", ""), ("cellar", "")]].concat()), [""; 0]);
    for text in [
        "use crate::roof::Roof;",
        "fn f() { crate::roof::f() }",
        "use crate::{room::{self}, roof};",
        "use super::roof::Roof;",
    ] {
        assert_eq!(against(&[&rest[..], &[("room", text)]].concat()), ["room imports roof"], "{text}");
    }
    assert_eq!(
        against(&[&rest[..], &[("cellar", "use super::room;"), ("room", "")]].concat()),
        ["cellar imports room"]
    );
    assert_eq!(
        against(&[&rest[..2], &[("room/door", "use super::super::Roof;")]].concat()),
        ["room/door imports lib"]
    );
}

#[test]
fn what_a_module_imports_from_itself_or_for_tests_does_not_count() {
    let text = "use self::door::Door; use super::room::door; // crate::roof\n#[cfg(test)]\nmod tests { use crate::roof; }";
    assert_eq!(
        against(&[("lib", ""), ("roof", ""), ("room", text), ("room/door", "use super::Door;")]),
        [""; 0]
    );
}

#[test]
fn a_file_without_a_layer_is_found() {
    assert_eq!(
        against(&[("lib", "mod attic; use self::attic::Box;"), ("attic", "")]),
        ["lib or attic is in no layer"]
    );
}

#[test]
fn imports_go_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    for layers in &LAYERS {
        let imports = Imports::of_crate(&root.join(layers.package)).unwrap();
        let against = imports.against(layers);
        assert!(against.is_empty(), "{}: {against:#?}", layers.package);
        let mut rest = map.as_str();
        for part in layers.from_top.iter().flat_map(|layer| layer.parts()) {
            let row = format!("| `{part}` |");
            let at = rest.find(&row);
            rest = &rest[at.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row {row} in this place"))..];
        }
    }
}
