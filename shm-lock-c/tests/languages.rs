//! Programs in Rust, C and Python share locks, and are killed in turn.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use shm_lock::{LockError, ShmMutex, ShmMutexGuard, ShmPod};
// So that it is built.
use shm_lock_c as _;

const PATIENCE: Duration = Duration::from_secs(20);

/// What the test's own program is told to do, when it is run as a worker.
const WORK: &str = "SHM_LOCK_TEST_WORK";

#[derive(Clone, Copy, Debug, PartialEq, ShmPod)]
#[repr(C)]
struct Pair {
    left: u64,
    right: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Language {
    Rust,
    C,
    Python,
}

use Language::{C, Python, Rust};

/// What is built for the tests of this run.
struct Programs {
    directory: tempfile::TempDir,
    has_c: bool,
    has_python: bool,
}

/// Said whether or not a test's output is shown.
fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Where cargo has put the libraries: beside the test.
fn library(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().join(name)
}

fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let programs = Programs {
            directory: tempfile::tempdir().unwrap(),
            has_c: runs("cc"),
            has_python: runs("python3"),
        };
        if programs.has_c {
            // One with each kind of library.
            let shared = library("libshm_lock_c.so");
            let path = format!("-Wl,-rpath,{}", shared.parent().unwrap().display());
            compile("worker", programs.directory.path(), &[shared.to_str().unwrap(), &path]);
            let archive = library("libshm_lock_c.a");
            compile(
                "checks",
                programs.directory.path(),
                &[archive.to_str().unwrap(), "-lpthread", "-ldl", "-lm", "-lgcc_s"],
            );
        } else {
            skipped("C; it needs cc");
        }
        if !programs.has_python {
            skipped("Python; it needs python3");
        }
        programs
    })
}

fn compile(name: &str, directory: &Path, libraries: &[&str]) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-o"])
        .arg(directory.join(name))
        .arg(here.join("tests/programs").join(name).with_extension("c"))
        .arg("-I")
        .arg(here.join("include"))
        .args(libraries)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Programs {
    fn has(&self, language: Language) -> bool {
        match language {
            Rust => true,
            C => self.has_c,
            Python => self.has_python,
        }
    }

    /// A worker of `lock`.
    fn worker(&self, language: Language, lock: &Path, work: &[&str]) -> Command {
        let mut command = match language {
            Rust => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(["--exact", "a_worker_in_rust", "--nocapture"]);
                command.env(WORK, format!("{} {}", lock.display(), work.join(" ")));
                return command;
            }
            C => Command::new(self.directory.path().join("worker")),
            Python => {
                let mut command = Command::new("python3");
                let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/worker.py");
                command.arg(program).arg(library("libshm_lock_c.so"));
                command
            }
        };
        command.arg(lock).args(work);
        command
    }
}

/// Takes the lock, and undoes what a dead owner has begun; what was told, as a number.
fn take(mutex: &ShmMutex<Pair>) -> (ShmMutexGuard<'_, Pair>, i32) {
    let (mut torn, told) = match mutex.lock() {
        Ok(guard) => return (guard, 0),
        Err(LockError::OwnerDied(torn)) => (torn, 1),
        Err(LockError::Poisoned(torn)) => (torn, 2),
        Err(error) => panic!("{error}"),
    };
    torn.left = torn.right;
    (torn.mark_consistent(), told)
}

/// No test of its own: what a worker in Rust does.
#[test]
fn a_worker_in_rust() {
    let Ok(work) = std::env::var(WORK) else { return };
    let work: Vec<_> = work.split(' ').collect();
    let mutex = ShmMutex::open_or_create(Path::new(work[0]), || Pair { left: 0, right: 0 }).unwrap();
    if work[1] == "hold" {
        let (mut guard, told) = take(&mutex);
        guard.left += 1;
        println!("\n{told} {}", guard.right);
        std::thread::sleep(PATIENCE);
    }
    for _ in 0..work[2].parse().unwrap() {
        let (mut guard, _) = take(&mutex);
        guard.left += 1;
        guard.right += 1;
    }
}

/// A worker that is killed when it is dropped.
struct Worker(Child);

