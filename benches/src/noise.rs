//! Who else used the processor meanwhile: a parallel loop that shares its cores says little.

use std::{fs, time::Instant};

/// How much processor time everybody and this process had used at a moment, in the kernel's ticks
/// of 10 ms.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    start: Instant,
    total: u64,
    own: u64,
}

impl Noise {
    /// Starts to watch; `None` where there is no `/proc`. What child processes use counts as this
    /// one's own once they were waited for.
    #[must_use]
    pub fn watch() -> Option<Self> {
        let (total, own) = ticks_now()?;
        Some(Self { start: Instant::now(), total, own })
    }

    /// The cores that others kept busy since [`watch`](Self::watch), on average: 0.5 is half of one
    /// core. The hypervisor is one of the others.
    #[must_use]
    pub fn cores_of_others(&self) -> Option<f64> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let (total, own) = ticks_now()?;
        let others = (total - self.total).saturating_sub(own - self.own);
        Some(others as f64 / TICKS_PER_SECOND / self.start.elapsed().as_secs_f64())
    }
}

fn ticks_now() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let own_stat = fs::read_to_string("/proc/self/stat").ok()?;
    Some((busy_ticks(&stat)?, own_ticks(&own_stat)?))
}

/// The first line's fields are user, nice, system, idle, iowait, irq, softirq, steal: see proc(5).
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = fields.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, _idle, _iowait, irq, softirq, steal] = fields.try_into().ok()?;
    Some(user + nice + system + irq + softirq + steal)
}

/// utime, stime, cutime and cstime are the fields from 14 on; the second is the program's name,
/// which may contain anything, in parentheses.
fn own_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let times: Vec<u64> =
        after_name.split_whitespace().skip(11).take(4).map_while(|field| field.parse().ok()).collect();
    (times.len() == 4).then(|| times.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_not_busy_time() {
        let stat = "cpu  1 20 300 999 999 4000 50000 600000 7 7\ncpu0 9 9 9 9 9 9 9 9 9 9\n";
        assert_eq!(busy_ticks(stat), Some(654_321));
        assert_eq!(busy_ticks("cpu  1 2 3\n"), None);
    }

    #[test]
    fn children_count_and_a_strange_program_name_does_not_shift_the_fields() {
        assert_eq!(own_ticks("7 (a) b) c) R 1 7 7 0 -1 0 0 0 0 0 30 4 200 1000 20"), Some(1234));
        assert_eq!(own_ticks("7 (a"), None);
    }
}
