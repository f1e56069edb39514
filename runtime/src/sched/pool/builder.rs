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
/// Usable are the cores that the process was given (by `taskset`, a container, …), also where the
/// thread that builds the pool is itself pinned to some of them. They are found out once in a
/// process; cores that are taken away later are noticed when the next pool is built.
///
/// On Windows these are cores of one processor group, the one that the process began in: 64 at
/// most. A machine with more has several groups: to use them all, set the number of workers,
/// [`Pinning::Off`] and a [`spawn_handler`](ThreadPoolBuilder::spawn_handler) that sends each
/// thread to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pinning {
    /// Workers are placed, and nothing is pinned: with exactly one worker per usable core, each
    /// begins on a core of its own, and goes to a free one when it wakes up where another worker of
    /// the process, or a calling thread, computes. The system may move it, as any thread: away from
    /// other busy threads and processes. Whatever is started in a worker (threads, pools, programs)
    /// may use all cores.
    ///
    /// With another number of workers, and on other systems than Linux and Android, the same as
    /// [`Off`](Pinning::Off).
    #[default]
    Auto,
    /// Worker `i` is pinned to the `i`-th usable core, wrapping around: with more workers than
    /// cores, some share one.
    ///
    /// For a machine that runs nothing else: the workers stay on their cores whoever else computes
    /// there, another pool's workers or another process. What is started in a worker is confined to
    /// its core, if it is not started in [`unpinned`](crate::unpinned). (A pool is not.)
    Cores,
    /// Worker `i` is pinned to core `ids[i]`. A core that is not usable is an error; one that
    /// stands there twice is shared.
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
    /// One of each physical core: for work that gains nothing from two threads on one core, as
    /// dense linear algebra. Where the system does not tell which belong together (Linux does),
    /// all.
    Physical,
}

/// What workers without work do before they sleep. Sleeping workers use no processor time.
///
/// Waking a sleeper takes 5 to 50 µs, a spinning one notices work within 0.3 µs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdlePolicy {
    /// A worker that was needed again within about 50 µs the last few times spins for up to 50 µs;
    /// any other sleeps at once. At most half of the idle workers spin.
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

/// All but how threads are started.
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

/// Threads are started by the standard library.
#[derive(Debug, Default)]
pub struct DefaultSpawn;

