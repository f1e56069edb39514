//! The settings of a pool.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::threads::{SpawnHandler, ThreadBuilder};
use super::{ThreadPool, build, current};
use crate::memory::MemoryGuard;
use crate::sched::error::ThreadPoolBuildError;

/// Where the workers of a pool run.
///
/// The *usable* cores are those that the process was given (by `taskset`, a container, …), even if
/// the thread that builds the pool is pinned to some of them. They are determined once per process.
/// If cores are taken away later, the next pool notices when it is built.
///
/// On Windows, they are the cores of the processor group in which the process began: 64 at most. A
/// machine with more cores has several groups. To use all of them, set the number of workers,
/// [`Pinning::Off`], and a [`spawn_handler`](ThreadPoolBuilder::spawn_handler) that moves each
/// thread to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pinning {
    /// Places the workers on cores, but pins nothing. With exactly one worker per usable core, each
    /// worker begins on a core of its own. If it wakes up on a core where another worker of the
    /// process or a calling thread is computing, it moves to a free core. The system may move it
    /// like any thread, away from other busy threads and processes. Whatever is started in a worker
    /// (threads, pools, programs) may use all cores.
    ///
    /// With another number of workers, and on systems other than Linux and Android, this is the
    /// same as [`Off`](Pinning::Off).
    #[default]
    Auto,
    /// Pins worker `i` to the `i`-th usable core, wrapping around. With more workers than cores,
    /// some workers share a core.
    ///
    /// This is for a machine that runs nothing else: the workers stay on their cores, even if
    /// another pool or process computes there. Threads and programs that are started in a worker
    /// are confined to its core, unless they are started in [`unpinned`](crate::unpinned). (A pool
    /// is not confined.)
    Cores,
    /// Pins worker `i` to core `ids[i]`. A core that is not usable is an error. A core that is
    /// listed twice is shared.
    ///
    /// As with [`Cores`](Pinning::Cores), threads and programs that are started in a worker are
    /// confined to its core.
    Explicit(Vec<usize>),
    /// Leaves the placing of the workers to the system.
    Off,
}

/// Which of the usable cores a pool is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cores {
    /// All usable cores. A physical core that runs two threads at once counts twice.
    #[default]
    All,
    /// One usable core of each physical core. This is for work that gains nothing from two threads
    /// on one core, such as dense linear algebra. If the system does not tell which cores belong
    /// together (Linux does), these are all usable cores.
    Physical,
}

/// What idle workers do before they sleep. Sleeping workers use no processor time.
///
/// Waking a sleeping worker takes 5 to 50 µs. A spinning worker notices work within 0.3 µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdlePolicy {
    /// Spin for up to 50 µs if the worker was needed again within about 50 µs the last few times;
    /// otherwise sleep at once. At most half of the idle workers spin.
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
#[must_use = "settings make no pool until `build` is called"]
pub struct ThreadPoolBuilder<S = DefaultSpawn> {
    settings: Settings,
    spawn: S,
}

/// All settings except how threads are started.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) num_threads: usize,
    pub(super) use_current_thread: bool,
    pub(super) pinning: Pinning,
    pub(super) cores: Cores,
    pub(super) idle: IdlePolicy,
    pub(super) thread_name: Option<Box<dyn FnMut(usize) -> String>>,
    pub(super) stack_size: Option<usize>,
    pub(super) memory_guard: Option<MemoryGuard>,
    pub(super) start_handler: Option<Handler>,
    pub(super) exit_handler: Option<Handler>,
    pub(super) panic_handler: Option<PanicHandler>,
}

/// Starts threads with the standard library.
#[derive(Debug, Default)]
pub struct DefaultSpawn;

/// Starts threads with a [spawn handler](ThreadPoolBuilder::spawn_handler).
#[derive(Debug)]
pub struct CustomSpawn<F>(F);

/// How threads are started.
pub trait ThreadSpawn {
    #[doc(hidden)]
    fn handler(&mut self) -> Option<&mut SpawnHandler<'_>>;
}

impl ThreadSpawn for DefaultSpawn {
    fn handler(&mut self) -> Option<&mut SpawnHandler<'_>> {
        None
    }
}

