//! Starts a team's processes, and starts those again that die.
//!
//! The launcher takes no part in calls. It makes the team's memory and locks, which the ranks
//! inherit as files without a name: so nothing is left behind, whoever dies, the launcher included.

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

/// The most threads of a rank.
const MOST_THREADS: usize = 4096;

/// How a team is started: what `taskel-run` does, for programs.
///
/// ```no_run
/// // Four processes; one that dies is started again, up to ten times each.
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
    /// A team of so many processes; 0 counts as 1.
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

    /// How often each rank is started again when it has died: by a signal, or without having ended
    /// its part. By default, not at all: then the others do its items.
    pub fn restarts(mut self, restarts: u64) -> Launcher {
        self.restarts = restarts;
        self
    }

    /// How many threads each rank has; 0 counts as 1. By default the number in `TASKEL_NUM_THREADS`,
    /// or an equal share of the cores that this process may use.
    pub fn threads(mut self, threads: usize) -> Launcher {
        self.threads = Some(threads.max(1));
        self
    }

    /// How many ranks may die in an item before it is [`Lost`](crate::Lost): 2 by default, at most
    /// 255, and 0 counts as 1. Where processes are killed for other reasons than what their items
    /// do, such as by hand, more are right.
    pub fn attempts(mut self, attempts: u64) -> Launcher {
        self.attempts = attempts.clamp(1, 255);
        self
    }

    /// Whether each line that a rank prints begins with its number, as `[2] `.
    pub fn prefix(mut self, prefix: bool) -> Launcher {
        self.prefix = prefix;
        self
    }

    /// A file in which the team keeps what it has done: when all its processes are killed, and it is
    /// started with the same program, arguments and file again, only what is missing is run. Items
    /// that were lost are tried again.
    ///
    /// The number of ranks may be another one. The file looks large, and takes up as much as there
    /// are results. It survives the death of all processes, but not of the system. Nobody may
    /// shorten it meanwhile.
    pub fn ledger(mut self, file: impl Into<PathBuf>) -> Launcher {
        self.ledger = Some(file.into());
        self
    }

    /// Calls `watcher` about five times a second, while the team runs, and once in the end.
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
    /// It is 0 if some rank ended with 0 and no rank with another number: one that was killed is no
    /// failure if the others have done its items. It is the first other number that a rank ended
    /// with, if there is one, and 128 + the signal where all were killed. Signals that would end
    /// this process (`SIGINT`, `SIGTERM`, `SIGHUP`, `SIGQUIT`, `SIGUSR1`, `SIGUSR2`) go to all
    /// ranks, and none is started again after one; ranks get `SIGTERM` when this process is killed.
    ///
    /// These signals, and `SIGCHLD`, must not go to another thread of this process meanwhile: call
    /// it before there are any.
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

    /// Waits for all, and starts again who is to be.
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
            // A moment's end, too, since a signal may come between the look and the wait.
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

/// The exit status of the whole, from those of the last process of each rank.
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
