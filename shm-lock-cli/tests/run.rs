//! `shm-lock run`: exit statuses, waiting, and what becomes of a lock whose holder is killed.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Holder, Scene, age, await_that, called, is_alive, shm_lock, signal_to, sleeps_in_futex};

/// What a command is told.
const TOLD: &str = "echo ${SHM_LOCK_ABANDONED-nothing}";

#[test]
fn the_exit_status_is_the_command_s() {
    let scene = Scene::new();
    for code in [0, 1, 7, 255] {
        assert_eq!(scene.run(&format!("exit {code}")).code, Some(code));
    }
    let said = scene.run("cat; echo out; echo err >&2");
    assert_eq!((said.out.as_str(), said.err.as_str()), ("out", "err"));
    assert_eq!(scene.call("run", ["-c", "exit 5"]).code, Some(5));
    assert_eq!(scene.call("run", ["sh", "-c", "exit 6"]).code, Some(6));
    scene.assert_state(0, "free");
}

#[test]
fn a_command_that_is_killed_is_128_and_the_signal_and_the_next_one_is_told() {
    let scene = Scene::new();
    for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGINT] {
        let killed = scene.run(&format!("kill -{signal} $$"));
        assert_eq!(killed.code, Some(128 + signal));
        assert!(killed.err.contains(&format!("killed by signal {signal}")), "{killed:?}");
        scene.assert_state(2, "abandoned");
        let told = scene.run(TOLD);
        assert_eq!((told.code, told.out.as_str()), (Some(0), "owner-died"));
        assert!(told.err.contains("its last holder died"), "{told:?}");
        assert_eq!(scene.run(TOLD).out, "nothing", "one is told");
    }
}

#[test]
fn a_command_that_fails_to_repair_leaves_it_to_the_next_one() {
    let scene = Scene::new();
    scene.run("kill -9 $$");
    assert_eq!(scene.run("exit 3").code, Some(3));
    assert_eq!(scene.run(&format!("{TOLD}; exit 3")).out, "poisoned");
    assert_eq!(scene.call("run", ["--", "no-such-command"]).code, Some(69));
    assert_eq!(scene.run(TOLD).out, "poisoned");
    assert_eq!(scene.run(TOLD).out, "nothing");
}

#[test]
fn what_is_told_does_not_go_through_to_another_lock() {
    let scene = Scene::new();
    let told = called(scene.command("run", ["--", "sh", "-c", TOLD]).env("SHM_LOCK_ABANDONED", "poisoned"));
    assert_eq!(told.out, "nothing");
}

#[test]
fn a_command_that_cannot_be_executed_is_69_and_leaves_the_lock_free() {
    let scene = Scene::new();
    for command in ["no-such-command", "/etc/passwd", "/"] {
        let failed = scene.call("run", ["--", command]);
        assert_eq!(failed.code, Some(69));
        assert!(failed.err.starts_with(&format!("shm-lock: failed to execute {command}: ")), "{failed:?}");
        scene.assert_state(0, "free");
    }
}

#[test]
fn a_held_lock_is_a_conflict_at_once_or_when_the_time_is_up() {
    let scene = Scene::new();
    let holder = scene.holder("cat");
    let conflict = |options: &[&str]| {
        let began = Instant::now();
        let outcome = scene.call("run", options.iter().copied().chain(["--", "echo", "in"]));
        assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
        (outcome.code.unwrap(), began.elapsed())
    };
    assert_eq!(conflict(&["-n"]).0, 1);
    assert_eq!(conflict(&["--nonblock", "-E", "75"]).0, 75);
    assert_eq!(conflict(&["-w", "0", "--conflict-exit-code", "0"]).0, 0);
    for option in ["-w", "--timeout", "--wait"] {
        let (code, took) = conflict(&[option, "0.05"]);
        assert!(code == 1 && took >= Duration::from_millis(50), "{option} {code} {took:?}");
    }
    let verbose = scene.call("run", ["-n", "--verbose", "--", "true"]);
    assert_eq!((verbose.code, verbose.err.as_str()), (Some(1), "shm-lock: failed to get lock"));
    assert_eq!(holder.end(), Some(0));
    let verbose = scene.call("run", ["-n", "--verbose", "--", "true"]);
    assert!(
        verbose.err.contains("getting lock took") && verbose.err.contains("executing true"),
        "{verbose:?}"
    );
}

