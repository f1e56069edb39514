//! Starts the threads of a pool, either all of them or none.

use std::io;
use std::sync::Arc;

use crossbeam_utils::sync::WaitGroup;

use super::builder::{Cores, Pinning, Settings};
use super::reserve::Reserves;
use super::threads::{self, SpawnHandler, ThreadBuilder, Threads};
use super::{PoolState, ThreadPool, current, environment, worker};
use crate::memory::Guard;
use crate::os::affinity::{self, Unpinned};
use crate::os::clock::Clock;
use crate::os::topology;
use crate::sched::error::ThreadPoolBuildError;
use crate::sched::reentrancy::know_stack;
use crate::sched::unwind::OnDrop;
use crate::sync::Mutex;

/// The stack of a worker that runs code which needs next to none itself: an unoptimised build takes
/// some tens of KiB for a loop in a task.
pub(super) const LEAST_STACK_BYTES: usize = 256 * 1024;

/// Steal orders take memory in proportion to the square of this.
pub(super) const MOST_THREADS: usize = 4096;

/// The lanes of a pool in a user's model, if nothing is said.
pub(crate) const USUAL_LANES_OF_MODEL: usize = 2;

/// loom has five threads at most, and the user some of them.
const MOST_LANES_OF_MODEL: usize = 3;

/// Like a pool that was left behind by a `fork`: everything runs on the calling thread.
#[cold]
fn without_threads(cores: &[Option<usize>], builder: Settings) -> ThreadPool {
    let Settings { idle, panic_handler, .. } = builder;
    let cores = if cfg!(all(loom, feature = "loom")) { cores } else { &[None] };
    let state = || PoolState::new(cores, false, idle, panic_handler, None, Reserves::none());
    #[cfg(all(loom, feature = "loom"))]
    let state = crate::sched::modelled::on_large_stack(state);
    #[cfg(not(all(loom, feature = "loom")))]
    let state = state();
    ThreadPool { state, threads: Threads::own() }
}

/// The threads are started by `handler`, if there is one.
pub(super) fn build(
    mut builder: Settings,
    mut handler: Option<&mut SpawnHandler<'_>>,
) -> Result<ThreadPool, ThreadPoolBuildError> {
    if threads::EXIST && builder.use_current_thread && current::is_inside_any() {
        return Err(ThreadPoolBuildError::thread_in_pool());
    }
    Clock::start();
    let cores = choose_cores(&builder)?;
    let placed = builder.pinning == Pinning::Auto;
    let guard = builder.memory_guard.map(|settings| Guard::new(settings, cores.len() as u32));
    let guard = guard.transpose().map_err(ThreadPoolBuildError::memory_unknown)?;
    if !threads::EXIST {
        return Ok(without_threads(&cores, builder));
    }
    let stack_size = builder.stack_size.map(|bytes| bytes.max(LEAST_STACK_BYTES));
    let reserves = Reserves::new(most_reserves(&builder, handler.is_some(), cores.len()), stack_size);
    let state = PoolState::new(&cores, placed, builder.idle, builder.panic_handler.take(), guard, reserves);
    // Dropping the pool on an error ends the threads that run already.
    let threads = if handler.is_some() { Threads::foreign() } else { Threads::own() };
    let mut pool = ThreadPool { state, threads };
    // Threads inherit where they may run.
    let unpinned = Unpinned::new();
    let (report, reports) = (WaitGroup::new(), Arc::new(Mutex::new(Ok(0))));
    let first = usize::from(builder.use_current_thread);
    for (index, &core) in cores.iter().enumerate().skip(first) {
        let name = match &mut builder.thread_name {
            Some(name) => name(index),
            None => format!("taskel-{index}"),
        };
        if name.contains('\0') {
            return Err(ThreadPoolBuildError::nul_in_name(index, name));
        }
        let worker = worker::Worker {
            pool: Arc::clone(&pool.state),
            index,
            start_handler: builder.start_handler.clone(),
            exit_handler: builder.exit_handler.clone(),
        };
        let ends = OnDrop({
            let state = Arc::clone(&pool.state);
            move || state.ended.tell()
        });
        let (report, reports) = (report.clone(), Arc::clone(&reports));
        let body = Box::new(move || {
            let _ends = ends;
            let pinned = core.map_or(Ok(()), |core| go_to(core, index, placed));
            let ready = pinned.is_ok();
            tell(&reports, pinned);
            drop((report, reports));
            if ready {
                stack_size.into_iter().for_each(know_stack);
                worker.run();
            }
        });
        let thread = ThreadBuilder { index, name, stack_size, body };
        let started = pool.threads.start(thread, handler.as_deref_mut());
        started.map_err(|source| ThreadPoolBuildError::not_started(index, handler.is_some(), source))?;
    }
    drop(unpinned);
    // No other thread can fail to begin, and the first parallel call need not wait for it.
    let is_pinned = !placed && cores.iter().any(Option::is_some);
    if handler.is_some() || is_pinned {
        report.wait();
        hear_of_all(&reports, cores.len() - first)?;
    }
    if builder.use_current_thread {
        // SAFETY: the lane was left out above.
        unsafe { current::become_worker(Arc::clone(&pool.state), 0) };
    }
    // Here and not at the end of the function: what is being returned when a drop panics there is
    // never dropped (rust-lang/rust#47949), and the functions may own what does.
    drop(builder);
    Ok(pool)
}

