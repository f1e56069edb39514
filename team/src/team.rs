//! A process's part in a team.

use std::fmt;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use shm_lock::ShmRegion;
use taskel::ThreadPool;
use taskel::prelude::*;

use crate::calls::{CallWords, Kind, Signature, begin};
use crate::control::{Control, Settings};
use crate::error::{Lost, TeamError};
use crate::launch::Launcher;
use crate::ledger::Ledger;
use crate::mutex::TeamMutex;
use crate::results::{Results, append};
use crate::seats::{Place, Shared};
use crate::segments::Segment;
use crate::sync::{AtomicBool, Ordering};
use crate::work::{Done, Part, Runner, TICK, Work, catch};
use crate::{environment, program, segments, world};

/// A process can be in only one team, and only once.
static HAS_A_TEAM: AtomicBool = AtomicBool::new(false);

/// A team of processes that run the same program and make the same calls in the same order.
///
/// `taskel-run -n 4 -- PROGRAM` starts a team of four. A program that is started directly is a team
/// of one. Each process is a *rank*. A call such as [`map`](Self::map) is one loop that all ranks
/// share: each rank claims some items at a time, runs them on its own thread pool, and gets the
/// results of all ranks. Any thread may make calls, one after the other.
///
/// ```
/// use taskel_team::{Team, TeamError};
///
/// fn main() -> Result<(), TeamError> {
///     let team = Team::from_env()?;
///     let squares: Vec<u64> = team.map(0..1000, |i| (i * i) as u64)?;
///     if team.rank() == 0 {
///         println!("{}", squares.iter().sum::<u64>());
///     }
///     Ok(())
/// }
/// ```
///
/// Dropping it ends this process's part: others no longer wait for it.
pub struct Team {
    part: Membership,
    pool: ThreadPool,
    busy: AtomicBool,
}

/// What kind of team this is.
enum Membership {
    Alone { locks: Arc<ShmRegion<Control>> },
    Launched(Member),
    World { member: world::Member, locks: Option<Arc<ShmRegion<Control>>> },
}

/// What a process of a launched team has.
struct Member {
    shared: Shared,
    rank: usize,
    ledger: Option<Ledger>,
    state: Mutex<State>,
}

struct State {
    place: Place,
    /// The number of the next call.
    next: u64,
    /// Whether an item has panicked.
    ended: bool,
}

impl Team {
    /// Returns the team that this process was started for, by `taskel-run` or a [`Launcher`]. With
    /// the feature `mpi`, returns MPI's world if `mpirun` has started the process. Otherwise,
    /// returns a team of one.
    ///
    /// Under `mpirun`, all ranks must call this together. It initialises MPI, unless the program
    /// has done so. The end of the team then finalises MPI, so drop the team on the thread that
    /// created it.
    ///
    /// # Errors
    /// [`TeamError::OtherProgram`] if another rank runs another program, [`TeamError::RankTaken`],
    /// [`TeamError::Twice`], [`TeamError::Environment`], [`TeamError::Open`] if the launcher has
    /// another version or this system has no such locks, [`TeamError::Io`], [`TeamError::Pool`].
    /// Under `mpirun`: [`TeamError::NoMpi`] without the feature; [`TeamError::MpiSize`] if `mpirun`
    /// belongs to another MPI; [`TeamError::MpiThreads`].
    pub fn from_env() -> Result<Team, TeamError> {
        let Some((shared, rank)) = environment::inherited()? else {
            return match environment::mpi_run() {
                Some(run) => Team::of_mpi(run),
                None => Team::alone(),
            };
        };
        if HAS_A_TEAM.swap(true, Ordering::Relaxed) {
            return Err(TeamError::Twice);
        }
        program::check(&shared.locks.program, &shared.memory.team().program)?;
        let settings = shared.locks.settings();
        let pool = ThreadPool::builder().num_threads(settings.threads as usize).build()?;
        let place = Place::take(&shared, rank)?;
        let state = Mutex::new(State { place, next: 0, ended: false });
        Ok(Team::new(Membership::Launched(Member { shared, rank, ledger: None, state }), pool))
    }

    #[cfg(feature = "mpi")]
    fn of_mpi(run: environment::MpiRun) -> Result<Team, TeamError> {
        if HAS_A_TEAM.swap(true, Ordering::Relaxed) {
            return Err(TeamError::Twice);
        }
        let world::Started { world, threads, all_threads } = world::MpiWorld::start(run)?;
        let member = world::Member::new(world, all_threads);
        let pool = ThreadPool::builder().num_threads(threads).build()?;
        Ok(Team::new(Membership::World { member, locks: None }, pool))
    }

