//! Starts a team's processes, and restarts those that die.
//!
//! The launcher takes no part in calls. It creates the team's memory and locks, which the ranks
//! inherit as files without a name. So nothing is left behind, even if the launcher dies.

mod output;
mod progress;
mod rank;
mod signals;

use std::ffi::{OsStr, OsString};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use self::output::Lines;
pub use self::progress::Progress;
use self::progress::Watcher;
use self::rank::Rank;
use self::signals::Signals;
use crate::control::{Control, Settings};
use crate::error::TeamError;
use crate::memory::{MOST_RANKS, Memory};
use crate::program::arguments_hash;
use crate::seats::Shared;
use crate::sync::{Fences, Ordering};

/// The largest number of threads per rank.
const MOST_THREADS: usize = 4096;

/// Starts a team from a program, as `taskel-run` does from a shell.
///
/// ```no_run
/// // Four processes. Each is restarted up to ten times if it dies.
/// let status = taskel_team::Launcher::new(4).restarts(10).run("./sweep", ["--seed", "7"])?;
/// std::process::exit(status);
/// # Ok::<(), taskel_team::TeamError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `run`, or `Team::launch`"]
pub struct Launcher {
    ranks: usize,
    restarts: u64,
    threads: Option<usize>,
    attempts: u64,
    prefix: bool,
    ledger: Option<PathBuf>,
    watcher: Option<Watcher>,
}

impl Launcher {
    /// Creates a launcher for this many processes. 0 counts as 1.
    pub fn new(ranks: usize) -> Launcher {
        Launcher {
            ranks: ranks.max(1),
            restarts: 0,
            threads: None,
            attempts: 2,
            prefix: false,
            ledger: None,
            watcher: None,
        }
    }

    /// Sets how often each rank is restarted after it died: by a signal, or without having ended
    /// its part. The default is 0: the other ranks do its items.
    pub fn restarts(mut self, restarts: u64) -> Launcher {
        self.restarts = restarts;
        self
    }

    /// Sets how many threads each rank has. 0 counts as 1. The default is the number in
    /// `TASKEL_NUM_THREADS`, or an equal share of the cores that this process may use.
    pub fn threads(mut self, threads: usize) -> Launcher {
        self.threads = Some(threads.max(1));
        self
    }

    /// Sets how many ranks may die in an item before it is [`Lost`](crate::Lost). The default is 2,
    /// the largest value is 255, and 0 counts as 1. Use a larger value if processes are also killed
    /// for reasons other than their items, for example by hand.
    pub fn attempts(mut self, attempts: u64) -> Launcher {
        self.attempts = attempts.clamp(1, 255);
        self
    }

    /// Sets whether each line that a rank prints begins with its number, as `[2] `.
    pub fn prefix(mut self, prefix: bool) -> Launcher {
        self.prefix = prefix;
        self
    }

    /// Sets a file in which the team keeps its finished work. If all its processes are killed, and
    /// the team is started again with the same program, arguments and file, only the missing items
    /// are run. Lost items are tried again.
    ///
    /// The number of ranks may differ between runs. The file is sparse: it looks large, but takes
    /// only as much space as there are results. It survives the death of all processes, but not a
    /// crash of the system. No other program may truncate it meanwhile.
    pub fn ledger(mut self, file: impl Into<PathBuf>) -> Launcher {
        self.ledger = Some(file.into());
        self
    }

    /// Calls `watcher` about five times per second while the team runs, and once at the end.
    ///
    /// ```no_run
    /// let told = |progress: &taskel_team::Progress| eprintln!("{progress:?}");
    /// taskel_team::Launcher::new(4).watch(told).run("./sweep", [""; 0])?;
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    pub fn watch(mut self, watcher: impl Fn(&Progress) + Send + Sync + 'static) -> Launcher {
        self.watcher = Some(Watcher::new(watcher));
        self
    }

