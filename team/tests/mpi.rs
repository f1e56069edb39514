//! Teams under `mpirun`, or what `TASKEL_MPIRUN` names, with four ranks.
#![cfg(all(feature = "mpi", not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mpi::Threading;
use mpi::traits::{Communicator, CommunicatorCollectives};
use serde::{Deserialize, Serialize};
use support::{Ran, finish, fresh_file, kill, mpirun, program};
use taskel_team::{Team, TeamError};

const FILE: &str = "TEAM_TEST_FILE";
const LEDGER: &str = "TEAM_TEST_LEDGER";
/// How often a mutex is taken, and how often of these before all ranks are sure to have come.
const TURNS: u64 = 5000;
const FIRST_TURNS: u64 = 1000;
const ITEMS: usize = 300;

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Row {
    name: String,
    values: Vec<f64>,
}

fn row(i: usize) -> Row {
    Row { name: format!("row {i}"), values: vec![i as f64; i % 7] }
}

/// What each rank does that the tests below start.
#[test]
fn program_of_a_rank() {
    let Some(program) = program() else { return };
    if let "own single" | "own multiple" = program.as_str() {
        return begins_mpi_itself(&program);
    }
    let team = match Team::from_env() {
        Ok(team) => team,
        Err(error) => {
            tell!("{error}");
            panic!("{error}");
        }
    };
    match program.as_str() {
        "calls" => calls(&team),
        "many bytes" => many_bytes(&team),
        "mutex" => mutex(&team),
        "fails" => fails(&team),
        "other call" => other_call(&team),
        "ends early" => ends_early(team),
        "panic" => team.for_each(0..100, |i| assert_ne!(i, 50, "on purpose")).unwrap(),
        "slow owner" => slow_owner(&team),
        "ledger" => kept(team.ledger(std::env::var_os(LEDGER).unwrap())),
        "alone" => {
            assert_eq!(team.map(0..10, |i| i).unwrap(), (0..10).collect::<Vec<_>>());
            tell!("{}", team.size());
        }
        other => panic!("{other}"),
    }
}

fn file() -> PathBuf {
    PathBuf::from(std::env::var_os(FILE).unwrap())
}

fn run_on(name: &str, ranks: usize) -> Ran {
    finish(mpirun(name, ranks, &[]).spawn().unwrap(), |_| ())
}

fn run(name: &str) -> Ran {
    run_on(name, 4)
}

fn calls(team: &Team) {
    assert!(matches!(Team::from_env(), Err(TeamError::Twice)));
    let rows = team.map(10..2010, row).unwrap();
    assert!(rows.iter().enumerate().all(|(i, found)| *found == row(10 + i)));
    assert_eq!(team.map(5..5, row).unwrap(), []);
    team.barrier().unwrap();
    team.for_each(0..100_000, |i| assert!(i < 100_000)).unwrap();
    let text = team
        .reduce(0..30, |i| i.to_string(), String::new, |a, b| if a.is_empty() { b } else { a + &b })
        .unwrap();
    let floats = team.reduce(0..10_000, |i| 1.0 / (1 + i) as f64, || 0.0, |a, b| a + b).unwrap();
    let nested = team.try_map(0..1, |_| matches!(team.barrier(), Err(TeamError::Nested))).unwrap();
    assert_eq!((nested, team.deaths_and_repetitions()), (vec![Ok(true)], (0, 0)));
    for round in 0..50 {
        assert_eq!(team.map(0..round, |i| i * i).unwrap(), (0..round).map(|i| i * i).collect::<Vec<_>>());
        if round % 3 == 0 {
            team.barrier().unwrap();
        }
    }
    tell!("{} {text} {floats}", team.size());
}

#[test]
fn calls_return_the_same_on_all_ranks() {
    let text: String = (0..30).map(|i| i.to_string()).collect();
    for ranks in [1, 4] {
        let ran = run_on("calls", ranks);
        assert!(ran.status.success(), "{ran:#?}");
        assert!(ran.agreed(ranks).starts_with(&format!("{ranks} {text}")), "{ran:#?}");
    }
}

fn many_bytes(team: &Team) {
    let blocks = team.map(0..40, |i| vec![i as u8; 250_000 + i]).unwrap();
    let right = |(i, block): (usize, &Vec<u8>)| {
        block.len() == 250_000 + i && block.iter().all(|&byte| byte == i as u8)
    };
    tell!("{}", blocks.iter().enumerate().all(right));
}

#[test]
fn large_results_come_whole() {
    assert_eq!(run("many bytes").agreed(4), "true");
}

/// Every rank takes the mutex again as soon as it has given it back.
fn mutex(team: &Team) {
    let (file, mutex, mut own) = (file(), team.mutex("file").unwrap(), 0);
    assert!(matches!(team.mutex(&"a".repeat(64)), Err(TeamError::TooMany { .. })));
    team.barrier().unwrap();
    loop {
        let guard = mutex.lock().unwrap();
        assert!(!guard.owner_died());
        let count: u64 = fs::read_to_string(&file).map_or(0, |text| text.parse().unwrap());
        if count == TURNS {
            break;
        }
        // Long enough that all others ask for it, also where there are fewer cores than ranks.
        thread::sleep(Duration::from_micros(50));
        fs::write(&file, (count + 1).to_string()).unwrap();
        drop(guard);
        own += u64::from(count >= FIRST_TURNS);
    }
    tell!("{own:05}");
}

