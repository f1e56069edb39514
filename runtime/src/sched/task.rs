//! Tasks that belong to a pool: `spawn`, and `submit`, whose result somebody may wait for later.

use std::future::Future;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::profile::calls::{CallId, CallSite, Caller};
use crate::protocol::task::{Left, TaskCell, Waited};
use crate::sched::carried::Carried;
use crate::sched::job::{Ancestor, Origin, Run};
use crate::sched::lane::LaneContext;
#[cfg(all(loom, feature = "loom"))]
use crate::sched::modelled;
use crate::sched::outside::Outsider;
use crate::sched::pool::{
    Detached, PoolState, ThreadPool, enter, with_current_lane, with_lane, with_pool, with_surrounding,
    with_worker,
};
use crate::sched::recorded::{OpenPart, OpenWait, tell_from_here};
use crate::sched::unwind::{self, drop_quietly};
use crate::sched::wait::wait;
use crate::sync::{AtomicU32, Mutex, Ordering};

/// Hands `f` to the surrounding pool, and returns at once. Some worker runs `f` later.
///
/// The oldest task begins first. Only the pool waits for tasks: dropping it first runs them. If no
/// pool could be made, `f` runs at once on the calling thread.
///
/// A panic of `f` goes to the pool's [`panic_handler`](crate::ThreadPoolBuilder::panic_handler);
/// without one it aborts the process.
///
/// A call costs one allocation (every 63rd call one more, for the queue), and the time to wake a
/// worker if none is awake.
///
/// ```
/// let (sender, receiver) = std::sync::mpsc::channel();
/// taskel::spawn(move || sender.send(6 * 7).unwrap());
/// assert_eq!(receiver.recv(), Ok(42));
/// ```
#[track_caller]
pub fn spawn<F>(f: F)
where
    F: FnOnce() + Send + 'static,
{
    spawn_at(Location::caller(), f);
}

/// Hands `f` to the surrounding pool, and returns a handle to its result at once. Some worker runs
/// `f` later.
///
/// The oldest task begins first, as with [`spawn`]. If no pool could be made, `f` runs at once on
/// the calling thread.
///
/// A call costs one allocation (every 63rd call one more, for the queue), and the time to wake a
/// worker if none is awake.
///
/// # Panics
///
/// This call does not panic. A panic of `f` continues where the result is [taken](Task).
///
/// ```
/// let task = taskel::submit(|| 6 * 7);
/// assert_eq!(task.join(), 42);
/// ```
#[track_caller]
pub fn submit<F, R>(f: F) -> Task<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    hand_to(PoolState::inject, f, Location::caller())
}

/// Does the same as [`submit`], for a thread outside the pool that waits next.
#[track_caller]
pub(crate) fn call<F, R>(f: F) -> Task<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let is_worker = with_worker(|lane| lane.is_some());
    let hand = if is_worker { PoolState::call } else { PoolState::inject };
    hand_to(hand, f, Location::caller())
}

/// Does the same as [`spawn`], which begins the oldest task first. It exists for programs written
/// for rayon.
///
/// ```
/// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
/// let (sender, receiver) = std::sync::mpsc::channel();
/// for n in 0..3 {
///     let sender = sender.clone();
///     pool.install(|| taskel::spawn_fifo(move || sender.send(n).unwrap()));
/// }
/// drop(sender);
/// assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[track_caller]
pub fn spawn_fifo<F>(f: F)
where
    F: FnOnce() + Send + 'static,
{
    spawn(f);
}

impl ThreadPool {
    /// Hands `f` to this pool, like [`spawn`](crate::spawn).
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// let (sender, receiver) = std::sync::mpsc::channel();
    /// pool.spawn(move || sender.send("done").unwrap());
    /// drop(pool);
    /// assert_eq!(receiver.try_recv(), Ok("done"));
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        let caller = Location::caller();
        self.install(|| spawn_at(caller, f));
    }

    /// Does the same as [`spawn`](Self::spawn), which begins the oldest task first.
    #[track_caller]
    pub fn spawn_fifo<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        self.spawn(f);
    }

    /// Hands `f` to this pool, like [`submit`](crate::submit).
    ///
    /// # Panics
    ///
    /// This call does not panic; see [`submit`](crate::submit).
    ///
    /// ```
    /// let pool = taskel::ThreadPool::new()?;
    /// let tasks: Vec<_> = (0..4).map(|n| pool.submit(move || n * n)).collect();
    /// let squares: Vec<u32> = tasks.into_iter().map(taskel::Task::join).collect();
    /// assert_eq!(squares, [0, 1, 4, 9]);
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    #[track_caller]
    pub fn submit<F, R>(&self, f: F) -> Task<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let caller = Location::caller();
        self.install(|| hand_to(PoolState::inject, f, caller))
    }
}

