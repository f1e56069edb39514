//! The example `checksum` on a made-up tree, compared with sums computed one after the other.
#![cfg(target_os = "linux")] // where any byte may be in a name

#[path = "support/example.rs"]
mod example;
#[path = "support/unprivileged.rs"]
mod unprivileged;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::example::{assert_prints, program, run_unread, run_unwritable, stderr};
use crate::unprivileged::unprivileged;

/// Below `tree/`: files of all sizes with all sorts of names, and things that are no files.
fn made_up_tree() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let tree = dir.path().join("tree");
    for (name, size) in files() {
        let path = tree.join(OsStr::from_bytes(&name));
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory in the tree");
        fs::write(path, content(size)).expect("a file in the tree");
    }
    fs::create_dir(tree.join("empty-directory")).expect("a directory in the tree");
    symlink("a", tree.join("link-to-file")).expect("a link in the tree");
    symlink(".", tree.join("link-to-directory")).expect("a link in the tree");
    symlink("nowhere", tree.join("dangling")).expect("a link in the tree");
    // The socket stays when its listener goes.
    drop(UnixListener::bind(tree.join("socket")).expect("a socket in the tree"));
    dir
}

/// Names, relative to the tree, and sizes.
fn files() -> Vec<(Vec<u8>, usize)> {
    let odd: [(&[u8], usize); 12] = [
        (b"a", 1),
        (b"a-b", 3), // before a/b in the order of bytes, after it in the order of path components
        (b"a.d/b", 4),
        (b"deep/er/and/deeper", 64 * 1024),
        (b"empty", 0),
        (b"big", 3 * 1024 * 1024 + 17),
        (b"not-utf-8-\xff\xfe\xe9", 100),
        (b"not-utf-8-\xe9/\x80", 101),
        (b"line\nfeed", 102),
        (b"carriage\rreturn", 103),
        (b"back\\slash", 104),
        (b" blanks  and 'quotes' ", 105),
    ];
    let many = (0..300).map(|i| (format!("many/{i}").into_bytes(), i * i % 5000));
    odd.into_iter().map(|(name, size)| (name.to_vec(), size)).chain(many).collect()
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 31 + size) as u8).collect()
}

/// What must be printed for the made-up tree, when its name on the command line is `root`.
fn expected(root: &str) -> Vec<u8> {
    let by_path: BTreeMap<Vec<u8>, usize> =
        files().into_iter().map(|(name, size)| ([root.as_bytes(), b"/", &name].concat(), size)).collect();
    by_path.into_iter().flat_map(|(path, size)| line(&path, size)).collect()
}

fn line(path: &[u8], size: usize) -> Vec<u8> {
    let hash = blake3::hash(&content(size)).to_hex();
    let (mut escaped, mut mark) = (Vec::new(), &b""[..]);
    for byte in path {
        match byte {
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            b'\\' => escaped.extend(b"\\\\"),
            &byte => escaped.push(byte),
        }
        if b"\n\r\\".contains(byte) {
            mark = b"\\";
        }
    }
    [mark, hash.as_bytes(), b"  ", &escaped, b"\n"].concat()
}

fn checksum(dir: &TempDir, args: &[&str]) -> Output {
    Command::new(program("checksum")).args(args).current_dir(dir).output().expect("the program to start")
}

#[test]
fn every_thread_count_and_chunk_size_prints_what_a_plain_loop_computes() {
    let dir = made_up_tree();
    for threads in ["1", "2", "8"] {
        for chunk in ["auto", "1", "7", "1000"] {
            let output = checksum(&dir, &["--threads", threads, "--chunk", chunk, "tree"]);
            assert!(output.status.success(), "{}", stderr(&output));
            assert_prints(&output, &expected("tree"));
        }
    }
}

#[test]
fn without_an_argument_it_hashes_the_directory_that_it_is_run_in() {
    let dir = made_up_tree();
    let output =
        Command::new(program("checksum")).current_dir(dir.path().join("tree")).output().expect("a start");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_prints(&output, &expected("."));
}