#[test]
fn a_mutex_is_had_by_one_and_by_all_in_turn() {
    let counts = fresh_file("mpi-mutex");
    let ran = finish(mpirun("mutex", 4, &[]).env(FILE, &counts).spawn().unwrap(), |_| ());
    assert!(ran.status.success(), "{ran:#?}");
    let own: Vec<u64> = ran.told.iter().map(|count| count.parse().unwrap()).collect();
    assert_eq!((own.len(), own.iter().sum::<u64>()), (4, TURNS - FIRST_TURNS), "{ran:#?}");
    let (least, most) = (own[0] as f64, own[3] as f64);
    println!("acquisitions of each rank: {own:?}");
    assert!(most <= 1.1 * least, "{own:?}");
    fs::remove_file(&counts).unwrap();
}

struct Unreadable;

impl Serialize for Unreadable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("never"))
    }
}

impl<'a> Deserialize<'a> for Unreadable {
    fn deserialize<D: serde::Deserializer<'a>>(_: D) -> Result<Self, D::Error> {
        Ok(Unreadable)
    }
}

fn fails(team: &Team) {
    let outcome = team.map(0..1, |_| Unreadable).map(drop);
    let told = match outcome {
        Err(TeamError::Encoding { .. }) => "its own",
        Err(TeamError::OtherRank { .. }) => "another's",
        _ => panic!("{outcome:?}"),
    };
    // The team goes on.
    assert_eq!(team.map(0..3, |i| i).unwrap(), [0, 1, 2]);
    tell!("{told}");
}

#[test]
fn an_error_of_one_rank_is_told_to_all() {
    let ran = run("fails");
    assert_eq!(ran.told, ["another's", "another's", "another's", "its own"], "{ran:#?}");
}

fn other_call(team: &Team) {
    let outcome = if team.rank() == 1 {
        team.map(0..2, |i| i).map(drop)
    } else {
        team.for_each(0..2, |_| ()).map(drop)
    };
    let Err(TeamError::OtherCall { call: 0, expected, found }) = outcome else { panic!("{outcome:?}") };
    tell!("{} {}", expected.starts_with("for_each"), found.starts_with("map"));
}

#[test]
fn another_call_is_refused_by_all() {
    assert_eq!(run("other call").agreed(4), "true true");
}

fn ends_early(team: Team) {
    if team.rank() == 2 {
        return;
    }
    for _ in 0..2 {
        let Err(TeamError::OtherCall { found, .. }) = team.barrier() else { panic!("it did not end") };
        assert_eq!(found, "the end of the team");
    }
    tell!("told");
}

#[test]
fn who_ends_early_leaves_nobody_waiting() {
    let ran = run("ends early");
    assert_eq!(ran.agreed(3), "told");
    assert!(ran.status.success(), "{ran:#?}");
}

#[test]
fn a_panic_in_an_item_ends_the_job() {
    let ran = run("panic");
    assert!(!ran.status.success() && ran.errors.contains("on purpose"), "{ran:#?}");
}

/// The rank that has the words sleeps in its items, and calls MPI in none.
fn slow_owner(team: &Team) {
    let began = Instant::now();
    let ranks = team
        .map(0..ITEMS, |_| {
            thread::sleep(Duration::from_millis(if team.rank() == 0 { 200 } else { 2 }));
            team.rank()
        })
        .unwrap();
    let own = ranks.iter().filter(|&&rank| rank == team.rank()).count();
    tell!("{} {own} {}", team.rank(), began.elapsed().as_millis());
}

#[test]
fn others_claim_while_the_rank_with_the_words_is_in_an_item() {
    let job = mpirun("slow owner", 4, &[]).env("TASKEL_NUM_THREADS", "1").spawn().unwrap();
    let ran = finish(job, |_| ());
    println!("rank, its items, ms: {:?}", ran.told);
    let of_first: usize = ran.told[0].split(' ').nth(1).unwrap().parse().unwrap();
    // The others need 200 ms for all of them.
    assert!(of_first <= 6, "{ran:#?}");
}

