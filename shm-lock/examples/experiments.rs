//! Several processes look an experiment up in a database, and insert it if it is missing: with and
//! without a lock.
//!
//! ```sh
//! cargo run --release -p shm-lock --example experiments -- --processes 8 --lock off
//! cargo run --release -p shm-lock --example experiments -- --processes 8 --lock on
//! cargo run --release -p shm-lock --example experiments -- --processes 8 --lock on --kill
//! ```
//!
//! Looking up and inserting are two steps. Without a lock, several processes find nothing and all
//! insert: the database, which has a primary key, lets the first one and tells the others of a
//! duplicate. With the lock there is one insert. With `--kill` the first process dies by SIGKILL
//! inside the critical section, in the middle of its transaction; the next one is told that the
//! owner died, notes that, and does the work.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use clap::{Parser, ValueEnum};
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use shm_lock::{LockError, ShmMutex, ShmMutexGuard};

type Outcome<T> = Result<T, Box<dyn Error>>;

const NAME: &str = "mass of the electron";

#[derive(Parser)]
#[command(about = "Several processes insert one experiment into a database, with and without a lock")]
struct Arguments {
    /// How many processes do so at the same time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    processes: u32,
    /// Whether they take a lock around looking up and inserting
    #[arg(long, value_enum, default_value_t = Switch::On)]
    lock: Switch,
    /// Let the first process that finds nothing die by SIGKILL before it has inserted
    #[arg(long)]
    kill: bool,
    /// The folder of a run, in a process that takes part
    #[arg(long, hide = true)]
    worker: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// What the lock protects besides the database.
type Killed = u64;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.worker {
        Some(folder) => work(folder, arguments.lock, arguments.kill).map(ExitCode::from),
        None => run(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("experiments: {error}");
        ExitCode::FAILURE
    })
}

/// Starts the processes, waits for them, and looks at what they have left.
fn run(arguments: &Arguments) -> Outcome<ExitCode> {
    if arguments.kill && arguments.lock == Switch::Off {
        return Err("--kill shows what the lock does when its owner dies; use it with --lock on".into());
    }
    let folder = env::temp_dir().join(format!("experiments-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let outcome = run_in(&folder, arguments);
    fs::remove_dir_all(&folder)?;
    outcome
}

fn run_in(folder: &Path, arguments: &Arguments) -> Outcome<ExitCode> {
    let database = open(folder)?;
    database.execute("CREATE TABLE experiments (name TEXT PRIMARY KEY, process INTEGER)", ())?;
    let children = (0..arguments.processes).map(|_| start(folder, arguments)).collect::<Outcome<Vec<_>>>()?;
    // They wait for this, so that they all begin together.
    fs::write(folder.join("go"), "")?;
    let mut counts = [0_u32; 4];
    for mut child in children {
        let status = child.wait()?;
        match status.code() {
            Some(code @ 0..=2) => counts[code as usize] += 1,
            None => counts[3] += 1,
            Some(code) => return Err(format!("a process ended with code {code}").into()),
        }
    }
    let [found, inserted, duplicates, killed] = counts;
    let rows: u32 = database.query_row("SELECT count(*) FROM experiments", (), |row| row.get(0))?;
    println!(
        "{inserted} inserted, {found} found it, {duplicates} duplicate-key errors, {killed} killed; {rows} row"
    );
    let right = match arguments.lock {
        Switch::Off => rows == 1,
        Switch::On => {
            let noted =
                *ShmMutex::<Killed>::open(folder.join("lock"))?.lock().map_err(LockError::into_reason)?;
            println!("{noted} owner found dead by the next one");
            let expected = u32::from(arguments.kill);
            rows == 1
                && duplicates == 0
                && inserted == 1
                && killed == expected
                && noted == u64::from(expected)
        }
    };
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn start(folder: &Path, arguments: &Arguments) -> Outcome<Child> {
    let lock = if arguments.lock == Switch::On { "on" } else { "off" };
    let mut command = Command::new(env::current_exe()?);
    command.arg("--worker").arg(folder).args(["--lock", lock]);
    if arguments.kill {
        command.arg("--kill");
    }
    Ok(command.spawn()?)
}

fn open(folder: &Path) -> Outcome<Connection> {
    let database = Connection::open(folder.join("experiments.sqlite"))?;
    database.busy_timeout(Duration::from_secs(60))?;
    Ok(database)
}

/// What one process does; its exit code says how it went: 0 found, 1 inserted, 2 duplicate.
fn work(folder: &Path, lock: Switch, kill: bool) -> Outcome<u8> {
    let database = open(folder)?;
    let mutex = match lock {
        Switch::On => Some(ShmMutex::<Killed>::open_or_create(folder.join("lock"), || 0)?),
        Switch::Off => None,
    };
    let patience = Instant::now() + Duration::from_secs(60);
    while !folder.join("go").exists() && Instant::now() < patience {
        thread::sleep(Duration::from_millis(1));
    }
    let guard = mutex.as_ref().map(take).transpose()?;
    let first = guard.as_ref().is_some_and(|killed| **killed == 0);
    look_up_or_insert(&database, kill && first)
}

/// Takes the lock. If its last owner died: SQLite has rolled back what it had begun, so all there
/// is to do is to note the death.
fn take(mutex: &ShmMutex<Killed>) -> Outcome<ShmMutexGuard<'_, Killed>> {
    match mutex.lock() {
        Ok(guard) => Ok(guard),
        Err(LockError::OwnerDied(mut killed)) => {
            *killed += 1;
            eprintln!("process {}: the last owner died; going on", std::process::id());
            Ok(killed.mark_consistent())
        }
        Err(error) => Err(error.into_reason().into()),
    }
}

fn look_up_or_insert(database: &Connection, dies: bool) -> Outcome<u8> {
    let found: Option<u32> = database
        .query_row("SELECT process FROM experiments WHERE name = ?", [NAME], |row| row.get(0))
        .optional()?;
    if found.is_some() {
        return Ok(0);
    }
    // What the experiment takes to set up.
    thread::sleep(Duration::from_millis(5));
    database.execute_batch("BEGIN IMMEDIATE")?;
    let inserted = database.execute("INSERT INTO experiments VALUES (?, ?)", (NAME, std::process::id()));
    if dies {
        eprintln!("process {}: dies with the lock and half a transaction", std::process::id());
        die();
    }
    let outcome = match inserted {
        Ok(_) => 1,
        Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::ConstraintViolation => 2,
        Err(error) => return Err(error.into()),
    };
    database.execute_batch("COMMIT")?;
    Ok(outcome)
}

/// Ends this process as a crash would: nothing is cleaned up.
fn die() -> ! {
    // SAFETY: a signal to this process; no memory is involved.
    #[cfg(unix)]
    unsafe {
        libc::raise(libc::SIGKILL)
    };
    std::process::abort()
}
