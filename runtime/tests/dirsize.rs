//! The example `dirsize` on made-up trees, compared with a plain loop and with `du -b`.
#![cfg(target_os = "linux")] // where any byte may be in a name

#[path = "support/example.rs"]
mod example;
#[path = "support/unprivileged.rs"]
mod unprivileged;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use walkdir::WalkDir;

use crate::example::{assert_prints, program, run_unread, run_unwritable, stderr};
use crate::unprivileged::unprivileged;

/// Below `tree/`: directories, files and links of all kinds. Hard links are next to each other, so
/// that it is clear which directory they belong to.
fn made_up_tree() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let tree = dir.path().join("tree");
    for (name, size) in files() {
        let path = tree.join(OsStr::from_bytes(&name));
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory in the tree");
        File::create(path).and_then(|file| file.set_len(size)).expect("a file in the tree");
    }
    fs::create_dir_all(tree.join("empty/in/empty")).expect("a directory in the tree");
    symlink("a", tree.join("link-to-file")).expect("a link in the tree");
    symlink("deep", tree.join("link-to-directory")).expect("a link in the tree");
    symlink("..", tree.join("deep/link-to-parent")).expect("a link in the tree");
    symlink("nowhere/at/all", tree.join("dangling")).expect("a link in the tree");
    for (name, another) in
        [("a", "a-2"), ("a", "a-3"), ("deep/er/file", "deep/er/again"), ("dangling", "too")]
    {
        fs::hard_link(tree.join(name), tree.join(another)).expect("a second name in the tree");
    }
    // The socket stays when its listener goes.
    drop(UnixListener::bind(tree.join("socket")).expect("a socket in the tree"));
    dir
}

/// Names, relative to the tree, and sizes, most of which are holes and take nothing on the disk.
fn files() -> Vec<(Vec<u8>, u64)> {
    let odd: [(&[u8], u64); 8] = [
        (b"a", 1),
        (b"a-b/c", 3),
        (b"a.d/b", 4),
        (b"deep/er/file", 64 * 1024 + 1),
        (b"deep/er/and/deeper/huge", 5 << 32),
        (b"nothing", 0),
        (b"not-utf-8-\xe9/\x80", 101),
        (b"line\nfeed", 102),
    ];
    let many = (0..300).map(|i| (format!("many/{}/{}/{i}", i % 7, i % 50).into_bytes(), i * i));
    odd.into_iter().map(|(name, size)| (name.to_vec(), size)).chain(many).collect()
}

/// The bytes of a path and all below it, in a plain loop.
fn bytes_below(path: &Path) -> u64 {
    let mut seen = HashSet::new();
    let entries = WalkDir::new(path).follow_root_links(false).into_iter();
    let metadata = entries.map(|entry| entry.expect("a readable tree").metadata().expect("its metadata"));
    metadata.filter(|it| it.is_dir() || seen.insert((it.dev(), it.ino()))).map(|it| it.len()).sum()
}

/// What must be printed for a root that is `path` on the command line, in a process in `dir`.
fn line(dir: &TempDir, path: &str) -> Vec<u8> {
    format!("{}\t{path}\n", bytes_below(&dir.path().join(path))).into_bytes()
}

fn dirsize(dir: &TempDir, args: &[&str]) -> Output {
    Command::new(program("dirsize")).args(args).current_dir(dir).output().expect("the program to start")
}

/// Whether there is a `du` to compare with: GNU's up to coreutils 9.1. Later ones leave out what
/// directories themselves have, and others know no `-b`.
fn du_counts_as_we_do() -> bool {
    let probe = tempfile::tempdir().expect("a temporary directory");
    let bytes = probe.path().metadata().expect("its metadata").len();
    let output = Command::new("du").arg("-sb").arg(probe.path()).output();
    let does = output.is_ok_and(|output| output.stdout.starts_with(format!("{bytes}\t").as_bytes()));
    if !does {
        // Not captured, unlike what `eprintln!` prints.
        let _ = writeln!(std::io::stderr(), "no `du -b` here that counts directories, to compare with");
    }
    does
}

/// Asserts that `du -sb` prints this, where it can be compared with.
#[track_caller]
fn assert_du_prints(dir: &TempDir, roots: &[&str], expected: &[u8]) {
    if du_counts_as_we_do() {
        let output = Command::new("du").arg("-sb").args(roots).current_dir(dir).output();
        assert_prints(&output.expect("a second start"), expected);
    }
}

