//! Whether calls stay within their bounds.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::{Duration, Instant};

use taskel::ThreadPool;

use crate::bystanders::delays_and_wake_during;
use crate::load::{Done, Items, LOADS, Load, Order};
use crate::watchdog::watch;

pub(crate) const WORKERS: [usize; 4] = [4, 8, 16, 32];

/// Half an item: far more than it takes to wake all workers one after the other, and less than an
/// item too many.
pub(crate) const WAKING: Duration = Duration::from_millis(6);

/// Runs all items.
pub(crate) type Shape = fn(&Items);

/// The instances of a function: call sites that know nothing of each other.
macro_rules! sites {
    ($shape:ident) => {
        sites!($shape: 0 1 2 3)
    };
    ($shape:ident by $len:literal) => {
        [$shape::<$len, 0> as crate::within::Shape, $shape::<$len, 1>, $shape::<$len, 2>, $shape::<$len, 3>]
    };
    ($shape:ident for each load) => {
        sites!($shape: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
    };
    ($shape:ident: $($site:literal)*) => {
        [$($shape::<$site> as crate::within::Shape),*]
    };
}
pub(crate) use sites;

/// What a call may cost beyond the best order.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// So many neighbours run one after the other.
    pub(crate) together: u32,
    /// Whether somebody may wait for the last item of a loop inside of another, in which case they
    /// do nothing else.
    pub(crate) waits: bool,
    /// Whether they may do so even where all items are alike.
    pub(crate) always_waits: bool,
    /// Which loads are tried.
    pub(crate) loads: &'static [usize],
}

/// Every load, and any item may run beside any other.
pub(crate) const ALL: Limits =
    Limits { together: 1, waits: false, always_waits: false, loads: &[0, 1, 2, 3, 4, 5, 6, 7] };

/// Every load, in loops inside of another.
pub(crate) const NESTED: Limits = Limits { waits: true, ..ALL };

/// Every load, in loops inside of others that are inside of others.
pub(crate) const DEEP: Limits = Limits { always_waits: true, ..NESTED };

impl Limits {
    fn bound(self, order: Order, done: Done) -> Duration {
        let done = Done { longest: done.longest * self.together, ..done };
        match order {
            Order::Alike if self.always_waits => done.greedy(),
            Order::Alike => done.best(),
            _ if self.waits => done.greedy() + done.longest,
            Order::LongestFirst => done.best(),
            Order::Any => done.greedy(),
        }
    }
}

/// Asserts that three calls of each load stay within their bounds with any number of workers, each
/// number at a site (or, if there are as many, each load) of its own.
#[track_caller]
pub(crate) fn assert_all_busy(sites: &[Shape], limits: Limits) {
    let _watchdog = watch("a loop of sleeping items");
    let calls = |place: usize| {
        let workers = WORKERS[place];
        limits.loads.iter().flat_map(move |&load| {
            let site = if sites.len() == WORKERS.len() { place } else { place * LOADS.len() + load };
            let Load { name, order, items } = &LOADS[load];
            let call = move |call| Call {
                name: format!("P = {workers}, {name}, call {call}"),
                items: Items::new(&items(workers)),
                order: *order,
                shape: sites[site],
            };
            (1..=3).map(call)
        })
    };
    assert_within(limits, calls);
}

/// As `assert_all_busy`, for calls with items that are alike: milliseconds and how many of them.
#[track_caller]
pub(crate) fn assert_all_busy_with(calls: fn(usize) -> Vec<(u64, usize)>, sites: &[Shape], together: u32) {
    let _watchdog = watch("a loop of sleeping items");
    let calls = |place: usize| {
        calls(WORKERS[place]).into_iter().enumerate().map(move |(call, (ms, len))| Call {
            name: format!("P = {}, call {}, {len} items of {ms} ms", WORKERS[place], call + 1),
            items: Items::new(&vec![ms; len]),
            order: Order::Alike,
            shape: sites[place],
        })
    };
    assert_within(Limits { together, ..ALL }, calls);
}

/// Who has the cores: tests whose items sleep share them, one whose items compute has them alone.
static CORES: RwLock<()> = RwLock::new(());

pub(crate) fn share_cores() -> RwLockReadGuard<'static, ()> {
    CORES.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn take_cores() -> RwLockWriteGuard<'static, ()> {
    CORES.write().unwrap_or_else(PoisonError::into_inner)
}

/// Something to do.
struct Call {
    name: String,
    items: Items,
    order: Order,
    shape: Shape,
}

/// All numbers of workers at once, since who sleeps needs no core.
#[track_caller]
fn assert_within<C: Iterator<Item = Call>>(limits: Limits, calls: impl Fn(usize) -> C + Sync) {
    let _cores = share_cores();
    let late = |place: usize| -> Vec<String> {
        let pool = pool(WORKERS[place]);
        calls(place).filter_map(|call| lateness(&pool, call, limits)).collect()
    };
    let all: usize = (0..WORKERS.len()).map(|place| calls(place).count()).sum();
    let late: Vec<String> = thread::scope(|scope| {
        let places = (0..WORKERS.len()).map(|place| {
            let late = &late;
            scope.spawn(move || late(place))
        });
        let places: Vec<_> = places.collect();
        places.into_iter().flat_map(|place| place.join().unwrap()).collect()
    });
    // A machine that has something else to do disturbs a call here and there; a wrong rule shows in
    // each pool.
    assert!(late.len() * 12 <= all, "{} calls of {all} took too long:\n{}", late.len(), late.join("\n"));
}

/// A pool whose threads have all begun to work, which takes some milliseconds where sixty begin at
/// once.
pub(crate) fn pool(workers: usize) -> ThreadPool {
    let pool = ThreadPool::builder().num_threads(workers).build().unwrap();
    pool.broadcast(|_| ());
    pool
}

/// How long a call took, if that is too long.
fn lateness(pool: &ThreadPool, call: Call, limits: Limits) -> Option<String> {
    // So that everybody sleeps, as between most calls.
    thread::sleep(Duration::from_millis(1));
    let mut time = Duration::ZERO;
    let (delays, _) = delays_and_wake_during(|| {
        let start = Instant::now();
        pool.install(|| (call.shape)(&call.items));
        time = start.elapsed();
    });
    let bound = limits.bound(call.order, call.items.done(pool.current_num_threads()));
    let name = call.name;
    (time > bound.mul_f64(1.05) + WAKING + delays)
        .then(|| format!("{name}: {time:.1?} where {bound:.1?} is enough"))
}
