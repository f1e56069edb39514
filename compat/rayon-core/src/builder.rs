//! The settings of a pool.

use std::any::Any;
use std::env;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;

use taskel::{Pinning, ThreadBuilder};

use crate::error::ThreadPoolBuildError;
use crate::pool::ThreadPool;
use crate::spawned::Spawned;
use crate::worker::{is_worker, make_global};

type Handler = Box<dyn Fn(usize) + Send + Sync>;
type PanicHandler = Box<dyn Fn(Box<dyn Any + Send>) + Send + Sync>;
type Name = Box<dyn FnMut(usize) -> String>;

/// Returns the largest number of workers in a pool.
pub fn max_num_threads() -> usize {
    taskel::max_num_threads()
}

/// Settings for a [`ThreadPool`].
///
/// ```
/// let pool = rayon_core::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
/// assert_eq!(pool.current_num_threads(), 3);
/// ```
pub struct ThreadPoolBuilder<S = DefaultSpawn> {
    num_threads: usize,
    use_current_thread: bool,
    breadth_first: bool,
    stack_size: Option<usize>,
    thread_name: Option<Name>,
    start_handler: Option<Handler>,
    exit_handler: Option<Handler>,
    panic_handler: Option<PanicHandler>,
    spawn: S,
}

/// Starts threads with the standard library.
#[derive(Debug)]
pub struct DefaultSpawn;

/// Starts threads with a function of the user.
#[derive(Debug)]
pub struct CustomSpawn<F>(F);

/// How threads are started.
pub trait ThreadSpawn {
    /// Builds a pool.
    #[doc(hidden)]
    fn build(
        self,
        builder: taskel::ThreadPoolBuilder,
    ) -> Result<taskel::ThreadPool, taskel::ThreadPoolBuildError>;

    /// Builds taskel's global pool.
    #[doc(hidden)]
    fn build_global(self, builder: taskel::ThreadPoolBuilder) -> Result<(), taskel::ThreadPoolBuildError>;
}

impl ThreadSpawn for DefaultSpawn {
    fn build(
        self,
        builder: taskel::ThreadPoolBuilder,
    ) -> Result<taskel::ThreadPool, taskel::ThreadPoolBuildError> {
        builder.build()
    }

    fn build_global(self, builder: taskel::ThreadPoolBuilder) -> Result<(), taskel::ThreadPoolBuildError> {
        builder.build_global()
    }
}

impl<F> ThreadSpawn for CustomSpawn<F>
where
    F: FnMut(ThreadBuilder) -> io::Result<()>,
{
    fn build(
        self,
        builder: taskel::ThreadPoolBuilder,
    ) -> Result<taskel::ThreadPool, taskel::ThreadPoolBuildError> {
        builder.spawn_handler(self.0).build()
    }

    fn build_global(self, builder: taskel::ThreadPoolBuilder) -> Result<(), taskel::ThreadPoolBuildError> {
        builder.spawn_handler(self.0).build_global()
    }
}

impl Default for ThreadPoolBuilder {
    fn default() -> Self {
        ThreadPoolBuilder {
            num_threads: 0,
            use_current_thread: false,
            breadth_first: false,
            stack_size: None,
            thread_name: None,
            start_handler: None,
            exit_handler: None,
            panic_handler: None,
            spawn: DefaultSpawn,
        }
    }
}

impl ThreadPoolBuilder {
    /// Creates settings with one worker for each core that the process may use.
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds a pool whose threads live while `with_pool` runs. Each thread runs inside a call of
    /// `wrapper`, which calls [`ThreadBuilder::run`].
    ///
    /// # Errors
    ///
    /// The errors of [`build`](Self::build).
    pub fn build_scoped<W, F, R>(self, wrapper: W, with_pool: F) -> Result<R, ThreadPoolBuildError>
    where
        W: Fn(ThreadBuilder) + Sync,
        F: FnOnce(&ThreadPool) -> R,
    {
        let wrapper = &wrapper;
        thread::scope(|scope| {
            let start = |thread: ThreadBuilder| {
                let mut builder = thread::Builder::new();
                if let Some(name) = thread.name() {
                    builder = builder.name(name.to_owned());
                }
                if let Some(bytes) = thread.stack_size() {
                    builder = builder.stack_size(bytes);
                }
                builder.spawn_scoped(scope, move || wrapper(thread)).map(drop)
            };
            let pool = self.spawn_handler(start).build()?;
            Ok(with_pool(&pool))
        })
    }
}