    /// Starts the ranks, waits until all have ended, and returns an exit status.
    ///
    /// The status is 0 if some rank ended with 0 and no rank with another number. A rank that was
    /// killed is not a failure if the others have done its items. If a rank ended with another
    /// number, the status is the first such number. If all ranks were killed, it is 128 + the
    /// signal.
    ///
    /// Signals that would end this process (`SIGINT`, `SIGTERM`, `SIGHUP`, `SIGQUIT`, `SIGUSR1`,
    /// `SIGUSR2`) are passed to all ranks, and no rank is restarted afterwards. If this process is
    /// killed, the ranks get `SIGTERM`.
    ///
    /// No other thread of this process may receive these signals or `SIGCHLD`. So call this before
    /// other threads are started.
    ///
    /// # Errors
    /// [`TeamError::TooMany`] beyond 256 ranks or 4096 threads, [`TeamError::Ledger`], [`TeamError::Io`],
    /// [`TeamError::Open`] if this system has no such locks.
    pub fn run(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<i32, TeamError> {
        let at_most = |what, most: usize, found: usize| {
            let error = TeamError::TooMany { what, most: most as u64, found: found as u64 };
            if found > most { Err(error) } else { Ok(found as u64) }
        };
        let ranks = at_most("ranks", MOST_RANKS, self.ranks)?;
        let threads = at_most("threads of a rank", MOST_THREADS, self.threads_of_a_rank())?;
        let settings = Settings::new(ranks, threads, self.attempts);
        let command = Command {
            program: program.as_ref().to_owned(),
            arguments: arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect(),
        };
        let memory = match &self.ledger {
            None => Memory::create()?,
            Some(file) => Memory::ledger(file, arguments_hash(command.arguments.iter().cloned()))?,
        };
        let locks = Control::create(settings, memory.team().calls.load(Ordering::Relaxed))?;
        let shared = Shared { memory: memory.into(), locks: locks.into(), fences: Fences::Symmetric };
        let signals = Signals::hold().map_err(TeamError::io("hold signals back"))?;
        let lines = Lines::new(self.prefix);
        let mut ranks: Vec<Rank> = Vec::new();
        for number in 0..self.ranks {
            match Rank::start(&shared, number, &command, &signals, &lines) {
                Ok(rank) => ranks.push(rank),
                Err(error) => {
                    ranks.iter().for_each(|rank| rank.signal(libc::SIGTERM));
                    return Err(error);
                }
            }
        }
        self.supervise(&mut ranks, &shared, &command, &signals, &lines)?;
        lines.finish();
        Ok(status_of(&ranks))
    }

    fn threads_of_a_rank(&self) -> usize {
        let told = || std::env::var("TASKEL_NUM_THREADS").ok()?.parse().ok().filter(|&threads| threads > 0);
        let share = || thread::available_parallelism().map_or(1, NonZero::get) / self.ranks;
        self.threads.or_else(told).unwrap_or_else(share).max(1)
    }

    /// Waits for all ranks, and restarts those that should be.
    fn supervise(
        &self,
        ranks: &mut [Rank],
        shared: &Shared,
        command: &Command,
        signals: &Signals,
        lines: &Lines,
    ) -> Result<(), TeamError> {
        let mut is_ending = false;
        loop {
            for rank in ranks.iter_mut() {
                let Some(ended) = rank.ended()? else { continue };
                let again = ended.is_death(shared) && !is_ending && rank.restarts < self.restarts;
                ended.tell(shared, again)?;
                if again {
                    rank.start_again(shared, command, signals, lines)?;
                }
            }
            if let Some(watcher) = &self.watcher {
                watcher.look(shared, ranks.iter().filter(|rank| rank.runs()).count());
            }
            if ranks.iter().all(|rank| !rank.runs()) {
                return Ok(());
            }
            // With a timeout, because a signal may come between the check and the wait.
            if let Some(signal) = signals.wait(Duration::from_millis(200)) {
                is_ending |= signals::ENDING.contains(&signal.number);
                if signal.is_to_be_forwarded() {
                    ranks.iter().for_each(|rank| rank.signal(signal.number));
                }
            }
        }
    }
}

/// What every rank runs.
struct Command {
    program: OsString,
    arguments: Vec<OsString>,
}

/// Returns the exit status of the team, from the statuses of the last process of each rank.
fn status_of(ranks: &[Rank]) -> i32 {
    let of = |wanted: fn(&std::process::ExitStatus) -> Option<i32>| {
        ranks.iter().filter_map(|rank| rank.last.as_ref().and_then(wanted)).collect::<Vec<_>>()
    };
    let codes = of(|status| status.code());
    match codes.iter().find(|&&code| code != 0) {
        Some(&code) => code,
        None if !codes.is_empty() => 0,
        None => of(ExitStatusExt::signal).first().map_or(1, |signal| 128 + signal),
    }
}
