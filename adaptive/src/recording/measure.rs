//! Work and span of each call of a recording.

use alloc::vec::Vec;

use super::{Call, CallKind, Part, Recording};

/// What is known about a call without a simulation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measure {
    /// The time that one worker needs.
    pub(crate) work_ns: f64,
    /// The longest path through the call.
    pub(crate) span_ns: f64,
    /// The longest indivisible piece.
    pub(crate) longest: Longest,
}

/// An item, or the longest stretch of a part, without a further call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Longest {
    pub(crate) ns: f64,
    pub(crate) call: usize,
    pub(crate) item: u64,
}

/// The measures of all calls.
#[derive(Debug)]
pub(crate) struct Measures {
    pub(crate) calls: Vec<Measure>,
}

impl Measures {
    pub(crate) fn of(recording: &Recording) -> Self {
        let mut measures = Measures { calls: alloc::vec![Measure::default(); recording.calls.len()] };
        // The calls inside a call come after it.
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
        // The items of a run that was timed as one may run in parallel.
        let of_items = |ns: f64| if call.kind == CallKind::Loop { ns / part.items as f64 } else { ns };
        let (mut own_ns, mut path, mut longest) = (0.0, Path::default(), Longest::default());
        for &(inner, ns) in part.calls.iter().rev() {
            own_ns += ns as f64;
            longest = longer(longest, self.calls[inner].longest);
            path.then(ns);
            path.call(recording.calls[inner].kind, self.calls[inner]);
        }
        path.then(part.ns);
        let own = Longest { ns: of_items(own_ns + part.ns as f64), call: at, item: part.first };
        let longest = if longest.ns > own.ns { longest } else { own };
        Measure { work_ns: path.work_ns, span_ns: of_items(path.span_ns), longest }
    }
}

/// The work and span of a sequence, accumulated from its end.
///
/// Both are sums of the same terms in the same order, except that the span leaves some out.
/// Floating-point rounding is monotonic, so the span never exceeds the work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Path {
    pub(crate) work_ns: f64,
    pub(crate) span_ns: f64,
}

impl Path {
    /// Prepends a stretch of `ns` without calls.
    pub(crate) fn then(&mut self, ns: u64) {
        self.work_ns += ns as f64;
        self.span_ns += ns as f64;
    }

    /// Prepends a call.
    pub(crate) fn call(&mut self, kind: CallKind, call: Measure) {
        self.work_ns += call.work_ns;
        self.span_ns = match kind {
            CallKind::Task => self.span_ns.max(call.span_ns),
            _ => self.span_ns + call.span_ns,
        };
    }
}

fn longer(a: Longest, b: Longest) -> Longest {
    if b.ns > a.ns { b } else { a }
}
