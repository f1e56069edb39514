//! Ranks that die: nothing is lost, and every result counts once.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use support::{Random, children, finish, fresh_file, kill, parameter, program, run_with, start};
use taskel_team::{Team, TeamError};

/// Where a killer was, for those that kill once.
const FILE: &str = "TEAM_TEST_FILE";

/// What each rank does that the tests below start.
#[test]
fn program_of_a_rank() {
    let Some(program) = program() else { return };
    let team = Team::from_env().unwrap();
    match program.as_str() {
        "killer" => killer(&team),
        "two killers" => two_killers(&team),
        "once" => once(&team),
        "panic" => panic_item(&team),
        "storm" => storm(&team),
        "owner" => owner(&team),
        "waits" => waits(&team),
        other => panic!("{other}"),
    }
}

/// Ends the process in the way that the number says.
fn die(how: u64) {
    match how {
        0 => kill(std::process::id(), libc::SIGKILL),
        // The first one ends std's handler.
        1 => loop {
            // SAFETY: what is meant to kill.
            unsafe { libc::raise(libc::SIGSEGV) };
        },
        2 => std::process::abort(),
        _ => std::process::exit(7),
    }
}

fn killer(team: &Team) {
    let results = team
        .try_map(100..140, |i| {
            thread::sleep(Duration::from_millis(1));
            if i == 107 {
                die(parameter());
            }
            i * 2
        })
        .unwrap();
    let mut lost = Vec::new();
    for (i, result) in results.into_iter().enumerate() {
        match result {
            Ok(value) => assert_eq!(value, 2 * (100 + i)),
            Err(item) => lost.push((item.index, item.signal)),
        }
    }
    // The team goes on.
    let sum = team.reduce(0..1000, |i| i, || 0, |a, b| a + b).unwrap();
    assert_eq!(sum, 499_500);
    team.barrier().unwrap();
    tell!("{lost:?} {}", team.deaths_and_repetitions().0);
}

#[test]
fn an_item_that_kills_twice_is_lost_with_its_signal_and_the_team_goes_on_with_fewer() {
    let ends = [Some(libc::SIGKILL), Some(libc::SIGSEGV), Some(libc::SIGABRT), None];
    for (how, signal) in ends.into_iter().enumerate() {
        let ran = run_with("killer", &["-n", "4", "--threads", "1"], how as u64);
        assert_eq!(ran.agreed(2), format!("[(107, {signal:?})] 2"), "{ran:#?}");
        assert_eq!(ran.status.code(), Some(if signal.is_some() { 0 } else { 7 }), "{ran:#?}");
    }
}

#[test]
fn ranks_that_died_are_started_again_and_take_part() {
    let ran = run_with("killer", &["-n", "2", "--threads", "2", "--restart", "5"], 2);
    assert_eq!(ran.agreed(2), format!("[(107, Some({}))] 2", libc::SIGABRT), "{ran:#?}");
    assert_eq!(ran.status.code(), Some(0));
    // Also one that is alone.
    let ran = run_with("killer", &["-n", "1", "--restart", "2"], 3);
    assert_eq!(ran.agreed(1), "[(107, None)] 2");
}

#[test]
fn one_attempt_may_be_all_that_an_item_gets() {
    let ran = run_with("killer", &["-n", "2", "--attempts", "1"], 0);
    assert_eq!(ran.agreed(1), "[(107, Some(9))] 1");
}

fn two_killers(team: &Team) {
    let outcome = team.for_each(0..60, |i| {
        thread::sleep(Duration::from_millis(1));
        if i == 20 || i == 21 {
            die(0);
        }
    });
    let Err(TeamError::Lost(lost)) = outcome else { panic!("{outcome:?}") };
    tell!("{:?}", lost.iter().map(|lost| lost.index).collect::<Vec<_>>());
}

/// With several threads, neighbours of a killer are in the same process when it dies, and must not
/// be taken for one.
#[test]
fn only_items_that_kill_are_lost() {
    for threads in ["1", "4"] {
        let ran = run_with("two killers", &["-n", "2", "--threads", threads, "--restart", "9"], 0);
        assert_eq!(ran.agreed(2), "[20, 21]", "{ran:#?}");
    }
}

fn once(team: &Team) {
    let file = PathBuf::from(std::env::var_os(FILE).unwrap());
    let before = team.map(0..100, |i| i + 1).unwrap();
    assert!(before.iter().enumerate().all(|(i, &value)| value == i + 1));
    let all = team.map(0..50, |i| {
        thread::sleep(Duration::from_millis(2));
        if i == 30 && !file.exists() {
            fs::write(&file, "").unwrap();
            die(0);
        }
        i
    });
    assert_eq!(all.unwrap(), (0..50).collect::<Vec<_>>());
    team.barrier().unwrap();
    let (deaths, again) = team.deaths_and_repetitions();
    tell!("{deaths} {again}");
}