#[test]
fn who_waits_runs_when_the_holder_is_done() {
    let scene = Scene::new();
    let holder = scene.holder("cat");
    let log = scene.path("log");
    let script = format!("echo second >>{}", log.display());
    let mut waiter = scene.command("run", ["-w", "1000", "--", "sh", "-c", &script]).spawn().unwrap();
    await_that("the second one waits", || sleeps_in_futex(waiter.id()));
    assert!(!log.exists());
    holder.end();
    assert!(waiter.wait().unwrap().success());
    assert_eq!(fs::read_to_string(&log).unwrap(), "second\n");
}

#[test]
fn of_many_one_runs_at_a_time() {
    let scene = Scene::new();
    let count = scene.path("count");
    fs::write(&count, "0").unwrap();
    let script = format!("read n <{0}; sleep 0.002; echo $((n + 1)) >{0}", count.display());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..5).for_each(|_| assert_eq!(scene.run(&script).code, Some(0))));
        }
    });
    assert_eq!(fs::read_to_string(&count).unwrap().trim(), "40");
}

#[test]
fn a_killed_holder_takes_its_command_along_and_the_next_one_is_told() {
    let scene = Scene::new();
    let mut holder = scene.holder("exec sleep 20");
    holder.kill();
    let told = scene.call("run", ["-w", "10", "--", "sh", "-c", TOLD]);
    assert_eq!((told.code, told.out.as_str()), (Some(0), "owner-died"));
    assert!(!is_alive(holder.command), "the next one began before the command was gone");
    assert_eq!(scene.run(TOLD).out, "nothing");
}

/// No test of its own: what runs as a command that its holder's death does not kill, as setuid
/// programs.
#[test]
fn a_command_that_outlives_its_holder() {
    if std::env::var_os("SHM_LOCK_TEST_OUTLIVES").is_none() {
        return;
    }
    // SAFETY: the call takes numbers alone.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, 0) }, 0);
    // That was about this thread, which becomes the process's only one.
    let error = Command::new("sh").args(["-c", "echo; echo $$; exec sleep 20"]).exec();
    panic!("{error}");
}

#[test]
fn a_command_that_outlives_its_holder_is_waited_for() {
    let scene = Scene::new();
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", "a_command_that_outlives_its_holder", "--nocapture"];
    let mut command = scene.command("run", ["--", this.to_str().unwrap()]);
    command.args(arguments).env("SHM_LOCK_TEST_OUTLIVES", "1");
    let mut holder = Holder::start(command);
    holder.kill();
    assert!(is_alive(holder.command));
    scene.assert_state(2, &holder.command.to_string());
    for options in [["-n"].as_slice(), &["-w", "0.05"]] {
        let conflict = scene.call("run", options.iter().copied().chain(["--", "echo", "in"]));
        assert_eq!((conflict.code, conflict.out.as_str()), (Some(1), ""));
    }
    assert_eq!(scene.call("repair", ["-n"]).code, Some(1));
    signal_to(holder.command, libc::SIGKILL);
    assert_eq!(scene.run(TOLD).out, "poisoned");
}

#[test]
fn a_waiter_goes_on_when_the_holder_is_killed() {
    let scene = Scene::new();
    let mut holder = scene.holder("cat");
    let waiter = scene.command("run", ["--", "sh", "-c", TOLD]).stdout(Stdio::piped()).spawn().unwrap();
    await_that("it waits", || sleeps_in_futex(waiter.id()));
    holder.kill();
    let output = waiter.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "owner-died");
}

