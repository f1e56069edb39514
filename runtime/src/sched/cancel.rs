//! Tokens that tell parallel work that its result is not wanted any more.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::sched::join::join;
use crate::sched::scope::{Scope, scope_with_cancel};
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// A flag that ends parallel work early.
///
/// [`cancel`](Self::cancel) or a deadline sets it. Loops check it between items
/// ([`ParallelIterator::with_cancel_token`](crate::iter::ParallelIterator::with_cancel_token)),
/// [`join`](Self::join) and [`scope`](Self::scope) check it before each closure, and any code may
/// check it with [`check`](Self::check).
///
/// All clones are the same token. A [child](Self::child_token) is cancelled with its parent, but
/// not the other way round.
///
/// The token carries no data: writes before [`cancel`](Self::cancel) need not be visible to a
/// thread that sees the token cancelled.
///
/// ```
/// use taskel::{CancelToken, Cancelled, prelude::*};
///
/// let token = CancelToken::new();
/// let result = (0..1_000_000_000_u64).into_par_iter().with_cancel_token(&token).try_for_each(|n| {
///     if n == 1000 {
///         token.cancel();
///     }
///     Ok(())
/// });
/// assert_eq!(result, Err(Cancelled));
/// ```
#[derive(Clone, Default)]
pub struct CancelToken {
    node: Arc<Node>,
}

struct Node {
    cancelled: AtomicBool,
    /// Nanoseconds since the first token with a deadline; `NEVER` without one.
    deadline_ns: AtomicU64,
    parent: Option<CancelToken>,
}

const NEVER: u64 = u64::MAX;

impl Default for Node {
    fn default() -> Self {
        Node { cancelled: AtomicBool::new(false), deadline_ns: AtomicU64::new(NEVER), parent: None }
    }
}

impl Drop for Node {
    /// Drops the ancestors of which this was the last descendant one after the other: there may be
    /// too many for the stack.
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(token) = parent {
            parent = Arc::into_inner(token.node).and_then(|mut node| node.parent.take());
        }
    }
}

/// The error that work was cancelled before it was complete.
///
/// If a call cannot return an error, this is the payload of a panic. Loops, joins, scopes and
/// [tasks](crate::Task) pass it on like any other. The panic hook reports it only if it leaves the
/// outermost of them, or reaches nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled before it was complete")
    }
}

impl std::error::Error for Cancelled {}

impl CancelToken {
    /// Makes a token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a child: a token that is cancelled when this one is, and can also be cancelled alone.
    ///
    /// Checking a token that is not cancelled also checks each of its ancestors, so the time grows
    /// with its depth.
    ///
    /// ```
    /// let parent = taskel::CancelToken::new();
    /// let (child, sibling) = (parent.child_token(), parent.child_token());
    /// child.cancel();
    /// assert!(child.is_cancelled() && !parent.is_cancelled() && !sibling.is_cancelled());
    /// parent.cancel();
    /// assert!(sibling.is_cancelled());
    /// ```
    pub fn child_token(&self) -> CancelToken {
        let parent = Some(self.clone());
        let deadline_ns = AtomicU64::new(NEVER);
        CancelToken { node: Arc::new(Node { cancelled: AtomicBool::new(false), deadline_ns, parent }) }
    }

    /// Cancels the token and its children, for good.
    pub fn cancel(&self) {
        #[cfg(all(loom, feature = "loom"))]
        crate::sched::modelled::touch(true);
        self.node.cancelled.store(true, Ordering::Relaxed);
    }

    /// Cancels the token when `delay` has passed. Of several deadlines, the earliest counts.
    ///
    /// There is no timer. Each check of the token looks at the clock, which costs about 25 ns.
    ///
    /// # Panics
    ///
    /// Panics in WebAssembly without a system (`wasm32-unknown-unknown`), where the standard
    /// library has no clock.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let token = taskel::CancelToken::new();
    /// token.cancel_after(Duration::from_millis(1));
    /// std::thread::sleep(Duration::from_millis(2));
    /// assert!(token.is_cancelled());
    /// ```
    pub fn cancel_after(&self, delay: Duration) {
        let deadline_ns = since_origin().saturating_add(delay);
        let deadline_ns = u64::try_from(deadline_ns.as_nanos()).unwrap_or(NEVER);
        self.node.deadline_ns.fetch_min(deadline_ns, Ordering::Relaxed);
    }

