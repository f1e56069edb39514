//! The settings of a pool.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::threads::{SpawnHandler, ThreadBuilder};
use super::{ThreadPool, ambient, build};
use crate::error::ThreadPoolBuildError;
use crate::memory::MemoryGuard;

/// Where the workers of a pool run.
///
/// Usable are the cores that the process was given (by `taskset`, a container, …), also where the thread that builds the pool is itself pinned to
/// some of them. They are found out once in a process; cores that are taken away later are noticed when the next pool is built.
///
/// On Windows these are cores of one processor group, the one that the process began in: 64 at most. A machine with more has several groups: to use
/// them all, set the number of workers, [`Pinning::Off`] and a [`spawn_handler`](ThreadPoolBuilder::spawn_handler) that sends each thread to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pinning {
    /// Workers are placed, and nothing is pinned: with exactly one worker per usable core, each begins on a core of its own, and goes
    /// to a free one when it wakes up where another worker of the process, or a calling thread, computes. The system may move it, as any thread: away from other busy threads and
    /// processes. Whatever is started in a worker (threads, pools, programs) may use all cores.
    ///
    /// With another number of workers, and on other systems than Linux and Android, the same as [`Off`](Pinning::Off).
    #[default]
    Auto,
    /// Worker `i` is pinned to the `i`-th usable core, wrapping around: with more workers than cores, some share one.
    ///
    /// For a machine that runs nothing else: the workers stay on their cores whoever else computes there, another pool's workers or another process. What is started in a worker
    /// is confined to its core, if it is not started in [`unpinned`](crate::unpinned). (A pool is not.)
    Cores,
    /// Worker `i` is pinned to core `ids[i]`. A core that is not usable is an error; one that stands there twice is shared.
    ///
    /// As with [`Cores`](Pinning::Cores), what is started in a worker is confined to its core.
    Explicit(Vec<usize>),
    /// The system places the workers.
    Off,
}

/// Which of the usable cores a pool is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cores {
    /// Each of them: where a physical core runs two threads at once, it counts twice.
    #[default]
    All,
    /// One of each physical core: for work that gains nothing from two threads on one core, as dense linear algebra. Where the system does not
    /// tell which belong together (Linux does), all.
    Physical,
}

/// What workers without work do before they sleep. Sleeping workers use no processor time.
///
/// Waking a sleeper takes 5 to 50 µs, a spinning one notices work within 0.3 µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdlePolicy {
    /// A worker that was needed again within about 50 µs the last few times spins for up to 50 µs; any other sleeps at
    /// once. At most half of the idle workers spin.
    #[default]
    Adaptive,
    /// Sleep at once.
    Park,
    /// Spin this long, then sleep.
    SpinFor(Duration),
}

pub(super) type Handler = Arc<dyn Fn(usize) + Send + Sync>;
pub(super) type PanicHandler = Box<dyn Fn(Box<dyn Any + Send>) + Send + Sync>;

/// Settings for a [`ThreadPool`].
///
/// ```
/// use taskel::{Pinning, ThreadPoolBuilder};
///
/// let pool = ThreadPoolBuilder::new()
///     .num_threads(2)
///     .pinning(Pinning::Off)
///     .thread_name(|worker| format!("hasher-{worker}"))
///     .build()?;
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[derive(Default)]
pub struct ThreadPoolBuilder {
    pub(super) num_threads: usize,
    pub(super) pinning: Pinning,
    pub(super) cores: Cores,
    pub(super) idle: IdlePolicy,
    pub(super) thread_name: Option<Box<dyn FnMut(usize) -> String>>,
    pub(super) stack_size: Option<usize>,
    pub(super) memory_guard: Option<MemoryGuard>,
    pub(super) start_handler: Option<Handler>,
    pub(super) exit_handler: Option<Handler>,
    pub(super) panic_handler: Option<PanicHandler>,
    pub(super) spawn_handler: Option<SpawnHandler>,
}

