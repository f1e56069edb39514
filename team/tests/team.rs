//! Teams of several processes: what calls return, and what is refused.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use support::{children, finish, fresh_file, kill, program, run, run_with, shown, start, start_other};
use taskel_team::{Launcher, Lost, Team, TeamError};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Row {
    name: String,
    values: Vec<f64>,
    next: Option<Box<Row>>,
}

fn row(i: usize) -> Row {
    let next = (i % 3 == 0).then(|| Box::new(Row { name: String::new(), values: vec![], next: None }));
    Row { name: format!("row {i}"), values: vec![i as f64; i % 7], next }
}

/// What each rank does that the tests below start.
#[test]
fn program_of_a_rank() {
    let Some(program) = program() else { return };
    let team = match Team::from_env() {
        Ok(team) => team,
        Err(error) => {
            if matches!(error, TeamError::OtherProgram { .. }) {
                tell!("refused");
            }
            panic!("{error}");
        }
    };
    match program.as_str() {
        "calls" => calls(&team),
        "mutex" => mutex(&team),
        "barriers" => barriers(&team),
        "other call" => other_call(&team),
        "nested" => {
            let nested = team.map(0..1, |_| matches!(team.barrier(), Err(TeamError::Nested))).unwrap();
            tell!("{nested:?}");
        }
        "sleep" => {
            tell!("{}", std::process::id());
            team.for_each(0..1000, |_| thread::sleep(Duration::from_millis(100))).unwrap();
        }
        "exit" => {
            drop(team);
            std::process::exit(3);
        }
        "refused" => (),
        other => panic!("{other}"),
    }
}

fn calls(team: &Team) {
    let rows = team.map(10..2010, row).unwrap();
    assert!(rows.iter().enumerate().all(|(i, found)| *found == row(10 + i)));
    assert_eq!(team.map(5..5, row).unwrap(), []);
    #[allow(clippy::reversed_empty_ranges, reason = "what an empty range may look like")]
    let none = team.map(6..5, row).unwrap();
    assert!(none.is_empty());
    team.for_each(0..100_000, |i| assert!(i < 100_000)).unwrap();
    let text = team
        .reduce(0..30, |i| i.to_string(), String::new, |a, b| if a.is_empty() { b } else { a + &b })
        .unwrap();
    let floats = team.reduce(0..10_000, |i| 1.0 / (1 + i) as f64, || 0.0, |a, b| a + b).unwrap();
    team.barrier().unwrap();
    tell!("{text} {floats}");
}

#[test]
fn calls_return_the_same_on_all_ranks() {
    for options in [["-n", "1"], ["-n", "3"], ["-n", "8"]] {
        let ran = run("calls", &options);
        let ranks = options[1].parse().unwrap();
        let text: String = (0..30).map(|i| i.to_string()).collect();
        assert!(ran.agreed(ranks).starts_with(&text), "{ran:#?}");
        assert!(ran.status.success(), "{ran:#?}");
    }
    let ran = run("calls", &["-n", "2", "--threads", "3"]);
    assert!(ran.agreed(2).ends_with(char::is_numeric) && ran.status.success());
}

fn mutex(team: &Team) {
    let file = PathBuf::from(std::env::var_os("TEAM_TEST_FILE").unwrap());
    let mutex = team.mutex("file").unwrap();
    team.for_each(0..200, |_| {
        let guard = mutex.lock().unwrap();
        let count: u64 = fs::read_to_string(&file).map_or(0, |text| text.parse().unwrap());
        thread::yield_now();
        fs::write(&file, (count + 1).to_string()).unwrap();
        drop(guard);
    })
    .unwrap();
    tell!("{}", fs::read_to_string(&file).unwrap());
}

#[test]
fn one_at_a_time_has_a_mutex() {
    let file = fresh_file("mutex");
    // SAFETY: read by processes that are started after, in this thread.
    unsafe { std::env::set_var("TEAM_TEST_FILE", &file) };
    let ran = run("mutex", &["-n", "4"]);
    assert_eq!(ran.agreed(4), "200");
    fs::remove_file(&file).unwrap();
}

fn barriers(team: &Team) {
    let own = fresh_file_of("barrier", team.rank());
    thread::sleep(Duration::from_millis(100 * team.rank() as u64));
    fs::write(&own, "").unwrap();
    team.barrier().unwrap();
    let all = (0..team.size()).all(|rank| fresh_file_of("barrier", rank).exists());
    team.barrier().unwrap();
    fs::remove_file(own).unwrap();
    tell!("{all}");
}

fn fresh_file_of(name: &str, rank: usize) -> PathBuf {
    std::env::temp_dir().join(format!("taskel-team-{name}-{}-{rank}", support::parameter()))
}

#[test]
fn nobody_passes_a_barrier_before_all_have_come() {
    let ran = run_with("barriers", &["-n", "3"], std::process::id().into());
    assert_eq!(ran.agreed(3), "true");
}

