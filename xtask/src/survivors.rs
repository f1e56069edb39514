//! Why a mutant that no test notices does no harm.

use crate::package::Package;
use crate::source::Mutant;

/// A mutant, by what its row says, and the argument.
pub(crate) struct Argument {
    pub(crate) package: &'static str,
    pub(crate) file: &'static str,
    pub(crate) function: &'static str,
    /// A part of the line; empty if no test can see any line of the function.
    pub(crate) code: &'static str,
    /// A part of the change; empty for every change.
    pub(crate) change: &'static str,
    pub(crate) reason: &'static str,
}

pub(crate) const ARGUMENTS: &[Argument] = &[
    Argument {
        package: "adaptive",
        file: "estimate.rs",
        function: "observe",
        code: "by_mean < by_moving",
        change: "`<=`",
        reason: "of two equal numbers, either is the smaller one",
    },
    Argument {
        package: "runtime",
        file: "sleep.rs",
        function: "make",
        code: "lanes - 1",
        change: "",
        reason: "makes more beds than there are lanes: costs memory only",
    },
    Argument {
        package: "runtime",
        file: "waiters.rs",
        function: "any",
        code: "any_awake() ||",
        change: "`&&`",
        reason: "who waits is passed over until it looks around, or all is over: costs time only",
    },
    Argument {
        package: "runtime",
        file: "waiters.rs",
        function: "any",
        code: "asleep.load(Ordering::Relaxed) > 0",
        change: "`0` → `1`",
        reason: "one who sleeps is passed over until all is over: costs time only",
    },
    Argument {
        package: "runtime",
        file: "waiters.rs",
        function: "any",
        code: "asleep.load(Ordering::Relaxed) > 0",
        change: "`>` → ",
        reason: "no model has items that wait for other lanes; `tests/it/bridge.rs` fails",
    },
    Argument {
        package: "runtime",
        file: "waiters.rs",
        function: "any_awake",
        code: "awake.load(Ordering::Relaxed) > 0",
        change: "`0` → `1`",
        reason: "one who is awake looks around by itself: costs time only",
    },
    Argument {
        package: "runtime",
        file: "waiters.rs",
        function: "rouse",
        code: "too_few",
        change: "",
        reason: "no model has a lane that sleeps beside a source and is roused",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wait",
        code: "state.coming > 0",
        change: "`>=`",
        reason: "loom has no time: in a model nobody wakes up by itself",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wait",
        code: "state.idle -= 1",
        change: "",
        reason: "loom has no time: in a model nobody wakes up by itself",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "patience",
        code: "",
        change: "",
        reason: "for how long somebody sleeps: loom has no time, and never ends a sleep by itself",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake",
        code: "let works",
        change: "",
        reason: "the sink is woken for nothing, and sleeps again",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake",
        code: "let has_work",
        change: "",
        reason: "the sink is woken for nothing, and sleeps again",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake",
        code: "state.sink == Sink::Asleep",
        change: "",
        reason: "the sink counts as free until it has slept again: costs time only",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "hear",
        code: "done.len > 0",
        change: "`>=`",
        reason: "no model has a lane that is stopped between two items of a bundle",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "hear_look",
        code: "done.len > 0",
        change: "`>=`",
        reason: "no model has a visitor whose empty result comes after the sink has had the items behind it",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "hear_look",
        code: "*other != bundle",
        change: "",
        reason: "no model has two bundles at a time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "enqueue",
        code: "other.first < batch.first",
        change: "",
        reason: "which item is begun first is a matter of time; the sink sorts what is done",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "choose",
        code: "batch.len() > 1",
        change: "",
        reason: "a bundle of two is not looked at, which no model has, or an item by itself is, for nothing",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "pull",
        code: "most > 1",
        change: "",
        reason: "several of exactly two that are pulled are not looked at, which no model has, or one by itself is, for nothing",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "dequeue",
        code: "oldest.len() == 1",
        change: "`==`",
        reason: "no model has several items in the queue that have turned slow",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "dequeue",
        code: "bundle() > 1",
        change: "",
        reason: "several items go to a lane, where others look for them, or one: a matter of time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "bundles_in_queue",
        code: "bundle() > 1",
        change: "",
        reason: "no model has several items in the queue that have turned slow",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "lanes_at_hand",
        code: "Sink::Awake",
        change: "",
        reason: "the lane that is counted on is another one, and comes a little later: costs time only",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "sink_helps",
        code: "self.helpers < limits.in_flight",
        change: "",
        reason: "who processes an item, a helper or the sink, is a matter of time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "would_fill_up",
        code: "",
        change: "",
        reason: "whether the sink or a helper has the next long item is a matter of time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "leaves_to_sink",
        code: "let is_full",
        change: "",
        reason: "a helper waits for the sink, which wakes it when there is room, or does not: a matter of time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "leaves_to_sink",
        code: "is_full &&",
        change: "",
        reason: "a helper waits for the sink, which wakes it when there is room, or does not: a matter of time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "may_ask",
        code: "limits.weighed",
        change: "",
        reason: "a helper asks a little later, at the latest when nothing is in flight: costs time only",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "is_open",
        code: "let enough",
        change: "",
        reason: "a helper is woken earlier or later, at the latest for what others have pulled: a matter of time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "is_open",
        code: ">= enough",
        change: "",
        reason: "a helper is woken earlier or later, at the latest for what others have pulled: a matter of time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "is_all_through",
        code: "self.is_empty()",
        change: "",
        reason: "the sink is woken for nothing, and sleeps again",
    },
    Argument {
        package: "shm-lock",
        file: "mutex.rs",
        function: "spin",
        code: "",
        change: "",
        reason: "how long to look at the word is a matter of speed: in a model, the longest spin is 0",
    },
];

/// Why no test can see this mutant, nor any other of its function.
pub(crate) fn out_of_sight(package: &Package, file: &str, mutant: &Mutant) -> Option<&'static str> {
    let hides = |argument: &&Argument| {
        argument.code.is_empty()
            && (argument.package, argument.file) == (package.name, file)
            && argument.function == mutant.function
    };
    ARGUMENTS.iter().find(hides).map(|argument| argument.reason)
}

/// The argument for a mutant, if there is one.
pub(crate) fn argument(package: &Package, file: &str, mutant: &Mutant) -> Option<&'static str> {
    let is_about = |argument: &&Argument| {
        argument.package == package.name
            && argument.file == file
            && argument.function == mutant.function
            && mutant.code.contains(argument.code)
            && mutant.change.contains(argument.change)
    };
    ARGUMENTS.iter().find(is_about).map(|argument| argument.reason)
}
