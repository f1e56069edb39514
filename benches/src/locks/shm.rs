//! Ours.

use super::{Peer, section};
use shm_lock::ShmMutex;

pub(super) struct Shm(ShmMutex<u64>);

impl Shm {
    pub(super) fn new() -> Self {
        Shm(ShmMutex::memfd("bench", 0).expect("shared memory"))
    }
}

impl Peer for Shm {
    fn name(&self) -> &'static str {
        "shm-lock"
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn visitor(&self, iterations: u32) -> Box<dyn FnMut(u32) + '_> {
        Box::new(move |times| {
            for _ in 0..times {
                section(&mut self.0.lock().expect("no owner dies"), iterations);
            }
        })
    }

    fn count(&self) -> u64 {
        *self.0.lock().expect("no owner dies")
    }
}
