//! A list of events in time that stays bounded however many events there are.

use super::sorted::sort_by_key;

/// What an event stands for.
pub(super) trait Weight: Copy {
    /// Adds what the event that comes next stands for.
    fn absorb(&mut self, next: Self);
}

/// Something that happened from one time to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event<W> {
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    pub(super) weight: W,
}

/// Events in the order of time, at most [`CAPACITY`] of them.
///
/// When it is full, neighbours closer together than a resolution are merged, and from then on so
/// are new ones. Going by time and not by number keeps long events apart from short ones, and every
/// part of the timeline equally fine.
///
/// The bound: after a merge with resolution `r`, any two neighbours together extend over more than
/// `r`. The events do not overlap, so there are at most `2 * extent / r + 1`. Taking
/// `r = extent / (CAPACITY / 4)`, rounded up, leaves at most half the capacity and one. So a merge,
/// linear in the capacity, comes at most once in `CAPACITY / 2 - 1` events.
#[derive(Clone, Debug)]
pub(super) struct Timeline<W> {
    events: Vec<Event<W>>,
    resolution_ns: u64,
}

pub(super) const CAPACITY: usize = 1 << 16;

impl<W: Weight> Timeline<W> {
    pub(super) const fn new() -> Self {
        Timeline { events: Vec::new(), resolution_ns: 0 }
    }

    /// Appends an event. One that begins before the last one has ended, as clocks that differ
    /// between cores may report, is cut to fit.
    pub(super) fn push(&mut self, start_ns: u64, end_ns: u64, weight: W) {
        if self.events.len() == CAPACITY {
            let extent = end_ns.saturating_sub(self.events[0].start_ns);
            self.resolution_ns = extent.div_ceil(CAPACITY as u64 / 4).max(1);
            self.events = self.merged(self.resolution_ns);
        }
        let start_ns = self.events.last().map_or(0, |last| last.end_ns).max(start_ns);
        let end_ns = end_ns.max(start_ns);
        append(&mut self.events, Event { start_ns, end_ns, weight }, self.resolution_ns);
    }

    /// The events of both, as one lane's.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut all: Vec<Event<W>> = self.events.iter().chain(&other.events).copied().collect();
        sort_by_key(&mut all, |event| event.start_ns);
        let mut both = Timeline::new();
        for Event { start_ns, end_ns, weight } in all {
            both.push(start_ns, end_ns, weight);
        }
        both
    }

    pub(super) fn events(&self) -> &[Event<W>] {
        &self.events
    }

    /// The events, with neighbours merged as long as they fit into `resolution_ns` together.
    pub(super) fn merged(&self, resolution_ns: u64) -> Vec<Event<W>> {
        let mut merged = Vec::new();
        for &event in &self.events {
            append(&mut merged, event, resolution_ns);
        }
        merged
    }
}

fn append<W: Weight>(events: &mut Vec<Event<W>>, event: Event<W>, resolution_ns: u64) {
    match events.last_mut() {
        Some(last) if event.end_ns - last.start_ns <= resolution_ns => {
            last.end_ns = event.end_ns;
            last.weight.absorb(event.weight);
        }
        _ => events.push(event),
    }
}

/// The events of all lanes, as `merged` gives them, at the finest resolution, from `resolution_ns`
/// up, that leaves at most `most` of them and at least one for each lane that has any.
pub(super) fn fitting<W>(
    most: usize,
    mut resolution_ns: f64,
    merged: impl Fn(u64) -> Vec<Vec<Event<W>>>,
) -> Vec<Vec<Event<W>>> {
    loop {
        let events = merged(resolution_ns as u64);
        if events.iter().map(Vec::len).sum::<usize>() <= most.max(events.len()) {
            return events;
        }
        resolution_ns = resolution_ns.max(1.0) * 1.5;
    }
}