#[test]
fn paths_from_several_roots_are_in_one_order() {
    let dir = made_up_tree();
    let output = checksum(&dir, &["tree/many/1", "tree/deep", "tree/empty-directory", "tree/a"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let expected =
        [line(b"tree/a", 1), line(b"tree/deep/er/and/deeper", 64 * 1024), line(b"tree/many/1", 1)].concat();
    assert_prints(&output, &expected);
}

#[test]
fn a_root_that_is_missing_or_a_link_is_one_line_on_standard_error() {
    let dir = made_up_tree();
    let output = checksum(&dir, &["tree", "no\nsuch", "tree/link-to-directory", "tree/socket"]);
    assert_eq!(output.status.code(), Some(1));
    assert_prints(&output, &expected("tree"));
    let stderr = stderr(&output);
    let complaints: Vec<&str> = stderr.lines().filter(|line| line.starts_with("checksum: ")).collect();
    assert_eq!(complaints.len(), 3, "{stderr}");
    assert!(complaints[0].starts_with(r"checksum: no\nsuch: "), "{stderr}");
    assert!(complaints[1].starts_with("checksum: tree/link-to-directory: a symbolic link"), "{stderr}");
    assert!(complaints[2].starts_with("checksum: tree/socket: neither"), "{stderr}");
}

#[test]
fn a_link_with_a_slash_means_its_directory() {
    let dir = made_up_tree();
    let output = checksum(&dir, &["tree/link-to-directory/"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_prints(&output, &expected("tree/link-to-directory"));
}

/// `/proc/self/mem` opens, but its first byte cannot be read, not even by root.
#[test]
fn a_read_error_costs_one_line_and_the_exit_status_but_no_other_file() {
    let dir = made_up_tree();
    for threads in ["1", "2", "8"] {
        let output = checksum(&dir, &["--threads", threads, "/proc/self/mem", "tree"]);
        assert_eq!(output.status.code(), Some(1));
        assert_prints(&output, &expected("tree"));
        let stderr = stderr(&output);
        let complaints = stderr.lines().filter(|line| line.starts_with("checksum: "));
        assert_eq!(complaints.count(), 1, "{stderr}");
        assert!(stderr.starts_with("checksum: /proc/self/mem: "), "{stderr}");
    }
}

#[test]
fn what_may_not_be_opened_costs_one_line_each_and_the_exit_status() {
    let dir = made_up_tree();
    let locked = dir.path().join("tree/locked");
    fs::create_dir(&locked).expect("a directory in the tree");
    let secret = dir.path().join("tree/secret");
    fs::write(&secret, "secret").expect("a file in the tree");
    for path in [&locked, &secret] {
        fs::set_permissions(path, Permissions::from_mode(0o000)).expect("permission to forbid");
    }
    let output = unprivileged(&program("checksum"), dir.path()).arg("tree").output();
    // Else a failing test could leave behind what cannot be deleted.
    fs::set_permissions(&locked, Permissions::from_mode(0o755)).expect("permission to permit");
    let output = output.expect("the program to start");
    assert_eq!(output.status.code(), Some(1));
    assert_prints(&output, &expected("tree"));
    let stderr = stderr(&output);
    let complaints: Vec<&str> = stderr.lines().filter(|line| line.starts_with("checksum: ")).collect();
    assert_eq!(complaints.len(), 2, "{stderr}");
    assert!(complaints[0].starts_with("checksum: tree/locked: "), "{stderr}");
    assert!(complaints[1].starts_with("checksum: tree/secret: "), "{stderr}");
}

#[test]
fn nobody_reading_is_no_reason_to_panic() {
    let dir = made_up_tree();
    let output = run_unread(Command::new(program("checksum")).arg("tree").current_dir(&dir));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
}

#[test]
fn sums_that_cannot_be_written_are_an_error() {
    let dir = made_up_tree();
    let output = run_unwritable(Command::new(program("checksum")).arg("tree").current_dir(&dir));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("checksum: standard output: "), "{}", stderr(&output));
}

#[test]
fn it_draws_what_it_did() {
    let dir = made_up_tree();
    let output = checksum(&dir, &["--threads", "2", "--svg", "picture.svg", "tree"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let svg = fs::read_to_string(dir.path().join("picture.svg")).expect("a picture");
    let picture = roxmltree::Document::parse(&svg).expect("well-formed XML");
    assert!(picture.root_element().has_tag_name(("http://www.w3.org/2000/svg", "svg")));
    assert!(!output.stderr.is_empty(), "the summary of the profile");
}

#[test]
fn it_writes_a_page_about_what_it_did() {
    let dir = made_up_tree();
    let output = checksum(&dir, &["--html", "page.html", "tree"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let page = fs::read_to_string(dir.path().join("page.html")).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("checksum&#x2F;main.rs:"));
}

#[test]
fn it_writes_a_trace_of_what_it_did() {
    let dir = made_up_tree();
    let output = checksum(&dir, &["--threads", "2", "--trace", "trace.json", "tree"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let trace = fs::read_to_string(dir.path().join("trace.json")).expect("a trace");
    let events: Vec<serde_json::Value> = serde_json::from_str(&trace).expect("an array of events");
    let slices = events.iter().filter(|event| event["ph"] == "X" && event["cat"] == "chunk");
    let files = slices.map(|slice| slice["args"]["taskels"].as_u64().expect("a number"));
    assert_eq!(files.sum::<u64>(), output.stdout.split_inclusive(|&byte| byte == b'\n').count() as u64);
}

#[test]
fn a_trace_that_cannot_be_written_is_an_error_with_its_name() {
    let dir = made_up_tree();
    let output = checksum(&dir, &["--trace", "nowhere/trace.json", "tree"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("checksum: nowhere/trace.json: "), "{}", stderr(&output));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let dir = made_up_tree();
    for args in [["--threads", "0"], ["--threads", "x"], ["--chunk", "0"], ["--chunk", "-1"]] {
        let output = checksum(&dir, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn it_records_what_it_did() {
    let dir = made_up_tree();
    let output = checksum(&dir, &["--threads", "1", "--record", "run.json", "tree"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let json = fs::read_to_string(dir.path().join("run.json")).expect("a recording");
    let recording = taskel::Recording::from_json(&json).expect("a recording");
    let [_, only] = recording.calls() else { panic!("one loop: {json}") };
    let files: u64 = only.parts.iter().map(|part| part.items).sum();
    assert_eq!(files as usize, String::from_utf8_lossy(&output.stdout).lines().count());
}
