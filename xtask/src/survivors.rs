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
        reason: "no model has items that wait for other lanes; `tests/bridge.rs` fails",
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
        function: "helper_turn",
        code: "helpers_wait -= 1",
        change: "",
        reason: "the count only grows: costs at most a system call that wakes nobody",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "pulled",
        code: "in_flight < self.limit",
        change: "`<=`",
        reason: "a helper is woken that finds no room, and sleeps again",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake_helper",
        code: "helpers_wait > 0",
        change: "`>=`",
        reason: "nobody waits: costs at most a system call that wakes nobody",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake_helper",
        code: "helpers_wait > 0",
        change: "`||`",
        reason: "wakes at most a helper that finds the source taken, and sleeps again",
    },
    Argument {
        package: "runtime",
        file: "window.rs",
        function: "wake_all_helpers",
        code: "helpers_wait > 0",
        change: "`>=`",
        reason: "without a waiter: costs at most a system call that wakes nobody",
    },
    Argument {
        package: "shm-lock",
        file: "semaphore.rs",
        function: "acquire",
        code: "compare_exchange(seen, WAITERS",
        change: "",
        reason: "the sleep looks at the word itself: whether the exchange succeeded decides only how often the loop turns",
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