    #[cfg(not(feature = "mpi"))]
    fn of_mpi(run: environment::MpiRun) -> Result<Team, TeamError> {
        match run {
            environment::MpiRun { variable, ranks: Some(ranks) } if ranks > 1 => {
                Err(TeamError::NoMpi { variable, ranks })
            }
            _ => Team::alone(),
        }
    }

    fn new(part: Membership, pool: ThreadPool) -> Team {
        Team { part, pool, busy: AtomicBool::new(false) }
    }

    /// Creates a team of one. Its calls are loops of taskel, and its results are not encoded.
    ///
    /// ```
    /// let team = taskel_team::Team::alone()?;
    /// assert_eq!((team.rank(), team.size()), (0, 1));
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// [`TeamError::Open`] if this system has no such locks, [`TeamError::Pool`].
    pub fn alone() -> Result<Team, TeamError> {
        let pool = ThreadPool::new()?;
        let threads = pool.current_num_threads() as u64;
        let locks = Control::create(Settings::new(1, threads, 1), 0)?;
        Ok(Team::new(Membership::Alone { locks: locks.into() }, pool))
    }

    /// Returns the team of a process that was started in one, also under `mpirun`, like
    /// [`from_env`](Self::from_env). Otherwise this process becomes a launcher like `taskel-run`:
    /// it starts its own program with its own arguments, as `launcher` says, and exits when all
    /// ranks have ended.
    ///
    /// Call it first in `main`, before other threads are started.
    ///
    /// ```no_run
    /// use taskel_team::{Launcher, Team};
    ///
    /// let team = Team::launch(&Launcher::new(4).restarts(2))?;
    /// team.for_each(0..100, |i| println!("{i}"))?;
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`from_env`](Self::from_env) and of [`Launcher::run`].
    pub fn launch(launcher: &Launcher) -> Result<Team, TeamError> {
        if std::env::var_os(environment::VARIABLE).is_some() || environment::mpi_run().is_some() {
            return Team::from_env();
        }
        let program = std::env::current_exe().map_err(TeamError::io("find this program's file"))?;
        let status = launcher.run(program, std::env::args_os().skip(1))?;
        std::process::exit(status);
    }

    /// Keeps the team's finished work in a folder. If all its processes are killed, and the same
    /// program is started again with the same arguments and folder, only the missing items are run.
    ///
    /// This works for all ways to start a team. For example, four ranks under `mpirun` can continue
    /// the work of a single process. All ranks must call it before the first call, and must see the
    /// same folder. Each process appends to its own file there. The files survive the processes,
    /// but not a crash of the system. If the launcher [has a ledger](Launcher::ledger), the team
    /// keeps using that one.
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("taskel-team-doc-{}", std::process::id()));
    /// let team = taskel_team::Team::from_env()?.ledger(&folder)?;
    /// assert_eq!(team.map(0..3, |i| i)?, [0, 1, 2]); // and in the next run, from the files
    /// # drop(team);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// [`TeamError::Ledger`] if the folder contains other files, or a ledger of another program or
    /// other arguments. Later, each call returns it if its kind, range or type differs from the
    /// earlier run. [`TeamError::Io`].
    pub fn ledger(self, folder: impl AsRef<Path>) -> Result<Team, TeamError> {
        let program = (program::own_hash()?, program::arguments_hash(std::env::args_os().skip(1)));
        let rank = self.rank();
        let open = |reads| Ledger::open(folder.as_ref(), rank, program, reads);
        let Team { part, pool, busy } = self;
        let part = match part {
            Membership::Alone { locks } => {
                let threads = pool.current_num_threads() as u64;
                let mut member = world::Member::new(Arc::new(world::One::new()), threads);
                member.keep(open)?;
                Membership::World { member, locks: Some(locks) }
            }
            Membership::Launched(mut member) => {
                if !member.shared.memory.is_kept() {
                    member.ledger = Some(open(true)?);
                }
                Membership::Launched(member)
            }
            Membership::World { mut member, locks } => {
                member.keep(open)?;
                Membership::World { member, locks }
            }
        };
        Ok(Team { part, pool, busy })
    }

    /// Returns the rank of this process in the team, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        match &self.part {
            Membership::Alone { .. } => 0,
            Membership::Launched(member) => member.rank,
            Membership::World { member, .. } => member.world().rank(),
        }
    }

    /// Returns the number of ranks at the start of the team.
    #[must_use]
    pub fn size(&self) -> usize {
        match &self.part {
            Membership::Alone { .. } => 1,
            Membership::Launched(member) => member.shared.locks.settings().ranks as usize,
            Membership::World { member, .. } => member.world().size(),
        }
    }

    /// Returns this rank's thread pool.
    #[must_use]
    pub fn pool(&self) -> &ThreadPool {
        &self.pool
    }

    /// Returns how many processes of the team have died so far, and how many items were run again
    /// for this reason.
    #[must_use]
    pub fn deaths_and_repetitions(&self) -> (u64, u64) {
        let Membership::Launched(member) = &self.part else { return (0, 0) };
        let words = member.shared.memory.team();
        // Items that were given back had not begun.
        let again = words.again.load(Ordering::Relaxed);
        let again = again.saturating_sub(words.given_back.load(Ordering::Relaxed));
        (words.deaths.load(Ordering::Relaxed), again)
    }

    /// Calls `f` for each item of `range`, on any rank. Returns when all items are done.
    ///
    /// Other ranks do not see what `f` does to this process's memory.
    ///
    /// ```
    /// let team = taskel_team::Team::from_env()?;
    /// team.for_each(0..3, |i| println!("{i}"))?;
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// [`TeamError::Lost`], if some items are lost; all others are done. [`TeamError::OtherCall`],
    /// [`TeamError::Nested`], [`TeamError::Ended`], [`TeamError::TooMany`] beyond 2³² items, and
    /// errors of the system.
    ///
    /// # Panics
    /// Panics if `f` does. In a team of several ranks, this process's part is then over, as if it
    /// had died in the item.
    pub fn for_each<F>(&self, range: Range<usize>, f: F) -> Result<(), TeamError>
    where
        F: Fn(usize) + Sync + Send,
    {
        let _turn = self.begin()?;
        if let Membership::Alone { .. } = self.part {
            self.pool.install(|| range.into_par_iter().for_each(&f));
            return Ok(());
        }
        let work = |runner: &Runner<'_>, items: Range<usize>| {
            let one = |done: &mut Option<()>, i| {
                f(i);
                *done = Some(());
            };
            let done = segments::run(runner, items, one, |(), ()| ());
            Ok(done.into_iter().map(|part| Done { items: part.items, record: None }).collect())
        };
        let signature = Signature::new(Kind::ForEach, &range, "()")?;
        match self.call(signature, work)? {
            Outcome::Launched(results) => none_lost(results.lost()),
            Outcome::World(_) => Ok(()),
        }
    }

    /// Returns the results of `f` for each item of `range`, in order, on every rank.
    ///
    /// ```
    /// let team = taskel_team::Team::from_env()?;
    /// assert_eq!(team.map(3..6, |i| i * i)?, [9, 16, 25]);
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`for_each`](Self::for_each); [`TeamError::Encoding`].
    ///
    /// # Panics
    /// Panics like [`for_each`](Self::for_each).
    pub fn map<T, F>(&self, range: Range<usize>, f: F) -> Result<Vec<T>, TeamError>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(usize) -> T + Sync + Send,
    {
        let _turn = self.begin()?;
        let results = match self.mapped(range, f)? {
            Mapped::Here(results) => return Ok(results),
            Mapped::World(records) => return records.of_items(),
            Mapped::Launched(results) => results,
        };
        let (mut done, mut lost) = (Vec::with_capacity(results.items()), Vec::new());
        results.of_items(|result| match result {
            Ok(result) => done.push(result),
            Err(item) => lost.push(item),
        })?;
        none_lost(lost)?;
        Ok(done)
    }

    /// Does the same as [`map`](Self::map), and returns lost items in their places.
    ///
    /// ```
    /// let team = taskel_team::Team::from_env()?;
    /// let lengths: Vec<Result<u64, taskel_team::Lost>> = team.try_map(0..2, |i| 10 + i as u64)?;
    /// assert_eq!(lengths, [Ok(10), Ok(11)]);
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`map`](Self::map), except [`TeamError::Lost`].
    ///
    /// # Panics
    /// Panics like [`for_each`](Self::for_each).
    pub fn try_map<T, F>(&self, range: Range<usize>, f: F) -> Result<Vec<Result<T, Lost>>, TeamError>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(usize) -> T + Sync + Send,
    {
        let _turn = self.begin()?;
        let results = match self.mapped(range, f)? {
            Mapped::Here(results) => return Ok(results.into_iter().map(Ok).collect()),
            Mapped::World(records) => return Ok(records.of_items()?.into_iter().map(Ok).collect()),
            Mapped::Launched(results) => results,
        };
        let mut all = Vec::with_capacity(results.items());
        results.of_items(|result| all.push(result))?;
        Ok(all)
    }

    /// Runs all items, and returns where their results are.
    fn mapped<T, F>(&self, range: Range<usize>, f: F) -> Result<Mapped<'_, T>, TeamError>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(usize) -> T + Sync + Send,
    {
        if let Membership::Alone { .. } = self.part {
            return Ok(Mapped::Here(self.pool.install(|| range.into_par_iter().map(f).collect())));
        }
        let work = |runner: &Runner<'_>, items: Range<usize>| {
            // The result is encoded within its item, so a crash of the encoder counts as a death in
            // the item.
            let one = |record: &mut Option<Result<Vec<u8>, TeamError>>, i| {
                let record = record.get_or_insert_with(|| Ok(Vec::new()));
                let result = f(i);
                if let Err(error) = record.as_mut().map_or(Ok(()), |record| append(record, &result)) {
                    *record = Err(error);
                }
            };
            let merge = |first: Result<Vec<u8>, TeamError>, second: Result<Vec<u8>, TeamError>| {
                let (mut first, mut second) = (first?, second?);
                first.append(&mut second);
                Ok(first)
            };
            let parts = segments::run(runner, items, one, merge)
                .into_iter()
                .map(|Segment { items, outcome }| Ok(Done { items, record: Some(outcome?) }));
            parts.collect()
        };
        let signature = Signature::new(Kind::Map, &range, std::any::type_name::<T>())?;
        match self.call(signature, work)? {
            Outcome::Launched(results) => Ok(Mapped::Launched(results)),
            Outcome::World(records) => Ok(Mapped::World(records)),
        }
    }

    /// Combines the results of `f` for all items with `combine`, in order. Every rank gets the
    /// result.
    ///
    /// `identity` returns a value that changes nothing when it is combined with another. It may be
    /// called any number of times. How items are grouped differs between runs, but not between
    /// ranks.
    ///
    /// ```
    /// let team = taskel_team::Team::from_env()?;
    /// assert_eq!(team.reduce(0..101, |i| i as u64, || 0, |a, b| a + b)?, 5050);
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`map`](Self::map).
    ///
    /// # Panics
    /// Panics like [`for_each`](Self::for_each).
    pub fn reduce<T, F, I, C>(
        &self,
        range: Range<usize>,
        f: F,
        identity: I,
        combine: C,
    ) -> Result<T, TeamError>
    where
        T: Serialize + DeserializeOwned + Send,
        F: Fn(usize) -> T + Sync + Send,
        I: Fn() -> T + Sync + Send,
        C: Fn(T, T) -> T + Sync + Send,
    {
        let _turn = self.begin()?;
        if let Membership::Alone { .. } = self.part {
            return Ok(self.pool.install(|| range.into_par_iter().map(&f).reduce(&identity, &combine)));
        }
        let work = |runner: &Runner<'_>, items: Range<usize>| {
            let one = |result: &mut Option<T>, i| {
                *result = Some(match result.take() {
                    Some(before) => combine(before, f(i)),
                    None => f(i),
                });
            };
            let parts =
                segments::run(runner, items, one, &combine).into_iter().map(|Segment { items, outcome }| {
                    let mut record = Vec::new();
                    runner.run(items.start, || append(&mut record, &outcome))?;
                    Ok(Done { items, record: Some(record) })
                });
            parts.collect()
        };
        let signature = Signature::new(Kind::Reduce, &range, std::any::type_name::<T>())?;
        let results = match self.call(signature, work)? {
            Outcome::Launched(results) => {
                none_lost(results.lost())?;
                results.of_claims()?
            }
            Outcome::World(records) => records.of_parts()?,
        };
        Ok(results.into_iter().fold(identity(), combine))
    }

    /// Waits until all ranks have reached this call, or have ended.
    ///
    /// If a rank has died and is restarted, this waits for it.
    ///
    /// ```
    /// taskel_team::Team::from_env()?.barrier()?;
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// [`TeamError::OtherCall`], [`TeamError::Nested`], [`TeamError::Ended`], and errors of the
    /// system.
    pub fn barrier(&self) -> Result<(), TeamError> {
        let _turn = self.begin()?;
        match &self.part {
            Membership::Alone { .. } => Ok(()),
            Membership::Launched(member) => member.barrier(),
            Membership::World { member, .. } => member.barrier(),
        }
    }

    /// Does this rank's part of a call in a team of several. When it returns, all items are done or
    /// lost.
    fn call(&self, signature: Signature, work: impl Work) -> Result<Outcome<'_>, TeamError> {
        match &self.part {
            Membership::Alone { .. } => unreachable!("calls of one process are loops of taskel"),
            Membership::Launched(member) => {
                let call = member.call(&self.pool, signature, work)?;
                Ok(Outcome::Launched(member.results(call, signature.start as usize)))
            }
            Membership::World { member, .. } => Ok(Outcome::World(member.call(&self.pool, signature, work)?)),
        }
    }

    /// Returns the team's mutex with this name, which may have up to 63 bytes. There may be 64
    /// mutexes.
    ///
    /// ```
    /// let team = taskel_team::Team::from_env()?;
    /// let guard = team.mutex("results.csv")?;
    /// let lock = guard.lock()?;
    /// # drop(lock);
    /// # Ok::<(), taskel_team::TeamError>(())
    /// ```
    ///
    /// # Errors
    /// [`TeamError::TooMany`], [`TeamError::Lock`].
    pub fn mutex(&self, name: &str) -> Result<TeamMutex, TeamError> {
        match &self.part {
            Membership::Alone { locks } | Membership::World { locks: Some(locks), .. } => {
                TeamMutex::of_region(locks, name)
            }
            Membership::Launched(member) => TeamMutex::of_region(&member.shared.locks, name),
            Membership::World { member, locks: None } => TeamMutex::of_world(member.world(), name),
        }
    }

    /// Begins a call. Only one call may run at a time.
    fn begin(&self) -> Result<Turn<'_>, TeamError> {
        // Acquire: pairs with the end of a turn.
        if self.busy.swap(true, Ordering::Acquire) { Err(TeamError::Nested) } else { Ok(Turn(&self.busy)) }
    }
}

