//! Starts a pool's threads, all of them or none.

use std::io;
use std::sync::{Arc, mpsc};

use super::builder::{Pinning, ThreadPoolBuilder};
use super::threads::{self, ThreadBuilder, Threads};
use super::{PoolState, ThreadPool, environment, worker};
use crate::affinity;
use crate::error::ThreadPoolBuildError;
use crate::underneath::know_stack;

/// The stack of a worker that runs code which needs next to none itself: an unoptimised build takes some tens of KiB for a loop in a task.
pub(super) const LEAST_STACK_BYTES: usize = 256 * 1024;

/// Steal orders take memory in proportion to the square of this.
pub(super) const MOST_THREADS: usize = 4096;

pub(super) fn build(mut builder: ThreadPoolBuilder) -> Result<ThreadPool, ThreadPoolBuildError> {
    let cores = place(builder.num_threads, &builder.pinning)?;
    if !threads::EXIST {
        // Like a pool that was left behind by a `fork`: everything runs on the calling thread.
        let state = PoolState::new(&[None], builder.idle, builder.panic_handler.take());
        return Ok(ThreadPool { state, threads: Threads::own() });
    }
    let state = PoolState::new(&cores, builder.idle, builder.panic_handler.take());
    // Dropping the pool on an error ends the threads that run already.
    let threads = if builder.spawn_handler.is_some() { Threads::foreign() } else { Threads::own() };
    let mut pool = ThreadPool { state, threads };
    let stack_size = builder.stack_size.map(|bytes| bytes.max(LEAST_STACK_BYTES));
    let (report, reports) = mpsc::channel();
    for (index, &core) in cores.iter().enumerate() {
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
        let report = report.clone();
        let body = Box::new(move || {
            let pinned = core.map_or(Ok(()), |core| pin(index, core));
            let ready = pinned.is_ok();
            // Nobody listens any more when another worker failed first.
            let _ = report.send(pinned);
            drop(report);
            if ready {
                stack_size.into_iter().for_each(know_stack);
                worker.run();
            }
        });
        let thread = ThreadBuilder { index, name, stack_size, body };
        let started = pool.threads.start(thread, builder.spawn_handler.as_mut());
        started.map_err(|source| ThreadPoolBuildError::spawn(index, source))?;
    }
    drop(report);
    let ran = reports.iter().collect::<Result<Vec<()>, _>>()?.len();
    if ran < cores.len() {
        return Err(ThreadPoolBuildError::never_ran(ran, cores.len()));
    }
    // Here and not at the end of the function: what is being returned when a drop panics there is never dropped
    // (rust-lang/rust#47949), and the functions may own what does.
    drop(builder);
    Ok(pool)
}

fn pin(worker: usize, core: usize) -> Result<(), ThreadPoolBuildError> {
    affinity::pin_current_thread(core)
        .map_err(|source: io::Error| ThreadPoolBuildError::pin(worker, core, source))
}

/// The core of each worker, and by its length their number.
fn place(asked: usize, pinning: &Pinning) -> Result<Vec<Option<usize>>, ThreadPoolBuildError> {
    let usable = affinity::usable_cores();
    let threads = match (asked, pinning) {
        (0, Pinning::Explicit(ids)) => ids.len().max(1),
        (0, _) => match environment::num_threads()? {
            0 => affinity::default_parallelism(),
            threads => threads,
        },
        (asked, _) => asked,
    };
    if threads > MOST_THREADS {
        return Err(ThreadPoolBuildError::too_many_threads(threads, MOST_THREADS));
    }
    match pinning {
        Pinning::Off => Ok(vec![None; threads]),
        Pinning::Auto if threads != usable.len() => Ok(vec![None; threads]),
        Pinning::Auto => Ok(usable.into_iter().map(Some).collect()),
        Pinning::Cores if usable.is_empty() => Err(ThreadPoolBuildError::cores_unknown()),
        Pinning::Cores => Ok(usable.into_iter().map(Some).cycle().take(threads).collect()),
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