#[test]
fn an_item_whose_rank_died_once_is_done_by_another() {
    let file = fresh_file("once");
    // SAFETY: read by processes that are started after, in this thread; no other test of this
    // binary needs another value.
    unsafe { std::env::set_var(FILE, &file) };
    for (options, ranks) in [(&["-n", "2"][..], 1), (&["-n", "2", "--restart", "1"], 2)] {
        let ran = run_with("once", options, 0);
        fs::remove_file(&file).unwrap();
        assert_eq!(ran.agreed(ranks), "1 1", "{ran:#?}");
    }
}

fn panic_item(team: &Team) {
    let lost = team.try_map(0..9, |i| assert_ne!(i, 4)).unwrap();
    let lost: Vec<_> =
        lost.into_iter().filter_map(Result::err).map(|lost| (lost.index, lost.signal)).collect();
    tell!("{lost:?}");
}

#[test]
fn a_panic_counts_as_a_death() {
    let ran = run_with("panic", &["-n", "3", "--threads", "2"], 0);
    assert_eq!(ran.agreed(1), "[(4, None)]", "{ran:#?}");
    assert_eq!(ran.status.code(), Some(101));
}

fn owner(team: &Team) {
    let mutex = team.mutex("a").unwrap();
    let told = team.try_map(0..2, |i| {
        let guard = mutex.lock().unwrap();
        if i == 0 {
            die(0);
        }
        guard.owner_died()
    });
    let told = told.unwrap().into_iter().filter(|result| *result == Ok(true)).count();
    tell!("{told}");
}

#[test]
fn the_next_owner_of_a_mutex_is_told() {
    let ran = run_with("owner", &["-n", "4", "--attempts", "1", "--threads", "1"], 0);
    // Whether the other item came before is chance.
    assert!(["0", "1"].contains(&ran.agreed(3)), "{ran:#?}");
}

fn waits(team: &Team) {
    if team.rank() == 1 {
        thread::sleep(Duration::from_millis(200));
        die(0);
    }
    team.barrier().unwrap();
    tell!("passed");
}

#[test]
fn nobody_waits_at_a_barrier_for_the_dead() {
    let ran = run_with("waits", &["-n", "3", "--restart", "2"], 0);
    assert_eq!(ran.agreed(2), "passed");
}

fn value(round: u64, i: usize) -> u64 {
    Random(round << 32 | i as u64).next()
}

/// Calls of all kinds, on items that spin from 10 µs to 3 ms.
fn storm(team: &Team) {
    let mut random = Random(parameter());
    for round in 0..40 {
        let (items, longest_us) = (random.between(1, 300) as usize, random.between(10, 3000));
        let spin = |i: usize| {
            let began = Instant::now();
            let time = Duration::from_micros(value(round, i) % longest_us);
            while began.elapsed() < time {
                std::hint::spin_loop();
            }
            value(round, i)
        };
        let expected = || (0..items).map(|i| value(round, i));
        match round % 4 {
            0 | 1 => assert!(team.map(0..items, spin).unwrap().into_iter().eq(expected())),
            2 => {
                let sum = team.reduce(0..items, |i| vec![spin(i)], Vec::new, |a, b| [a, b].concat()).unwrap();
                assert!(sum.into_iter().eq(expected()));
            }
            _ => {
                team.for_each(0..items, |i| assert_eq!(spin(i), value(round, i))).unwrap();
                team.barrier().unwrap();
            }
        }
    }
    let (deaths, again) = team.deaths_and_repetitions();
    tell!("right");
    // In one piece, since others write, too.
    let told = format!("storm: {deaths} deaths, {again} items again\n");
    std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).unwrap();
}

/// Kills a random rank every 5 to 60 ms, and lets the team end when `seconds` have passed.
fn kill_at_random(options: &[&str], seed: u64, seconds: u64) {
    let (mut random, mut next, began) = (Random(seed), Instant::now(), Instant::now());
    let mut kills = 0;
    let ran = finish(start("storm", options, seed), |launcher| {
        if Instant::now() < next || began.elapsed() > Duration::from_secs(seconds) {
            return;
        }
        next = Instant::now() + Duration::from_millis(random.between(5, 60));
        let ranks = children(launcher);
        if !ranks.is_empty() {
            kill(ranks[random.next() as usize % ranks.len()], libc::SIGKILL);
            kills += 1;
        }
    });
    assert!(ran.status.success() && !ran.told.is_empty(), "seed {seed}: {ran:#?}");
    assert!(ran.told.iter().all(|told| told == "right"), "seed {seed}: {ran:#?}");
    assert!(kills >= 5, "seed {seed}: {kills} kills");
    println!("{kills} kills: {}", ran.errors.lines().rfind(|line| line.starts_with("storm")).unwrap_or(""));
}

#[test]
fn random_kills_lose_nothing_and_double_nothing() {
    let seconds: u64 = std::env::var("TEAM_STORM_SECONDS").map_or(20, |text| text.parse().unwrap());
    let began = Instant::now();
    let first: u64 = std::env::var("TEAM_STORM_SEED").map_or(1, |text| text.parse().unwrap());
    let mut seed = first;
    while seed == first || began.elapsed() < Duration::from_secs(seconds) {
        for threads in ["1", "3"] {
            let restarts = ["-n", "4", "--threads", threads, "--restart", "1000000", "--attempts", "255"];
            kill_at_random(&restarts, seed, 2);
            seed += 1;
        }
    }
}
