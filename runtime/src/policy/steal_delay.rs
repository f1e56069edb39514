//! The steal delay: for a moment, thieves do not take halves of joins that will end before a steal
//! pays.
//!
//! Taking a half and returning its result moves about ten cache lines from one core to another.
//! That takes 0.5 to 1.5 µs, in which the owner runs a few hundred small joins itself. So the call
//! site of each join learns how long its offers last. If that is short, an offer carries a *steal
//! delay*, and is taken only [`STEAL_DELAY_NS`] after a thief has first seen it. So two halves that
//! wait for each other still run at the same time, only a little later.
//!
//! A thief that has to take halves from a lane that stands still tells their sites. The next halves
//! of these sites are [all offered](crate::sched::pending), and taken at once, until about seven in
//! a row were short; a hundred, if the owner stood still while a half of its site was left alone.
//!
//! All accesses here are Relaxed, because nothing depends on them: a wrong guess costs time.

use crate::policy::site::Site;
use crate::sync::{AtomicU64, Ordering};

/// How long a half with a steal delay is left alone.
pub(crate) const STEAL_DELAY_NS: u64 = 3_000;

/// What is over in this time after it was offered, perhaps with the help of a thief, is worth a try
/// without.
const SHORT_NS: f64 = 2.0 * STEAL_DELAY_NS as f64;

/// Whether what `site` offers has lately been over so soon that it should carry a steal delay.
pub(crate) fn applies_to(site: Site) -> bool {
    site.estimate_ns().is_some_and(|ns| ns < SHORT_NS)
}

/// What `site` offered, without a steal delay, is over after `ns`.
///
/// In a tree, most halves are small, and the few large ones are over last: once a site is known to
/// be short, a large one says nothing of the next.
pub(crate) fn learn(site: Site, ns: u64) {
    if !applies_to(site) {
        site.learn(ns as f64);
    }
}

/// What `site` kept private lasts long.
pub(crate) fn learn_long(site: Site) {
    // What a site has learned falls by half with each lesson: from there, it is short again after
    // some seven.
    site.learn(100.0 * SHORT_NS);
}

/// What `site` offered was left alone in vain: its owner did not do many small ones meanwhile.
pub(crate) fn learn_in_vain(site: Site) {
    // Each time that it is taken for short again costs the whole delay, so that must be rare: it
    // takes about a hundred lessons.
    site.learn(f32::MAX.into());
}

/// On a lane, in one word: the number of the job that it offers, if that is to be left alone, else
/// 0; and when a thief first saw it, if one has. Times are in nanoseconds, and wrap around after
/// four seconds; a job so old is watched anew.
#[derive(Debug)]
pub(crate) struct StealDelay(AtomicU64);

/// What a steal delay means to a thief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// The job may be taken.
    Over,
    /// The job must be left alone. No thief had seen it before.
    Begins,
    /// The job must be left alone.
    Lasts,
}

const fn number_of(word: u64) -> u32 {
    (word >> 32) as u32
}

impl StealDelay {
    pub(crate) fn new() -> Self {
        StealDelay(AtomicU64::new(0))
    }

    /// The lane offers its job `number`, to be left alone; or, with 0, one that is not.
    pub(crate) fn put(&self, number: u32) {
        let word = u64::from(number) << 32;
        if word != self.0.load(Ordering::Relaxed) {
            self.0.store(word, Ordering::Relaxed);
        }
    }

    /// A thief looks at it.
    pub(crate) fn look(&self, now_ns: u64) -> Patience {
        let word = self.0.load(Ordering::Relaxed);
        if number_of(word) == 0 {
            return Patience::Over;
        }
        let (now, seen) = (now_ns as u32, word as u32);
        let next = match seen {
            0 => (word | u64::from(now.max(1)), Patience::Begins),
            _ if now.wrapping_sub(seen) < STEAL_DELAY_NS as u32 => return Patience::Lasts,
            _ => (0, Patience::Over),
        };
        // If that fails, another job is on offer by now, or another thief was here.
        match self.0.compare_exchange(word, next.0, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => next.1,
            Err(_) => Patience::Lasts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_begins_anew_with_each_job() {
        let delay = StealDelay::new();
        assert_eq!(delay.look(5), Patience::Over, "there is no steal delay");
        delay.put(7);
        assert_eq!(delay.look(0), Patience::Begins);
        assert_eq!(delay.look(STEAL_DELAY_NS), Patience::Lasts);
        assert_eq!(delay.look(STEAL_DELAY_NS + 1), Patience::Over);
        assert_eq!(delay.look(0), Patience::Over, "for good");
        delay.put(8);
        let late = u64::from(u32::MAX) - 10;
        assert_eq!(delay.look(late), Patience::Begins);
        assert_eq!(delay.look(late + STEAL_DELAY_NS - 1), Patience::Lasts, "times wrap around");
        assert_eq!(delay.look(late + STEAL_DELAY_NS), Patience::Over);
    }

    #[test]
    fn a_large_half_does_not_change_what_applies_to_the_small_ones() {
        let site = Site::at(0x0bad_beef);
        learn(site, 100);
        learn(site, 1_000_000);
        assert!(applies_to(site));
        learn_long(site);
        assert!(!applies_to(site));
    }

    #[test]
    fn a_site_whose_lane_stood_still_is_not_believed_for_some_lessons() {
        let site = Site::at(0x0bad_cafe);
        assert!(!applies_to(site), "nothing is known of it");
        learn(site, 100);
        assert!(applies_to(site));
        learn_long(site);
        assert!((5..10).contains(&short_ones_until_believed(site)));
    }

    #[test]
    fn a_site_that_was_left_alone_in_vain_is_not_believed_for_a_hundred_lessons() {
        let site = Site::at(0x0bad_f00d);
        learn(site, 100);
        learn_in_vain(site);
        assert!(!applies_to(site));
        assert!((80..200).contains(&short_ones_until_believed(site)));
    }

    fn short_ones_until_believed(site: Site) -> usize {
        let believed = (1..1000).find(|_| {
            learn(site, 100);
            applies_to(site)
        });
        believed.expect("short ones are believed some day")
    }
}
