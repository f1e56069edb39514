//! A team looks experiments up in a database, and inserts those that are missing: under a mutex,
//! since looking up and inserting are two steps.
//!
//! ```sh
//! cargo build --release -p taskel-team --example experiments
//! cargo run --release -p taskel-team -- -n 4 --restart 100 -- target/release/examples/experiments DATABASE
//! cargo build --release -p taskel-team --example experiments --features mpi
//! mpirun -n 4 target/release/examples/experiments DATABASE
//! ```
//!
//! The names come many times each. Without the mutex, ranks that find nothing would insert the same
//! name, and get errors of duplicate keys; with it there is one insert for each name. When a rank is
//! killed inside of it, SQLite rolls back what it had begun, and the next one is told.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Parser;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use taskel_team::{Team, TeamMutex};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Parser)]
struct Arguments {
    /// The file of the database
    database: PathBuf,
    /// How often an experiment is asked for
    #[arg(long, default_value_t = 400)]
    items: usize,
    /// How many different ones there are
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    names: u32,
    /// Do without the mutex
    #[arg(long)]
    unlocked: bool,
}

/// What came of an item.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Found {
    There,
    Inserted,
    /// Another rank has inserted it in between.
    Duplicate,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let team = Team::from_env()?;
    let mutex = team.mutex("experiments")?;
    let guard = mutex.lock()?;
    let table = "CREATE TABLE IF NOT EXISTS experiments (name TEXT PRIMARY KEY, process INTEGER)";
    open(&arguments.database)?.execute(table, ())?;
    drop(guard);
    let mutex = (!arguments.unlocked).then_some(&mutex);
    let item = |i: usize| {
        let name = format!("experiment {}", i as u32 % arguments.names);
        look_up_or_insert(&arguments.database, mutex, &name).map_err(|error| error.to_string())
    };
    let found = team.map(0..arguments.items, item)?;
    if team.rank() == 0 {
        let found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        let count = |wanted| found.iter().filter(|&&it| it == wanted).count();
        let database = open(&arguments.database)?;
        let rows: u32 = database.query_row("SELECT count(*) FROM experiments", (), |row| row.get(0))?;
        let (deaths, again) = team.deaths_and_repetitions();
        println!(
            "{} inserted, {} found, {} duplicate keys; {rows} rows; {} ranks, {deaths} processes died, {again} items again",
            count(Found::Inserted),
            count(Found::There),
            count(Found::Duplicate),
            team.size()
        );
        // Who was killed after an insert has told nobody.
        if rows != arguments.names.min(arguments.items as u32) {
            return Err(format!("expected {} rows", arguments.names).into());
        }
    }
    Ok(())
}

fn open(file: &Path) -> Outcome<Connection> {
    let database = Connection::open(file)?;
    database.busy_timeout(Duration::from_secs(60))?;
    Ok(database)
}

fn look_up_or_insert(file: &Path, mutex: Option<&TeamMutex>, name: &str) -> Outcome<Found> {
    let database = open(file)?;
    let guard = mutex.map(TeamMutex::lock).transpose()?;
    if guard.as_ref().is_some_and(|guard| guard.owner_died()) {
        eprintln!("process {}: the last owner died; going on", std::process::id());
    }
    let query = "SELECT process FROM experiments WHERE name = ?";
    let known: Option<u32> = database.query_row(query, [name], |row| row.get(0)).optional()?;
    if known.is_some() {
        return Ok(Found::There);
    }
    // What the experiment takes to set up.
    thread::sleep(Duration::from_millis(5));
    let own = std::process::id();
    match database.execute("INSERT INTO experiments VALUES (?, ?)", (name, own)) {
        Ok(_) => Ok(Found::Inserted),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Ok(Found::Duplicate)
        }
        Err(error) => Err(error.into()),
    }
}
