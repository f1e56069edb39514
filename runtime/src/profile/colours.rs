//! The colours of a picture's bars.

use taskel_adaptive::units::Time;

use super::recorder::Chunks;
use super::timeline::Event;

/// From short to long chunks. Its lightness falls evenly, so it survives print and colour
/// blindness.
pub(super) const COLOURS: [[u8; 3]; 6] = [
    [0xa6, 0xdc, 0xb5],
    [0x66, 0xc2, 0xbe],
    [0x36, 0x9f, 0xc1],
    [0x22, 0x78, 0xb5],
    [0x24, 0x50, 0x9a],
    [0x17, 0x27, 0x5c],
];

/// Which colour stands for which duration of a chunk, on a logarithmic scale.
pub(super) struct Colours {
    shortest_ns: f64,
    longest_ns: f64,
}

impl Colours {
    pub(super) fn new<'a>(spans: impl Iterator<Item = &'a Event<Chunks>>) -> Colours {
        let means = spans.map(|span| span.weight.mean_ns().max(1.0));
        let (shortest_ns, longest_ns) =
            means.fold((f64::MAX, 1.0), |(low, high), ns| (ns.min(low), ns.max(high)));
        Colours { shortest_ns: shortest_ns.min(longest_ns), longest_ns }
    }

    pub(super) fn of(&self, ns: f64) -> String {
        let range = (self.longest_ns / self.shortest_ns).ln();
        let position = if range > 0.0 { (ns.max(1.0) / self.shortest_ns).ln() / range } else { 0.5 };
        colour_at(position)
    }

    /// The duration at a share of the scale.
    pub(super) fn duration_at(&self, position: f64) -> Time {
        Time(self.shortest_ns * (self.longest_ns / self.shortest_ns).powf(position))
    }
}

pub(super) fn colour_at(position: f64) -> String {
    let place = position.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let below = (place as usize).min(COLOURS.len() - 2);
    let [red, green, blue] = std::array::from_fn(|channel| {
        let [low, high] = [below, below + 1].map(|i| f64::from(COLOURS[i][channel]));
        (low + (high - low) * (place - below as f64)).round() as u8
    });
    format!("#{red:02x}{green:02x}{blue:02x}")
}
