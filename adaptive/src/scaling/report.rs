//! Predictions as text.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{Limit, Prediction, Scaling, share};
use crate::units::{Grouped, Time, counted};

/// Shorter waits are not reported.
const WORTH_SAYING: f64 = 0.1;

/// For people: a summary, a table with one line per number of workers, and what limits the program
/// from which number on. Does not end with a line break.
impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.summary())?;
        self.write_table(f)?;
        let mut rest = &self.predictions[..];
        while let Some(first) = rest.first() {
            let same = rest.iter().take_while(|next| is_same(first.limit(), next.limit())).count();
            let (run, others) = rest.split_at(same);
            write!(f, "\n{}", self.sentence(run, others.is_empty()))?;
            rest = others;
        }
        for line in self.notes() {
            write!(f, "\n{line}")?;
        }
        Ok(())
    }
}

/// Returns whether one sentence can describe both limits.
fn is_same(a: &Limit, b: &Limit) -> bool {
    match (a, b) {
        (Limit::Item { item: a, site: b, .. }, Limit::Item { item: c, site: d, .. }) => (a, b) == (c, d),
        (Limit::Path { site: a, .. }, Limit::Path { site: b, .. }) => a == b,
        _ => core::mem::discriminant(a) == core::mem::discriminant(b),
    }
}

impl Scaling {
    /// `recorded on 1 worker: 120 ms, with 119 ms of work, of which 0.5 ms (0 %) is serial`.
    fn summary(&self) -> String {
        alloc::format!(
            "recorded on {}: {}, with {} of work, of which {} ({:.0} %) is serial\n\n",
            counted(self.recorded_on as u64, "worker"),
            Time(self.wall_ns as f64),
            Time(self.work_ns),
            Time(self.serial_ns),
            100.0 * share(self.serial_ns, self.work_ns),
        )
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "workers  predicted  speed-up   at least")?;
        for prediction in &self.predictions {
            let Prediction { workers, ns, bound_ns, speed_up, .. } = prediction;
            let (time, bound) = (Time(*ns).to_string(), Time(*bound_ns).to_string());
            writeln!(f, "{:>7}  {time:>9}  {speed_up:>8.2}  {bound:>9}", Grouped(*workers as u64))?;
        }
        Ok(())
    }

    /// Describes neighbouring predictions with the same limit.
    fn sentence(&self, run: &[Prediction], is_last: bool) -> String {
        let (first, last) = (run[0].workers, run[run.len() - 1].workers);
        let range = match run.len() {
            _ if is_last && self.predictions.len() > 1 => {
                alloc::format!("from {} on", counted(first as u64, "worker"))
            }
            1 => alloc::format!("on {}", counted(first as u64, "worker")),
            _ => alloc::format!("from {first} to {}", counted(last as u64, "worker")),
        };
        let limit = match run[0].limit() {
            Limit::Work => "the work itself is the limit: more workers help".to_string(),
            Limit::Item { time, item, site } => {
                let time = Time(time.as_nanos() as f64);
                alloc::format!(
                    "the longest item is the limit ({time}, item {item} of {site}): divide it, or begin it first"
                )
            }
            Limit::Path { time, site } => {
                let time = Time(time.as_nanos() as f64);
                alloc::format!("the longest path through {site} is the limit ({time})")
            }
            Limit::Serial { time } => alloc::format!(
                "a serial part of {:.0} % is the limit ({}, in no parallel call)",
                100.0 * share(self.serial_ns, self.work_ns),
                Time(time.as_nanos() as f64)
            ),
            Limit::Lock { time } => alloc::format!(
                "waiting in items is the limit, as for a lock: together they had a processor for {}, one at a time",
                Time(time.as_nanos() as f64)
            ),
            Limit::Sharing => "sharing the work takes longest: it is too short for so many".to_string(),
        };
        alloc::format!("{range}, {limit}")
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let preempted = share(self.waited.preempted_ns as f64, self.waited.of_ns as f64);
        let waiting = self.waiting() - preempted;
        if waiting >= WORTH_SAYING {
            let seems_locked = self.predictions.iter().any(|made| matches!(made.limit, Limit::Lock { .. }));
            let why = match self.recorded_on {
                _ if seems_locked => "for each other",
                1 => "for input or output, or asleep",
                _ => "for a lock, for input or output, or asleep. If it is a lock, more workers wait longer",
            };
            notes.push(alloc::format!(
                "waiting in items: {:.0} % of their time they had no processor, and waited {why}",
                100.0 * waiting
            ));
        }
        if preempted >= WORTH_SAYING {
            notes.push(alloc::format!(
                "preempted: for {:.0} % of the time in items, others had the processor",
                100.0 * preempted
            ));
        }
        if self.left_out > 0 {
            notes.push(alloc::format!(
                "{} had no room in the recording: their time is that of what they are in",
                counted(self.left_out, "call")
            ));
        }
        notes
    }
}
