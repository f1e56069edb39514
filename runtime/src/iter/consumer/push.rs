//! Items that do not all come from one sequential iterator per chunk: items of parallel iterators
//! inside an outer item.

use std::iter;
use std::ops::ControlFlow;

use crate::engine::around::{Around, Over};
use crate::engine::combine::Partials;
use crate::engine::consumer::{ChunkOf, Consumer};
use crate::engine::options::Options;
use crate::engine::producer::{Place, Producer, Receiver};
use crate::engine::{self, drive};
use crate::iter::adapter::Tuned;
use crate::sched::cancel::CancelToken;
use crate::sched::unwind;

/// What is the first index of partials inside an outer item: none of the loop's, and never its
/// first.
pub(super) const INSIDE: usize = usize::MAX;

/// What has become of a partial; `Break` if its chunk need not go on.
type Flow<S> = ControlFlow<S, S>;

/// A consumer to which it does not matter where items come from: sequential iterators, one after
/// the other, and inner loops.
pub(crate) trait Push<T>: Consumer<T> {
    /// Processes items that follow on what is in `partial`.
    fn push<I: Iterator<Item = T>>(&self, partial: Self::Partial, items: I) -> Flow<Self::Partial>;

    /// Puts partials behind `partial`, each of which follows on the one before.
    fn merge(
        &self,
        partial: Self::Partial,
        behind: impl Partials<Item = Self::Partial>,
    ) -> Flow<Self::Partial>;

    /// Runs an inner loop, whose items follow on what is in `partial`.
    fn nest<Q: Producer<Item = T>>(
        &self,
        partial: Self::Partial,
        inner: InnerLoop<'_, Q>,
    ) -> Flow<Self::Partial> {
        let behind = inner.run(Inside(self));
        self.merge(partial, iter::once(behind))
    }

    /// What stands for the loop that `nest` runs, if its items may as well be pushed.
    fn site<Q: Producer<Item = T>>() -> Option<usize> {
        Some(engine::address::<Tuned<'_, Q>, Inside<'_, Self>>())
    }
}

/// A loop inside an outer item.
pub(crate) struct InnerLoop<'a, Q> {
    inner: Q,
    /// Those of the outer loop.
    outer: Options<'a>,
    /// Whether the chunk that it is in is of no use any more.
    over: Over<'a>,
}

impl<'a, Q: Producer> InnerLoop<'a, Q> {
    /// What is to be driven: it ends with the loop outside, whose token it has unless it has its
    /// own.
    pub(super) fn into_producer(self) -> Tuned<'a, Q> {
        let cancel = if self.inner.options().cancel.is_none() { self.outer.cancel } else { None };
        let options = Options { cancel, over: self.over, ..Options::default() };
        Tuned { base: self.inner, options }
    }

    pub(super) fn run<C: Consumer<Q::Item>>(self, consumer: C) -> C::Output {
        drive(&self.into_producer(), consumer)
    }
}

/// Has the partials of an inner loop put together to one.
pub(crate) struct Inside<'c, C: ?Sized>(&'c C);

impl<T, C: Push<T> + ?Sized> Consumer<T> for Inside<'_, C> {
    type Partial = C::Partial;
    type Output = C::Partial;
    const KEEPS_PARTIALS: bool = C::KEEPS_PARTIALS;
    const ENDS_EARLY: bool = C::ENDS_EARLY;

    fn begin(&self, _: usize) -> C::Partial {
        self.0.begin(INSIDE)
    }

    #[inline]
    fn feed<P: Producer<Item = T>>(&self, partial: C::Partial, chunk: ChunkOf<'_, P>) -> Flow<C::Partial> {
        self.0.feed(partial, chunk)
    }

    fn finish(self, partials: impl Partials<Item = C::Partial>) -> C::Partial {
        let (ControlFlow::Continue(all) | ControlFlow::Break(all)) =
            self.0.merge(self.0.begin(INSIDE), partials);
        all
    }
}

impl<P: Producer> ChunkOf<'_, P> {
    /// Passes all items on to `receiver`.
    #[inline]
    pub(crate) fn feed<R: Receiver<P::Item>>(self, receiver: &mut R) -> ControlFlow<()> {
        self.claimed.feed(self.local, receiver)
    }

    /// Pushes all items to a consumer, which runs as loops what is parallel among them.
    #[inline]
    pub(super) fn push_into<C: Push<P::Item>>(self, consumer: &C, partial: C::Partial) -> Flow<C::Partial> {
        if !P::NESTS {
            return consumer.push(partial, self.into_iter());
        }
        let ChunkOf { claimed, local, over } = self;
        let outer = claimed.producer().options();
        let told = outer.told();
        let over = if over.0.is_some() { over } else { Over(told.as_ref().map(|told| told as &dyn Around)) };
        let mut last = Last { consumer, flow: Some(ControlFlow::Continue(partial)), outer, over };
        // Whether it wanted more, `last` knows.
        let _ = claimed.feed(local, &mut last);
        last.flow.expect("a panic would not come here")
    }
}

/// The last receiver of all: the consumer.
struct Last<'a, C, S> {
    consumer: &'a C,
    /// The partial, and whether its chunk goes on. `None` while the consumer has it.
    flow: Option<Flow<S>>,
    outer: Options<'a>,
    over: Over<'a>,
}

impl<C, S> Last<'_, C, S> {
    /// Has the partial go on, if that is still of use.
    #[inline]
    fn go_on(&mut self, with: impl FnOnce(&Self, S) -> Flow<S>) -> ControlFlow<()> {
        if self.outer.cancel.is_some_and(CancelToken::is_cancelled) {
            unwind::cancelled();
        }
        if self.over.is_over() {
            return ControlFlow::Break(());
        }
        match self.flow.take() {
            Some(ControlFlow::Continue(partial)) => {
                let flow = with(self, partial);
                let more = if flow.is_break() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
                self.flow = Some(flow);
                more
            }
            ended => {
                self.flow = ended;
                ControlFlow::Break(())
            }
        }
    }
}

impl<'a, T, C: Push<T>> Receiver<T> for Last<'a, C, C::Partial> {
    type Over = Over<'a>;

    fn over(&self) -> Over<'a> {
        self.over
    }

    #[inline]
    fn items<I: Iterator<Item = T>>(&mut self, items: I) -> ControlFlow<()> {
        self.go_on(|last, partial| last.consumer.push(partial, items))
    }

    fn nested<Q: Producer<Item = T>>(&mut self, inner: Q) -> ControlFlow<()> {
        self.go_on(|last, partial| {
            last.consumer.nest(partial, InnerLoop { inner, outer: last.outer, over: last.over })
        })
    }

    #[inline]
    fn place<Q: Producer<Item = T>>(&self) -> Option<Place> {
        let is_cancellable = self.outer.cancel.is_some();
        C::site::<Q>().map(|address| Place { address, is_cancellable })
    }
}