impl<F> ThreadSpawn for CustomSpawn<F>
where
    F: FnMut(ThreadBuilder) -> io::Result<()>,
{
    fn handler(&mut self) -> Option<&mut SpawnHandler<'_>> {
        Some(&mut self.0)
    }
}

impl Default for ThreadPoolBuilder {
    fn default() -> Self {
        ThreadPoolBuilder { settings: Settings::default(), spawn: DefaultSpawn }
    }
}

impl ThreadPoolBuilder {
    /// Returns the default settings: the [default number](Self::num_threads) of workers, named
    /// `taskel-0`, `taskel-1`, …
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds a pool whose threads live as long as `with_pool` runs.
    ///
    /// Each thread calls `wrapper`, which must call [`ThreadBuilder::run`]. The `wrapper` may
    /// borrow local variables, and may set thread-local values for the work of the pool.
    ///
    /// # Errors
    ///
    /// The errors are those of [`build`](Self::build).
    ///
    /// # Panics
    ///
    /// Panics when `with_pool` or a `wrapper` does.
    ///
    /// ```
    /// use std::cell::Cell;
    ///
    /// thread_local!(static GREETING: Cell<&'static str> = const { Cell::new("") });
    ///
    /// let greeting = "hello";
    /// let heard = taskel::ThreadPool::builder().num_threads(2).build_scoped(
    ///     |thread| {
    ///         GREETING.set(greeting);
    ///         thread.run();
    ///     },
    ///     |pool| pool.broadcast(|_| GREETING.get()),
    /// )?;
    /// assert_eq!(heard, ["hello", "hello"]);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn build_scoped<W, F, R>(self, wrapper: W, with_pool: F) -> Result<R, ThreadPoolBuildError>
    where
        W: Fn(ThreadBuilder) + Sync,
        F: FnOnce(&ThreadPool) -> R,
    {
        let wrapper = &wrapper;
        std::thread::scope(|scope| {
            let start = |thread: ThreadBuilder| {
                let mut builder = std::thread::Builder::new();
                if let Some(name) = thread.name() {
                    builder = builder.name(name.to_owned());
                }
                if let Some(bytes) = thread.stack_size() {
                    builder = builder.stack_size(bytes);
                }
                builder.spawn_scoped(scope, move || wrapper(thread)).map(drop)
            };
            let pool =
                self.spawn_handler(start).build().map_err(ThreadPoolBuildError::without_spawn_handler)?;
            Ok(with_pool(&pool))
        })
    }
}

impl<S> ThreadPoolBuilder<S> {
    /// Sets the number of workers, at most 4096. 0 means the default.
    ///
    /// The default is the first of these that is given:
    ///
    /// - with [`Pinning::Explicit`], the number of cores listed
    /// - the number in the environment variable `TASKEL_NUM_THREADS`, or if that is not set, in
    ///   `RAYON_NUM_THREADS`, unless it is 0
    /// - the number of cores that the process's affinity mask and its control group's quota allow
    ///   ([`available_parallelism`](std::thread::available_parallelism))
    ///
    /// If the variable holds anything else, [`build`](Self::build) returns an error. A global pool
    /// that starts by itself ignores it.
    ///
    /// There may be more workers than cores. That helps items that wait for input or output. Items
    /// that compute lose a little time to switching.
    pub fn num_threads(mut self, num_threads: usize) -> Self {
        self.settings.num_threads = num_threads;
        self
    }

    /// Sets where the workers run. The default is [`Pinning::Auto`].
    pub fn pinning(mut self, pinning: Pinning) -> Self {
        self.settings.pinning = pinning;
        self
    }

    /// Sets which cores the pool is for. The default is [`Cores::All`].
    ///
    /// This affects the default number of workers, [`Pinning::Auto`] and [`Pinning::Cores`].
    ///
    /// ```
    /// use taskel::{Cores, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().cores(Cores::Physical).build()?;
    /// assert!(pool.current_num_threads() <= ThreadPool::new()?.current_num_threads());
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn cores(mut self, cores: Cores) -> Self {
        self.settings.cores = cores;
        self
    }

