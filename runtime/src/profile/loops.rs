//! The loops of a profile, by their places in the program.

use std::collections::HashMap;
use std::time::Duration;

use taskel_adaptive::recording::CallKind;

use super::calls::CallId;
use super::{ChunkSizes, Profile, sites};

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
}

impl LoopProfile {
    /// Where in the program: the function around the loop's last closure, or the types of a loop
    /// without closures.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// How often the loop was called.
    pub fn calls(&self) -> u64 {
        self.calls
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
    /// Two loops of one function are one place; so are two calls of a function that has a loop.
    /// Memory is bounded as that of [`recording`](Self::recording) is; calls that had no room are not
    /// in it.
    pub fn loops(&self) -> Vec<LoopProfile> {
        let logs = || self.workers.iter().flat_map(|worker| worker.logs());
        let mut places: Vec<LoopProfile> = Vec::new();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        let mut by_call: HashMap<CallId, usize> = HashMap::new();
        let loops = logs().flat_map(|log| &log.calls).filter(|call| call.head.kind == CallKind::Loop);
        for call in loops {
            let site = sites::shortened(call.head.site);
            let place = *by_name.entry(site).or_insert_with_key(|site| {
                places.push(LoopProfile::at(site.clone()));
                places.len() - 1
            });
            places[place].calls += 1;
            by_call.insert(call.head.id, place);
        }
        for part in logs().flat_map(|log| &log.parts) {
            let Some(&place) = by_call.get(&part.of) else { continue };
            let place = &mut places[place];
            place.items = place.items.saturating_add(part.items);
            place.busy_ns = place.busy_ns.saturating_add(part.whole_ns);
            place.longest_item_ns = place.longest_item_ns.max(part.whole_ns / part.items.max(1));
            place.chunks += part.chunks;
            let size = usize::try_from(part.items / part.chunks).unwrap_or(usize::MAX);
            place.chunk_sizes.add(size.max(1), part.chunks);
        }
        places.sort_by_key(|place| std::cmp::Reverse(place.busy_ns));
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
        }
    }
}
