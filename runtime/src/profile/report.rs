//! A profile as text.

use std::fmt;
use std::time::Duration;

use super::{LoopProfile, Profile, WorkerProfile, share};
use taskel_adaptive::units::{Grouped, Time, counted};

/// A column's heading and how to fill its cells.
pub(super) type Column = (&'static str, fn(&WorkerProfile) -> String);

/// The columns that follow the label and the bar.
pub(super) const COLUMNS: [Column; 10] = [
    ("busy", |worker| Time(worker.record.busy_ns as f64).to_string()),
    ("waiting", |worker| Time(worker.record.waits.ns as f64).to_string()),
    ("searching", |worker| Time(worker.searching().as_nanos() as f64).to_string()),
    ("parked", |worker| Time(worker.parked().as_nanos() as f64).to_string()),
    ("taskels", |worker| Grouped(worker.record.taskels).to_string()),
    ("chunks", |worker| Grouped(worker.record.chunks).to_string()),
    ("steals", |worker| Grouped(worker.counters.steals_won).to_string()),
    ("tried", |worker| Grouped(worker.counters.steals_tried).to_string()),
    ("wake-ups", |worker| Grouped(worker.counters.wakeups).to_string()),
    ("parks", |worker| Grouped(worker.counters.parks).to_string()),
];

const BAR: usize = 30;

/// A table has no more places than this.
const MOST_LOOPS: usize = 12;

/// For people: a summary, a table with a line per worker, the chunk sizes, and a table with a line
/// per place in the program that has loops. `waiting` is how long a worker's taskels had no
/// processor, `searching` and `parked` how long it was awake without one, and asleep. Ends without
/// a line break.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary())?;
        writeln!(f, "{}\n", self.counts())?;
        self.write_workers(f)?;
        self.write_chunk_sizes(f)?;
        self.write_loops(f)
    }
}

impl Profile {
    /// `4 threads, 12.3 ms, 97.1 % busy, speed-up 3.88`.
    pub(super) fn summary(&self) -> String {
        let threads = counted(self.threads as u64, "thread");
        let wall = Time(self.wall_ns as f64);
        let (busy, speed_up) = (self.utilisation() * 100.0, self.speed_up());
        format!("{threads}, {wall}, {busy:.1} % busy, speed-up {speed_up:.2}")
    }

    /// `45.1 ms in 1,000 taskels, 40 chunks, 3 steals; longest taskel 0.98 ms`.
    pub(super) fn counts(&self) -> String {
        let held_back: Duration = self.workers.iter().map(WorkerProfile::held_back).sum();
        let held_back = match held_back.as_nanos() {
            0 => String::new(),
            ns => format!("; {} held back", Time(ns as f64)),
        };
        format!(
            "{} in {}, {}, {}; longest taskel {}{held_back}",
            Time(self.busy_ns() as f64),
            counted(self.taskels(), "taskel"),
            counted(self.chunks(), "chunk"),
            counted(self.total(WorkerProfile::steals_won), "steal"),
            Time(self.longest_taskel().as_nanos() as f64),
        )
    }

    fn write_workers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label_width = self.workers.iter().map(|w| w.label.chars().count()).max().unwrap_or(0);
        let rows: Vec<[String; COLUMNS.len()]> =
            self.workers.iter().map(|worker| COLUMNS.map(|(_, cell)| cell(worker))).collect();
        let widths: [usize; COLUMNS.len()] = std::array::from_fn(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([COLUMNS[column].0.len()]).max().unwrap_or(0)
        });

        write!(f, "{:label_width$}  {:BAR$}", "", "")?;
        for ((heading, _), width) in COLUMNS.iter().zip(widths) {
            write!(f, "  {heading:>width$}")?;
        }
        writeln!(f)?;
        for (worker, row) in self.workers.iter().zip(rows) {
            write!(
                f,
                "{:label_width$}  {}",
                worker.label,
                bar(share(worker.record.busy_ns, self.wall_ns), '░')
            )?;
            for (cell, width) in row.iter().zip(widths) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_chunk_sizes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<(String, u64)> =
            self.chunk_sizes().map(|(smallest, chunks)| (bucket(smallest), chunks)).collect();
        let most = rows.iter().map(|&(_, chunks)| chunks).max().unwrap_or(0);
        let size_width = rows.iter().map(|(size, _)| size.chars().count()).max().unwrap_or(0);
        let count_width = Grouped(most).to_string().len();
        write!(f, "\ntaskels per chunk")?;
        if rows.is_empty() {
            write!(f, ": no chunks")?;
        }
        for (size, chunks) in rows {
            let bar = bar(share(chunks, most), ' ');
            write!(f, "\n{size:>size_width$}  {:>count_width$}  {}", Grouped(chunks), bar.trim_end())?;
        }
        Ok(())
    }
}

impl Profile {
    fn write_loops(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loops = self.loops();
        if loops.is_empty() {
            return Ok(());
        }
        let rows = loops.iter().take(MOST_LOOPS).map(|of| {
            let per_chunk = share(of.items(), of.chunks());
            [
                Grouped(of.calls()).to_string(),
                Grouped(of.items()).to_string(),
                Time(of.mean_item().as_nanos() as f64).to_string(),
                Time(of.longest_item().as_nanos() as f64).to_string(),
                if per_chunk < 100.0 {
                    format!("{per_chunk:.1}")
                } else {
                    Grouped(per_chunk as u64).to_string()
                },
                alone(of),
            ]
        });
        let rows: Vec<[String; 6]> = rows.collect();
        let headings = ["calls", "items", "mean", "longest", "per chunk", "alone"];
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(|column| width(column).max(headings[column].len()));
        write!(f, "\n\nloops")?;
        let line = |f: &mut fmt::Formatter<'_>, cells: [&str; 6], place: &str| {
            writeln!(f)?;
            for (cell, width) in cells.iter().zip(widths) {
                write!(f, "  {cell:>width$}")?;
            }
            write!(f, "  {place}")
        };
        line(f, headings, "where")?;
        for (row, of) in rows.iter().zip(&loops) {
            line(f, std::array::from_fn(|column| row[column].as_str()), of.site())?;
        }
        match loops.len().saturating_sub(MOST_LOOPS) {
            0 => Ok(()),
            more => write!(f, "\n  and {}", counted(more as u64, "other")),
        }
    }
}

/// `12, short`: how many calls one worker alone has run, and why most of them.
pub(super) fn alone(of: &LoopProfile) -> String {
    let calls: u64 = of.alone().map(|(_, calls)| calls).sum();
    match of.alone().max_by_key(|&(_, calls)| calls) {
        Some((why, _)) => format!("{}, {why}", Grouped(calls)),
        None => "0".to_owned(),
    }
}

/// `1`, `2–3`, `4–7` and so on.
pub(super) fn bucket(smallest: usize) -> String {
    match smallest - 1 + smallest {
        1 => "1".to_owned(),
        largest => format!("{}–{}", Grouped(smallest as u64), Grouped(largest as u64)),
    }
}

/// A bar filled to `share`, which shows anything above zero.
fn bar(share: f64, rest: char) -> String {
    let filled = (share * BAR as f64).round().clamp(0.0, BAR as f64) as usize;
    let filled = if share > 0.0 { filled.max(1) } else { 0 };
    (0..BAR).map(|i| if i < filled { '█' } else { rest }).collect()
}
