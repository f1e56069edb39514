//! Takes the place of the engine in a user's model (`--cfg loom` with the feature `loom`): a board
//! of pieces of work, and one or two of loom's threads that take them.
//!
//! The engine is compiled, but its pools count as pools without threads, as in WebAssembly. So
//! every parallel call reaches the place where it would run on the calling thread alone. From
//! there, inside a model, the call comes here: a loop posts a piece for each lane, a join posts its
//! second half, and scopes, tasks and broadcasts post a piece for each call. A thread that waits
//! for pieces takes back those that nobody has begun, and helps with work that descends from them.
//! Then it waits for what runs on another thread. These are the rules of the engine, with one lock
//! in place of its protocols. loom sees what the engine promises: a piece happens after it was
//! posted, and before the wait for it returns.
//!
//! # When loom gives up
//!
//! loom reports a deadlock, or a model that is too large, by a panic, perhaps in the middle of a
//! wait here. The panic destroys stack frames that other threads borrow from. That is sound only
//! because loom runs no other thread of that execution any more ([`is_stuck`]). In all other cases
//! the process is aborted.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::Write;
use std::mem::{self, ManuallyDrop};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, TryLockError};
use std::thread::{self, ThreadId};

use loom::sync::{Condvar, Mutex, MutexGuard};
use loom::thread::JoinHandle;

use crate::sched::pool::{PoolState, USUAL_LANES_OF_MODEL, enter, with_surrounding};
use crate::sched::unwind::Payload;
use crate::sync::{ModelledBool, Ordering, is_modelled, per_thread};

/// A number of words or of bytes: loom's name says one and means the other.
const STACK: usize = 1 << 17;

pub(crate) type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Something to do, which does not unwind.
struct Piece {
    job: Job<'static>,
    /// What waits for it, and what that is inside: addresses, the innermost last.
    ancestors: Vec<usize>,
    /// Where it was posted.
    pool: Option<Arc<PoolState>>,
}

#[derive(Default)]
struct Board {
    waiting: VecDeque<Piece>,
    /// The ancestors of what has been begun and is not over.
    running: Vec<Vec<usize>>,
    helpers: Vec<JoinHandle<()>>,
    is_over: bool,
}

#[derive(Default)]
struct Hall {
    board: Mutex<Board>,
    /// There is a piece more, or one is over.
    changed: Condvar,
    /// Nothing is read from it: see [`touch`].
    tokens: ModelledBool,
}

/// That of one execution.
struct Execution(ManuallyDrop<Arc<Hall>>);

loom::lazy_static! {
    static ref EXECUTION: Execution = Execution(ManuallyDrop::new(Arc::default()));
}

loom::thread_local! {
    /// The ancestors of what this thread is doing.
    static ANCESTORS: RefCell<Vec<usize>> = RefCell::new(Vec::new());
    /// Of a helper, which may run on when the model's main thread has ended, and its statics are
    /// gone.
    static HELPED: RefCell<Option<Arc<Hall>>> = RefCell::new(None);
    static HERE: u8 = 0;
}

per_thread! {
    static INDEX: Option<usize> = None;
}

/// On how many threads a parallel call runs here, at most.
pub(crate) fn lanes() -> usize {
    match is_modelled() {
        true => with_surrounding(|pool| pool.map_or(USUAL_LANES_OF_MODEL, PoolState::num_threads)),
        false => 1,
    }
}

/// Whose values are whose in a [`WorkerLocal`](crate::WorkerLocal).
pub(crate) type ThreadKey = (ThreadId, Option<loom::thread::ThreadId>);

pub(crate) fn this_thread() -> ThreadKey {
    (thread::current().id(), is_modelled().then(|| loom::thread::current().id()))
}

/// Calls `make`, which runs no code of the user's, outside of the model: loom's threads have 32 KiB
/// of stack.
pub(crate) fn on_large_stack<R: Send>(make: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(make).join()).unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// A number that no other thread of the model has that is alive.
pub(crate) fn thread_number() -> Option<usize> {
    is_modelled().then(|| HERE.with(|here| ptr::from_ref(here).addr()))
}

pub(crate) fn worker_index() -> Option<usize> {
    INDEX.get()
}

