//! The example `quicksort`, compared with `sort -n` and with the standard library.
#![cfg(target_os = "linux")] // with GNU sort, and a device that is always full

#[path = "support/example.rs"]
mod example;
#[path = "../examples/quicksort/sort.rs"]
mod sort;

use std::cmp::Ordering;
use std::fs;
use std::io::Write;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use taskel::ThreadPool;
use tempfile::TempDir;

use crate::example::{assert_prints, program, run_unread, run_unwritable, stderr};

fn quicksort(dir: &TempDir, args: &[&str]) -> Output {
    Command::new(program("quicksort")).args(args).current_dir(dir).output().expect("the program to start")
}

/// In a directory of its own.
fn file_with(content: &[u8]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("numbers"), content).expect("a file of numbers");
    dir
}

fn lines(numbers: &[i64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| format!("{number}\n").into_bytes()).collect()
}

/// What `sort -n` makes of a file, if there is a `sort`.
fn sort_n(dir: &TempDir) -> Option<Vec<u8>> {
    let output = Command::new("sort").args(["-n", "numbers"]).env("LC_ALL", "C").current_dir(dir).output();
    match output {
        Ok(output) if output.status.success() => Some(output.stdout),
        _ => {
            // Not captured, unlike what `eprintln!` prints.
            let _ = writeln!(std::io::stderr(), "no `sort -n` here to compare with");
            None
        }
    }
}

/// 20 times as many as are sorted without a partition.
const MANY: usize = 20_000;

fn random(i: usize) -> i64 {
    let z = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (z ^ z >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) as i64
}

#[test]
fn it_sorts_as_sort_does() {
    let many = |number: fn(usize) -> i64| (0..MANY).map(number).collect::<Vec<i64>>();
    let inputs = [
        ("none", Vec::new()),
        ("one", vec![-7]),
        ("two", vec![2, 1]),
        ("random", many(random)),
        ("small and negative", many(|i| random(i) % 1000)),
        ("of two kinds", many(|i| random(i) % 2)),
        ("equal", many(|_| 42)),
        ("equal but for one", many(|i| i64::from(i != MANY / 2))),
        ("ascending", many(|i| i as i64 - 10_000)),
        ("descending", many(|i| 10_000 - i as i64)),
        ("up and down", many(|i| i.min(MANY - i) as i64)),
        ("sawtooth", many(|i| (i % 137) as i64)),
        ("extremes", many(|i| [i64::MIN, -1, 0, 1, i64::MAX][i % 5])),
    ];
    for (what, mut numbers) in inputs {
        let dir = file_with(&lines(&numbers));
        numbers.sort_unstable();
        let expected = lines(&numbers);
        if let Some(sorted) = sort_n(&dir) {
            assert!(sorted == expected, "sort -n agrees on numbers that are {what}");
        }
        for threads in ["1", "2", "8"] {
            let output = quicksort(&dir, &["--threads", threads, "numbers"]);
            assert!(output.status.success(), "{what}: {}", stderr(&output));
            assert!(output.stdout == expected, "numbers that are {what}, {threads} threads");
            assert!(output.stderr.is_empty(), "{what}: {}", stderr(&output));
        }
    }
}

