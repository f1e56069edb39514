//! The ranges that lanes steal from hand out what plain numbers do.

#![no_main]

use std::ops;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

use range::{Range, Span};

/// The atomics that the protocol takes from its crate.
mod sync {
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
}

#[path = "../../runtime/src/protocol/range.rs"]
mod range;

const RANGES: usize = 4;

#[derive(Arbitrary, Debug)]
enum Event {
    Put {
        range: u8,
        lo: u32,
        len: u32,
    },
    Claim {
        range: u8,
        want: u32,
    },
    /// Half of `victim`, which goes into `thief` if that is empty, less a first chunk.
    Steal {
        victim: u8,
        thief: u8,
        first: u32,
    },
    Take {
        range: u8,
    },
}

/// What a span should hold: wide enough for no sum to overflow.
type Units = ops::Range<u64>;

fn units(span: Span) -> Units {
    assert_eq!(u64::from(span.len()), u64::from(span.hi) - u64::from(span.lo));
    u64::from(span.lo)..u64::from(span.hi)
}

/// Takes `n` units off the front.
fn front(of: &mut Units, n: u64) -> Units {
    let taken = of.start..of.start + n;
    of.start = taken.end;
    taken
}

fn length(of: &Units) -> u64 {
    of.end - of.start
}

fn at(range: u8) -> usize {
    usize::from(range) % RANGES
}

fn step(event: &Event, ranges: &[Range; RANGES], model: &mut [Units; RANGES]) {
    match *event {
        Event::Put { range, lo, len } => {
            let range = at(range);
            if length(&model[range]) == 0 {
                let span = Span { lo, hi: lo.saturating_add(len) };
                ranges[range].put(span);
                model[range] = units(span);
            }
        }
        Event::Claim { range, want } => {
            let model = &mut model[at(range)];
            let most = u64::from(want).max(1).min(length(model));
            let expected = (most > 0).then(|| front(model, most));
            assert_eq!(ranges[at(range)].claim(want).map(units), expected);
        }
        Event::Steal { victim, thief, first } => {
            let victim = at(victim);
            let kept = length(&model[victim]) / 2;
            let kept = front(&mut model[victim], kept);
            let expected = std::mem::replace(&mut model[victim], kept);
            let stolen = ranges[victim].steal();
            assert_eq!(stolen.map(units), (length(&expected) > 0).then_some(expected));
            let Some(stolen) = stolen else { return };
            let (chunk, rest) = stolen.split_at(first);
            assert_eq!(units(chunk).end, units(rest).start);
            assert_eq!((chunk.lo, rest.hi), (stolen.lo, stolen.hi));
            assert_eq!(chunk.len(), first.min(stolen.len()));
            if length(&model[at(thief)]) == 0 {
                ranges[at(thief)].put(rest);
                model[at(thief)] = units(rest);
            }
        }
        Event::Take { range } => {
            let taken = units(ranges[at(range)].take());
            let expected = std::mem::replace(&mut model[at(range)], 0..0);
            assert_eq!(length(&taken), length(&expected));
            assert!(length(&taken) == 0 || taken == expected);
        }
    }
}

fuzz_target!(|events: Vec<Event>| {
    let ranges = [const { () }; RANGES].map(|()| Range::new());
    let mut model = [const { 0..0 }; RANGES];
    for event in &events {
        step(event, &ranges, &mut model);
        for (range, model) in ranges.iter().zip(&model) {
            let left = units(range.peek());
            assert!(left == *model || length(&left) == 0 && length(model) == 0, "{left:?} for {model:?}");
        }
    }
});
