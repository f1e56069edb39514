//! Parallel loops that several processes share. When a process dies, the others do its work, and
//! no result is lost.
//!
//! ```
//! use taskel_team::Team;
//!
//! // In each process that `taskel-run -n 4 -- PROGRAM` has started. Without it, a team of one.
//! let team = Team::from_env()?;
//! let results: Vec<f64> = team.map(0..100, |i| (i as f64).sqrt())?; // in order, in each process
//! assert_eq!(results[81], 9.0);
//! # Ok::<(), taskel_team::TeamError>(())
//! ```
//!
//! All processes run the same program and make the same calls in the same order. In a call, each
//! process claims some items at a time from one counter in shared memory, as many as take about
//! half a millisecond. It runs them on its own thread pool. There is no master.
//!
//! # Threads or processes?
//!
//! Use threads, that is, a loop of [taskel](https://docs.rs/taskel), unless items crash, leak, or
//! use a library with global state. A loop of threads does not have to write its results for other
//! processes, and its threads take parts of each other's chunks. If one machine is not enough, use
//! MPI. The [guide's chapter](https://docs.rs/taskel/latest/taskel/guide/teams/index.html) compares
//! the three.
//!
//! # MPI
//!
//! With the feature `mpi`, the same program is a team under `mpirun`: the processes of MPI's world.
//! The counter is a word of the first rank, and ranks claim with `MPI_Fetch_and_op`. At the end of
//! a call, the ranks exchange their results, so a call ends for all ranks together. A mutex is
//! fair: ranks get it in the order in which they asked for it. When a rank dies, or an item panics,
//! MPI ends the job. With [`Team::ledger`], the next job continues from there. No process can join,
//! and none is restarted. If a rank ends its part while others make calls, these get
//! [`TeamError::OtherCall`].
//!
//! The program may also use MPI itself, outside the team's calls, and while no other thread holds a
//! [`TeamMutex`], so that no two threads call MPI at the same time. If the program initialises MPI
//! itself, it must ask for `MPI_THREAD_SERIALIZED` or `MPI_THREAD_MULTIPLE`, and finalise MPI after
//! the team has ended.
//!
//! # What happens at each failure
//!
//! | failure | result |
//! |---|---|
//! | a process is killed, crashes, runs out of memory or calls `exit` in an item | others do the items that it has claimed and not done; it is started again if [`Launcher::restarts`] allows it |
//! | the same happens twice in the same item ([`Launcher::attempts`]) | [`TeamError::Lost`], with the item and the signal; all other items are done |
//! | an item panics | the same as a death; the panic goes on in its process |
//! | a process is started again | it makes all calls from the first one on; results that exist are not computed again |
//! | a process is started again while others wait at a [`barrier`](Team::barrier) | they wait for it |
//! | a process ends its part | others no longer wait for it |
//! | the owner of a [`TeamMutex`] dies | the next owner is [told](TeamGuard::owner_died) |
//! | all processes die | the launcher ends with 128 + the signal; with [`Launcher::ledger`] or [`Team::ledger`], the next run finds what was done |
//! | a rank dies under `mpirun` | MPI ends the job; with [`Team::ledger`], the next job finds what was done |
//! | the launcher dies | all processes get `SIGTERM`; nothing is left behind |
//! | a process runs another program, or makes another call | [`TeamError::OtherProgram`], [`TeamError::OtherCall`] |
//! | the program has no MPI, or a different MPI than `mpirun` | [`TeamError::NoMpi`], [`TeamError::MpiSize`] |
//! | a process is stopped (`SIGSTOP`) | others do the rest, and wait for the items that it has |
//!
//! Each item is run at least once, and again if its process died before the item was done. Each
//! result counts once. Items in which a process died are run last, one at a time in each process.
//!
//! # Requirements
//!
//! The crate needs 64-bit Linux with glibc. Without MPI, all processes must be on one machine and
//! in one PID namespace. Elsewhere everything compiles, and every constructor returns
//! [`TeamError::Open`]. Results stay in memory until the team ends. A panic must unwind or abort
//! the process as usual. Either counts as its death.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(target_os = "linux", target_pointer_width = "64", not(loom))),
    allow(dead_code, reason = "used only where a team can exist")
)]

/// Compiles the program in the README, and runs it as a team of one.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Does the same with the programs of the guide's chapter.
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