/// The lines of standard error that speak of something that could not be looked at.
fn complaints(output: &Output) -> Vec<String> {
    stderr(output).lines().map(str::to_owned).collect()
}

#[test]
fn any_number_of_threads_prints_what_du_prints() {
    let dir = made_up_tree();
    let expected = line(&dir, "tree");
    assert_du_prints(&dir, &["tree"], &expected);
    for threads in ["1", "2", "8"] {
        for _ in 0..10 {
            let output = dirsize(&dir, &["--threads", threads, "tree"]);
            assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
            assert_prints(&output, &expected);
        }
    }
}

#[test]
fn without_an_argument_it_counts_the_directory_that_it_is_run_in() {
    let dir = made_up_tree();
    let expected = format!("{}\t.\n", bytes_below(&dir.path().join("tree")));
    let output =
        Command::new(program("dirsize")).current_dir(dir.path().join("tree")).output().expect("a start");
    assert_prints(&output, expected.as_bytes());
}

#[test]
fn roots_are_files_and_links_too() {
    let dir = made_up_tree();
    let roots = [
        ("tree/a", 1),
        ("tree/line\nfeed", 102),
        ("tree/dangling", b"nowhere/at/all".len() as u64),
        ("tree/link-to-directory", b"deep".len() as u64),
        // A slash means what a link leads to.
        ("tree/link-to-directory/", bytes_below(&dir.path().join("tree/deep"))),
    ];
    for (root, bytes) in roots {
        let expected = format!("{bytes}\t{root}\n").into_bytes();
        assert_du_prints(&dir, &[root], &expected);
        let output = dirsize(&dir, &[root]);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
        assert_prints(&output, &expected);
    }
}

#[test]
fn each_directory_has_its_line_on_demand() {
    let dir = made_up_tree();
    let mut paths: Vec<PathBuf> = WalkDir::new(dir.path().join("tree"))
        .into_iter()
        .map(|entry| entry.expect("a readable tree"))
        .filter(|entry| entry.file_type().is_dir())
        .map(|entry| entry.into_path())
        .collect();
    paths.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    let mut expected = Vec::new();
    for path in paths {
        let shown = path.strip_prefix(dir.path()).expect("a path below it").as_os_str().as_bytes();
        expected.extend([bytes_below(&path).to_string().as_bytes(), b"\t", shown, b"\n"].concat());
    }
    for threads in ["1", "2", "8"] {
        let output = dirsize(&dir, &["--per-dir", "--threads", threads, "tree"]);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
        assert_prints(&output, &expected);
    }
}

#[test]
fn hard_links_in_several_directories_count_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for name in 0..40 {
        let parent = dir.path().join(format!("tree/{name}"));
        fs::create_dir_all(&parent).expect("a directory in the tree");
        for file in 0..10 {
            let (first, path) = (dir.path().join(format!("tree/0/{file}")), parent.join(file.to_string()));
            match name {
                0 => fs::write(path, vec![0; 1000 + file]).expect("a file in the tree"),
                _ => fs::hard_link(first, path).expect("a further name of it"),
            }
        }
    }
    let expected = line(&dir, "tree");
    assert_du_prints(&dir, &["tree"], &expected);
    for _ in 0..20 {
        assert_prints(&dirsize(&dir, &["--threads", "8", "tree"]), &expected);
    }
}

/// As in `du`: the first root has it.
#[test]
fn what_is_below_several_roots_counts_once() {
    let dir = made_up_tree();
    let tree_without_deep =
        bytes_below(&dir.path().join("tree")) - bytes_below(&dir.path().join("tree/deep"));
    let deep = line(&dir, "tree/deep");
    let both = [&deep[..], format!("{tree_without_deep}\ttree\n").as_bytes()].concat();
    let cases = [
        (&["tree/deep", "tree"][..], both),
        (&["tree", "tree/deep"], line(&dir, "tree")),
        (&["tree/deep", "tree/deep"], deep),
        (&["tree/a", "tree/a-2"], b"1\ttree/a\n".to_vec()),
    ];
    for (roots, expected) in cases {
        assert_du_prints(&dir, roots, &expected);
        let output = dirsize(&dir, roots);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
        assert_prints(&output, &expected);
    }
}

