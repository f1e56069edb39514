//! What counts as an import, and whether the workspace's go down.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::layers::{Imports, LAYERS, Layers};

const HOUSE: Layers = Layers { package: "house", from_top: &[&["lib"], &["roof"], &["room", "cellar"]] };

/// The imports against `HOUSE` in a crate of these files.
fn against(files: &[(&str, &str)]) -> Vec<String> {
    let module = |path: &str| path.split('/').filter(|part| *part != "lib").map(str::to_owned).collect();
    let texts: BTreeMap<_, _> = files.iter().map(|(path, text)| (module(path), (*text).to_owned())).collect();
    Imports::of(&texts).against(&HOUSE)
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
        for part in layers.from_top.iter().flat_map(|layer| *layer) {
            let row = format!("| `{part}` |");
            let at = rest.find(&row);
            rest = &rest[at.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row {row} in this place"))..];
        }
    }
}
