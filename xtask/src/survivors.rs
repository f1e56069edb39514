//! Why a mutant that no test notices is harmless.

use crate::package::Package;
use crate::source::Mutant;

/// A mutant, identified by its row, and the argument.
pub(crate) struct Argument {
    pub(crate) package: &'static str,
    pub(crate) file: &'static str,
    pub(crate) function: &'static str,
    /// A part of the line; empty if no test can observe any line of the function.
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
        reason: "if two numbers are equal, either is the minimum",
    },
    Argument {
        package: "runtime",
        file: "sleep.rs",
        function: "make",
        code: "lanes - 1",
        change: "",
        reason: "creates more beds than there are lanes: costs only memory",
    },
    Argument {
        package: "runtime",
        file: "waiters.rs",
        function: "any",
        code: "any_awake() ||",
        change: "`&&`",
        reason: "a waiting lane is passed over until it looks around, or everything is over: costs only time",
    },
    Argument {
        package: "runtime",
        file: "waiters.rs",
        function: "any",
        code: "asleep.load(Ordering::Relaxed) > 0",
        change: "`0` → `1`",
        reason: "a sleeping lane is passed over until everything is over: costs only time",
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
        reason: "a lane that is awake looks around on its own: costs only time",
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
        reason: "loom has no time: in a model no sleep times out",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wait",
        code: "state.idle -= 1",
        change: "",
        reason: "loom has no time: in a model no sleep times out",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "patience",
        code: "",
        change: "",
        reason: "only the length of sleeps: loom has no time, and no sleep times out",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake",
        code: "let works",
        change: "",
        reason: "the sink is woken in vain, and sleeps again",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake",
        code: "let has_work",
        change: "",
        reason: "the sink is woken in vain, and sleeps again",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake",
        code: "state.sink == Sink::Asleep",
        change: "",
        reason: "the sink counts as free until it has slept again: costs only time",
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
        reason: "no model has a visitor whose empty result comes after the sink has taken the later items",
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
        reason: "the order in which items begin affects only time; the sink sorts the results",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "choose",
        code: "batch.len() > 1",
        change: "",
        reason: "no model has a bundle of two that must be looked at; a single item is looked at in vain",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "pull",
        code: "most > 1",
        change: "",
        reason: "no model has two pulled items that must be looked at; a single item is looked at in vain",
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
        reason: "a lane gets several items, where others find them, or one: affects only time",
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
        reason: "another lane comes instead, a little later: costs only time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "sink_helps",
        code: "self.helpers < limits.in_flight",
        change: "",
        reason: "whether a helper or the sink processes an item affects only time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "would_fill_up",
        code: "",
        change: "",
        reason: "whether the sink or a helper gets the next long item affects only time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "leaves_to_sink",
        code: "let is_full",
        change: "",
        reason: "whether a helper waits for the sink, which wakes it when there is room, affects only time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "leaves_to_sink",
        code: "is_full &&",
        change: "",
        reason: "whether a helper waits for the sink, which wakes it when there is room, affects only time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "may_ask",
        code: "limits.weighed",
        change: "",
        reason: "a helper asks a little later, at the latest when nothing is in flight: costs only time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "is_open",
        code: "let enough",
        change: "",
        reason: "a helper is woken earlier or later, at the latest for items that others have pulled: affects only time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "is_open",
        code: ">= enough",
        change: "",
        reason: "a helper is woken earlier or later, at the latest for items that others have pulled: affects only time",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "is_all_through",
        code: "self.is_empty()",
        change: "",
        reason: "the sink is woken in vain, and sleeps again",
    },
    Argument {
        package: "shm-lock",
        file: "mutex.rs",
        function: "spin",
        code: "",
        change: "",
        reason: "the length of a spin affects only speed: in a model, the longest spin is 0",
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
