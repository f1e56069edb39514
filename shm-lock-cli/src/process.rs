//! Processes that are told apart from others with the same number, by the time at which they were
//! started.

use std::fs;

/// A process, which may have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) id: u32,
    /// In the system's ticks since it was started, modulo 2³².
    pub(crate) started: u32,
}

impl Process {
    /// The calling process.
    pub(crate) fn current() -> Option<Process> {
        let id = std::process::id();
        Some(Process { id, started: started(id)? })
    }

    /// Whether it still runs. Zombies do not: they have no files and no memory.
    pub(crate) fn is_alive(self) -> bool {
        started(self.id) == Some(self.started)
    }
}

/// When the process `id` was started, unless it has ended.
fn started(id: u32) -> Option<u32> {
    parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

fn parse(stat: &str) -> Option<u32> {
    const AFTER_STATE: usize = 18;
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let started = fields.nth(AFTER_STATE)?;
    if matches!(state, "Z" | "X" | "x") {
        None
    } else {
        started.parse::<u64>().ok().map(|ticks| ticks as u32)
    }
}

/// What a process or thread is called, for messages: its command line, or its name.
pub(crate) fn called(id: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).trim_end_matches('\0').replace('\0', " ");
    if !line.is_empty() {
        return Some(line.escape_debug().to_string());
    }
    let name = fs::read_to_string(format!("/proc/{id}/comm")).ok()?;
    Some(name.trim_end().escape_debug().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_living_are_told_from_zombies_and_from_others_with_their_number() {
        let current = Process::current().unwrap();
        assert!(current.is_alive());
        assert!(!Process { started: current.started + 1, ..current }.is_alive());
        assert!(!Process { id: u32::MAX, started: 1 }.is_alive());
        let rest = "1 7 7 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 1 0 500 4096";
        assert_eq!(parse(&format!("7 (a) b) S {rest}")), Some(500));
        assert_eq!(parse(&format!("7 (a) b) Z {rest}")), None);
        assert_eq!(parse("7 (a) S 1"), None);
    }

    #[test]
    fn a_process_is_called_by_its_command_line() {
        assert!(called(std::process::id()).unwrap().contains("shm"));
        assert_eq!(called(u32::MAX), None);
    }
}
