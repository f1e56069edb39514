//! parking_lot's, within one process.

use super::{Peer, section};
use parking_lot::Mutex;

#[derive(Default)]
pub(super) struct ParkingLot(Mutex<u64>);

impl Peer for ParkingLot {
    fn name(&self) -> &'static str {
        "parking_lot"
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn visitor(&self, iterations: u32) -> Box<dyn FnMut(u32) + '_> {
        Box::new(move |times| {
            for _ in 0..times {
                section(&mut self.0.lock(), iterations);
            }
        })
    }

    fn count(&self) -> u64 {
        *self.0.lock()
    }
}
