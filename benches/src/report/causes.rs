//! Why a peer is ahead, row by row, as far as somebody has looked. `perf`, callgrind and the clock
//! around the items gave these answers; the decision records have their figures.

/// Rows of a group whose names contain one of these, and why a peer is ahead in them.
type Cause = (&'static str, &'static [&'static str], &'static str);

const CAUSES: &[Cause] = &[
    (
        "loops",
        &["100 x 1 µs", "300 x 1 µs", "20 x 10 µs"],
        "the peer's threads spin between the calls; here the first call of a sample wakes a worker, and a claimed item costs 350 instructions",
    ),
    (
        "loops",
        &["64 with 2 x 2 ms side by side"],
        "the second worker begins 50 to 130 µs late and steals from the end, so it comes to the second long item last; who hands out one item at a time comes to it first",
    ),
    (
        "loops",
        &["8 x 1 ms side by side", "last 8 x 1 ms", "last 2 x 1 ms", "every 4096th 500 µs"],
        "by the clock around the long items: the second worker's first item begins 77 to 100 µs late, by its wake-up, and the ends lie up to one long item apart; equal or shrinking shares meet these loads by luck",
    ),
    (
        "loops",
        &["lognormal", "Pareto", "sawtooth", "a tenth 5 µs at random", "random walk"],
        "by the clock around the items: the late second worker and the distance of the ends are 0.5 %; the rest is what a chunk of 8 µs costs, two time stamps and a claim. Larger chunks bundle more long items",
    ),
    (
        "loops",
        &["sum of 16 M f32"],
        "the second worker begins 50 to 130 µs late, 1 to 3 % of the bound; the rest is not profiled, probably the ends of chunks of 8 µs, at which the processor's prefetch stops",
    ),
    (
        "short-loops",
        &["1 x 10 ns"],
        "112 instructions instead of 72: the site of the loop is looked up, and what is around the call (a token, a profile, a span)",
    ),
    (
        "short-loops",
        &["500 x 10 ns", "sum of 64 k f32"],
        "such short loops run on the calling thread: to wake a worker takes longer than the loop. The peer's threads spin all the time",
    ),
    (
        "first-calls",
        &["first call of"],
        "nothing is known of the loop, and its first item may take long: a worker is woken before it begins, which is a system call of 5 µs and more",
    ),
    (
        "joins-alone",
        &["boxed, left first"],
        "chili runs the right side first, which is the order of this tree's memory; in the tree the other way round it is behind by as much. What a join stores hides less of the memory's latency",
    ),
    (
        "joins-alone",
        &["tree sum, depth"],
        "a join costs 42 instructions, and stores the frame of the half, its link and the closure; chili's stores are fewer, its instructions more",
    ),
    ("joins", &["boxed, left first"], "as in joins-alone"),
    (
        "joins",
        &["tree sum, depth"],
        "1023 nodes are 5 µs of work: the steal of the first half, some ten cache lines, is a part of it that counts",
    ),
    ("trees", &["skynet"], "not profiled; the medians are of five samples"),
    (
        "dispatch",
        &["at once", "after 1 ms", "after 100 ms"],
        "to hand a loop over takes 6 cache lines from core to core, and the lane searches for it; a flag takes one. After a pause the core has to be woken; the peer's spins",
    ),
    (
        "instructions",
        &["item that is claimed by itself"],
        "two time stamps, the range and the offer to others, so that no item hides behind another; rayon decides once for each piece",
    ),
    (
        "instructions",
        &["call of an empty loop", "call of a loop of one item"],
        "the site of the loop is looked up, and what is around the call (a token, a profile, a span)",
    ),
    (
        "iters",
        &["flat_map_iter and collect"],
        "items are pushed one by one, where rayon extends by each inner iterator: 38 % of the samples of perf are in that loop, 12 % in rayon's. In a program of its own with the same expression, taskel takes 0.8 of rayon's time",
    ),
    (
        "iters",
        &["par_sort_unstable 1 M u64, 16 values"],
        "pieces are sorted and merged, and a merge moves all items; rayon's partitions put equal items to their place at once",
    ),
    ("iters", &["map and sum of 1 u64"], "as for loops of one item: 112 instructions instead of 72"),
    (
        "streams",
        &["100 k x 1 µs"],
        "not profiled; probably what the window and its lanes cost for each item, where rayon's bridge only takes a lock",
    ),
    (
        "gaps",
        &["regions with gaps of"],
        "the peer's threads spin through the gaps, at the price of a core. Here a worker that has found nothing for 50 µs sleeps, and has to be woken",
    ),
    (
        "bodies",
        &["a step of 128 bodies"],
        "the peer's threads spin between the steps; a worker here probably comes some microseconds late to a step of 57 µs",
    ),
    (
        "shared",
        &["two callers, 20 times"],
        "two callers on two cores gain nothing from workers, which are probably woken all the same; the peer's regions wait for each other",
    ),
    (
        "shared",
        &["a pool in a pool"],
        "probably the chunks of 8 µs, of which each costs two time stamps and a claim; rayon splits 1000 items into some 30 pieces",
    ),
    (
        "shared",
        &["64 workers"],
        "two cores for 64 threads: perf counts 9000 switches of threads (rayon 32 000) but twice as many moves between cores, 1200 and 1700. By the clock around the items in a program of its own, both take the same time, 8.6 ms",
    ),
    (
        "locks",
        &["alone, 0 ns", "2 threads, 0 ns", "2 threads, 100 ns", "2 threads, 1 µs"],
        "the peer does not survive its owner: a lock that does writes down who has it, so that the system finds it (decision 0013 has the nanoseconds)",
    ),
    (
        "locks for readers",
        &["alone, writes"],
        "the peer does not survive its owner: a writer takes a robust lock, and looks at the readers' slots (decision 0013)",
    ),
    (
        "instructions",
        &["lock and unlock"],
        "the peer does not survive its owner: a lock that does writes down who has it (decision 0013)",
    ),
];

/// Why a peer is ahead in that row.
pub(super) fn of(group: &str, row: &str) -> Option<&'static str> {
    let names = |cause: &&Cause| cause.0 == group && cause.1.iter().any(|part| row.contains(part));
    CAUSES.iter().find(names).map(|cause| cause.2)
}

/// All rows that have a cause: a group, and a part of the row's name.
#[cfg(test)]
pub(super) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    CAUSES.iter().flat_map(|cause| cause.1.iter().map(|row| (cause.0, *row)))
}