fn other_call(team: &Team) {
    // Which rank is first is chance, and the other one is told.
    let outcome = if team.rank() == 0 {
        team.map(0..2, |i| i).map(|_| ())
    } else {
        team.for_each(0..2, |_| ()).map(|_| ())
    };
    match outcome {
        Ok(()) => tell!("done"),
        Err(TeamError::OtherCall { call: 0, expected, found }) => {
            assert_ne!(expected, found);
            tell!("refused");
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn another_call_is_refused() {
    assert_eq!(run("other call", &["-n", "2"]).told, ["done", "refused"]);
}

#[test]
fn a_call_inside_of_an_item_is_refused() {
    assert_eq!(run("nested", &["-n", "2"]).agreed(2), "[true]");
    let team = Team::alone().unwrap();
    let nested = team.map(0..1, |_| matches!(team.barrier(), Err(TeamError::Nested))).unwrap();
    assert_eq!(nested, [true]);
}

#[test]
fn another_program_is_refused() {
    let other = fresh_file("other");
    fs::copy(std::env::current_exe().unwrap(), &other).unwrap();
    fs::OpenOptions::new().append(true).open(&other).unwrap().write_all(b"another").unwrap();
    let script = fresh_file("script");
    let own = std::env::current_exe().unwrap();
    let text = format!(
        "#!/bin/sh\ncase $TASKEL_TEAM in *:1) sleep 0.3; exec {} \"$@\";; *) exec {} \"$@\";; esac\n",
        other.display(),
        own.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = finish(start_other("refused", &["-n", "2"], 0, &script), |_| ());
    fs::remove_file(&other).unwrap();
    fs::remove_file(&script).unwrap();
    assert_eq!(ran.told, ["refused"], "{ran:#?}");
    assert!(ran.errors.contains("start the same file for each"), "{ran:#?}");
    assert_eq!(shown(ran.status), 101, "{ran:#?}");
}

/// What `mpirun` would start.
#[cfg(not(feature = "mpi"))]
#[test]
fn a_program_without_mpi_is_no_team_under_mpirun() {
    for variable in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"] {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "program_of_a_rank", "--nocapture"]);
        let ran = command.env("TEAM_TEST_PROGRAM", "calls").env(variable, "4").output().unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        let expected =
            format!("expected a program with MPI, found {variable}=4 and one without; build it with");
        assert!(told.contains(&expected) && !ran.status.success(), "{told}");
    }
}

#[test]
fn the_exit_status_of_the_ranks_is_that_of_the_whole() {
    assert_eq!(shown(run("exit", &["-n", "2"]).status), 3);
    let missing = std::process::Command::new(env!("CARGO_BIN_EXE_taskel-run"))
        .args(["-n", "2", "--", "/none/there"])
        .output()
        .unwrap();
    assert_eq!(shown(missing.status), 127);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("cannot start the program"));
}

#[test]
fn lines_begin_with_the_rank_on_demand() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_taskel-run"))
        .args(["-n", "3", "--prefix", "--", "sh", "-c", "echo hello; printf world"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    let expected = ["[0] hello", "[0] world", "[1] hello", "[1] world", "[2] hello", "[2] world"];
    assert_eq!(lines, expected);
}

#[test]
fn signals_go_to_the_ranks_and_a_killed_launcher_leaves_nothing() {
    for signal in [libc::SIGTERM, libc::SIGKILL] {
        let child = start("sleep", &["-n", "3", "--restart", "5"], 0);
        let mut ranks = Vec::new();
        let mut looks = 0;
        let ran = finish(child, |launcher| {
            looks += 1;
            let now = children(launcher);
            if ranks.is_empty() && now.len() == 3 && looks > 300 {
                ranks = now;
                kill(launcher, signal);
            }
        });
        assert_eq!(shown(ran.status), 128 + signal, "{ran:#?}");
        // What they printed has ended, so they have.
        assert_eq!((ranks.len(), ran.told.len()), (3, 3), "{ran:#?}");
        let in_use = |rank: &u32| fs::read_to_string(format!("/proc/{rank}/comm")).is_ok();
        assert!(!ranks.iter().any(in_use) || signal == libc::SIGKILL);
    }
    let left = fs::read_dir("/dev/shm").unwrap().filter_map(|entry| entry.ok());
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().contains("taskel")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_too_many_is_told() {
    let error = Launcher::new(257).run("true", [""; 0]).unwrap_err();
    assert!(matches!(error, TeamError::TooMany { what: "ranks", most: 256, found: 257 }), "{error}");
    let error = Launcher::new(1).threads(5000).run("true", [""; 0]).unwrap_err();
    assert!(matches!(error, TeamError::TooMany { what: "threads of a rank", .. }), "{error}");
    let team = Team::alone().unwrap();
    assert!(matches!(team.mutex(&"a".repeat(64)), Err(TeamError::TooMany { .. })));
    assert!((0..64).all(|i| team.mutex(&i.to_string()).is_ok()));
    assert!(matches!(team.mutex("one more"), Err(TeamError::TooMany { .. })));
    assert!(team.mutex("7").is_ok());
}

#[test]
fn errors_say_what_to_do() {
    let lost = TeamError::Lost(vec![]);
    assert!(lost.to_string().contains("allow more attempts"));
    let _: fn(&Lost) -> usize = |lost| lost.index;
    let errors = [
        (TeamError::Twice, "pass the first Team on"),
        (TeamError::Nested, "use taskel's parallel iterators there"),
        (TeamError::Ended, "end the process"),
        (TeamError::RankTaken { rank: 2 }, "start one process for each rank"),
    ];
    for (error, what) in errors {
        assert!(error.to_string().contains(what), "{error}");
    }
}
