//! Carries spans and subscribers of `tracing` to the threads that run the work.
//!
//! A span is current on one thread. So is a subscriber that is set for a part of a program only
//! (`with_default`). When a lane publishes work that another lane may run (a loop, the second half
//! of a join, a task, a call of a broadcast), the current span and subscriber are stored with the
//! work. The lane that runs the work enters them, once for all its items of a loop. A lane on which
//! they are already current, such as the one that has published the work, does not enter them
//! again.
//!
//! Without the feature `tracing`, a [`Carried`] has no size, and all this does nothing.

#[cfg(feature = "tracing")]
use tracing::{
    Dispatch, Span,
    dispatcher::{DefaultGuard, get_default, set_default},
    level_filters::LevelFilter,
    span::Entered,
};

/// What was current where work was published, if there could be anything.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    #[cfg(feature = "tracing")]
    current: Option<Current>,
}

#[cfg(feature = "tracing")]
#[derive(Clone, Debug)]
struct Current {
    span: Option<Span>,
    subscriber: Dispatch,
    /// Where the thread has its subscriber: on all threads that have that of the whole process, it
    /// is the same place.
    place: usize,
}

#[cfg(not(feature = "tracing"))]
impl Carried {
    #[inline(always)]
    pub(crate) fn from_here() -> Self {
        Carried {}
    }

    #[inline(always)]
    pub(crate) fn enter(&self) -> Inside<'_> {
        Inside { _carried: std::marker::PhantomData }
    }
}

#[cfg(feature = "tracing")]
impl Carried {
    /// What is current on this thread.
    #[inline(always)]
    pub(crate) fn from_here() -> Self {
        Carried { current: if may_be_any() { Some(Current::here()) } else { None } }
    }

    /// A part of the work begins here.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Inside<'_> {
        Inside { _entered: self.current.as_ref().map(Current::enter) }
    }
}

impl Carried {
    /// Runs a part of the work. What is to be run is copied around: what users hand over is not
    /// given to this, but comes behind an [`enter`](Self::enter).
    #[inline(always)]
    pub(crate) fn inside<R>(&self, work: impl FnOnce() -> R) -> R {
        let _inside = self.enter();
        work()
    }
}

/// Until it is dropped, the work is inside the span, which ends before the subscriber does.
#[must_use]
pub(crate) struct Inside<'a> {
    #[cfg(feature = "tracing")]
    _entered: Option<(Option<Entered<'a>>, Option<DefaultGuard>)>,
    #[cfg(not(feature = "tracing"))]
    _carried: std::marker::PhantomData<&'a Carried>,
}

/// Whether there can be a span anywhere: a load, and false until a program has a subscriber that
/// wants any.
#[cfg(feature = "tracing")]
#[inline(always)]
pub(crate) fn may_be_any() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}

#[cfg(feature = "tracing")]
impl Current {
    #[cold]
    #[inline(never)]
    fn here() -> Self {
        let (subscriber, place) = get_default(|subscriber| (subscriber.clone(), place(subscriber)));
        let span = Span::current();
        Current { span: (!span.is_none()).then_some(span), subscriber, place }
    }

    /// Makes both current for as long as what this yields lives, unless they are.
    #[cold]
    #[inline(never)]
    fn enter(&self) -> (Option<Entered<'_>>, Option<DefaultGuard>) {
        // Another place may hold the same: then it is set a second time, which does no harm.
        let is_set = get_default(place) == self.place;
        let guard = (!is_set).then(|| set_default(&self.subscriber));
        let is_current =
            |span: &Span| span.with_subscriber(|(id, subscriber)| subscriber.current_span().id() == Some(id));
        let span = self.span.as_ref().filter(|&span| is_current(span) == Some(false));
        (span.map(Span::enter), guard)
    }
}

#[cfg(feature = "tracing")]
fn place(subscriber: &Dispatch) -> usize {
    std::ptr::from_ref(subscriber).addr()
}
