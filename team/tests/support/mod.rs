//! Runs this test's own binary as a team's program, under `taskel-run`.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Names the program that a rank is to run.
const PROGRAM: &str = "TEAM_TEST_PROGRAM";

/// Which of a test's programs this process is a rank of; `None` in the test itself.
pub(crate) fn program() -> Option<String> {
    std::env::var(PROGRAM).ok()
}

/// A number for the program.
pub(crate) fn parameter() -> u64 {
    std::env::var("TEAM_TEST_PARAMETER").unwrap().parse().unwrap()
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub status: ExitStatus,
    /// What the ranks told, sorted.
    pub told: Vec<String>,
    pub errors: String,
}

impl Ran {
    /// What each rank told, which must be the same.
    #[track_caller]
    pub(crate) fn agreed(&self, ranks: usize) -> &str {
        assert_eq!(self.told.len(), ranks, "{self:#?}");
        assert!(self.told.windows(2).all(|pair| pair[0] == pair[1]), "{self:#?}");
        &self.told[0]
    }
}

/// Tells the test something, from a rank.
#[macro_export]
macro_rules! tell {
    ($($text:tt)*) => {
        // In one piece, behind whatever the test harness has printed on the line.
        std::io::Write::write_all(&mut std::io::stdout(), format!("\n@{}\n", format_args!($($text)*)).as_bytes())
            .unwrap()
    };
}

/// A run of `taskel-run` with these options.
pub(crate) fn start(name: &str, options: &[&str], parameter: u64) -> Child {
    let own = std::env::current_exe().unwrap();
    start_other(name, options, parameter, &own)
}

pub(crate) fn start_other(name: &str, options: &[&str], parameter: u64, program: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskel-run"));
    command.args(options).arg("--").arg(program).args(["--exact", "program_of_a_rank", "--nocapture"]);
    command.env(PROGRAM, name).env("TEAM_TEST_PARAMETER", parameter.to_string()).env("RUST_BACKTRACE", "0");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A run of `mpirun`, or what `TASKEL_MPIRUN` names, with so many ranks; `more` goes before the
/// program, such as another part of the job.
pub(crate) fn mpirun(name: &str, ranks: usize, more: &[&str]) -> Command {
    let mpirun = std::env::var("TASKEL_MPIRUN").unwrap_or("mpirun".to_owned());
    let about = Command::new(&mpirun).arg("--version").output().expect("mpirun, or TASKEL_MPIRUN");
    let mut command = Command::new(mpirun);
    let about = String::from_utf8_lossy(&about.stdout);
    // By the name under which it is called, it tells one or the other.
    if about.contains("Open MPI") || about.contains("OpenRTE") {
        command.args(["--oversubscribe", "--allow-run-as-root"]);
    }
    let own = std::env::current_exe().unwrap();
    let program = ["--exact", "program_of_a_rank", "--nocapture"];
    command.args(["-n", &ranks.to_string()]).args(more).arg(own).args(program);
    command.env(PROGRAM, name).env("RUST_BACKTRACE", "0");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits until it has ended, and does something every now and then.
pub(crate) fn finish(mut child: Child, mut meanwhile: impl FnMut(u32)) -> Ran {
    let (mut output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let output = thread::spawn(move || {
        let mut all = Vec::new();
        output.read_to_end(&mut all).unwrap();
        String::from_utf8_lossy(&all).into_owned()
    });
    let errors = thread::spawn(move || {
        let mut all = Vec::new();
        errors.read_to_end(&mut all).unwrap();
        String::from_utf8_lossy(&all).into_owned()
    });
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > Duration::from_secs(100) {
            children(child.id()).into_iter().for_each(|rank| kill(rank, libc::SIGKILL));
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it hangs: {}", output.join().unwrap());
        }
        meanwhile(child.id());
        thread::sleep(Duration::from_millis(2));
    };
    let output = output.join().unwrap();
    let mut told: Vec<String> =
        output.lines().filter_map(|line| line.strip_prefix('@')).map(str::to_owned).collect();
    told.sort();
    Ran { status, told, errors: errors.join().unwrap() }
}

pub(crate) fn run(name: &str, options: &[&str]) -> Ran {
    run_with(name, options, 0)
}

pub(crate) fn run_with(name: &str, options: &[&str], parameter: u64) -> Ran {
    finish(start(name, options, parameter), |_| ())
}

/// The processes that a process has started and not waited for.
pub(crate) fn children(process: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

pub(crate) fn kill(process: u32, signal: i32) {
    // SAFETY: numbers.
    unsafe { libc::kill(process as i32, signal) };
}

/// A signal, or an exit status, as a shell shows it.
pub(crate) fn shown(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}

/// A file of this test alone, which is not there yet.
pub(crate) fn fresh_file(name: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("taskel-team-{name}-{}", std::process::id()));
    let _ = fs::remove_file(&file);
    file
}

/// Random numbers (SplitMix64).
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// In `from..to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }
}
