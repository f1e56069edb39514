//! The processes that `mpirun` has started.
//!
//! MPI may allow only one call at a time, so a lock is held during each call. MPI may also make
//! progress only inside its calls: requests of others to a rank are served when that rank calls
//! MPI. So the rank with the words calls MPI every millisecond, however long its items take.
//! Waiting happens without the lock.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mpi::Threading;
use mpi::datatype::PartitionMut;
use mpi::environment::{Universe, initialize_with_threading, is_finalized, threading_support};
use mpi::request::{Request, Scope, scope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Source};

use super::window::Window;
use super::{Exchange, HEAD, WORDS, World};
use crate::environment::MpiRun;
use crate::error::TeamError;
use crate::program::{hash_of, own_hash};
use crate::sync::{AtomicBool, Ordering};

/// How often the rank with the words serves requests of others.
const LOOK_IN: Duration = Duration::from_millis(1);
/// How often a waiting rank polls with short pauses, before it uses long ones.
const LOOKS: u32 = 100;
const SHORT: Duration = Duration::from_micros(50);
const LONG: Duration = Duration::from_millis(1);
/// The exit status of a job in which an item panicked.
const PANICKED: i32 = 101;

/// MPI's world, from one rank's side.
pub(crate) struct MpiWorld {
    inner: Arc<Inner>,
    looks_in: Option<JoinHandle<()>>,
}

/// Fields are dropped in this order, on all ranks together.
struct Inner {
    window: Window,
    /// Separate from the program's own use of MPI.
    world: SimpleCommunicator,
    /// Held during each call of MPI.
    turn: Mutex<()>,
    is_over: AtomicBool,
    rank: usize,
    size: usize,
    /// `None` if the program has initialised MPI.
    _universe: Option<Universe>,
}

/// A rank's part in MPI's world.
pub(crate) struct Started {
    pub(crate) world: Arc<MpiWorld>,
    /// The threads of this rank.
    pub(crate) threads: usize,
    /// The threads of all ranks.
    pub(crate) all_threads: u64,
}

impl MpiWorld {
    /// Initializes MPI, unless the program has done so.
    pub(crate) fn start(told: MpiRun) -> Result<Started, TeamError> {
        if is_finalized() {
            return Err(TeamError::Twice);
        }
        let universe = initialize_with_threading(Threading::Serialized).map(|(universe, _)| universe);
        let level = threading_support();
        if level < Threading::Serialized {
            return Err(TeamError::MpiThreads { found: format!("{level:?}") });
        }
        let world = SimpleCommunicator::world().duplicate();
        let (rank, size) = (world.rank() as usize, world.size() as usize);
        if let MpiRun { variable, ranks: Some(expected) } = told {
            if expected != size {
                return Err(TeamError::MpiSize { variable, expected, found: size });
            }
        }
        let threads = threads_of_a_rank(&world);
        let hash = own_hash()?;
        let mut all = vec![0; 2 * size];
        world.all_gather_into(&[hash, threads as u64][..], &mut all[..]);
        if let Some(other) = all.chunks(2).map(|rank| rank[0]).find(|&other| other != all[0]) {
            return Err(TeamError::OtherProgram { expected: all[0], found: other });
        }
        let all_threads = all.chunks(2).map(|rank| rank[1]).sum();
        let window = Window::new(&world, WORDS);
        let inner = Inner {
            window,
            world,
            turn: Mutex::new(()),
            is_over: AtomicBool::new(false),
            rank,
            size,
            _universe: universe,
        };
        let inner = Arc::new(inner);
        let mut world = MpiWorld { inner, looks_in: None };
        if rank == 0 && size > 1 {
            world.looks_in = Some(world.look_in().map_err(TeamError::io("start a thread"))?);
        }
        Ok(Started { world: Arc::new(world), threads, all_threads })
    }

    fn look_in(&self) -> io::Result<JoinHandle<()>> {
        let inner = Arc::clone(&self.inner);
        let look = move || {
            // Acquire: pairs with `drop`.
            while !inner.is_over.load(Ordering::Acquire) {
                thread::sleep(LOOK_IN);
                // A thread that holds the turn calls MPI itself.
                if let Ok(_turn) = inner.turn.try_lock() {
                    let _ = inner.world.any_process().immediate_probe();
                }
            }
        };
        thread::Builder::new().name("taskel-team".into()).stack_size(256 << 10).spawn(look)
    }
}