impl ThreadPoolBuilder {
    /// One worker per usable core, named `taskel-0`, `taskel-1`, …
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of workers, at most 4096; 0 means the default.
    ///
    /// The default with [`Pinning::Explicit`] is the number of cores listed. Else it is the number in the environment variable
    /// `TASKEL_NUM_THREADS`, or if that is not set, in `RAYON_NUM_THREADS`; and if neither is, or it is 0, the number of cores that the process's
    /// affinity mask and its control group's quota allow ([`available_parallelism`](std::thread::available_parallelism)). What is no such number
    /// there is an error for [`build`](Self::build); a global pool that starts by itself takes no notice of it.
    ///
    /// More workers than cores are allowed and share them: that helps taskels that wait for input or output, and costs
    /// those that compute a little for switching.
    pub fn num_threads(mut self, num_threads: usize) -> Self {
        self.num_threads = num_threads;
        self
    }

    /// Sets where the workers run; [`Pinning::Auto`] unless set.
    pub fn pinning(mut self, pinning: Pinning) -> Self {
        self.pinning = pinning;
        self
    }

    /// Sets which cores the pool is for; [`Cores::All`] unless set.
    ///
    /// They count for the default number of workers, and for [`Pinning::Auto`] and [`Pinning::Cores`].
    ///
    /// ```
    /// use taskel::{Cores, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().cores(Cores::Physical).build()?;
    /// assert!(pool.current_num_threads() <= ThreadPool::new()?.current_num_threads());
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn cores(mut self, cores: Cores) -> Self {
        self.cores = cores;
        self
    }

    /// Sets what idle workers do; [`IdlePolicy::Adaptive`] unless set.
    pub fn idle(mut self, idle: IdlePolicy) -> Self {
        self.idle = idle;
        self
    }

    /// Sets the name of each worker's thread, from its index.
    ///
    /// [`build`](Self::build) calls `name` once per worker, and panics when it does.
    pub fn thread_name(mut self, name: impl FnMut(usize) -> String + 'static) -> Self {
        self.thread_name = Some(Box::new(name));
        self
    }

    /// Sets the stack size of each worker's thread in bytes, at least 256 KiB; the standard library's default unless set.
    ///
    /// It is that of the workers. A thread from outside takes part in its own calls, with the stack that it has: code that needs a large one runs
    /// [on a worker](ThreadPool::run_on_worker).
    ///
    /// Nested [yields](crate::yield_now()) may use half a MiB of it, or a quarter, if that is less.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Sets a function that each worker calls, with its index, before it looks for work.
    ///
    /// A thread from outside that takes part in its own calls has not called it. What needs the thread-local values that it sets runs
    /// [on a worker](ThreadPool::run_on_worker).
    ///
    /// A panic of the handler goes to the [`panic_handler`](Self::panic_handler), and the worker goes on.
    pub fn start_handler(mut self, handler: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.start_handler = Some(Arc::new(handler));
        self
    }

    /// Sets a function that each worker calls, with its index, before its thread ends.
    ///
    /// The pool is over by then: what the handler spawns runs right there. A panic of the handler goes to the
    /// [`panic_handler`](Self::panic_handler).
    pub fn exit_handler(mut self, handler: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.exit_handler = Some(Arc::new(handler));
        self
    }