    /// Sets what idle workers do. The default is [`IdlePolicy::Adaptive`].
    pub fn idle(mut self, idle: IdlePolicy) -> Self {
        self.settings.idle = idle;
        self
    }

    /// Sets the name of each worker's thread, from its index.
    ///
    /// [`build`](Self::build) calls `name` once per worker, and panics when it does.
    pub fn thread_name(mut self, name: impl FnMut(usize) -> String + 'static) -> Self {
        self.settings.thread_name = Some(Box::new(name));
        self
    }

    /// Sets the stack size of each worker's thread in bytes, at least 256 KiB. The default is that
    /// of the standard library.
    ///
    /// This only concerns the workers. A thread from outside the pool takes part in its own calls
    /// with its own stack. Code that needs a large stack can run [on a
    /// worker](ThreadPool::run_on_worker).
    ///
    /// Nested [yields](crate::yield_now()) may use half a MiB of the stack, or a quarter of the
    /// stack if that is less.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.settings.stack_size = Some(bytes);
        self
    }

    /// Sets a function that each worker calls, with its index, before it looks for work.
    ///
    /// A thread from outside the pool takes part in its own calls without calling the handler. Code
    /// that needs thread-local values that the handler sets can run [on a
    /// worker](ThreadPool::run_on_worker).
    ///
    /// A panic of the handler goes to the [`panic_handler`](Self::panic_handler), and the worker
    /// goes on.
    pub fn start_handler(mut self, handler: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.settings.start_handler = Some(Arc::new(handler));
        self
    }

    /// Sets a function that each worker calls, with its index, before its thread ends.
    ///
    /// The pool has ended by then, so tasks that the handler spawns run at once on the same thread.
    /// A panic of the handler goes to the [`panic_handler`](Self::panic_handler).
    pub fn exit_handler(mut self, handler: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.settings.exit_handler = Some(Arc::new(handler));
        self
    }

    /// Sets a function that is called with the payload of a panic that no caller waits for: a panic
    /// in [`spawn`](crate::spawn) or [`spawn_broadcast`](crate::spawn_broadcast), in a
    /// [`Task`](crate::Task) whose handle was dropped, or in a start or exit handler.
    ///
    /// Without a panic handler, such a panic aborts the process. A panic of the handler itself also
    /// aborts the process.
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
        self.settings.panic_handler = Some(Box::new(handler));
        self
    }

    /// Sets a function that starts the thread of each worker, for programs that start threads in
    /// their own way.
    ///
    /// [`build`](Self::build) calls it once per worker. It must cause [`ThreadBuilder::run`] to be
    /// called on a thread that does nothing else.
    ///
    /// [`build`](Self::build) waits until all threads run. Dropping the pool waits until every
    /// `run` has returned.
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
    pub fn spawn_handler<F>(self, handler: F) -> ThreadPoolBuilder<CustomSpawn<F>>
    where
        F: FnMut(ThreadBuilder) -> io::Result<()>,
    {
        ThreadPoolBuilder { settings: self.settings, spawn: CustomSpawn(handler) }
    }

    /// Makes the thread that builds the pool its worker 0, until the thread ends. Parallel calls of
    /// this thread that name no pool run on this pool.
    ///
    /// The thread runs work of others only inside a scope, join or loop, and when it
    /// [yields](crate::yield_now()). In a pool of one thread, [spawned](crate::spawn) tasks begin
    /// only then. So [`broadcast`](crate::broadcast) and
    /// [`run_on_worker`](ThreadPool::run_on_worker), called on another thread, may wait for a long
    /// time. The thread keeps its name, its stack and its placement, and calls no start or exit
    /// handler. The memory of such a pool is never freed.
    ///
    /// On a system without threads, this changes nothing.
    ///
    /// ```
    /// std::thread::spawn(|| {
    ///     let pool = taskel::ThreadPool::builder().num_threads(2).use_current_thread().build().unwrap();
    ///     assert_eq!(taskel::current_thread_index(), Some(0));
    ///     assert_eq!(pool.broadcast(|worker| worker.index()), [0, 1]);
    /// })
    /// .join()
    /// .unwrap();
    /// ```
    pub fn use_current_thread(mut self) -> Self {
        self.settings.use_current_thread = true;
        self
    }

    /// Holds workers back while memory is short. This is off by default.
    ///
    /// Memory is short while the process's control group uses more than nine tenths of its limit,
    /// or while tasks are stalled for lack of memory during more than a tenth of the time. Then
    /// workers stop working for callers, one after the other, until each caller is alone. A worker
    /// stops between two chunks of a loop, or between two tasks of a scope. When there is memory
    /// again, the workers come back. Nothing is cancelled; fewer items are in memory at a time.
    ///
    /// When a loop runs for the first time, its caller begins alone. Workers are added as long as
    /// the memory that they are expected to need fits under the limit, at most twice as many every
    /// 50 ms.
    ///
    /// The guard looks at the memory every 50 ms, and between two items. It cannot limit items that
    /// have already begun, or items that need far more memory than earlier ones at the same place.
    /// A worker that comes back makes a new state for
    /// [`map_init`](crate::iter::ParallelIterator::map_init). Streams
    /// [limit](crate::stream::Stream::max_in_flight_bytes) by themselves what is in flight.
    /// [Spawned](crate::spawn) tasks, broadcasts and the callers' own work are never held back.
    ///
    /// [`WorkerMetrics::held_back`](crate::WorkerMetrics::held_back) and
    /// [`WorkerProfile::held_back`](crate::WorkerProfile::held_back) tell how long workers were
    /// held back.
    ///
    /// [`build`](Self::build) returns an error if the system does not tell how much memory there
    /// is. Linux does; see [`MemoryBudget::detect`](crate::MemoryBudget::detect).
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
        self.settings.memory_guard = Some(guard);
        self
    }
}

