//! The loops of a profile, by their places in the program.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use taskel_adaptive::recording::CallKind;

use super::calls::CallId;
use super::sorted::sort_by_key;
use super::{ChunkSizes, Profile};

/// What the loops at one place of the program did, during a [`Profile`].
///
/// ```
/// use taskel::prelude::*;
///
/// let pool = taskel::ThreadPool::new()?;
/// let ((), profile) = pool.profile(|| (0..3).for_each(|_| (0..1000).into_par_iter().for_each(|_| ())));
/// let [only] = &profile.loops()[..] else { panic!("one place") };
/// assert_eq!((only.calls(), only.items()), (3, 3000));
/// println!("{}: {:?} for an item", only.site(), only.mean_item());
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LoopProfile {
    site: String,
    calls: u64,
    items: u64,
    busy_ns: u64,
    longest_item_ns: u64,
    chunks: u64,
    chunk_sizes: ChunkSizes,
    /// By [`WhyAlone`].
    alone: [u64; WhyAlone::ALL.len()],
}

/// Why one worker alone has run all items of a loop.
///
/// ```
/// use taskel::{WhyAlone, prelude::*};
///
/// let pool = taskel::ThreadPool::builder().num_threads(2).build()?;
/// let ((), profile) = pool.profile(|| [7].par_iter().for_each(|_| ()));
/// assert_eq!(profile.loops()[0].alone().collect::<Vec<_>>(), [(WhyAlone::OneItem, 1)]);
/// # Ok::<(), taskel::ThreadPoolBuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhyAlone {
    /// The pool has one worker.
    OneWorker,
    /// There was one item, or none.
    OneItem,
    /// Earlier calls had shown that it is over before another worker could be of use: within some
    /// 10 µs.
    Short,
    /// It was on offer, and over before anybody came: all were busy, or it was shorter than a
    /// wake-up.
    NobodyCame,
}

impl WhyAlone {
    const ALL: [WhyAlone; 4] =
        [WhyAlone::OneWorker, WhyAlone::OneItem, WhyAlone::Short, WhyAlone::NobodyCame];
}

/// In a word or two.
impl fmt::Display for WhyAlone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WhyAlone::OneWorker => "one worker",
            WhyAlone::OneItem => "one item",
            WhyAlone::Short => "short",
            WhyAlone::NobodyCame => "nobody came",
        })
    }
}

/// What is known of a call of a loop.
struct OneCall {
    place: usize,
    is_short: bool,
    items: u64,
    /// The first lane that had items of it.
    lane: Option<usize>,
    is_shared: bool,
}

impl LoopProfile {
    /// Where in the program the loop is called: `src/main.rs:42`. A loop that is called for another
    /// one, as inside of `flat_map`, has the name of the function around the other one's last
    /// closure, or the types of a loop without closures.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// How often the loop was called.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// How many of the calls one worker alone has run, and why; together with those that several
    /// workers shared, they are all [calls](Self::calls). Reasons that there were not are left out.
    pub fn alone(&self) -> impl Iterator<Item = (WhyAlone, u64)> + '_ {
        WhyAlone::ALL.into_iter().zip(self.alone).filter(|&(_, calls)| calls > 0)
    }

    /// How many items the calls had together.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// The time spent in these, summed over all workers. What an item waits for is a part of it, and
    /// so are loops inside of it.
    pub fn busy_time(&self) -> Duration {
        Duration::from_nanos(self.busy_ns)
    }

    /// What an item took on average; 0 if there was none.
    pub fn mean_item(&self) -> Duration {
        Duration::from_nanos(self.busy_ns.checked_div(self.items).unwrap_or(0))
    }

    /// The longest item, as far as chunks tell, as [`Profile::longest_taskel`] is.
    pub fn longest_item(&self) -> Duration {
        Duration::from_nanos(self.longest_item_ns)
    }

    /// How many chunks the items were grouped into.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// How many chunks there were of each size, as [`Profile::chunk_sizes`] has them.
    pub fn chunk_sizes(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.chunk_sizes.buckets()
    }
}

impl Profile {
    /// The loops of the program by their place in it, the one that took most time first.
    ///
    /// Two loops of one line are one place; so are two calls of a function that has a loop, unless
    /// it is `#[track_caller]`.
    /// Memory is bounded as that of [`recording`](Self::recording) is; calls that had no room are not
    /// in it.
    pub fn loops(&self) -> Vec<LoopProfile> {
        let logs = || self.workers.iter().flat_map(|worker| worker.logs());
        let mut places: Vec<LoopProfile> = Vec::new();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        let mut each: Vec<OneCall> = Vec::new();
        let mut by_call: HashMap<CallId, usize> = HashMap::new();
        let loops = logs().flat_map(|log| &log.calls).filter(|call| call.head.kind == CallKind::Loop);
        for call in loops {
            let site = call.head.site.name();
            let place = *by_name.entry(site).or_insert_with_key(|site| {
                places.push(LoopProfile::at(site.clone()));
                places.len() - 1
            });
            places[place].calls += 1;
            let one = OneCall { place, is_short: call.is_short, items: 0, lane: None, is_shared: false };
            by_call.insert(call.head.id, each.len());
            each.push(one);
        }
        for (lane, part) in
            logs().enumerate().flat_map(|(lane, log)| log.parts.iter().map(move |part| (lane, part)))
        {
            let Some(call) = by_call.get(&part.of).map(|&call| &mut each[call]) else { continue };
            call.items = call.items.saturating_add(part.items);
            call.is_shared |= *call.lane.get_or_insert(lane) != lane;
            let place = &mut places[call.place];
            place.items = place.items.saturating_add(part.items);
            place.busy_ns = place.busy_ns.saturating_add(part.whole_ns);
            place.longest_item_ns = place.longest_item_ns.max(part.whole_ns / part.items.max(1));
            place.chunks += part.chunks;
            let size = usize::try_from(part.items / part.chunks).unwrap_or(usize::MAX);
            place.chunk_sizes.add(size.max(1), part.chunks);
        }
        for call in each.into_iter().filter(|call| !call.is_shared) {
            let why = match call {
                _ if self.threads <= 1 => WhyAlone::OneWorker,
                OneCall { items: 0 | 1, .. } => WhyAlone::OneItem,
                OneCall { is_short: true, .. } => WhyAlone::Short,
                _ => WhyAlone::NobodyCame,
            };
            places[call.place].alone[why as usize] += 1;
        }
        sort_by_key(&mut places, |place| u64::MAX - place.busy_ns);
        places
    }
}

impl LoopProfile {
    fn at(site: String) -> Self {
        LoopProfile {
            site,
            calls: 0,
            items: 0,
            busy_ns: 0,
            longest_item_ns: 0,
            chunks: 0,
            chunk_sizes: ChunkSizes::default(),
            alone: [0; WhyAlone::ALL.len()],
        }
    }
}