    /// Sets what is called with the payload of a panic that reaches nobody: of [`spawn`](crate::spawn) and
    /// [`spawn_broadcast`](crate::spawn_broadcast), of a [`Task`](crate::Task) whose handle was dropped, of the start and exit handlers. Unless set, such a panic aborts the
    /// process, as does one of the handler itself.
    ///
    /// ```
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// let pool = taskel::ThreadPoolBuilder::new()
    ///     .num_threads(1)
    ///     .panic_handler(move |payload| sender.send(*payload.downcast::<&str>().unwrap()).unwrap())
    ///     .build()?;
    /// pool.spawn(|| panic!("lost"));
    /// assert_eq!(receiver.recv(), Ok("lost"));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn panic_handler(mut self, handler: impl Fn(Box<dyn Any + Send>) + Send + Sync + 'static) -> Self {
        self.panic_handler = Some(Box::new(handler));
        self
    }

    /// Sets what starts the thread of each worker, for programs that have their own way to make threads: it is called once per worker, and
    /// sees to it that [`ThreadBuilder::run`] is called on a thread which serves for nothing else.
    ///
    /// [`build`](Self::build) waits until all of them run, and dropping the pool until all `run`s have returned.
    ///
    /// ```
    /// let pool = taskel::ThreadPoolBuilder::new()
    ///     .num_threads(2)
    ///     .spawn_handler(|thread| {
    ///         std::thread::Builder::new().name(format!("mine-{}", thread.index())).spawn(|| thread.run())?;
    ///         Ok(())
    ///     })
    ///     .build()?;
    /// let names = pool.broadcast(|_| std::thread::current().name().map(str::to_owned));
    /// assert_eq!(names[1].as_deref(), Some("mine-1"));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn spawn_handler(mut self, handler: impl FnMut(ThreadBuilder) -> io::Result<()> + 'static) -> Self {
        self.spawn_handler = Some(Box::new(handler));
        self
    }

    /// Holds workers back while memory is short; off unless set.
    ///
    /// As long as the process's control group uses more than nine tenths of its limit, or tasks are stalled for want of memory during more than a tenth of the
    /// time, workers stop taking up work for callers, between two chunks of a loop or two tasks of a scope, one after the other, until each caller is alone; as it passes, they come
    /// back. Nothing is cancelled: fewer items are in memory at a time. Where a loop runs for the first time, its caller begins alone, and workers are added as
    /// long as what they are expected to take fits under the limit, at most twice as many every 50 ms.
    ///
    /// It looks every 50 ms, and between two items. What items take that are begun already, or that take far more than those before at the same place, it
    /// cannot prevent. A worker that comes back makes the state of a [`map_init`](crate::iter::ParallelIterator::map_init) anew. Streams limit by
    /// themselves [what is in flight](crate::stream::Stream::max_in_flight_bytes); what was [spawned](crate::spawn), broadcasts, and what callers do
    /// themselves is never held back.
    ///
    /// [`WorkerMetrics::held_back`](crate::WorkerMetrics) and [`WorkerProfile::held_back`](crate::WorkerProfile::held_back) tell for how long workers were.
    ///
    /// A pool can be built with it only where the system tells how much memory there is, as Linux does; see
    /// [`MemoryBudget::detect`](crate::MemoryBudget::detect).
    ///
    /// ```
    /// use taskel::{MemoryBudget, MemoryGuard, ThreadPool, prelude::*};
    ///
    /// let mut builder = ThreadPool::builder();
    /// if MemoryBudget::detect().is_ok() {
    ///     builder = builder.memory_guard(MemoryGuard::new());
    /// }
    /// let pool = builder.build()?;
    /// let sizes: Vec<usize> = pool.install(|| (0..10).into_par_iter().map(|n| vec![0_u8; n << 10].len()).collect());
    /// assert_eq!(sizes[9], 9 << 10);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn memory_guard(mut self, guard: MemoryGuard) -> Self {
        self.memory_guard = Some(guard);
        self
    }

    /// Starts the workers, and returns once all of them run, each where it belongs.
    ///
    /// # Errors
    ///
    /// When a core is not usable, a [memory guard](Self::memory_guard) has nothing to go by, the [environment](Self::num_threads) asks for a number of workers that is none, or the system refuses to start
    /// or to pin a thread. Threads that were started are ended.
    ///
    /// # Panics
    ///
    /// When the function given to [`thread_name`](Self::thread_name) does.
    pub fn build(self) -> Result<ThreadPool, ThreadPoolBuildError> {
        build::build(self)
    }

    /// Makes the pool that serves all parallel calls outside of any other pool, and lives until the process ends.
    ///
    /// # Errors
    ///
    /// When there is one already, because this was called before or because a parallel call has started it; and as
    /// [`build`](Self::build).
    ///
    /// ```
    /// taskel::ThreadPoolBuilder::new().num_threads(2).build_global()?;
    /// assert_eq!(taskel::current_num_threads(), 2);
    /// assert!(taskel::ThreadPoolBuilder::new().build_global().is_err());
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn build_global(self) -> Result<(), ThreadPoolBuildError> {
        ambient::build_global(self)
    }
}

impl fmt::Debug for ThreadPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolBuilder")
            .field("num_threads", &self.num_threads)
            .field("pinning", &self.pinning)
            .field("cores", &self.cores)
            .field("idle", &self.idle)
            .field("stack_size", &self.stack_size)
            .field("memory_guard", &self.memory_guard)
            .finish_non_exhaustive()
    }
}