#[test]
fn signals_go_to_the_command_and_the_lock_is_held_until_it_ends() {
    let scene = Scene::new();
    let mut holder = scene.holder_with("trap 'exit 5' TERM", "while :; do sleep 0.01; done");
    holder.signal(libc::SIGTERM);
    assert_eq!(holder.wait(), Some(5));
    scene.assert_state(0, "free");
    let mut holder = scene.holder_with("trap '' INT", "cat");
    holder.signal(libc::SIGINT);
    assert_eq!(
        scene.call("run", ["-n", "--", "true"]).code,
        Some(1),
        "the command ignores it, so the lock is held"
    );
    holder.signal(libc::SIGTERM);
    assert_eq!(holder.wait(), Some(128 + libc::SIGTERM));
    scene.assert_state(2, "abandoned");
}

#[test]
fn what_the_terminal_sends_reaches_the_command_once() {
    let (mut ours, mut theirs) = (-1, -1);
    let none = std::ptr::null_mut::<libc::c_char>();
    // SAFETY: the descriptors are writable; there is nothing else to be written or read.
    let opened = unsafe { libc::openpty(&raw mut ours, &raw mut theirs, none, none.cast(), none.cast()) };
    assert_eq!(opened, 0);
    // SAFETY: the call has just opened it, so nobody else owns it.
    let mut terminal = File::from(unsafe { OwnedFd::from_raw_fd(ours) });
    let scene = Scene::new();
    let log = scene.path("log");
    let script = format!(
        "n=0; trap 'n=$((n + 1))' INT; echo >{0}; sleep 0.2; sleep 0.2; echo $n >{0}; exit 5",
        log.display()
    );
    let mut command = scene.command("run", ["--", "sh", "-c", &script]);
    let lead = move || {
        // SAFETY: the child becomes the leader of a session, whose terminal is the other end.
        unsafe { libc::setsid() };
        // SAFETY: an open descriptor, and numbers.
        match unsafe { libc::ioctl(theirs, libc::TIOCSCTTY, 0) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: it makes system calls alone.
    let mut holder = unsafe { command.pre_exec(lead) }.spawn().unwrap();
    await_that("the command has begun", || log.exists());
    let control_c = b"\x03";
    terminal.write_all(control_c).unwrap();
    assert_eq!(holder.wait().unwrap().code(), Some(5));
    assert_eq!(fs::read_to_string(&log).unwrap(), "1\n");
    // SAFETY: nobody else uses it.
    drop(unsafe { OwnedFd::from_raw_fd(theirs) });
    scene.assert_state(0, "free");
}

/// Half of the holders are killed, at random moments.
#[test]
fn never_two_run_whoever_is_killed() {
    const RUNS: u64 = 30;
    let scene = Scene::new();
    let (mark, bad) = (scene.path("mark"), scene.path("bad"));
    // Nothing but the shell itself, since what it starts is not killed with it.
    let script = format!(
        "echo $$ >{0}; i=0; while [ $i -lt 400 ]; do i=$((i + 1)); done; read n <{0}; [ \"$n\" = $$ ] || echo $n >>{1}",
        mark.display(),
        bad.display()
    );
    let killed: usize = std::thread::scope(|scope| {
        let scene = &scene;
        let script = &script;
        let killer = move |seed: u64| {
            let mut killed = 0;
            for run in 0..RUNS {
                let mut command = scene.command("run", ["--", "sh", "-c", script]);
                let mut child = command.stderr(Stdio::null()).spawn().unwrap();
                let random = (seed * RUNS + run).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                if random % 2 == 0 {
                    std::thread::sleep(Duration::from_micros(random % 12_000));
                    signal_to(child.id(), libc::SIGKILL);
                }
                killed += usize::from(child.wait().unwrap().code().is_none());
            }
            killed
        };
        let killers: Vec<_> = (1..=4).map(|seed| scope.spawn(move || killer(seed))).collect();
        killers.into_iter().map(|killer| killer.join().unwrap()).sum()
    });
    assert!(killed > 0);
    assert!(!bad.exists(), "{:?} beside others", fs::read_to_string(&bad));
    assert_eq!(scene.run("exit 0").code, Some(0));
    scene.assert_state(0, "free");
}

#[test]
fn a_signal_ends_one_who_waits_and_leaves_the_lock_as_it_is() {
    let scene = Scene::new();
    let holder = scene.holder("cat");
    let mut waiter = scene.command("run", ["--", "true"]).spawn().unwrap();
    await_that("it waits", || sleeps_in_futex(waiter.id()));
    signal_to(waiter.id(), libc::SIGTERM);
    assert_eq!(waiter.wait().unwrap().code(), None);
    assert_eq!(holder.end(), Some(0));
    scene.assert_state(0, "free");
}

#[test]
fn one_who_got_a_lock_without_a_name_takes_the_one_that_has_it() {
    let scene = Scene::new();
    let holder = scene.holder("cat");
    let mut waiter = scene.command("run", ["--", "true"]).spawn().unwrap();
    await_that("it waits", || sleeps_in_futex(waiter.id()));
    fs::remove_file(&scene.lock).unwrap();
    holder.end();
    assert!(waiter.wait().unwrap().success());
    scene.assert_state(0, "free");
}

#[test]
fn a_lock_of_an_earlier_boot_is_made_anew() {
    let scene = Scene::new();
    scene.run("kill -9 $$");
    age(&scene.lock);
    let stale = scene.status();
    assert!(stale.code == Some(65) && stale.err.contains("left by an earlier boot"), "{stale:?}");
    assert_eq!(scene.run(TOLD).out, "nothing");
}

#[test]
fn an_abandoned_lock_can_be_refused_until_it_is_repaired() {
    let scene = Scene::new();
    scene.run("kill -9 $$");
    for _ in 0..2 {
        let refused = scene.call("run", ["-A", "9", "--", "echo", "in"]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(9), ""));
        scene.assert_state(2, "abandoned");
    }
    let repaired = scene.call("repair", []);
    assert_eq!(repaired.code, Some(0));
    assert!(repaired.out.starts_with("repaired: "), "{repaired:?}");
    assert_eq!(scene.call("repair", []).out, "nothing to repair");
    assert_eq!(scene.call("run", ["-A", "9", "--", "echo", "in"]).out, "in");
}

#[test]
fn bad_usage_is_64_and_says_what_is_wrong() {
    let scene = Scene::new();
    let lock = scene.lock.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage:"),
        (&["walk"], "walk"),
        (&["run"], "<NAME>"),
        (&["run", lock], "COMMAND"),
        (&["run", "", "true"], "expected the name or the path of a lock"),
        (&["run", "-w", "soon", lock, "true"], "expected seconds such as 2 or 0.5, found \"soon\""),
        (&["run", "-w=-1", lock, "true"], "found -1"),
        (&["run", "-w", "NaN", lock, "true"], "found NaN"),
        (&["run", "-E", "300", lock, "true"], "0..=255"),
        (&["run", "-n", "-w", "1", lock, "true"], "cannot be used with"),
        (&["run", lock, "-c", "true", "true"], "cannot be used with"),
        (&["status", lock, lock], "unexpected argument"),
        (&["repair"], "<NAME>"),
    ];
    for (arguments, told) in cases {
        let failed = called(&mut shm_lock(arguments.iter().copied()));
        assert!(failed.code == Some(64) && failed.err.contains(told), "{arguments:?}: {failed:?}");
    }
    assert!(!scene.lock.exists());
}

#[test]
fn nobody_who_listens_is_no_reason_to_leave_a_lock_torn() {
    let scene = Scene::new();
    scene.run("kill -9 $$");
    let script = format!(
        "{} run {} -- true 2>&-; {} status {} | true",
        shm(),
        scene.lock.display(),
        shm(),
        scene.lock.display()
    );
    let outcome = called(Command::new("sh").args(["-c", &script]));
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
    scene.assert_state(0, "free");
}

fn shm() -> &'static str {
    env!("CARGO_BIN_EXE_shm-lock")
}