/// A handle to the result of a [submitted](submit) task.
///
/// [`join`](Self::join) blocks until the result is there. The handle is also a [`Future`], for any
/// executor. Dropping the handle detaches the task; it still runs.
///
/// # Panics
///
/// A panic of the task continues where the result is taken. If the handle was dropped before the
/// panic, the panic goes to the pool's [`panic_handler`](crate::ThreadPoolBuilder::panic_handler),
/// or aborts the process if there is none. If the handle is dropped after the panic, the payload is
/// dropped with it, as with the standard library's `JoinHandle`.
///
/// ```
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// let mut task = pin!(taskel::submit(|| 1 + 1));
/// // An executor would sleep until its waker is called.
/// let result = loop {
///     if let Poll::Ready(result) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
///         break result;
///     }
/// };
/// # use std::future::Future;
/// assert_eq!(result, 2);
/// ```
pub struct Task<R: Send + 'static> {
    /// None once the result was taken.
    core: Option<Arc<dyn Joinable<R>>>,
}

type Outcome<R> = thread::Result<R>;

/// The waiters to wake when a task ends.
enum Waiter {
    Waker(Waker),
    /// A lane of the task's pool.
    Lane(usize),
    Outsider(Outsider),
}

/// A task as its handle sees it.
trait Joinable<R>: Send + Sync {
    fn cell(&self) -> &TaskCell<Outcome<R>, Waiter>;

    /// Does the work here, unless it has been begun.
    fn run_here(&self);

    fn pool(&self) -> Option<&Arc<PoolState>>;

    /// In a process that was forked since: does the work here, unless it was begun before.
    ///
    /// # Panics
    ///
    /// If it was.
    fn finish_left_behind(&self) -> Option<Outcome<R>>;

    /// The lane that does the work, if that is known; a hint.
    fn runner(&self) -> Option<usize>;

    /// The task's name in profiles; 0 if it has none.
    fn recorded(&self) -> CallId;
}

struct Core<F, R> {
    /// The thread that takes it out runs the task.
    work: Mutex<Option<F>>,
    cell: TaskCell<Outcome<R>, Waiter>,
    /// The pool that the work was handed to, and holds until it is done.
    pool: Option<Arc<PoolState>>,
    /// The lane that does the work, plus one.
    runner: AtomicU32,
    recorded: CallId,
    carried: Carried,
}

fn spawn_at<F>(caller: Caller, f: F)
where
    F: FnOnce() + Send + 'static,
{
    with_pool(None, |pool| hand_over(pool, f, TaskCell::detached(), PoolState::inject, caller));
}

/// Hands a task to the surrounding pool, for a thread that may wait for it.
fn hand_to<F, R>(hand: fn(&PoolState, Arc<dyn Detached>), f: F, caller: Caller) -> Task<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    with_pool(None, |pool| Task { core: Some(hand_over(pool, f, TaskCell::new(), hand, caller)) })
}

/// By `hand` to the pool, if there is one.
fn hand_over<F, R>(
    pool: Option<&PoolState>,
    f: F,
    cell: TaskCell<Outcome<R>, Waiter>,
    hand: fn(&PoolState, Arc<dyn Detached>),
    caller: Caller,
) -> Arc<Core<F, R>>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let recorded = match pool {
        Some(pool) if pool.profiling() => {
            tell_from_here(pool, |lane| lane.spawned(CallSite::of::<F>(caller)))
        }
        _ => 0,
    };
    let hold = pool.and_then(PoolState::hold);
    let core = Arc::new(Core {
        work: Mutex::new(Some(f)),
        cell,
        pool: hold.as_ref().and(pool).map(PoolState::shared),
        runner: AtomicU32::new(0),
        recorded,
        carried: Carried::from_here(),
    });
    match pool.zip(hold) {
        Some((pool, hold)) => {
            // The thread that runs the task releases it.
            std::mem::forget(hold);
            hand(pool, Arc::clone(&core) as _);
        }
        None => run_without_pool(&core),
    }
    core
}

#[cfg(not(all(loom, feature = "loom")))]
fn run_without_pool<F, R>(core: &Arc<Core<F, R>>)
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    core.run_here();
}

/// On another lane of a model, or here.
#[cfg(all(loom, feature = "loom"))]
fn run_without_pool<F, R>(core: &Arc<Core<F, R>>)
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    if !crate::sync::is_modelled() {
        return core.run_here();
    }
    let posted = Arc::clone(core);
    modelled::post_detached(Arc::as_ptr(core).addr(), Box::new(move || posted.run_here()));
}

