//! How many instructions does one thread need for what it does most often? A count is the same on a
//! noisy machine as on a quiet one.
//!
//! This program runs itself under valgrind, whose tool callgrind counts the function [`COUNTED`]
//! alone, and writes a file of totals whenever that is over. What an instruction costs it does not
//! know: an atomic one counts as much as any other.

use super::{
    Context,
    hot_paths::{self, COUNTED, END, HotPath, TIMES},
};
use crate::result::{Cell, Group, Row, Shown};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub(super) fn run(context: &Context) -> Vec<Group> {
    let paths = hot_paths::all();
    let counts = match counts(2 * paths.len()) {
        Ok(counts) => counts,
        Err(error) => {
            context.leave_out(format!("instructions are left out: valgrind cannot count them here: {error}"));
            return Vec::new();
        }
    };
    let group = Group {
        name: "instructions".to_owned(),
        title: "On one thread, counted by callgrind".to_owned(),
        unit: "instructions each".to_owned(),
        shown: Shown::Count,
        rows: rows(context, &paths, &counts),
        cores_of_others: None,
    };
    vec![group]
}

/// Two counts for each path; what both have in common is not of the path.
fn rows(context: &Context, paths: &[HotPath], counts: &[u64]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (path, counts) in paths.iter().zip(counts.chunks(2)) {
        if !context.wants_row(path.row) || !context.wants_peer(&path.peer) {
            continue;
        }
        let each = (counts[1] as f64 - counts[0] as f64) / f64::from(TIMES[1] - TIMES[0]);
        let cell = Cell::new(&path.peer, vec![each]);
        match rows.last_mut() {
            Some(row) if row.name == path.row => row.cells.push(cell),
            _ => rows.push(Row { name: path.row.to_owned(), bound: None, cells: vec![cell] }),
        }
    }
    rows
}

/// All counts, in the order in which they were made.
fn counts(expected: usize) -> io::Result<Vec<u64>> {
    let folder = std::env::temp_dir().join(format!("taskel-benches-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let counts = valgrind(&folder).and_then(|()| read(&folder, expected));
    fs::remove_dir_all(&folder)?;
    counts
}

fn valgrind(folder: &Path) -> io::Result<()> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--collect-atstart=no"]);
    command.arg(format!("--toggle-collect={COUNTED}")).arg(format!("--dump-before={END}"));
    command.arg(format!("--callgrind-out-file={}", folder.join("counts").display()));
    command.arg(std::env::current_exe()?).arg("hot-paths");
    let output = command.stdout(Stdio::null()).output()?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let last = told.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("without a word");
        return Err(io::Error::other(format!("{}: {last}", output.status)));
    }
    Ok(())
}

/// Reads `counts.1`, `counts.2`, …; the file without a number is what was counted behind the last.
fn read(folder: &Path, expected: usize) -> io::Result<Vec<u64>> {
    let file = |index: usize| -> PathBuf { folder.join(format!("counts.{index}")) };
    if file(expected + 1).exists() {
        return Err(io::Error::other(format!("it wrote more than {expected} counts")));
    }
    (1..=expected).map(|index| total(&fs::read_to_string(file(index))?)).collect()
}

/// The line "totals: N" of a file of callgrind's.
fn total(text: &str) -> io::Result<u64> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals:"));
    let total = line.and_then(|line| line.trim().parse().ok());
    total.ok_or_else(|| io::Error::other("a file of callgrind's has no totals"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{options::Choice, work::Calibration};

    #[test]
    fn what_both_countings_have_in_common_does_not_count() {
        let calibration = Calibration { iteration_ns: 1.0, call_ns: 0.0 };
        let context = Context::new(1, Choice::default(), calibration);
        let paths = hot_paths::all();
        let counts: Vec<u64> = paths.iter().flat_map(|_| [77 + 1000 * 5, 77 + 3000 * 5]).collect();
        let rows = rows(&context, &paths, &counts);
        assert_eq!(rows.iter().map(|row| row.cells.len()).sum::<usize>(), paths.len());
        assert!(rows.iter().flat_map(|row| &row.cells).all(|cell| cell.samples == [5.0]), "{rows:?}");
    }

    #[test]
    fn totals_are_read_and_their_absence_is_told() {
        assert_eq!(total("events: Ir\nfn=(1)\n7 3\n\ntotals: 4321\n").unwrap(), 4321);
        assert!(total("summary: 7\n").is_err());
    }

    #[test]
    fn every_hot_path_runs() {
        hot_paths::run_all();
    }
}
