//! Locks between processes and within one, side by side.
//!
//! [`Peer`] is a kind of lock, [`measure`] how its time is taken, [`waits`] how long one waits for it,
//! [`looks`] what is done without waiting.

mod flock;
mod floor;
pub mod looks;
pub mod measure;
mod parking;
mod pthread;
mod readers;
mod shm;
mod std_mutex;
pub mod waits;

/// A kind of lock, and one value that it protects.
pub trait Peer: Sync {
    /// What the table calls it.
    fn name(&self) -> &'static str;

    /// Whether processes can share it.
    fn is_shared(&self) -> bool;

    /// What one thread or process does: take the lock, increase the value and
    /// [`work`](crate::work::work) for that many iterations, and give the lock back, as often as it
    /// is told to. Without iterations it does nothing with the lock in hand. Made in the thread or
    /// process that calls it.
    fn visitor(&self, iterations: u32) -> Box<dyn FnMut(u32) + '_>;

    /// How many visits of a visitor there are for each that increases the value, of which the first
    /// is one.
    fn every(&self) -> u64 {
        1
    }

    /// How often the value was increased.
    fn count(&self) -> u64;
}

/// All of them; the first is ours.
#[must_use]
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(shm::Shm::new()),
        Box::new(pthread::Pthread::new(pthread::Kind::Plain)),
        Box::new(pthread::Pthread::new(pthread::Kind::Robust)),
        Box::new(flock::Flock::new()),
        Box::new(std_mutex::Std::default()),
        Box::new(parking::ParkingLot::default()),
    ]
}

/// All of them, and what none that survives its owner can do without.
#[must_use]
pub fn alone() -> Vec<Box<dyn Peer>> {
    let mut peers = all();
    peers.push(Box::new(floor::Floor::default()));
    peers
}

/// Locks that let readers in together, beside our mutex, each of which is written by one in `every`
/// visits; the first is ours.
#[must_use]
pub fn for_readers(every: u64) -> Vec<Box<dyn Peer>> {
    use readers::{Readers, Shared};
    vec![
        Box::new(Readers::<shm_lock::ShmRwLock<u64>>::new(every)),
        Box::new(Readers::<shm_lock::ShmMutex<u64>>::new(every)),
        Box::new(Readers::<shm_lock::ShmRegion<Shared>>::new(every)),
        Box::new(Readers::<std::sync::RwLock<u64>>::new(every)),
    ]
}

/// What is done with the lock in hand: nothing for 0, so that the lock alone is timed.
#[inline]
fn section(value: &mut u64, iterations: u32) {
    if iterations > 0 {
        *value += 1;
        std::hint::black_box(crate::work::work(iterations));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn every_peer_counts_what_two_threads_do() {
        for peer in alone() {
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| peer.visitor(3)(200));
                }
            });
            assert_eq!(peer.count(), 400, "{}", peer.name());
        }
    }

    #[test]
    fn peers_for_readers_count_one_in_so_many() {
        for peer in for_readers(7) {
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| peer.visitor(3)(50));
                }
            });
            assert_eq!(peer.count(), 2 * 8, "{}", peer.name());
        }
    }
}
