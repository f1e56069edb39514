//! Parallel loops that several processes share, and that lose nothing when one of them dies.
//!
//! ```
//! use taskel_team::Team;
//!
//! // In each process that `taskel-run -n 4 -- PROGRAM` has started; by itself, a team of one.
//! let team = Team::from_env()?;
//! let results: Vec<f64> = team.map(0..100, |i| (i as f64).sqrt())?; // in order, in each process
//! assert_eq!(results[81], 9.0);
//! # Ok::<(), taskel_team::TeamError>(())
//! ```
//!
//! All processes run the same program and make the same calls in the same order. In a call, each
//! claims some items at a time from one counter in shared memory, as many as take about half a
//! millisecond, and runs them on its own pool of threads. There is no master.
//!
//! # Threads or processes?
//!
//! Threads, unless items crash, leak, or use a library with global state: a loop of
//! [taskel](https://docs.rs/taskel) does not write results for others, and its threads take parts of
//! each other's chunks. MPI, if one machine is not enough: see the [guide's
//! chapter](https://docs.rs/taskel/latest/taskel/guide/teams/index.html).
//!
//! # MPI
//!
//! With the feature `mpi`, the same program is a team under `mpirun`, of MPI's world. The counter
//! is a word of the first rank, to which others add by `MPI_Fetch_and_op`; what each has done, all
//! exchange at the end of a call, so a call ends for all ranks together. A mutex is fair: turns
//! come in the order in which they were asked for. When a rank dies, or an item panics, MPI ends
//! the job: with [`Team::ledger`], the next one goes on where it was. Ranks must not end their part
//! while others make calls: these get [`TeamError::OtherCall`]. No process can join, and none is
//! started again.
//!
//! The program may use MPI itself, apart from what the team does, if no two threads call it at once:
//! outside of the team's calls, and while no other thread has a [`TeamMutex`] of it in hand. If it
//! begins MPI itself, then with `MPI_THREAD_SERIALIZED` or `MPI_THREAD_MULTIPLE`, and it ends MPI
//! itself after the team.
//!
//! # What each failure gets
//!
//! | failure | answer |
//! |---|---|
//! | a process is killed, crashes, runs out of memory or calls `exit` in an item | others do what it has claimed and not done; it is started again if [`Launcher::restarts`] says so |
//! | … twice in the same item ([`Launcher::attempts`]) | [`TeamError::Lost`], with the item and the signal; all other items are done |
//! | an item panics | as above; the panic goes on in its process |
//! | a process is started again | it makes all calls from the first one on: results that are there are not made again |
//! | … while others wait at a [`barrier`](Team::barrier) | they wait for it |
//! | a process ends its part | others wait for it no longer |
//! | the owner of a [`TeamMutex`] dies | the next one is [told](TeamGuard::owner_died) |
//! | all processes die | the launcher ends with 128 + the signal; with [`Launcher::ledger`] or [`Team::ledger`], the next run has what was done |
//! | a rank dies under `mpirun` | MPI ends the job; with [`Team::ledger`], the next one has what was done |
//! | the launcher dies | all processes get `SIGTERM`; nothing is left behind |
//! | a process runs another program, or makes another call | [`TeamError::OtherProgram`], [`TeamError::OtherCall`] |
//! | the program has no MPI, or another one than `mpirun` | [`TeamError::NoMpi`], [`TeamError::MpiSize`] |
//! | a process is stopped (`SIGSTOP`) | others do what is left, and wait for what it has |
//!
//! Items are run at least once, and again if their process died before they were done. Each result
//! counts once. Items in which a process died are run last, one at a time in each process.
//!
//! # What it asks for
//!
//! 64-bit Linux with glibc; without MPI, one machine and one PID namespace. Elsewhere everything
//! compiles, and every constructor says [`TeamError::Open`]. Results stay in memory until the team
//! ends. A panic must unwind or abort the process as usual; either counts as its death.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(target_os = "linux", target_pointer_width = "64", not(loom))),
    allow(dead_code, reason = "what only a team that can be had uses")
)]

/// The program in the README is compiled and run, as a team of one.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So are those of the guide's chapter.
#[cfg(doctest)]
#[doc = include_str!("../../runtime/docs/guide/teams.md")]
struct Chapter;

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod calls;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod control;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod environment;
mod error;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod launch;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod ledger;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod memory;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod mutex;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(loom))))]
mod nowhere;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod program;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod protocol;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod results;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod seats;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod segments;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod sync;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod team;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod work;
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
mod world;

pub use error::{Lost, TeamError};
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
pub use launch::{Launcher, Progress};
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
pub use mutex::{TeamGuard, TeamMutex};
#[cfg(not(all(target_os = "linux", target_pointer_width = "64", not(loom))))]
pub use nowhere::{Launcher, Progress, Team, TeamGuard, TeamMutex};
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(loom)))]
pub use team::Team;
