//! Letting other work go first.

use crate::pool::with_current_lane;

/// What came of a [`yield_now`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yield {
    /// Some other work was done.
    Executed,
    /// There was none.
    Idle,
}

/// Does one piece of other work of the pool, if there is some, before it returns: for code that polls for something which
/// that work may bring about.
///
/// This is the one way to run *unrelated* work in the middle of one's own, which waits never do: do not call it while holding a
/// lock that other work may want.
///
/// `None` on a thread that is not a worker of a pool; then nothing was done.
///
/// ```
/// assert_eq!(taskel::yield_now(), None);
/// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
/// assert!(pool.broadcast(|_| taskel::yield_now().is_some()).into_iter().all(|inside| inside));
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
pub fn yield_now() -> Option<Yield> {
    with_current_lane(|lane| {
        let lane = lane.filter(|lane| lane.is_worker())?;
        let work = lane.take_mail(|_| true).or_else(|| lane.find_work());
        let Some(work) = work else { return Some(Yield::Idle) };
        lane.execute(work);
        Some(Yield::Executed)
    })
}
