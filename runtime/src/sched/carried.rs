//! The span of `tracing` in which work is handed out: what others do of it is inside of that, too.
//!
//! A span is current on a thread. Who publishes something that another lane may run (a loop, the
//! second half of a join, a task, a call of a broadcast) takes the current one along, and who runs
//! it enters that: once for all items that a lane has of a loop. Where it is current already, as on
//! the thread that has published, nobody enters it a second time.
//!
//! Without the feature `tracing`, a [`Carried`] has no size, and all of this does nothing.

#[cfg(feature = "tracing")]
use tracing::{Span, level_filters::LevelFilter};

/// The span that was current where work was published, if there was one.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    #[cfg(feature = "tracing")]
    span: Option<Span>,
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
    /// The span that is current on this thread.
    #[inline(always)]
    pub(crate) fn from_here() -> Self {
        Carried { span: if may_be_any() { current() } else { None } }
    }

    /// A part of the work begins here.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Inside<'_> {
        Inside { _entered: self.span.as_ref().and_then(enter) }
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

/// Until it is dropped, the work is inside of the span.
#[must_use]
pub(crate) struct Inside<'a> {
    #[cfg(feature = "tracing")]
    _entered: Option<tracing::span::Entered<'a>>,
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
#[cold]
#[inline(never)]
fn current() -> Option<Span> {
    let span = Span::current();
    (!span.is_none()).then_some(span)
}

/// Makes a span current for as long as what this yields lives, unless it is.
#[cfg(feature = "tracing")]
#[cold]
#[inline(never)]
fn enter(span: &Span) -> Option<tracing::span::Entered<'_>> {
    let is_current = span.with_subscriber(|(id, subscriber)| subscriber.current_span().id() == Some(id));
    (is_current == Some(false)).then(|| span.enter())
}