/// Calls `op` as worker `index` would; `op` does not unwind.
pub(crate) fn as_worker<R>(index: usize, op: impl FnOnce() -> R) -> R {
    let before = INDEX.get();
    INDEX.set(Some(index));
    let result = op();
    INDEX.set(before);
    result
}

/// An access to a token: loom tries others before and after it. It carries nothing.
pub(crate) fn touch(writes: bool) {
    if is_modelled() {
        let hall = hall();
        match writes {
            true => hall.tokens.store(true, Ordering::Relaxed),
            false => drop(hall.tokens.load(Ordering::Relaxed)),
        }
    }
}

/// What came before this call on another thread happens before what comes after it here.
pub(crate) fn synchronise() {
    if is_modelled() {
        drop(hall().lock());
    }
}

/// Calls `op`, code of the user's, under a lock; meanwhile other threads may run.
pub(crate) fn with_lock<T, R>(mutex: &std::sync::Mutex<T>, op: impl FnOnce(&T) -> R) -> R {
    loop {
        // loom does not see the lock.
        synchronise();
        let value = match mutex.try_lock() {
            Ok(value) => value,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                loom::thread::yield_now();
                continue;
            }
        };
        let result = op(&value);
        synchronise();
        return result;
    }
}

fn hall() -> Arc<Hall> {
    let helped = HELPED.with(|hall| hall.borrow().clone());
    helped.unwrap_or_else(|| Arc::clone(&EXECUTION.0))
}

impl Hall {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn wait<'h>(&'h self, board: MutexGuard<'h, Board>) -> MutexGuard<'h, Board> {
        self.changed.wait(board).unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn post(self: &Arc<Self>, helpers: usize, piece: Piece) {
        let mut board = self.lock();
        board.waiting.push_back(piece);
        while board.helpers.len() < helpers && !board.is_over {
            let hall = Arc::clone(self);
            let index = board.helpers.len() + 1;
            let thread = loom::thread::Builder::new().name(format!("taskel-{index}")).stack_size(STACK);
            let thread = thread.spawn(move || {
                HELPED.with(|helped| helped.replace(Some(Arc::clone(&hall))));
                as_worker(index, || hall.help());
            });
            board.helpers.push(thread.expect("loom starts a thread, or panics"));
        }
        drop(board);
        self.changed.notify_all();
    }

    /// A helper's life: the oldest first.
    fn help(&self) {
        let mut board = self.lock();
        while !board.is_over {
            board = match board.waiting.pop_front() {
                Some(piece) => self.run(board, piece),
                None => self.wait(board),
            };
        }
    }

    fn run<'h>(&'h self, mut board: MutexGuard<'h, Board>, piece: Piece) -> MutexGuard<'h, Board> {
        let Piece { job, ancestors, pool } = piece;
        board.running.push(ancestors.clone());
        drop(board);
        let outer = ANCESTORS.with(|own| own.replace(ancestors));
        match &pool {
            Some(pool) => enter(pool, job),
            None => job(),
        }
        let ancestors = ANCESTORS.with(|own| own.replace(outer));
        let mut board = self.lock();
        let at = board.running.iter().position(|running| *running == ancestors);
        board.running.swap_remove(at.expect("it was put there above"));
        self.changed.notify_all();
        board
    }

