//! The standard library's, within one process.

use super::{Peer, section};
use std::sync::Mutex;

#[derive(Default)]
pub(super) struct Std(Mutex<u64>);

impl Peer for Std {
    fn name(&self) -> &'static str {
        "std::sync::Mutex"
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn visitor(&self, iterations: u32) -> Box<dyn FnMut(u32) + '_> {
        Box::new(move |times| {
            for _ in 0..times {
                section(&mut self.0.lock().expect("nobody panics"), iterations);
            }
        })
    }

    fn count(&self) -> u64 {
        *self.0.lock().expect("nobody panics")
    }
}
