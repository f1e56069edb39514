//! Whatever is recorded: the longest path is no longer than all of it, and something is predicted.

use proptest::prelude::*;
use taskel_adaptive::recording::{Call, CallKind, Part, Recording};

/// A call as it is made up: what it is, in which earlier call and part it is, and what it takes.
type MadeUp = (CallKind, prop::sample::Index, Vec<(u64, u64)>, u64);

fn kinds() -> impl Strategy<Value = CallKind> {
    prop::sample::select(vec![
        CallKind::Loop,
        CallKind::Join,
        CallKind::Scope,
        CallKind::Task,
        CallKind::Beside,
    ])
}

/// None, short times, and some so long that floats do not hold them to the nanosecond.
fn times_ns() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..100_000_u64, (1_u64 << 53)..1 << 57]
}

fn made_up() -> impl Strategy<Value = Vec<MadeUp>> {
    let parts = prop::collection::vec((times_ns(), 1..1_000_u64), 2..4);
    prop::collection::vec((kinds(), any::<prop::sample::Index>(), parts, times_ns()), 0..24)
}

fn recording(program_ns: u64, made_up: &[MadeUp]) -> Recording {
    let mut calls = vec![Call::new(CallKind::Program, 0, vec![Part::new(0, 1, program_ns)])];
    for (kind, inside, parts, after_ns) in made_up {
        let at = calls.len();
        let outer = inside.get_mut_of(&mut calls);
        let part = inside.get_mut_of(&mut outer.parts);
        part.calls.push((at, *after_ns));
        let count = match kind {
            CallKind::Scope | CallKind::Task => 1,
            CallKind::Join => 2,
            _ => parts.len(),
        };
        let mut first = 0;
        let parts = parts[..count].iter().map(|&(ns, items)| {
            first += items;
            Part::new(first - items, items, ns)
        });
        calls.push(Call::new(*kind, 0, parts.collect()));
    }
    Recording::new(1, program_ns, vec!["somewhere".to_owned()], calls).expect("a tree")
}

trait GetMut {
    fn get_mut_of<'t, T>(&self, of: &'t mut [T]) -> &'t mut T;
}

impl GetMut for prop::sample::Index {
    fn get_mut_of<'t, T>(&self, of: &'t mut [T]) -> &'t mut T {
        let at = self.index(of.len());
        &mut of[at]
    }
}

proptest! {
    #[test]
    fn no_path_is_longer_than_the_work(program_ns in times_ns(), made_up in made_up()) {
        let recording = recording(program_ns, &made_up);
        prop_assert!(recording.span() <= recording.work());
        prop_assert!(recording.serial() <= recording.work());
        let scaling = recording.scaling([1, 3]);
        prop_assert!(scaling.serial() <= scaling.work());
        prop_assert!(scaling.to_string().lines().count() >= 6);
    }
}