/// Where the results of all items are.
enum Mapped<'a, T> {
    Here(Vec<T>),
    Launched(Results<'a>),
    World(world::Records),
}

/// The outcome of a call.
enum Outcome<'a> {
    Launched(Results<'a>),
    World(world::Records),
}

impl Member {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_call(&self, signature: Signature) -> Result<CallWords<'_>, TeamError> {
        let mut state = self.state();
        if state.ended {
            return Err(TeamError::Ended);
        }
        let call = begin(&self.shared, state.next, signature, self.ledger.as_ref())?;
        state.next += 1;
        Ok(call)
    }

    fn barrier(&self) -> Result<(), TeamError> {
        let number = self.next_call(Signature::new(Kind::Barrier, &(0..0), "()")?)?.number;
        let locks = &self.shared.locks;
        let ranks = &self.shared.memory.ranks()[..locks.settings().ranks as usize];
        // Release: what this rank did happens before whatever others do when the barrier is over.
        ranks[self.rank].reached.store(number + 1, Ordering::Release);
        locks.notify()?;
        let is_over = || {
            // Acquire: pairs with the store above.
            let has_come = |reached: u64| reached > number;
            ranks.iter().all(|rank| {
                // Acquire: pairs with the store above.
                has_come(rank.reached.load(Ordering::Acquire)) || !rank.is_waited_for()
            })
        };
        while !locks.wait(TICK, is_over)? {
            self.shared.take_over_dead(Some(self.rank))?;
        }
        Ok(())
    }

    /// Does this rank's part of a call. When it returns, all items are done or lost.
    fn call<'a>(
        &'a self,
        pool: &'a ThreadPool,
        signature: Signature,
        work: impl Work,
    ) -> Result<CallWords<'a>, TeamError> {
        let call = self.next_call(signature)?;
        let start = signature.start as usize;
        let ledger = self.ledger.as_ref().map(|ledger| (ledger, signature.hash()));
        let part = Part { shared: &self.shared, pool, rank: self.rank, call, start, work, ledger };
        match catch(&part) {
            Ok(outcome) => outcome.map(|()| call),
            Err(panic) => {
                let mut state = self.state();
                state.ended = true;
                state.place.die();
                drop(state);
                resume_unwind(panic)
            }
        }
    }

    fn results<'a>(&'a self, call: CallWords<'a>, start: usize) -> Results<'a> {
        Results { memory: &self.shared.memory, call, start }
    }
}

/// The right to make a call.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Release: pairs with the start of the next turn.
        self.0.store(false, Ordering::Release);
    }
}

fn none_lost(lost: Vec<Lost>) -> Result<(), TeamError> {
    if lost.is_empty() { Ok(()) } else { Err(TeamError::Lost(lost)) }
}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Team").field("rank", &self.rank()).field("size", &self.size()).finish_non_exhaustive()
    }
}