impl<S: ThreadSpawn> ThreadPoolBuilder<S> {
    /// Builds the pool.
    ///
    /// # Errors
    ///
    /// Returns an error if a thread cannot be started, or if the [current
    /// thread](Self::use_current_thread) is already in a pool.
    pub fn build(self) -> Result<ThreadPool, ThreadPoolBuildError> {
        let (builder, workers, spawn) = self.into_parts()?;
        let pool = spawn.build(builder)?;
        Ok(ThreadPool::of(pool, workers.ready()))
    }

    /// Builds the pool for calls outside of all other pools. It lives until the process ends.
    ///
    /// # Errors
    ///
    /// Returns an error if there is already such a pool, and in the cases of
    /// [`build`](Self::build).
    pub fn build_global(self) -> Result<(), ThreadPoolBuildError> {
        make_global(|| self.build_global_pool())
    }

    /// Builds the global pool without recording it here.
    pub(crate) fn build_global_pool(self) -> Result<(), ThreadPoolBuildError> {
        let (builder, workers, spawn) = self.into_parts()?;
        spawn.build_global(builder)?;
        workers.ready();
        Ok(())
    }

    fn into_parts(self) -> Result<(taskel::ThreadPoolBuilder, Workers, S), ThreadPoolBuildError> {
        let ThreadPoolBuilder { use_current_thread, spawn, .. } = self;
        if use_current_thread && is_worker() {
            return Err(ThreadPoolBuildError::thread_in_pool());
        }
        let num_threads = match self.num_threads {
            0 => default_num_threads(),
            asked => asked,
        };
        let num_threads = num_threads.min(max_num_threads());
        let spawned = Spawned::new(num_threads, self.breadth_first);
        let mut builder = taskel::ThreadPoolBuilder::new().num_threads(num_threads).pinning(pinning());
        if use_current_thread {
            builder = builder.use_current_thread();
        }
        if let Some(bytes) = self.stack_size {
            builder = builder.stack_size(bytes);
        }
        if let Some(name) = self.thread_name {
            builder = builder.thread_name(name);
        }
        if let Some(handler) = self.panic_handler {
            builder = builder.panic_handler(handler);
        }
        // With handlers, a pool has no reserves, because these have no index. A reserve works in
        // place of a sleeping worker, so there would be one thread more than indices. When this
        // worker wakes up, it must not wait for the reserve's index, because it may hold a lock
        // that the reserve needs.
        let (start, exit, entered) = (self.start_handler, self.exit_handler, Arc::clone(&spawned));
        builder = builder.start_handler(move |worker| {
            entered.enter(worker);
            if let Some(handler) = &start {
                handler(worker);
            }
        });
        builder = builder.exit_handler(move |worker| {
            Spawned::leave();
            if let Some(handler) = &exit {
                handler(worker);
            }
        });
        Ok((builder, Workers { spawned, use_current_thread }, spawn))
    }
}

/// What the workers of an unfinished pool will know about themselves.
struct Workers {
    spawned: Arc<Spawned>,
    use_current_thread: bool,
}

impl Workers {
    /// Records that the pool is built.
    fn ready(self) -> Arc<Spawned> {
        if self.use_current_thread {
            self.spawned.enter(0);
        }
        self.spawned
    }
}

