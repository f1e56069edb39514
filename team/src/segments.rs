//! Outcomes of the items of a claim. Some items may not have been run.

use std::ops::Range;

use taskel::prelude::*;

use crate::work::Runner;

/// A run of consecutive items, and their combined outcome.
pub(crate) struct Segment<A> {
    pub(crate) items: Range<usize>,
    pub(crate) outcome: A,
}

/// In order, and with a gap between any two. The outcome is `None` only while an item runs.
struct Segments<A>(Vec<Segment<Option<A>>>);

impl<A> Segments<A> {
    /// Appends the next item.
    fn add(mut self, item: usize, one: impl FnOnce(&mut Option<A>, usize)) -> Self {
        match self.0.last_mut() {
            Some(last) if last.items.end == item => {
                last.items.end = item + 1;
                one(&mut last.outcome, item);
            }
            _ => {
                let mut outcome = None;
                one(&mut outcome, item);
                self.0.push(Segment { items: item..item + 1, outcome });
            }
        }
        self
    }

    /// Appends other segments.
    fn join(mut self, others: Self, merge: impl FnOnce(A, A) -> A) -> Self {
        let mut others = others.0.into_iter();
        if let Some(first) = others.next() {
            match self.0.last_mut() {
                Some(last) if last.items.end == first.items.start => {
                    last.items.end = first.items.end;
                    last.outcome = match (last.outcome.take(), first.outcome) {
                        (Some(last), Some(first)) => Some(merge(last, first)),
                        (last, first) => last.or(first),
                    };
                }
                _ => self.0.push(first),
            }
        }
        self.0.extend(others);
        self
    }

    fn into_parts(self) -> Vec<Segment<A>> {
        let part = |Segment { items, outcome }| Some(Segment { items, outcome: outcome? });
        self.0.into_iter().filter_map(part).collect()
    }
}

/// Runs items on the current pool, as long as the runner goes on, or on this thread if the runner
/// needs them in order. `one` runs an item and adds its result to the outcome of the items before
/// it, if there is one. `merge` appends one outcome to another.
pub(crate) fn run<A: Send>(
    runner: &Runner<'_>,
    items: Range<usize>,
    one: impl Fn(&mut Option<A>, usize) + Sync + Send,
    merge: impl Fn(A, A) -> A + Sync + Send,
) -> Vec<Segment<A>> {
    if let Some(runner) = runner.in_order() {
        let mut outcome = None;
        let end = runner.run(items.clone(), |item| one(&mut outcome, item));
        let done = |outcome| Segment { items: items.start..end, outcome };
        return outcome.map(done).into_iter().collect();
    }
    let run = |before: &mut Option<A>, item| runner.run(item, || one(before, item));
    let none = || Segments(Vec::new());
    if items.len() == 1 {
        return none().add(items.start, run).into_parts();
    }
    let add = |segments: Segments<A>, item| if runner.goes_on() { segments.add(item, run) } else { segments };
    let join = |segments: Segments<A>, others| segments.join(others, &merge);
    items.into_par_iter().fold(none, add).reduce(none, join).into_parts()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(all: &mut Option<Vec<usize>>, item: usize) {
        all.get_or_insert_default().push(item);
    }

    fn segments(items: &[usize]) -> Segments<Vec<usize>> {
        items.iter().fold(Segments(Vec::new()), |segments, &item| segments.add(item, push))
    }

    #[test]
    fn adjacent_items_form_one_segment() {
        let join = |some: &[usize], others: &[usize]| {
            let all = segments(some).join(segments(others), |a, b| [a, b].concat());
            let all = all.into_parts();
            assert!(all.iter().all(|segment| segment.items.clone().eq(segment.outcome.iter().copied())));
            all.into_iter().map(|segment| segment.outcome).collect::<Vec<_>>()
        };
        assert_eq!(join(&[1, 2, 4], &[5, 6, 8]), [vec![1, 2], vec![4, 5, 6], vec![8]]);
        assert_eq!(join(&[1, 2], &[4]), [vec![1, 2], vec![4]]);
        assert_eq!(join(&[], &[3, 4]), [vec![3, 4]]);
        assert_eq!(join(&[3], &[]), [vec![3]]);
        assert_eq!(join(&[], &[]), Vec::<Vec<usize>>::new());
    }

    #[test]
    #[cfg_attr(
        miri,
        ignore = "threads of a pool keep memory, which Miri takes for lost; it runs loops in taskel's own tests"
    )]
    fn all_are_run_in_order_if_the_runner_goes_on() {
        let append = |mut all: Vec<usize>, mut others: Vec<usize>| {
            all.append(&mut others);
            all
        };
        let all = run(&Runner::unseen(), 3..1000, push, append);
        assert!(all.len() == 1 && all[0].items == (3..1000) && all[0].outcome.iter().copied().eq(3..1000));
    }
}
