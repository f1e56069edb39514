//! The example `thumbnails`: the same small pictures with a memory guard, with weights, and with
//! neither.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

#[path = "support/example.rs"]
#[allow(dead_code, reason = "for other tests")]
mod example;

/// The small pictures, by name.
fn thumbnails(folder: &Path, options: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let output = Command::new(example::program("thumbnails")).args(options).arg(folder).output().unwrap();
    assert!(output.status.success(), "{options:?}: {}", example::stderr(&output));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.starts_with("12 pictures in "), "{options:?}: {told}");
    let small = folder.join("thumbnails");
    let read = fs::read_dir(&small).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    });
    let read = read.collect();
    fs::remove_dir_all(small).unwrap();
    read
}

#[test]
fn each_way_makes_the_same_small_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["--size", "10"];
    let made = thumbnails(
        folder.path(),
        &[&["--make", "12", "--pixels", "40", "--workers", "4"], &size[..]].concat(),
    );
    assert_eq!(made.len(), 12);
    for picture in made.values() {
        let picture = image::load_from_memory(picture).unwrap();
        assert_eq!((picture.width(), picture.height()), (10, 10));
    }
    for way in [&["--unlimited"][..], &["--weighed"], &["--workers", "1"], &["--workers", "8"]] {
        assert_eq!(thumbnails(folder.path(), &[way, &size].concat()), made, "{way:?}");
    }
}

#[test]
fn a_file_that_is_no_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.png"), "Dear reader").unwrap();
    let output = Command::new(example::program("thumbnails")).arg(folder.path()).output().unwrap();
    assert!(!output.status.success());
    assert!(example::stderr(&output).contains("letter.png"), "{}", example::stderr(&output));
}