impl<S: ThreadSpawn> ThreadPoolBuilder<S> {
    /// Starts the workers, and returns the pool.
    ///
    /// # Errors
    ///
    /// Returns an error
    ///
    /// - if a setting has a value that no pool can have,
    /// - if a core is not usable,
    /// - if the system does not tell the [memory guard](Self::memory_guard) how much memory there
    ///   is,
    /// - if the [environment variable](Self::num_threads) for the number of workers is not a
    ///   number,
    /// - if the system refuses to start or to pin a thread,
    /// - if the [spawn handler](Self::spawn_handler) returns an error, or does not run a thread, or
    /// - if the [current thread](Self::use_current_thread) already works for a pool.
    ///
    /// Threads that have already been started are ended.
    ///
    /// # Panics
    ///
    /// Panics when the function given to [`thread_name`](Self::thread_name) does.
    pub fn build(mut self) -> Result<ThreadPool, ThreadPoolBuildError> {
        let pool = build::build(self.settings, self.spawn.handler())?;
        // Here and not at the end of the function: what is being returned when a drop panics there
        // is never dropped (rust-lang/rust#47949), and the handler may own what does.
        drop(self.spawn);
        Ok(pool)
    }

    /// Builds the global pool. It serves all parallel calls outside any other pool, and lives until
    /// the process ends.
    ///
    /// # Errors
    ///
    /// Returns an error if there is a global pool already, because this was called before or
    /// because a parallel call has started it. Other errors are those of [`build`](Self::build).
    ///
    /// ```
    /// taskel::ThreadPoolBuilder::new().num_threads(2).build_global()?;
    /// assert_eq!(taskel::current_num_threads(), 2);
    /// assert!(taskel::ThreadPoolBuilder::new().build_global().is_err());
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn build_global(self) -> Result<(), ThreadPoolBuildError> {
        current::build_global(|| self.build())
    }
}

impl<S> fmt::Debug for ThreadPoolBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolBuilder")
            .field("num_threads", &self.settings.num_threads)
            .field("use_current_thread", &self.settings.use_current_thread)
            .field("pinning", &self.settings.pinning)
            .field("cores", &self.settings.cores)
            .field("idle", &self.settings.idle)
            .field("stack_size", &self.settings.stack_size)
            .field("memory_guard", &self.settings.memory_guard)
            .finish_non_exhaustive()
    }
}
