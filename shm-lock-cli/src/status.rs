//! `shm-lock status`.

use std::fs;
use std::os::unix::fs::MetadataExt;

use shm_lock::untyped::UntypedMutex;

use crate::arguments::Status;
use crate::failure::{Failure, answer};
use crate::lock::{Name, Record};
use crate::process::{self, Process};

/// Where bare names are.
const DIRECTORY: &str = "/dev/shm";

/// Somebody has the lock.
const HELD: u8 = 1;
/// Its last holder died, or what it protects was left torn.
const ABANDONED: u8 = 2;

pub(crate) fn status(arguments: &Status) -> Result<u8, Failure> {
    let Some(name) = &arguments.name else { return list() };
    let seen = Seen::of(&name.open()?);
    for (key, value) in &seen.lines {
        answer!("{:<9} {value}", format!("{key}:"));
    }
    Ok(seen.code)
}

/// All locks of this user.
fn list() -> Result<u8, Failure> {
    let told = |error| Failure::of_system("look into /dev/shm", &error);
    let user = fs::metadata("/proc/self").map_err(told)?.uid();
    let prefix = format!("shm-lock-{user}-");
    let mut names: Vec<String> = fs::read_dir(DIRECTORY)
        .map_err(told)?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_prefix(&prefix)?.to_owned()))
        .collect();
    names.sort();
    for name in names {
        match Name::Bare(name.clone()).open() {
            Ok(lock) => {
                let seen = Seen::of(&lock);
                let values: Vec<_> =
                    seen.lines.iter().skip(1).map(|(key, value)| format!("{key}: {value}")).collect();
                answer!("{name}\t{}", values.join(", "));
            }
            Err(error) => answer!("{name}\t{}", Failure::from(error)),
        }
    }
    Ok(0)
}

/// What is to be said about a lock, and the exit status that says the same.
struct Seen {
    lines: Vec<(&'static str, String)>,
    code: u8,
}

impl Seen {
    fn of(lock: &UntypedMutex) -> Seen {
        let state = lock.state();
        let (told, code) = match state.owner {
            Some(owner) if process::called(owner).is_none() => {
                ("abandoned: its holder died; the next one is told", ABANDONED)
            }
            Some(_) => ("held", HELD),
            None if state.is_lost => ("given up for good", ABANDONED),
            None if state.is_torn => {
                ("abandoned: its last holder died or left it torn; the next one is told", ABANDONED)
            }
            None => ("free", 0),
        };
        let mut lines = vec![("type", lock.description().to_owned()), ("state", told.to_owned())];
        let mut add = |key, value: Option<String>| lines.extend(value.map(|value| (key, value)));
        add("holder", state.owner.map(shown));
        let command = Record::of(lock).and_then(Record::read).filter(|command| command.is_alive());
        add("command", command.map(|Process { id, .. }| shown(id)));
        add("waiters", Some(if state.has_waiters { "yes" } else { "no" }.to_owned()));
        Seen { lines, code }
    }
}

/// A number, and what is called so.
fn shown(id: u32) -> String {
    match process::called(id) {
        Some(called) => format!("{id} ({called})"),
        None => format!("{id}, which has ended"),
    }
}