impl Drop for MpiWorld {
    fn drop(&mut self) {
        // Release: pairs with `look_in`.
        self.inner.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.looks_in.take() {
            let _ = thread.join();
        }
    }
}

// SAFETY: handles, which any thread may use, one after the other: whoever holds `turn`.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Inner {
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a collective operation, and waits until it is complete.
    fn complete<'a, D: ?Sized + 'a, S: Scope<'a>>(&self, begin: impl FnOnce() -> Request<'a, D, S>) {
        let mut request = {
            let _turn = self.turn();
            begin()
        };
        let mut looks = 0;
        loop {
            let outcome = {
                let _turn = self.turn();
                request.test()
            };
            match outcome {
                Ok(_) => return,
                Err(again) => request = again,
            }
            looks += 1;
            match looks {
                ..LOOKS => thread::yield_now(),
                LOOKS..1000 => thread::sleep(SHORT),
                _ => thread::sleep(LONG),
            }
        }
    }

    /// Returns the words of each rank. All ranks contribute the same number.
    fn gather<const N: usize>(&self, own: [u64; N]) -> Vec<[u64; N]> {
        let mut all = vec![0; N * self.size];
        scope(|scope| {
            self.complete(|| self.world.immediate_all_gather_into(scope, &own[..], &mut all[..]));
        });
        all.chunks_exact(N).map(|words| std::array::from_fn(|i| words[i])).collect()
    }

    /// Returns the bytes of each rank, in pieces whose sum MPI can count.
    fn gather_bytes(&self, own: &[u8], lens: &[usize]) -> Vec<Vec<u8>> {
        let mut all: Vec<Vec<u8>> = lens.iter().map(|&len| Vec::with_capacity(len)).collect();
        let most = i32::MAX as usize / self.size;
        let mut from = 0;
        while lens.iter().any(|&len| len > from) {
            let part = |len: usize| from.min(len)..len.min(from + most);
            let counts: Vec<i32> = lens.iter().map(|&len| part(len).len() as i32).collect();
            let starts: Vec<i32> =
                counts.iter().scan(0, |at, count| Some(std::mem::replace(at, *at + count))).collect();
            let mut received = vec![0_u8; counts.iter().map(|&count| count as usize).sum()];
            let mut parts = PartitionMut::new(&mut received[..], &counts[..], &starts[..]);
            let own = &own[part(own.len())];
            scope(|scope| {
                self.complete(|| self.world.immediate_all_gather_varcount_into(scope, own, &mut parts));
            });
            let mut rest = &received[..];
            for (all, &count) in all.iter_mut().zip(&counts) {
                let (part, behind) = rest.split_at(count as usize);
                all.extend(part);
                rest = behind;
            }
            from += most;
        }
        all
    }
}

impl World for MpiWorld {
    fn rank(&self) -> usize {
        self.inner.rank
    }

    fn size(&self) -> usize {
        self.inner.size
    }

    fn add(&self, word: usize, value: i64) -> i64 {
        let _turn = self.inner.turn();
        self.inner.window.add(word, value)
    }

    fn exchange(&self, head: [u64; HEAD], bytes: &[u8]) -> Exchange {
        let mut told = [bytes.len() as u64; HEAD + 1];
        told[..HEAD].copy_from_slice(&head);
        let all = self.inner.gather(told);
        let lens: Vec<usize> = all.iter().map(|told| told[HEAD] as usize).collect();
        let heads = all.iter().map(|told| std::array::from_fn(|i| told[i])).collect();
        Exchange { heads, bytes: self.inner.gather_bytes(bytes, &lens) }
    }

    fn abort(&self) {
        let _turn = self.inner.turn();
        self.inner.world.abort(PANICKED)
    }
}

/// Returns the number in the environment. Otherwise, returns the number of cores that this process
/// may use, divided by the ranks that share them.
fn threads_of_a_rank(world: &SimpleCommunicator) -> usize {
    let node = world.split_shared(world.rank());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let own = hash_of(status.lines().find(|line| line.starts_with("Cpus_allowed:")).unwrap_or_default());
    let mut all = vec![0; node.size() as usize];
    node.all_gather_into(&own, &mut all[..]);
    let sharing = all.iter().filter(|&&other| other == own).count();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let told = || std::env::var("TASKEL_NUM_THREADS").ok()?.parse().ok().filter(|&threads| threads > 0);
    told().unwrap_or(cores / sharing).max(1)
}