#[test]
fn blanks_and_a_missing_last_line_break_do_not_matter() {
    let dir = file_with(b" 10\r\n\t-3 \n+7\n007\n-0\n5");
    let output = quicksort(&dir, &["numbers"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_prints(&output, b"-3\n0\n5\n7\n7\n10\n");
}

#[test]
fn a_dash_is_standard_input() {
    let dir = file_with(b"3\n1\n2\n");
    let open = fs::File::open(dir.path().join("numbers")).expect("the file of numbers");
    let output = Command::new(program("quicksort")).arg("-").stdin(open).output().expect("a start");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_prints(&output, b"1\n2\n3\n");
}

#[test]
fn a_line_that_is_no_number_is_named_and_nothing_printed() {
    let long = [b"1\n2\n3\n4\n", &[b'9'; 100_000][..], b"\n"].concat();
    let cases: [(&[u8], &str, &str); 8] = [
        (b"1\nx\n3\n", "line 2", r#""x""#),
        (b"1\n2\n3.5\n", "line 3", r#""3.5""#),
        (b"\n1\n", "line 1", r#""""#),
        (b"1\n\n", "line 2", r#""""#),
        (b"1 2\n", "line 1", r#""1 2""#),
        (b"1\n9223372036854775808\n", "line 2", r#""9223372036854775808""#),
        (b"1\n\xff\xfe", "line 2", "\"\u{fffd}\u{fffd}\""),
        (&long, "line 5", "999…\""),
    ];
    for (content, line, found) in cases {
        let output = quicksort(&file_with(content), &["numbers"]);
        let stderr = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert_prints(&output, b"");
        assert!(
            stderr.starts_with(&format!("quicksort: numbers: {line}: expected a whole number ")),
            "{stderr}"
        );
        assert!(stderr.trim_end().ends_with(found), "{stderr}");
        assert!(stderr.lines().count() == 1 && stderr.len() < 300, "{stderr}");
    }
}

#[test]
fn what_cannot_be_read_or_written_is_an_error() {
    let dir = file_with(b"1\n");
    for file in ["no-such-file", "."] {
        let output = quicksort(&dir, &[file]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).starts_with(&format!("quicksort: {file}: ")), "{}", stderr(&output));
    }
    let numbers = dir.path().join("numbers");
    let output = run_unwritable(Command::new(program("quicksort")).arg(numbers));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("quicksort: standard output: "), "{}", stderr(&output));
}

#[test]
fn nobody_reading_is_no_reason_to_complain() {
    let dir = file_with(&lines(&(0..MANY).map(random).collect::<Vec<i64>>()));
    let output = run_unread(Command::new(program("quicksort")).arg("numbers").current_dir(&dir));
    assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn without_a_file_it_sorts_made_up_numbers_and_tells_on_standard_error() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (threads, count) in [("1", "0"), ("2", "1"), ("2", "100000"), ("8", "100000")] {
        let output = quicksort(&dir, &["--threads", threads, "--count", count]);
        let stderr = stderr(&output);
        assert!(output.status.success(), "{stderr}");
        assert_prints(&output, b"");
        let told =
            [&format!("{count} numbers, all where"), &format!("threads: {threads}"), "sort_unstable: "];
        assert!(told.iter().all(|told| stderr.contains(*told)), "{stderr}");
        assert_eq!(told_numbers(&stderr), count.parse().expect("a number"), "{stderr}");
    }
}

/// How many numbers the workers claim to have sorted: `worker 1: 250 numbers in 3 pieces`.
///
/// Those that equal a pivot are in their places without being sorted; made-up ones are too few to
/// be equal.
fn told_numbers(stderr: &str) -> usize {
    let shares = stderr.lines().filter_map(|line| line.split_once(": ")?.1.split_once(" numbers in "));
    shares.map(|(numbers, _)| numbers.parse::<usize>().expect("a number")).sum()
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let dir = file_with(b"1\n");
    for args in [&["--threads", "0"][..], &["--count", "-1"], &["--count", "5", "numbers"], &["--seed", "x"]]
    {
        let output = quicksort(&dir, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    let output = quicksort(&dir, &["--count", &usize::MAX.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("quicksort: 18446744073709551615 numbers: "), "{}", stderr(&output));
}

#[test]
fn values_that_are_there_often_are_done_once_they_are_pivots() {
    for kinds in [1, 2, 5] {
        let mut numbers: Vec<i64> = (0..MANY).map(|i| random(i).rem_euclid(kinds)).collect();
        let mut expected = numbers.clone();
        let left_to_sort = AtomicUsize::new(0);
        sort::quicksort(&mut numbers, &|len| {
            left_to_sort.fetch_add(len, Relaxed);
        });
        expected.sort_unstable();
        assert!(numbers == expected);
        assert_eq!(left_to_sort.into_inner(), 0, "{kinds} values, thousands of each");
    }
}

/// Makes up values while they are compared, so that every pivot turns out to be among the smallest:
/// McIlroy, "A killer adversary for quicksort" (1999).
struct Adversary {
    /// By name. None is larger than any that is decided, and not decided yet.
    values: Vec<Option<usize>>,
    decided: usize,
    /// Who was last compared with a decided one: perhaps a pivot.
    candidate: usize,
    comparisons: usize,
}

static ADVERSARY: Mutex<Adversary> =
    Mutex::new(Adversary { values: Vec::new(), decided: 0, candidate: 0, comparisons: 0 });

fn adversary() -> MutexGuard<'static, Adversary> {
    ADVERSARY.lock().expect("nobody panics with it")
}

impl Adversary {
    fn compare(&mut self, a: usize, b: usize) -> Ordering {
        self.comparisons += 1;
        if a == b {
            return Ordering::Equal;
        }
        if self.values[a].is_none() && self.values[b].is_none() {
            let smaller = if a == self.candidate { a } else { b };
            self.values[smaller] = Some(self.decided);
            self.decided += 1;
        }
        match (self.values[a], self.values[b]) {
            (None, _) => {
                self.candidate = a;
                Ordering::Greater
            }
            (_, None) => {
                self.candidate = b;
                Ordering::Less
            }
            (Some(a), Some(b)) => a.cmp(&b),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Undecided(usize);

impl Ord for Undecided {
    fn cmp(&self, other: &Self) -> Ordering {
        adversary().compare(self.0, other.0)
    }
}

impl PartialOrd for Undecided {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Undecided {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Undecided {}

#[test]
fn the_worst_pivots_do_not_make_it_quadratic() {
    adversary().values = vec![None; MANY];
    let mut numbers: Vec<Undecided> = (0..MANY).map(Undecided).collect();
    let pool = ThreadPool::builder().num_threads(1).build().expect("a pool");
    pool.install(|| sort::quicksort(&mut numbers, &|_| ()));
    let comparisons = adversary().comparisons;
    assert!(numbers.is_sorted());
    // Quadratic would be about n² / 10.
    let allowed = 5 * MANY * MANY.ilog2() as usize;
    assert!(comparisons < allowed, "{comparisons} comparisons, {allowed} allowed");
}
