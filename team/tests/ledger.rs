//! Runs that are killed as a whole, and go on where they were.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use support::{Ran, children, finish, fresh_file, kill, program, start};
use taskel_team::{Launcher, Team, TeamError};

/// Names the file that has a line for each item that was begun.
const FILE: &str = "TEAM_TEST_FILE";
const ITEMS: usize = 300;

/// What each rank does that the tests below start.
#[test]
fn program_of_a_rank() {
    let Some(program) = program() else { return };
    let team = Team::from_env().unwrap();
    let file = PathBuf::from(std::env::var_os(FILE).unwrap());
    let began = |i: usize| {
        let mut file = OpenOptions::new().append(true).create(true).open(&file).unwrap();
        file.write_all(format!("{i}\n").as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(2));
        i as u64
    };
    let first = team.map(0..ITEMS, |i| 3 * began(i)).unwrap();
    assert!(first.into_iter().eq((0..ITEMS as u64).map(|i| 3 * i)));
    let kills = program == "kills";
    let second = team.try_map(1000..1000 + ITEMS, |i| {
        let value = began(i);
        // As long as nobody has mended it.
        if kills && i == 1007 {
            std::process::abort();
        }
        value
    });
    let second = second.unwrap();
    let lost = second.iter().filter(|result| result.is_err()).count();
    assert!(
        second.into_iter().enumerate().all(|(i, result)| result.is_err() || result == Ok(1000 + i as u64))
    );
    tell!("{lost} lost");
}

/// How often items were begun, and how many of them.
fn begun(file: &Path) -> (usize, usize) {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut items: Vec<&str> = text.lines().collect();
    let all = items.len();
    items.sort_unstable();
    items.dedup();
    (all, items.len())
}

fn run(name: &str, ranks: usize, ledger: &Path, meanwhile: impl FnMut(u32)) -> Ran {
    let options = ["-n", &ranks.to_string(), "--threads", "1", "--ledger", ledger.to_str().unwrap()];
    finish(start(name, &options, 0), meanwhile)
}

#[test]
fn a_run_that_was_killed_as_a_whole_runs_only_what_is_missing() {
    let (ledger, log) = (fresh_file("ledger"), fresh_file("begun"));
    // SAFETY: read by processes that are started after, in this thread.
    unsafe { std::env::set_var(FILE, &log) };
    for stop_at in [ITEMS / 2, ITEMS + ITEMS / 2] {
        let ran = run("counts", 3, &ledger, |launcher| {
            if begun(&log).0 >= stop_at {
                children(launcher).into_iter().chain([launcher]).for_each(|it| kill(it, libc::SIGKILL));
            }
        });
        assert!(!ran.status.success() && ran.told.is_empty(), "{ran:#?}");
        thread::sleep(Duration::from_millis(50));
    }
    // With another number of ranks, too.
    let ran = run("counts", 2, &ledger, |_| ());
    assert_eq!(ran.agreed(2), "0 lost");
    let (all, different) = begun(&log);
    assert_eq!(different, 2 * ITEMS);
    // Each of the ranks that were killed twice was in one.
    assert!(all <= 2 * ITEMS + 2 * 3, "{all}");
    // All is there.
    let ran = run("counts", 4, &ledger, |_| ());
    assert_eq!((ran.agreed(4), begun(&log).0), ("0 lost", all));

    let refused = |program: &str, arguments: &[&str]| {
        let error = Launcher::new(1).ledger(&ledger).run(program, arguments).unwrap_err();
        let TeamError::Ledger { reason, .. } = error else { panic!("{error}") };
        reason
    };
    assert_eq!(refused("true", &["other"]), "it was begun with other arguments");
    let text = "what somebody has written";
    fs::write(&ledger, text).unwrap();
    assert_eq!(refused("true", &[]), "it is not a ledger of this version");
    assert_eq!(fs::read_to_string(&ledger).unwrap(), text);

    // What was lost is tried again, by the same program.
    fs::remove_file(&ledger).unwrap();
    let ran = run("kills", 3, &ledger, |_| ());
    assert_eq!(ran.agreed(1), "1 lost");
    let before = begun(&log).0;
    let ran = run("counts", 2, &ledger, |_| ());
    assert_eq!((ran.agreed(2), begun(&log).0), ("0 lost", before + 1));
    fs::remove_file(&ledger).unwrap();
    fs::remove_file(&log).unwrap();
}
