//! Times that several files use, or that have a counterpart elsewhere. A time that belongs to one
//! algorithm is in the file of that algorithm. The measurements are in `docs/decisions` of the
//! workspace.

/// How long a chunk should take. Between two chunks a lane reads the clock and claims, 40 to 100
/// ns: with chunks of 4 µs, which are the policy's default, that was up to 2 % of an even loop.
pub(crate) const CHUNK_NS: u64 = 8_000;

/// What a claim and a look at the clock add to the measured time of a chunk.
pub(crate) const CLAIM_NS: u64 = 20;

/// Twice what it costs to wake a sleeping worker: what takes less is over before a second worker is
/// of use. Below this, sharing with a worker that is awake and searching gains nothing either: the
/// handful of cache lines that change hands take 1 to 2 µs.
pub(crate) const WORTH_SHARING_NS: f64 = 10_000.0;

/// A loop shorter than this, or with shares that are not worth a wake-up, is not cut into shares in
/// advance. Lanes that come steal.
pub(crate) const WORTH_PRESPLITTING_NS: f64 = 50_000.0;

/// What lasts so long is taken for longer than expected, and others look at what it holds back: the
/// rest of a chunk, which is to take 8 µs; what is private to a lane that has neither forked nor
/// joined meanwhile, which is much for a join, and little for what would be worth a wake-up; what
/// is behind an item in a bundle of a stream.
pub(crate) const PATIENCE_NS: u64 = 50_000;

/// How long a wait spins before it sleeps: a chunk or two.
pub(crate) const WAIT_SPIN_NS: u64 = 20_000;

/// A worker without work spins no longer than this, unless its pool is told otherwise.
pub(crate) const IDLE_SPIN_NS: u64 = 50_000;
