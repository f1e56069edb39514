//! A single process.

use std::sync::{Mutex, PoisonError};

use super::{Exchange, HEAD, WORDS, World};

/// The words of a single process.
pub(crate) struct One {
    words: Mutex<[i64; WORDS]>,
}

impl One {
    pub(crate) fn new() -> One {
        One { words: Mutex::new([0; WORDS]) }
    }
}

impl World for One {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn add(&self, word: usize, value: i64) -> i64 {
        let word = &mut self.words.lock().unwrap_or_else(PoisonError::into_inner)[word];
        let before = *word;
        *word += value;
        before
    }

    fn exchange(&self, head: [u64; HEAD], bytes: &[u8]) -> Exchange {
        Exchange { heads: vec![head], bytes: vec![bytes.to_vec()] }
    }

    fn abort(&self) {}
}