impl<F, R> Core<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    fn take_work(&self) -> Option<F> {
        if self.is_left_behind() {
            // If the lock is held, then by a thread of another process, which was about to begin.
            return self.work.try_lock().ok()?.take();
        }
        // No user code runs under it, so it is whole even if poisoned.
        self.work.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }

    /// Does the work, as a part of what profiles see.
    fn do_recorded(&self, lane: &LaneContext<'_>, work: F) -> R {
        let part = (self.recorded != 0).then(|| OpenPart::only(lane, self.recorded));
        let result = work();
        if let Some(part) = part {
            part.end(lane);
        }
        result
    }

    /// Whether the pool's threads are in the process that this one was forked from.
    fn is_left_behind(&self) -> bool {
        self.pool.as_ref().is_some_and(|pool| !pool.is_usable())
    }

    /// The work is over: last of all, it lets the pool go.
    fn complete(&self, outcome: Outcome<R>) {
        let told = match self.cell.complete(outcome) {
            Ok(waiter) => unwind::catch(|| self.tell(waiter)),
            Err(Ok(unwanted)) => unwind::catch(|| drop(unwanted)),
            Err(Err(payload)) => Err(payload),
        };
        if let Err(payload) = told {
            match &self.pool {
                Some(pool) => PoolState::handle_panic(Some(pool), payload),
                None => with_surrounding(|pool| PoolState::handle_panic(pool, payload)),
            }
        }
        if let Some(pool) = &self.pool {
            pool.release();
        }
    }

    fn tell(&self, waiter: Option<Waiter>) {
        match waiter {
            Some(Waiter::Waker(waker)) => waker.wake(),
            Some(Waiter::Outsider(outsider)) => outsider.wake(),
            Some(Waiter::Lane(lane)) => {
                let pool = self.pool.as_ref().expect("a lane waits only for a task of its pool");
                pool.sleep.wake_waiting(lane);
            }
            None => (),
        }
    }
}

impl<F, R> Detached for Core<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    fn run(self: Arc<Self>) {
        let Some(work) = self.take_work() else { return };
        with_current_lane(|lane| {
            let lane = lane.expect("workers are lanes");
            self.runner.store(lane.index() as u32 + 1, Ordering::Relaxed);
            let ancestor: Ancestor = Arc::as_ptr(&self).cast();
            // SAFETY: it was born in no run.
            let run = unsafe { Run::new(ancestor, Origin::OUTSIDE) };
            lane.in_run(&run, || {
                let _inside = self.carried.enter();
                let outcome = unwind::catch(|| self.do_recorded(lane, work));
                self.complete(outcome);
            });
        });
    }
}

impl<F, R> Joinable<R> for Core<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    fn cell(&self) -> &TaskCell<Outcome<R>, Waiter> {
        &self.cell
    }

    fn run_here(&self) {
        let Some(work) = self.take_work() else { return };
        let _inside = self.carried.enter();
        let outcome = unwind::catch(|| match &self.pool {
            Some(pool) if self.recorded != 0 && pool.is_usable() && pool.profiling() => {
                enter(pool, || with_lane(pool, |lane| self.do_recorded(lane, work)))
            }
            Some(pool) => enter(pool, work),
            None => work(),
        });
        #[cfg(all(loom, feature = "loom"))]
        let outcome = {
            modelled::synchronise();
            modelled::unless_stuck(outcome)
        };
        self.complete(outcome);
    }

    fn pool(&self) -> Option<&Arc<PoolState>> {
        self.pool.as_ref()
    }

    fn finish_left_behind(&self) -> Option<Outcome<R>> {
        if !self.is_left_behind() {
            return None;
        }
        self.run_here();
        Some(self.cell.take_left_behind().unwrap_or_else(|| {
            panic!("Task: it was begun in the parent process; in a forked child nobody can finish it")
        }))
    }

    fn runner(&self) -> Option<usize> {
        self.runner.load(Ordering::Relaxed).checked_sub(1).map(|lane| lane as usize)
    }

    fn recorded(&self) -> CallId {
        self.recorded
    }
}

