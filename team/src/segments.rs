//! What comes of the items of a claim that are run, of which some may be left out.

use std::ops::Range;

use taskel::prelude::*;

use crate::work::Runner;

/// Items without a gap, and what has come of them.
pub(crate) struct Segment<A> {
    pub(crate) items: Range<usize>,
    pub(crate) outcome: A,
}

/// In order, and no two without a gap in between.
struct Segments<A>(Vec<Segment<A>>);

impl<A> Segments<A> {
    /// The last one, if it ends where `item` begins.
    fn pop_before(&mut self, item: usize) -> Option<Segment<A>> {
        let touches = self.0.last().is_some_and(|last| last.items.end == item);
        if touches { self.0.pop() } else { None }
    }

    /// Puts the next item behind the others.
    fn add(mut self, item: usize, one: impl FnOnce(Option<A>, usize) -> A) -> Self {
        let (start, before) = match self.pop_before(item) {
            Some(last) => (last.items.start, Some(last.outcome)),
            None => (item, None),
        };
        self.0.push(Segment { items: start..item + 1, outcome: one(before, item) });
        self
    }

    /// Puts others behind these.
    fn join(mut self, others: Self, merge: impl FnOnce(A, A) -> A) -> Self {
        let mut others = others.0.into_iter();
        if let Some(first) = others.next() {
            let first = match self.pop_before(first.items.start) {
                Some(last) => Segment {
                    items: last.items.start..first.items.end,
                    outcome: merge(last.outcome, first.outcome),
                },
                None => first,
            };
            self.0.push(first);
        }
        self.0.extend(others);
        self
    }
}

/// Runs items on the pool that this is called in, as long as the runner goes on. `one` runs an item
/// and adds it to what has come of those before it; `merge` puts one outcome behind another.
pub(crate) fn run<A: Send>(
    runner: &Runner<'_>,
    items: Range<usize>,
    one: impl Fn(Option<A>, usize) -> A + Sync + Send,
    merge: impl Fn(A, A) -> A + Sync + Send,
) -> Vec<Segment<A>> {
    let run = |before, item| runner.run(item, || one(before, item));
    if items.len() == 1 {
        return vec![Segment { outcome: run(None, items.start), items }];
    }
    let none = || Segments(Vec::new());
    let add = |segments: Segments<A>, item| if runner.goes_on() { segments.add(item, run) } else { segments };
    let join = |segments: Segments<A>, others| segments.join(others, &merge);
    items.into_par_iter().fold(none, add).reduce(none, join).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(items: &[usize]) -> Segments<Vec<usize>> {
        let one = |before: Option<Vec<usize>>, item| [before.unwrap_or_default(), vec![item]].concat();
        items.iter().fold(Segments(Vec::new()), |segments, &item| segments.add(item, one))
    }

    #[test]
    fn what_has_no_gap_is_one() {
        let join = |some: &[usize], others: &[usize]| {
            let all = segments(some).join(segments(others), |a, b| [a, b].concat());
            assert!(all.0.iter().all(|segment| segment.items.clone().eq(segment.outcome.iter().copied())));
            all.0.into_iter().map(|segment| segment.outcome).collect::<Vec<_>>()
        };
        assert_eq!(join(&[1, 2, 4], &[5, 6, 8]), [vec![1, 2], vec![4, 5, 6], vec![8]]);
        assert_eq!(join(&[1, 2], &[4]), [vec![1, 2], vec![4]]);
        assert_eq!(join(&[], &[3, 4]), [vec![3, 4]]);
        assert_eq!(join(&[3], &[]), [vec![3]]);
        assert_eq!(join(&[], &[]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn all_are_run_in_order_if_the_runner_goes_on() {
        let all = run(
            &Runner::unseen(),
            3..1000,
            |before: Option<Vec<usize>>, item| {
                let mut all = before.unwrap_or_default();
                all.push(item);
                all
            },
            |mut a, mut b| {
                a.append(&mut b);
                a
            },
        );
        assert!(all.len() == 1 && all[0].items == (3..1000) && all[0].outcome.iter().copied().eq(3..1000));
    }
}