    fn finish(&self, ancestor: usize) {
        let mut board = self.lock();
        loop {
            let newest = board.waiting.iter().rposition(|piece| piece.ancestors.contains(&ancestor));
            if let Some(piece) = newest.and_then(|at| board.waiting.remove(at)) {
                board = self.run(board, piece);
            } else if board.running.iter().any(|ancestors| ancestors.contains(&ancestor)) {
                board = self.wait(board);
            } else {
                return;
            }
        }
    }
}

impl Drop for Execution {
    /// Ends the helpers, at the end of an execution. What nobody has begun, and nobody waits for,
    /// is dropped.
    fn drop(&mut self) {
        // An execution that has failed may be dropped from outside. Then nothing runs any more, and
        // what is posted may borrow from what is gone.
        if !is_modelled() || thread::panicking() {
            return;
        }
        let helpers = {
            let mut board = self.0.lock();
            board.is_over = true;
            mem::take(&mut board.helpers)
        };
        self.0.changed.notify_all();
        helpers.into_iter().for_each(|helper| helper.join().expect("a helper that panics ends the model"));
        let left = mem::take(&mut self.0.lock().waiting);
        drop(left);
        // SAFETY: this is the end of `self`.
        drop(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// The ancestors of what the calling thread is doing; none outside of a model.
pub(crate) fn current_ancestors() -> Vec<usize> {
    if !is_modelled() {
        return Vec::new();
    }
    ANCESTORS.with(|ancestors| ancestors.borrow().clone())
}

fn post(helpers: usize, ancestors: Vec<usize>, job: Job<'static>) {
    let pool = with_surrounding(|pool| pool.map(PoolState::shared));
    hall().post(helpers, Piece { job, ancestors, pool });
}

/// Posts a piece of work that is inside `ancestors`, for the thread that [finishes](finish)
/// `ancestor`. `job` does not unwind.
pub(crate) fn post_inside(ancestors: &[usize], ancestor: usize, job: Job<'static>) {
    post(lanes() - 1, [ancestors, &[ancestor]].concat(), job);
}

/// Posts work that no call waits for, only the thread that finishes `ancestor`, or the pool. `job`
/// does not unwind.
pub(crate) fn post_detached(ancestor: usize, job: Job<'static>) {
    let pool = with_surrounding(|pool| pool.map(|pool| ptr::from_ref(pool).addr()));
    post(lanes().max(2) - 1, pool.into_iter().chain([ancestor]).collect(), job);
}

/// Returns when everything that descends from `ancestor` is over, and does what nobody has begun.
pub(crate) fn finish(ancestor: usize) {
    if is_modelled() {
        catch_unwind(AssertUnwindSafe(|| hall().finish(ancestor))).unwrap_or_else(|payload| give_up(payload));
    }
}

/// The pool is dropped: what was spawned on it is done first, unless this is a part of that.
pub(crate) fn finish_pool(pool: &PoolState) {
    let ancestor = ptr::from_ref(pool).addr();
    if is_modelled() && !thread::panicking() && !current_ancestors().contains(&ancestor) {
        finish(ancestor);
    }
}

/// Runs `here`, and each of `others` on any lane, at the same time or not; returns when all are
/// over. They do not unwind, but by [`catch`].
pub(crate) fn together<'a, R>(others: impl IntoIterator<Item = Job<'a>>, here: impl FnOnce() -> R) -> R {
    let ancestor = 0_u8;
    let ancestor = ptr::from_ref(&ancestor).addr();
    let all = catch_unwind(AssertUnwindSafe(|| {
        let ancestors = current_ancestors();
        for other in others {
            // SAFETY: only the lifetime changes. This function returns when all that was posted is
            // over (`finish`), and unwinds only if nothing of it is ever run any more, or dropped
            // (`give_up`).
            let other = unsafe { mem::transmute::<Job<'a>, Job<'static>>(other) };
            post_inside(&ancestors, ancestor, other);
        }
        let result = here();
        finish(ancestor);
        result
    }));
    all.unwrap_or_else(|payload| give_up(payload))
}

/// Runs code of the user's. Unwinds only with what loom has to say at the end of a model.
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> thread::Result<R> {
    unless_stuck(catch_unwind(AssertUnwindSafe(code)))
}

/// The result of code of the user's, as [`catch`] has it.
pub(crate) fn unless_stuck<R>(result: thread::Result<R>) -> thread::Result<R> {
    match result {
        Err(payload) if is_stuck() => panic::resume_unwind(payload),
        result => result,
    }
}

/// Whether loom runs no other thread of this execution any more: it has found a deadlock, and no
/// thread is active, or it has come to the end of what it can note down. It refuses to switch from
/// then on.
fn is_stuck() -> bool {
    is_modelled() && catch_unwind(loom::thread::yield_now).is_err()
}

/// A wait cannot go on.
fn give_up(payload: Payload) -> ! {
    if is_stuck() {
        panic::resume_unwind(payload);
    }
    let said = message(&*payload);
    // Past what captures the output of tests.
    let _ = writeln!(std::io::stderr(), "taskel: a wait in a model has failed, and cannot be left: {said}");
    std::process::abort()
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}

/// Does something else, if there is anything.
pub(crate) fn do_something() -> bool {
    let hall = hall();
    let mut board = hall.lock();
    let Some(piece) = board.waiting.pop_front() else {
        drop(board);
        loom::thread::yield_now();
        return false;
    };
    drop(hall.run(board, piece));
    true
}