impl<R: Send + 'static> Task<R> {
    /// Waits for the task, and returns its result.
    ///
    /// If no worker has begun the task, the calling thread runs it at once, inside the task's pool.
    /// So a worker may wait for a task of its own pool, even in a pool of one thread. While a
    /// worker waits for a task that another worker runs, it runs only work that descends from the
    /// task.
    ///
    /// # Panics
    ///
    /// Panics when the task panicked, with the same payload; when an earlier poll was `Ready`; and
    /// in a forked child, if the parent had begun the task.
    ///
    /// ```
    /// let task = taskel::submit(|| String::from("result"));
    /// assert_eq!(task.join(), "result");
    /// ```
    #[track_caller]
    pub fn join(self) -> R {
        let (pool, task) = self.recorded();
        let _wait = pool.as_ref().map(|pool| OpenWait::begin(pool, task));
        self.core.as_ref().expect(TAKEN).run_here();
        self.wait_for_result()
    }

    /// The pool whose profiles know the task, and as what.
    #[track_caller]
    fn recorded(&self) -> (Option<Arc<PoolState>>, CallId) {
        let core = self.core.as_ref().expect(TAKEN);
        let pool = core.pool().filter(|pool| core.recorded() != 0 && pool.is_usable());
        (pool.map(Arc::clone), core.recorded())
    }

    /// Waits like `join`, but leaves the work to a worker, unless there are none in this process.
    #[track_caller]
    pub(crate) fn join_elsewhere(self) -> R {
        let (pool, task) = self.recorded();
        let _wait = pool.as_ref().map(|pool| OpenWait::begin(pool, task));
        self.wait_for_result()
    }

    #[track_caller]
    fn wait_for_result(mut self) -> R {
        let core = self.core.take().expect(TAKEN);
        if let Some(outcome) = core.finish_left_behind() {
            return unwrap(outcome);
        }
        #[cfg(all(loom, feature = "loom"))]
        modelled::finish(Arc::as_ptr(&core).addr());
        with_current_lane(|lane| {
            let same_pool =
                |pool: &Arc<PoolState>| lane.filter(|lane| ptr::eq(lane.pool(), Arc::as_ptr(pool)));
            if let Some(lane) = core.pool().and_then(same_pool).filter(|_| !core.cell().is_over()) {
                if let Waited::Result(outcome) = core.cell().wait(Waiter::Lane(lane.index())) {
                    return unwrap(outcome);
                }
                let ancestor: Ancestor = Arc::as_ptr(&core).cast();
                wait(lane, ancestor, &|look| core.runner().is_some_and(look), &|| core.cell().is_over());
            }
            let outsider = Outsider::here();
            loop {
                match core.cell().wait(Waiter::Outsider(outsider.clone())) {
                    Waited::Result(outcome) => return unwrap(outcome),
                    Waited::Registered(_) => outsider.wait(&|| core.cell().is_over()),
                    Waited::Gone => unreachable!("the handle alone takes the result"),
                }
            }
        })
    }

    /// Tests whether the task has ended, so that [`join`](Self::join) would return at once.
    ///
    /// ```
    /// let task = taskel::submit(|| ());
    /// while !task.is_finished() {
    ///     std::thread::yield_now();
    /// }
    /// task.join();
    /// ```
    pub fn is_finished(&self) -> bool {
        #[cfg(all(loom, feature = "loom"))]
        modelled::synchronise();
        self.core.as_ref().is_none_or(|core| core.cell().is_over())
    }
}

// Whatever the work has left half done is behind the panic that arrives in place of its result.
impl<R: Send + 'static> UnwindSafe for Task<R> {}
impl<R: Send + 'static> RefUnwindSafe for Task<R> {}

const TAKEN: &str = "Task: the result was taken already, by a poll that was ready";

fn unwrap<R>(outcome: Outcome<R>) -> R {
    outcome.unwrap_or_else(|payload| unwind::resume(payload))
}

impl<R: Send + 'static> Future for Task<R> {
    type Output = R;

    /// # Panics
    ///
    /// Panics when the task panicked, with the same payload; when an earlier poll was `Ready`; and
    /// in a forked child, if the parent had begun the task.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let core = self.core.as_ref().expect(TAKEN);
        if let Some(outcome) = core.finish_left_behind() {
            self.core = None;
            return Poll::Ready(unwrap(outcome));
        }
        #[cfg(all(loom, feature = "loom"))]
        modelled::synchronise();
        match core.cell().wait(Waiter::Waker(context.waker().clone())) {
            Waited::Registered(before) => {
                drop(before);
                Poll::Pending
            }
            Waited::Result(outcome) => {
                self.core = None;
                Poll::Ready(unwrap(outcome))
            }
            Waited::Gone => unreachable!("the handle alone takes the result"),
        }
    }
}

impl<R: Send + 'static> Drop for Task<R> {
    /// Detaches the task. If it has ended, drops its result; a panic of that drop continues here.
    fn drop(&mut self) {
        let Some(core) = self.core.take() else { return };
        match core.cell().detach() {
            Left::Result(Ok(result)) => drop(result),
            Left::Result(Err(payload)) => drop_quietly(payload),
            Left::Waiter(waiter) => drop(waiter),
        }
    }
}

impl<R: Send + 'static> std::fmt::Debug for Task<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("is_finished", &self.is_finished()).finish()
    }
}
