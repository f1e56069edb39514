//! The example `wordcount` on a made-up tree, compared with what a line of shell counts.
#![cfg(target_os = "linux")] // with GNU grep, tr, sort and uniq

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SHELL: &str = "grep -rha '' \"$1\" | tr -cs A-Za-z '\\n' | tr A-Z a-z | grep . \
     | sort | uniq -c | sort -k1,1nr -k2 | head -n 40 | awk '{print $1, $2}'";

fn program() -> PathBuf {
    let this_test = std::env::current_exe().expect("the path of this test");
    let profile = this_test.ancestors().nth(2).expect("target/profile/deps/test");
    let program = profile.join("examples/wordcount");
    assert!(
        program.exists(),
        "{} is missing; `cargo test` builds it, `cargo test --test wordcount` needs `cargo build --examples` first",
        program.display()
    );
    program
}

/// Files of all sizes, some of whose words lie across the ends of blocks, or end with the file.
fn made_up_tree(root: &Path) {
    let words = ["the", "The", "quick", "brown", "fox", "over", "x", "antidisestablishmentarianism"];
    for (file, len) in [("a", 0), ("b", 1), ("c/d", 5000), ("c/e/f", 200_000), ("g", 77_777)] {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory in the tree");
        let mut text = String::new();
        let mut state = len as u64;
        while text.len() < len {
            state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            text.push_str(words[(state >> 40) as usize % words.len()]);
            text.push_str([" ", "\n", ", ", "7", "ä"][(state >> 50) as usize % 5]);
        }
        fs::write(path, text.trim_end_matches('\n')).expect("a file in the tree");
    }
    fs::write(
        root.join("binary"),
        (0..100_000_u32).map(|n| (n.wrapping_mul(n) >> 3) as u8).collect::<Vec<_>>(),
    )
    .expect("a file");
    fs::write(root.join("one word"), "word".repeat(50_000)).expect("a file in the tree");
}

#[test]
fn words_are_counted_as_the_shell_counts_them() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    made_up_tree(dir.path());
    let shell = Command::new("sh").args(["-c", SHELL, "sh"]).arg(dir.path()).env("LC_ALL", "C").output();
    let expected = shell.expect("a shell").stdout;
    assert!(expected.len() > 200, "{}", String::from_utf8_lossy(&expected));
    let ours = Command::new(program()).args(["-n", "40"]).arg(dir.path()).output().expect("the example runs");
    assert!(ours.status.success(), "{}", String::from_utf8_lossy(&ours.stderr));
    assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&expected));
}

#[test]
fn standard_input_is_counted_and_a_missing_file_is_an_error() {
    let mut child = Command::new(program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example runs");
    child.stdin.take().expect("a pipe").write_all(b"a b A").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.stdout, b"2 a\n1 b\n");
    let missing = Command::new(program()).arg("/no/such/file").output().expect("the example runs");
    assert!(!missing.status.success() && String::from_utf8_lossy(&missing.stderr).contains("/no/such/file"));
}
