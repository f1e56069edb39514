//! Formats numbers for people. For `taskel` and this crate, not part of the public interface.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

/// The units of time, each with its length in nanoseconds.
const UNITS: [(f64, &str); 4] = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];

/// Returns the largest unit that is not larger than a time.
pub fn unit_of(ns: f64) -> (f64, &'static str) {
    UNITS.into_iter().find(|&(unit, _)| ns >= unit).unwrap_or((1.0, "ns"))
}

/// A time in nanoseconds, shown with three digits in a suitable unit: `740 ns`, `1.24 ms`,
/// `86400 s`.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value that rounds to 1000 of one unit is shown as 1.00 of the next.
        let (unit, name) = unit_of(self.0 * 1.0005);
        let value = self.0 / unit;
        let decimals = match value {
            _ if unit == 1.0 => 0,
            v if v >= 99.95 => 0,
            v if v >= 9.995 => 1,
            _ => 2,
        };
        f.pad(&format!("{value:.decimals$} {name}"))
    }
}

/// A number with its digits in groups of three: `1,234,567`.
#[derive(Clone, Copy, Debug)]
pub struct Grouped(pub u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut grouped = String::with_capacity(digits.len() * 4 / 3);
        for (i, digit) in digits.char_indices() {
            if i > 0 && (digits.len() - i) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        f.pad(&grouped)
    }
}

/// A noun with its number: `1 chunk`, `2,000 chunks`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", Grouped(n), if n == 1 { "" } else { "s" })
}