impl<S> ThreadPoolBuilder<S> {
    /// Sets the function that starts the threads. [`build`](Self::build) calls it once per worker.
    /// It must call [`ThreadBuilder::run`] on a new thread.
    ///
    /// ```
    /// let pool = rayon_core::ThreadPoolBuilder::new()
    ///     .spawn_handler(|thread| {
    ///         std::thread::spawn(|| thread.run());
    ///         Ok(())
    ///     })
    ///     .build()
    ///     .unwrap();
    /// pool.install(|| ());
    /// ```
    pub fn spawn_handler<F>(self, spawn: F) -> ThreadPoolBuilder<CustomSpawn<F>>
    where
        F: FnMut(ThreadBuilder) -> io::Result<()>,
    {
        ThreadPoolBuilder {
            num_threads: self.num_threads,
            use_current_thread: self.use_current_thread,
            breadth_first: self.breadth_first,
            stack_size: self.stack_size,
            thread_name: self.thread_name,
            start_handler: self.start_handler,
            exit_handler: self.exit_handler,
            panic_handler: self.panic_handler,
            spawn: CustomSpawn(spawn),
        }
    }

    /// Sets the function that returns the name of each worker's thread, from its index.
    pub fn thread_name<F>(mut self, closure: F) -> Self
    where
        F: FnMut(usize) -> String + 'static,
    {
        self.thread_name = Some(Box::new(closure));
        self
    }

    /// Sets the number of workers. 0 means the default: the first of `TASKEL_NUM_THREADS`,
    /// `RAYON_NUM_THREADS` and `RAYON_RS_NUM_CPUS` that is set, or the number of cores. More than
    /// [`max_num_threads`] count as [`max_num_threads`].
    pub fn num_threads(mut self, num_threads: usize) -> Self {
        self.num_threads = num_threads;
        self
    }

    /// Makes the thread that builds the pool its worker 0, for the rest of the thread's life. It
    /// runs the pool's work only while it waits for the pool, or yields.
    pub fn use_current_thread(mut self) -> Self {
        self.use_current_thread = true;
        self
    }

    /// Sets the function that gets the payload of a panic that no caller receives. Without it, such
    /// a panic aborts the process.
    pub fn panic_handler<H>(mut self, panic_handler: H) -> Self
    where
        H: Fn(Box<dyn Any + Send>) + Send + Sync + 'static,
    {
        self.panic_handler = Some(Box::new(panic_handler));
        self
    }

    /// Sets the stack size of the workers' threads, in bytes.
    pub fn stack_size(mut self, stack_size: usize) -> Self {
        self.stack_size = Some(stack_size);
        self
    }

    /// Makes each worker run the oldest of its spawned tasks first.
    #[deprecated(note = "use `scope_fifo` and `spawn_fifo`")]
    pub fn breadth_first(mut self) -> Self {
        self.breadth_first = true;
        self
    }

    /// Sets the function that each worker calls first, with its index.
    pub fn start_handler<H>(mut self, start_handler: H) -> Self
    where
        H: Fn(usize) + Send + Sync + 'static,
    {
        self.start_handler = Some(Box::new(start_handler));
        self
    }

    /// Sets the function that each worker calls last, with its index.
    pub fn exit_handler<H>(mut self, exit_handler: H) -> Self
    where
        H: Fn(usize) + Send + Sync + 'static,
    {
        self.exit_handler = Some(Box::new(exit_handler));
        self
    }
}

impl<S> fmt::Debug for ThreadPoolBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolBuilder")
            .field("num_threads", &self.num_threads)
            .field("use_current_thread", &self.use_current_thread)
            .field("breadth_first", &self.breadth_first)
            .field("stack_size", &self.stack_size)
            .finish_non_exhaustive()
    }
}

/// Ignores values that are not numbers. 0 means the number of cores.
fn default_num_threads() -> usize {
    let number = |name| env::var(name).ok()?.trim().parse().ok();
    let asked = ["TASKEL_NUM_THREADS", "RAYON_NUM_THREADS", "RAYON_RS_NUM_CPUS"].into_iter().find_map(number);
    match asked {
        None | Some(0) => thread::available_parallelism().map_or(1, usize::from),
        Some(threads) => threads,
    }
}

fn pinning() -> Pinning {
    match env::var("TASKEL_PINNING").as_deref() {
        Ok("cores") => Pinning::Cores,
        Ok("auto") => Pinning::Auto,
        _ => Pinning::Off,
    }
}