/// How many workers have gone to their cores, or the first error of one that could not.
type Reports = Mutex<Result<usize, ThreadPoolBuildError>>;

/// Says that the calling worker has gone to its core, or why it has not.
fn tell(reports: &Reports, pinned: Result<(), ThreadPoolBuildError>) {
    let mut all = reports.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match (&mut *all, pinned) {
        (Ok(ran), Ok(())) => *ran += 1,
        (Ok(_), Err(error)) => *all = Err(error),
        (Err(_), _) => {}
    }
}

/// What came of all workers that were `started`, when none is left that could say so.
fn hear_of_all(reports: &Reports, started: usize) -> Result<(), ThreadPoolBuildError> {
    let mut all = reports.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let ran = std::mem::replace(&mut *all, Ok(0))?;
    if ran < started { Err(ThreadPoolBuildError::never_ran(ran, started)) } else { Ok(()) }
}

/// A reserve is a thread that no handler has seen, and needs no permit of a memory guard. So pools
/// with handlers or a guard have none.
fn most_reserves(builder: &Settings, has_spawn_handler: bool, workers: usize) -> usize {
    let is_watched = has_spawn_handler
        || builder.start_handler.is_some()
        || builder.exit_handler.is_some()
        || builder.memory_guard.is_some();
    if is_watched || workers == 1 { 0 } else { workers }
}

/// Sends the calling thread, which is to be `worker`, to its core.
fn go_to(core: usize, worker: usize, placed: bool) -> Result<(), ThreadPoolBuildError> {
    if placed {
        // Where that is refused, the system finds a place.
        let _ = affinity::place_current_thread(core);
        return Ok(());
    }
    affinity::pin_current_thread(core)
        .map_err(|source: io::Error| ThreadPoolBuildError::pin(worker, core, source))
}

/// The core of each worker, and by its length their number.
fn choose_cores(builder: &Settings) -> Result<Vec<Option<usize>>, ThreadPoolBuildError> {
    if cfg!(all(loom, feature = "loom")) {
        let lanes = if builder.num_threads == 0 { USUAL_LANES_OF_MODEL } else { builder.num_threads };
        return Ok(vec![None; lanes.min(MOST_LANES_OF_MODEL)]);
    }
    let usable = affinity::usable_cores();
    let chosen = match builder.cores {
        Cores::All => usable.clone(),
        Cores::Physical => topology::one_of_each_physical_core(&usable),
    };
    let threads = match (builder.num_threads, &builder.pinning) {
        (0, Pinning::Explicit(ids)) => ids.len().max(1),
        (0, _) => match environment::num_threads()? {
            0 if chosen.is_empty() => affinity::default_parallelism(),
            0 => affinity::default_parallelism().min(chosen.len()),
            threads => threads,
        },
        (asked, _) => asked,
    };
    if threads > MOST_THREADS {
        return Err(ThreadPoolBuildError::too_many_threads(threads, MOST_THREADS));
    }
    match &builder.pinning {
        Pinning::Off => Ok(vec![None; threads]),
        Pinning::Auto if threads != chosen.len() => Ok(vec![None; threads]),
        Pinning::Auto => Ok(chosen.into_iter().map(Some).collect()),
        Pinning::Cores if chosen.is_empty() => Err(ThreadPoolBuildError::cores_unknown()),
        Pinning::Cores => Ok(chosen.into_iter().map(Some).cycle().take(threads).collect()),
        Pinning::Explicit(ids) if ids.is_empty() => Err(ThreadPoolBuildError::no_cores()),
        Pinning::Explicit(ids) => {
            if let Some(&unknown) = ids.iter().find(|core| !usable.contains(core)) {
                return Err(ThreadPoolBuildError::unknown_core(unknown, usable));
            }
            if ids.len() < threads {
                return Err(ThreadPoolBuildError::too_few_cores(ids.len(), threads));
            }
            Ok(ids.iter().take(threads).copied().map(Some).collect())
        }
    }
}