impl Worker {
    fn start(language: Language, lock: &Path) -> Worker {
        Worker(programs().worker(language, lock, &["hold"]).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Waits until it has the lock; what it was told, and the number that it has found.
    fn is_told(&mut self) -> (i32, u64) {
        for line in BufReader::new(self.0.stdout.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            let numbers = line
                .split_once(' ')
                .and_then(|(told, found)| Some((told.parse().ok()?, found.parse().ok()?)));
            if let Some(numbers) = numbers {
                return numbers;
            }
        }
        panic!("it ended without the lock");
    }

    /// Whether one of its threads is blocked in the system call that waits for a futex, with the
    /// lock's word, which is mapped from a file.
    fn waits(&self) -> bool {
        let call = |task: &Path| fs::read_to_string(task.join("syscall")).unwrap_or_default();
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0.id())).into_iter().flatten().flatten();
        tasks.into_iter().any(|task| {
            // FUTEX_WAIT_BITSET without FUTEX_PRIVATE_FLAG.
            let call = call(&task.path());
            let mut words = call.split_ascii_whitespace();
            words.next() == Some(&libc::SYS_futex.to_string()) && words.nth(1) == Some("0x9")
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn each_is_told_when_one_of_another_language_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let lock = directory.path().join("lock");
    // Each pair of two is there once; the first one makes the lock.
    let mut order = vec![C, Rust, Python, C, Python, Rust, C];
    order.retain(|&language| programs().has(language));
    order.dedup();
    let mut holder: Option<Worker> = None;
    for (i, &language) in order.iter().enumerate() {
        let mut next = Worker::start(language, &lock);
        if let Some(holder) = holder.take() {
            let deadline = Instant::now() + PATIENCE;
            while !next.waits() {
                assert!(Instant::now() < deadline, "{language:?} does not wait");
                std::thread::sleep(Duration::from_millis(1));
            }
            drop(holder);
        }
        assert_eq!(next.is_told(), (i32::from(i > 0), 0), "{language:?}, number {i} of {order:?}");
        holder = Some(next);
    }
    drop(holder);
    let mutex = ShmMutex::<Pair>::open(&lock).unwrap();
    let told = mutex.lock();
    assert!(
        matches!(&told, Err(LockError::OwnerDied(torn)) if **torn == Pair { left: 1, right: 0 }),
        "{told:?}"
    );
}

#[test]
fn all_count_together() {
    const TIMES: u64 = 2000;
    let directory = tempfile::tempdir().unwrap();
    let lock = directory.path().join("lock");
    let languages: Vec<_> =
        [Python, C, Rust].into_iter().filter(|&language| programs().has(language)).collect();
    let work = ["count", &TIMES.to_string()];
    let start = |&language: &Language| {
        programs().worker(language, &lock, &work).stdout(Stdio::null()).spawn().unwrap()
    };
    let workers: Vec<_> = languages.iter().map(start).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let count = TIMES * languages.len() as u64;
    assert_eq!(*ShmMutex::<Pair>::open(&lock).unwrap().lock().unwrap(), Pair { left: count, right: count });
}

#[test]
fn every_function_returns_what_the_header_says() {
    let directory = tempfile::tempdir().unwrap();
    if programs().has_c {
        let checks = programs().directory.path().join("checks");
        let output = Command::new(checks).arg(directory.path().join("lock")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn the_header_names_what_the_library_has() {
    let header = include_str!("../include/shm_lock.h");
    let library = [include_str!("../src/lib.rs"), include_str!("../src/codes.rs")].concat();
    let after = |text: &'static str, start: &'static str| {
        text.split(start)
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
    };
    let codes = |text: &str, start: &str, end: char| -> BTreeMap<String, i32> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(start)?.trim_end_matches([',', ';']).split_once(end));
        lines
            .filter_map(|(name, value)| {
                Some((name.split(':').next()?.trim().to_owned(), value.trim().parse().ok()?))
            })
            .collect()
    };
    let of_header = codes(header, "SHM_LOCK_", '=');
    assert_eq!(of_header, codes(&library, "pub(crate) const ", '='));
    assert_eq!(of_header.len(), 16);
    let code: String =
        header.lines().filter(|line| !line.starts_with("/*") && !line.starts_with(" *")).collect();
    let in_header: BTreeSet<String> = code
        .match_indices("shm_lock_")
        .filter_map(|(at, _)| code[at..].split_once('(').map(|(name, _)| name.to_owned()))
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect();
    let library: &'static str = Box::leak(library.into_boxed_str());
    let mut in_library: BTreeSet<String> = after(library, "extern \"C\" fn ").map(str::to_owned).collect();
    in_library.remove("");
    in_library.extend(after(library, "    shm_lock_").map(|name| format!("shm_lock_{name}")));
    assert_eq!(in_header, in_library);
}
