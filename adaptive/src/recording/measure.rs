//! Work and span of each call of a recording.

use alloc::vec::Vec;

use super::{Call, CallKind, Part, Recording};

/// What is known of a call without running it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measure {
    /// What one worker has to do.
    pub(crate) work_ns: f64,
    /// The longest path through it.
    pub(crate) span_ns: f64,
    /// What is longest of all that nobody can divide.
    pub(crate) longest: Longest,
}

/// An item, or the longest stretch of a part, that is in no further call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Longest {
    pub(crate) ns: f64,
    pub(crate) call: usize,
    pub(crate) item: u64,
}

/// By call.
#[derive(Debug)]
pub(crate) struct Measures {
    pub(crate) calls: Vec<Measure>,
}

impl Measures {
    pub(crate) fn of(recording: &Recording) -> Self {
        let mut measures = Measures { calls: alloc::vec![Measure::default(); recording.calls.len()] };
        // What is in a call comes behind it.
        for (at, call) in recording.calls.iter().enumerate().rev() {
            let mut sum = Measure::default();
            for part in &call.parts {
                let part = measures.part(recording, at, call, part);
                sum.work_ns += part.work_ns;
                sum.span_ns = sum.span_ns.max(part.span_ns);
                sum.longest = longer(sum.longest, part.longest);
            }
            measures.calls[at] = sum;
        }
        measures
    }

    fn part(&self, recording: &Recording, at: usize, call: &Call, part: &Part) -> Measure {
        let own_ns = part.calls.iter().fold(part.ns as f64, |sum, &(_, ns)| sum + ns as f64);
        let mut work_ns = own_ns;
        // The items of a run that was timed as one may run beside each other.
        let of_items = |ns: f64| if call.kind == CallKind::Loop { ns / part.items as f64 } else { ns };
        let mut longest = Longest { ns: of_items(own_ns), call: at, item: part.first };
        let mut span_ns = 0.0_f64;
        for &(inner, ns) in part.calls.iter().rev() {
            let inner_measure = self.calls[inner];
            work_ns += inner_measure.work_ns;
            longest = longer(longest, inner_measure.longest);
            span_ns += ns as f64;
            span_ns = match recording.calls[inner].kind {
                CallKind::Task => span_ns.max(inner_measure.span_ns),
                _ => span_ns + inner_measure.span_ns,
            };
        }
        Measure { work_ns, span_ns: of_items(span_ns + part.ns as f64), longest }
    }
}

fn longer(a: Longest, b: Longest) -> Longest {
    if b.ns > a.ns { b } else { a }
}