#[test]
fn a_missing_root_is_one_line_on_standard_error() {
    let dir = made_up_tree();
    let output = dirsize(&dir, &["no\nsuch", "tree"]);
    assert_eq!(output.status.code(), Some(1));
    assert_prints(&output, &line(&dir, "tree"));
    let complaints = complaints(&output);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].starts_with(r#"dirsize: cannot access "no\nsuch": "#), "{complaints:?}");
}

#[test]
fn what_may_not_be_read_costs_one_line_and_the_exit_status_but_nothing_else() {
    let dir = made_up_tree();
    let tree = dir.path().join("tree");
    // Not to be read, and to be read but not entered.
    let [locked, listed] = ["locked", "listed"].map(|name| tree.join(name));
    const SECRET: &str = "secret";
    for path in [&locked, &listed] {
        fs::create_dir(path).expect("a directory in the tree");
        fs::write(path.join(SECRET), SECRET).expect("a file in the tree");
    }
    let expected = format!("{}\ttree\n", bytes_below(&tree) - 2 * SECRET.len() as u64);
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).expect("permission to forbid");
    fs::set_permissions(&listed, Permissions::from_mode(0o444)).expect("permission to forbid");
    let output = unprivileged(&program("dirsize"), dir.path()).arg("tree").output();
    let du = unprivileged(Path::new("/bin/sh"), dir.path()).args(["-c", "du -sb tree"]).output();
    // Else a failing test could leave behind what cannot be deleted.
    for path in [&locked, &listed] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("permission to permit");
    }
    let output = output.expect("the program to start");
    assert_eq!(output.status.code(), Some(1));
    assert_prints(&output, expected.as_bytes());
    if du_counts_as_we_do() {
        let du = du.expect("the other program to start");
        assert_eq!(du.status.code(), Some(1), "{}", stderr(&du));
        assert_prints(&du, expected.as_bytes());
    }
    let complaints = complaints(&output);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].starts_with(r#"dirsize: cannot access "tree/listed/secret": "#), "{complaints:?}");
    assert!(complaints[1].starts_with(r#"dirsize: cannot read directory "tree/locked": "#), "{complaints:?}");
}

#[test]
fn depth_has_no_limit() {
    const LEVELS: usize = 300; // times 20 characters are more than a path may have
    let dir = tempfile::tempdir().expect("a temporary directory");
    let name = "twenty characters---";
    let mut here = File::open(&dir).expect("the temporary directory");
    let mut dirs = Vec::new();
    for level in 0..LEVELS {
        let path = PathBuf::from(format!("/proc/self/fd/{}/{name}", here.as_raw_fd()));
        fs::create_dir(&path).expect("a directory");
        fs::write(path.join("file"), vec![0; level]).expect("a file");
        here = File::open(&path).expect("the same directory");
        dirs.push(here.try_clone().expect("a second handle"));
    }
    // At the end, since in some file systems a directory grows with what is in it.
    let dirs = dirs.iter().map(|dir| dir.metadata().expect("its metadata").len());
    let expected = format!("{}\t{name}\n", dirs.sum::<u64>() + (0..LEVELS as u64).sum::<u64>());
    assert_du_prints(&dir, &[name], expected.as_bytes());
    for root in [Path::new(name), &dir.path().join(name)] {
        let output = Command::new(program("dirsize")).arg(root).current_dir(&dir).output().expect("a start");
        assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
        assert_prints(&output, expected.replace(name, root.to_str().expect("a plain name")).as_bytes());
    }
    let lines = dirsize(&dir, &["--per-dir", name]).stdout;
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), LEVELS);
}

#[test]
fn nobody_reading_is_no_reason_to_panic() {
    let dir = made_up_tree();
    let output = run_unread(Command::new(program("dirsize")).args(["--per-dir", "tree"]).current_dir(&dir));
    assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn sizes_that_cannot_be_written_are_an_error() {
    let output = run_unwritable(Command::new(program("dirsize")).arg("/dev/full"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("dirsize: standard output: "), "{}", stderr(&output));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let dir = made_up_tree();
    for args in [&["--threads", "0"][..], &["--threads", "x"], &["--no-such-option"]] {
        let output = dirsize(&dir, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}