fn kept(team: Result<Team, TeamError>) {
    let team = match team {
        Ok(team) => team,
        Err(error) => return tell!("{error}"),
    };
    let log = file();
    let began = |i: usize| {
        let mut file = OpenOptions::new().append(true).create(true).open(&log).unwrap();
        file.write_all(format!("{i}\n").as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(2));
        i as u64
    };
    let first = team.map(0..ITEMS, |i| 3 * began(i)).unwrap();
    assert!(first.into_iter().eq((0..ITEMS as u64).map(|i| 3 * i)));
    team.barrier().unwrap();
    let sum = team.reduce(1000..1000 + ITEMS, began, || 0, |a, b| a + b).unwrap();
    tell!("{sum}");
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

/// The processes of a job, below `mpirun` and its helpers.
fn ranks_of(job: u32) -> Vec<u32> {
    let name = |process: u32| fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default();
    let below = support::children(job).into_iter().flat_map(|child| {
        let own = std::env::current_exe().unwrap();
        if name(child) == own { vec![child] } else { ranks_of(child) }
    });
    below.collect()
}

/// One rank is killed: MPI ends the job, and the next one has what all had done.
#[test]
fn a_job_that_was_killed_goes_on_with_its_ledger() {
    let (ledger, log) = (fresh_file("mpi-ledger"), fresh_file("mpi-begun"));
    let with_ledger = |ranks: usize, meanwhile: &mut dyn FnMut(u32)| {
        let mut job = mpirun("ledger", ranks, &[]);
        finish(job.env(FILE, &log).env(LEDGER, &ledger).spawn().unwrap(), meanwhile)
    };
    for stop_at in [ITEMS / 2, ITEMS + ITEMS / 2] {
        let ran = with_ledger(4, &mut |launcher| {
            if begun(&log).0 >= stop_at {
                ranks_of(launcher).into_iter().take(1).for_each(|rank| kill(rank, libc::SIGKILL));
            }
        });
        assert!(!ran.status.success() && ran.told.is_empty(), "{ran:#?}");
    }
    // With another number of ranks, too.
    let sum = (1000..1000 + ITEMS as u64).sum::<u64>().to_string();
    let ran = with_ledger(3, &mut |_| ());
    assert_eq!(ran.agreed(3), sum);
    let (all, different) = begun(&log);
    assert_eq!(different, 2 * ITEMS);
    println!("{} items were begun more than once", all - different);
    // Each of the ranks that were ended twice had a claim.
    assert!(all <= different + 2 * 4, "{all}");
    // All is there.
    let ran = with_ledger(4, &mut |_| ());
    assert_eq!((ran.agreed(4), begun(&log).0), (&*sum, all));

    fs::write(ledger.join("note"), "what somebody has written to this folder").unwrap();
    let ran = with_ledger(4, &mut |_| ());
    assert_eq!(ran.told.len(), 4, "{ran:#?}");
    assert_eq!(ran.told.iter().filter(|told| told.contains("it has a file of another kind")).count(), 1);
    fs::remove_dir_all(&ledger).unwrap();
    fs::remove_file(&log).unwrap();
}

/// A rank that no `mpirun` has started, with more variables in its environment.
fn run_by_itself(name: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "program_of_a_rank", "--nocapture"]).env("TEAM_TEST_PROGRAM", name);
    let ran = command.envs(variables.iter().copied()).output().unwrap();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn another_number_of_processes_than_mpirun_has_started_is_refused() {
    for variable in ["PMI_SIZE", "OMPI_COMM_WORLD_SIZE"] {
        let told = run_by_itself("alone", &[(variable, "3")]);
        let expected = format!("expected 3 processes in MPI's world, as {variable} says, found 1");
        assert!(told.contains(&expected), "{told}");
    }
}

#[test]
fn without_mpirun_it_is_a_team_of_one() {
    let told = run_by_itself("alone", &[]);
    assert!(told.contains("\n@1\n"), "{told}");
}

fn begins_mpi_itself(program: &str) {
    let level = if program == "own single" { Threading::Single } else { Threading::Multiple };
    let (universe, _) = mpi::initialize_with_threading(level).unwrap();
    match Team::from_env() {
        Ok(team) => {
            assert_eq!(team.map(0..100, |i| i).unwrap(), (0..100).collect::<Vec<_>>());
            drop(team);
            // MPI goes on until the program ends it.
            universe.world().barrier();
            tell!("{}", universe.world().size());
        }
        Err(error) => tell!("{error}"),
    }
}

#[test]
fn a_program_may_begin_and_end_mpi_itself_if_threads_may_call_it() {
    assert_eq!(run("own multiple").agreed(4), "4");
    let ran = run("own single");
    assert!(ran.agreed(4).contains("expected an MPI with MPI_THREAD_SERIALIZED, found Single"), "{ran:#?}");
}

#[test]
fn another_program_is_refused_by_all() {
    let other = fresh_file("mpi-other");
    fs::copy(std::env::current_exe().unwrap(), &other).unwrap();
    OpenOptions::new().append(true).open(&other).unwrap().write_all(b"another").unwrap();
    let arguments = ["--exact", "program_of_a_rank", "--nocapture", ":", "-n", "3"];
    let more: Vec<&str> = [other.to_str().unwrap()].into_iter().chain(arguments).collect();
    let ran = finish(mpirun("alone", 1, &more).spawn().unwrap(), |_| ());
    fs::remove_file(&other).unwrap();
    assert!(!ran.told.is_empty() && !ran.status.success(), "{ran:#?}");
    assert!(ran.told.iter().all(|told| told.contains("start the same file for each")), "{ran:#?}");
}