    /// Tests whether the token is cancelled.
    ///
    /// While it is not cancelled, this costs two loads for the token and for each of its ancestors,
    /// and one look at the clock if any of them has a deadline. Once it is cancelled, this costs
    /// one load.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        #[cfg(all(loom, feature = "loom"))]
        crate::sched::modelled::touch(false);
        let node = &*self.node;
        if node.cancelled.load(Ordering::Relaxed) {
            return true;
        }
        let no_deadline = node.deadline_ns.load(Ordering::Relaxed) == NEVER;
        if no_deadline && node.parent.is_none() {
            return false;
        }
        self.look_up()
    }

    /// Whether the token or an ancestor is known to be cancelled: for a look before each of many
    /// items, which the clock would make dear.
    #[inline]
    pub(crate) fn is_flagged(&self) -> bool {
        let mut line = std::iter::successors(Some(self), |token| token.node.parent.as_ref());
        line.any(|token| token.node.cancelled.load(Ordering::Relaxed))
    }

    /// Whether a deadline has passed, or an ancestor is cancelled. Everyone on the way to it is
    /// cancelled then, so that nobody goes that way again.
    fn look_up(&self) -> bool {
        let mut now_ns = None;
        let mut over = |node: &Node| {
            let deadline_ns = node.deadline_ns.load(Ordering::Relaxed);
            node.cancelled.load(Ordering::Relaxed)
                || deadline_ns != NEVER
                    && *now_ns.get_or_insert_with(|| since_origin().as_nanos()) >= u128::from(deadline_ns)
        };
        let line = || std::iter::successors(Some(self), |token| token.node.parent.as_ref());
        let Some(generations) = line().position(|token| over(&token.node)) else { return false };
        line().take(generations + 1).for_each(CancelToken::cancel);
        true
    }

    /// Returns an error if the token is cancelled, for `?` in the middle of long work.
    ///
    /// # Errors
    ///
    /// Returns [`Cancelled`] if the token is cancelled.
    ///
    /// ```
    /// # use taskel::{CancelToken, Cancelled};
    /// fn long(token: &CancelToken) -> Result<u32, Cancelled> {
    ///     for _ in 0..1000 {
    ///         token.check()?;
    ///     }
    ///     Ok(1)
    /// }
    /// assert_eq!(long(&CancelToken::new()), Ok(1));
    /// ```
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    /// Runs two closures like [`join`](crate::join()), but begins no closure once the token is
    /// cancelled. A closure that has not begun is dropped.
    ///
    /// # Errors
    ///
    /// Returns [`Cancelled`] if one of the closures was not begun. The result of the other is
    /// dropped.
    ///
    /// # Panics
    ///
    /// Panics like [`join`](crate::join()).
    ///
    /// ```
    /// use taskel::{CancelToken, Cancelled};
    ///
    /// let token = CancelToken::new();
    /// assert_eq!(token.join(|| 1, || 2), Ok((1, 2)));
    /// token.cancel();
    /// assert_eq!(token.join(|| 1, || 2), Err(Cancelled));
    /// ```
    pub fn join<A, B, RA, RB>(&self, oper_a: A, oper_b: B) -> Result<(RA, RB), Cancelled>
    where
        A: FnOnce() -> RA + Send,
        B: FnOnce() -> RB + Send,
        RA: Send,
        RB: Send,
    {
        self.check()?;
        let (a, b) = join(|| self.check().map(|()| oper_a()), || self.check().map(|()| oper_b()));
        Ok((a?, b?))
    }

    /// Opens a scope like [`scope`](crate::scope()), but drops tasks that have not begun when the
    /// token is cancelled.
    ///
    /// # Errors
    ///
    /// Returns [`Cancelled`] if `op` was not begun, or a task was dropped. The result of `op` is
    /// dropped, too.
    ///
    /// # Panics
    ///
    /// Panics like [`scope`](crate::scope()).
    ///
    /// ```
    /// use taskel::{CancelToken, Cancelled};
    ///
    /// let token = CancelToken::new();
    /// let result = token.scope(|s| {
    ///     token.cancel();
    ///     s.spawn(|_| unreachable!("cancelled before"));
    /// });
    /// assert_eq!(result, Err(Cancelled));
    /// ```
    #[track_caller]
    pub fn scope<'scope, OP, R>(&self, op: OP) -> Result<R, Cancelled>
    where
        OP: FnOnce(&Scope<'scope>) -> R,
    {
        self.check()?;
        let (result, dropped) = scope_with_cancel(self, op);
        if dropped { Err(Cancelled) } else { Ok(result) }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

/// The time since some moment in the life of the process.
fn since_origin() -> Duration {
    // No time passes in a model.
    #[cfg(all(loom, feature = "loom"))]
    if crate::sync::is_modelled() {
        return Duration::ZERO;
    }
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}
