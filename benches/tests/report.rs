//! The command from end to end: what it writes is what it compares.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn benches(args: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskel-benches"));
    command.args(args).arg("--out").arg(folder).output().expect("it can be started")
}

/// A folder of this test alone.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an older run's folder can be removed");
    }
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints UTF-8")
}

#[test]
fn a_report_is_written_as_tables_chart_and_samples_and_differs_from_itself_in_nothing() {
    let folder = folder("report");
    let output = benches(&["report", "--only", "loops", "--row", "20 x 10 ns", "--reps", "2"], &folder);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let tables = fs::read_to_string(folder.join("report.md")).unwrap();
    assert_eq!(tables, text(&output.stdout));
    assert!(
        tables.contains("| 20 x 10 ns ") && tables.contains("taskel") && tables.contains("rayon"),
        "{tables}"
    );
    assert!(fs::read_to_string(folder.join("short-loops.svg")).unwrap().contains("<circle"));

    let json = folder.join("report.json");
    let compared =
        Command::new(env!("CARGO_BIN_EXE_taskel-benches")).arg("compare").args([&json, &json]).output();
    let verdict = text(&compared.unwrap().stdout);
    assert!(verdict.starts_with("0 of ") && !verdict.starts_with("0 of 0"), "{verdict}");
}

#[test]
fn what_is_not_there_is_named() {
    let error = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_taskel-benches")).args(args).output().unwrap();
        assert!(!output.status.success(), "{args:?}");
        text(&output.stderr)
    };
    assert!(error(&["report", "--only", "lops"]).contains("\"lops\""));
    assert!(error(&["report", "--only", "loops", "--row", "no such row"]).contains("\"no such row\""));
    assert!(error(&["compare", "no/such/file", "x"]).contains("no/such/file"));
}

#[test]
fn without_valgrind_the_report_says_so_and_goes_on() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskel-benches"));
    let output = command.args(["report", "--only", "instructions"]).env("PATH", "").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("instructions are left out"), "{}", text(&output.stdout));
}
