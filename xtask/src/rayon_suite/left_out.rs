//! The tests that are left out, and why.

use super::Suite;

/// A test that is left out.
pub(super) struct LeftOut {
    pub(super) suite: Suite,
    /// The names of the binary and the test.
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
    pub(super) kind: Kind,
}

/// How to check that a test still has to be left out.
pub(super) enum Kind {
    /// It does not compile, because it uses this internal name.
    Names(&'static str),
    /// It is run, and must fail.
    Fails,
}

pub(super) const LEFT_OUT: &[LeftOut] = &[
    inside("lib thread_pool::test::workers_stop", "thread_pool.registry"),
    inside("lib thread_pool::test::sleeper_stop", "thread_pool.registry"),
    fails("lib scope::test::mixed_lifo_order", WAITS),
    fails("lib scope::test::mixed_fifo_order", WAITS),
    fails("lib scope::test::mixed_lifo_fifo_order", WAITS),
    fails("lib scope::test::mixed_fifo_lifo_order", WAITS),
];

const WAITS: &str = "expects that a scope that waits for its tasks runs those of a scope around it; here a wait runs only what it waits for";

const fn inside(name: &'static str, what: &'static str) -> LeftOut {
    let reason = "looks into rayon-core's registry";
    LeftOut { suite: Suite::RayonCore, name, reason, kind: Kind::Names(what) }
}

const fn fails(name: &'static str, reason: &'static str) -> LeftOut {
    LeftOut { suite: Suite::RayonCore, name, reason, kind: Kind::Fails }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::LEFT_OUT;

    #[test]
    fn few_tests_are_left_out_each_once() {
        let names: BTreeSet<&str> = LEFT_OUT.iter().map(|test| test.name).collect();
        assert_eq!(names.len(), LEFT_OUT.len());
        assert!(names.len() <= 15, "{} tests are left out", names.len());
    }
}