/// Threads are started by a [spawn handler](ThreadPoolBuilder::spawn_handler).
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
    /// The [default number](Self::num_threads) of workers, named `taskel-0`, `taskel-1`, …
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds a pool whose threads live as long as `with_pool` runs, each of them inside of a call
    /// of `wrapper`, which calls
    /// [`ThreadBuilder::run`]: what it borrows, or sets for the thread before, the pool's work finds there.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    ///
    /// # Panics
    ///
    /// When `with_pool` does, or a `wrapper`.
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
    /// Sets the number of workers, at most 4096; 0 means the default.
    ///
    /// The default with [`Pinning::Explicit`] is the number of cores listed. Else it is the number
    /// in the environment variable `TASKEL_NUM_THREADS`, or if that is not set, in
    /// `RAYON_NUM_THREADS`; and if neither is, or it is 0, the number of cores that the process's
    /// affinity mask and its control group's quota allow
    /// ([`available_parallelism`](std::thread::available_parallelism)). What is no such number
    /// there is an error for [`build`](Self::build); a global pool that starts by itself takes no
    /// notice of it.
    ///
    /// More workers than cores are allowed and share them: that helps taskels that wait for input
    /// or output, and costs those that compute a little for switching.
    pub fn num_threads(mut self, num_threads: usize) -> Self {
        self.settings.num_threads = num_threads;
        self
    }

    /// Sets where the workers run; [`Pinning::Auto`] unless set.
    pub fn pinning(mut self, pinning: Pinning) -> Self {
        self.settings.pinning = pinning;
        self
    }

    /// Sets which cores the pool is for; [`Cores::All`] unless set.
    ///
    /// They count for the default number of workers, and for [`Pinning::Auto`] and
    /// [`Pinning::Cores`].
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

    /// Sets what idle workers do; [`IdlePolicy::Adaptive`] unless set.
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

    /// Sets the stack size of each worker's thread in bytes, at least 256 KiB; the standard
    /// library's default unless set.
    ///
    /// It is that of the workers. A thread from outside takes part in its own calls, with the stack
    /// that it has: code that needs a large one runs [on a worker](ThreadPool::run_on_worker).
    ///
    /// Nested [yields](crate::yield_now()) may use half a MiB of it, or a quarter, if that is less.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.settings.stack_size = Some(bytes);
        self
    }

    /// Sets a function that each worker calls, with its index, before it looks for work.
    ///
    /// A thread from outside that takes part in its own calls has not called it. What needs the
    /// thread-local values that it sets runs [on a worker](ThreadPool::run_on_worker).
    ///
    /// A panic of the handler goes to the [`panic_handler`](Self::panic_handler), and the worker
    /// goes on.
    pub fn start_handler(mut self, handler: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.settings.start_handler = Some(Arc::new(handler));
        self
    }

    /// Sets a function that each worker calls, with its index, before its thread ends.
    ///
    /// The pool is over by then: what the handler spawns runs right there. A panic of the handler
    /// goes to the [`panic_handler`](Self::panic_handler).
    pub fn exit_handler(mut self, handler: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.settings.exit_handler = Some(Arc::new(handler));
        self
    }

    /// Sets what is called with the payload of a panic that reaches nobody: of
    /// [`spawn`](crate::spawn) and [`spawn_broadcast`](crate::spawn_broadcast), of a
    /// [`Task`](crate::Task) whose handle was dropped, of the start and exit handlers. Unless set,
    /// such a panic aborts the process, as does one of the handler itself.
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

    /// Sets what starts the thread of each worker, for programs that have their own way to make
    /// threads: it is called once per worker, by [`build`](Self::build), and sees to it that
    /// [`ThreadBuilder::run`] is called on a thread which serves for nothing else.
    ///
    /// [`build`](Self::build) waits until all of them run, and dropping the pool until all `run`s
    /// have returned.
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

    /// Makes the thread that builds the pool its worker 0, from then on until it ends: what it
    /// calls without a pool runs on this one.
    ///
    /// It takes up what others left for the pool only inside of a scope, join or loop, and as it
    /// [yields](crate::yield_now()): in a pool of one thread, what was [spawned](crate::spawn)
    /// begins then. So [`broadcast`](crate::broadcast) and
    /// [`run_on_worker`](ThreadPool::run_on_worker), called elsewhere, may wait for long. Its name,
    /// its stack and where it runs are left as they are, and it calls no start or exit handler. The
    /// memory of such a pool is never freed.
    ///
    /// Where there are no threads, this changes nothing.
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

    /// Holds workers back while memory is short; off unless set.
    ///
    /// As long as the process's control group uses more than nine tenths of its limit, or tasks are
    /// stalled for want of memory during more than a tenth of the time, workers stop taking up work
    /// for callers, between two chunks of a loop or two tasks of a scope, one after the other,
    /// until each caller is alone; as it passes, they come back. Nothing is cancelled: fewer items
    /// are in memory at a time. Where a loop runs for the first time, its caller begins alone, and
    /// workers are added as long as what they are expected to take fits under the limit, at most
    /// twice as many every 50 ms.
    ///
    /// It looks every 50 ms, and between two items. What items take that are begun already, or that
    /// take far more than those before at the same place, it cannot prevent. A worker that comes
    /// back makes the state of a [`map_init`](crate::iter::ParallelIterator::map_init) anew.
    /// Streams limit by themselves [what is in flight](crate::stream::Stream::max_in_flight_bytes);
    /// what was [spawned](crate::spawn), broadcasts, and what callers do themselves is never held
    /// back.
    ///
    /// [`WorkerMetrics::held_back`](crate::WorkerMetrics::held_back) and
    /// [`WorkerProfile::held_back`](crate::WorkerProfile::held_back) tell for how long workers
    /// were.
    ///
    /// A pool can be built with it only where the system tells how much memory there is, as Linux
    /// does; see [`MemoryBudget::detect`](crate::MemoryBudget::detect).
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
    /// Starts the workers, and returns once all of them run, each where it belongs.
    ///
    /// # Errors
    ///
    /// When a core is not usable, a [memory guard](Self::memory_guard) has nothing to go by, the
    /// [environment](Self::num_threads) asks for a number of workers that is none, the system
    /// refuses to start or to pin a thread, or the [current thread](Self::use_current_thread) is in
    /// the midst of a pool's work. Threads that were started are ended.
    ///
    /// # Panics
    ///
    /// When the function given to [`thread_name`](Self::thread_name) does.
    pub fn build(mut self) -> Result<ThreadPool, ThreadPoolBuildError> {
        let pool = build::build(self.settings, self.spawn.handler())?;
        // Here and not at the end of the function: what is being returned when a drop panics there
        // is never dropped (rust-lang/rust#47949), and the handler may own what does.
        drop(self.spawn);
        Ok(pool)
    }

    /// Makes the pool that serves all parallel calls outside of any other pool, and lives until the
    /// process ends.
    ///
    /// # Errors
    ///
    /// When there is one already, because this was called before or because a parallel call has
    /// started it; and as [`build`](Self::build).
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
