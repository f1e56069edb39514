//! Halves of joins that thieves leave alone for a moment, because they will be over before it pays to take them.
//!
//! Taking a half and handing back its result moves some ten cache lines from one core to another: 0.5 to 1.5 µs, in which the owner
//! does a few hundred small joins by itself. So the call site of each join learns how long its offers last. Where that is short, an offer
//! carries a *notice*, and a thief that sees it watches for [`PATIENCE_NS`] before it takes the half after all: two halves that wait for
//! each other run at the same time as ever, only a little later. A site that had its patience tried is left alone no more until about a
//! hundred offers in a row were short.
//!
//! Nothing depends on what is read or written here, which is all Relaxed: a wrong guess costs time.

use crate::clock::{Clock, Ticks};
use crate::site::Site;
use crate::sync::{AtomicU32, Ordering};

/// How long a half with a notice is left alone.
const PATIENCE_NS: u64 = 3_000;

/// What is over in this time after it was offered, perhaps with the help of a thief, is worth a try without.
const BRIEF_NS: f64 = 2.0 * PATIENCE_NS as f64;

/// Whether what `site` offers has lately been over so soon that it should carry a notice.
pub(crate) fn is_expected_of(site: Site) -> bool {
    site.estimate_ns().is_some_and(|ns| ns < BRIEF_NS)
}

/// What `site` offered, without a notice, is over after `ns`.
pub(crate) fn learn(site: Site, ns: u64) {
    site.learn(ns as f64);
}

/// What `site` offered with a notice was not over soon.
pub(crate) fn learn_otherwise(site: Site) {
    // What a site has learned falls by half with each lesson: from there, it falls for long.
    site.learn(f32::MAX.into());
}

/// On a lane: the number of the job that it offers, if that is to be left alone; else 0.
#[derive(Debug)]
pub(crate) struct Notice(AtomicU32);

impl Notice {
    pub(crate) fn new() -> Self {
        Notice(AtomicU32::new(0))
    }

    /// The lane offers its job `number`, to be left alone; or, with 0, one that is not.
    pub(crate) fn put(&self, number: u32) {
        if number != self.0.load(Ordering::Relaxed) {
            self.0.store(number, Ordering::Relaxed);
        }
    }

    /// Whether nobody has lost patience with job `number`, which the lane offered last.
    pub(crate) fn stands(&self, number: u32) -> bool {
        self.0.load(Ordering::Relaxed) == number
    }
}

/// What an idle lane knows of a job that it leaves alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    lane: usize,
    number: u32,
    pub(crate) since: Ticks,
}

impl Watch {
    /// Whether this is recent.
    pub(crate) fn is_on(&self, clock: Clock) -> bool {
        clock.ns_between(self.since, clock.now()) < PATIENCE_NS
    }

    /// Whether what `lane` offers under `notice` must be left alone still.
    pub(crate) fn keep(&mut self, lane: usize, notice: &Notice, clock: Clock) -> bool {
        let number = notice.0.load(Ordering::Relaxed);
        if number == 0 {
            return false;
        }
        if (self.lane, self.number) != (lane, number) {
            *self = Watch { lane, number, since: clock.now() };
            return true;
        }
        if self.is_on(clock) {
            return true;
        }
        // Unless another job is on offer by now, which has a right to patience of its own.
        let _ = notice.0.compare_exchange(number, 0, Ordering::Relaxed, Ordering::Relaxed);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_lasts_as_long_as_patience_does_and_begins_anew_with_each_job() {
        let (notice, clock, mut watch) = (Notice::new(), Clock::new(), Watch::default());
        assert!(!watch.keep(1, &notice, clock), "there is no notice");
        notice.put(7);
        let start = clock.now();
        while watch.keep(1, &notice, clock) {}
        assert!(clock.ns_between(start, clock.now()) >= PATIENCE_NS);
        assert!(!notice.stands(7), "the owner learns of it");
        assert!(!watch.keep(1, &notice, clock));
        notice.put(8);
        assert!(watch.keep(1, &notice, clock));
        assert!(notice.stands(8));
    }

    #[test]
    fn a_site_that_tried_patience_is_not_believed_for_a_hundred_lessons() {
        let site = Site::at(0x0bad_cafe);
        assert!(!is_expected_of(site), "nothing is known of it");
        learn(site, 100);
        assert!(is_expected_of(site));
        learn_otherwise(site);
        let lessons = (1..1000).find(|_| {
            learn(site, 100);
            is_expected_of(site)
        });
        assert!((100..150).contains(&lessons.unwrap()), "{lessons:?}");
    }
}
