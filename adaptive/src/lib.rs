//! Decides how many loop items a worker should take at once.
//!
//! A *taskel* is the processing of one item. A *chunk* is a run of consecutive taskels that a
//! worker claims at once. With small chunks, a worker pays for many claims. With big chunks, long
//! taskels that could have run in parallel run one after the other.
//!
//! | job | tool |
//! |---|---|
//! | decide while a loop runs, from the times of its chunks so far | [`Chunker`] |
//! | tell in advance what is known: a time per item, a largest chunk, earlier loops | [`ChunkConfig`], [`History`] |
//! | claim from one counter that many workers share, as processes do | [`Tail`] |
//! | replay recorded times on 1 to 4096 workers, of equal speed or not | [`Simulation`](simulate::Simulation) |
//! | compare this policy with eight others | [`Policy`](simulate::Policy) |
//! | predict from one run how long a program takes on more workers, and what limits it | [`Recording`](recording::Recording) |
//! | see how `taskel` runs a loop | [`Simulation::taskel`](simulate::Simulation::taskel) |
//! | generate loads: equal, ascending, lognormal, Pareto, clusters | [`load`](simulate::load) |
//!
//! The crate [`taskel`](https://docs.rs/taskel) is the thread pool that uses this policy. A [chapter
//! of its guide](https://docs.rs/taskel/latest/taskel/guide/long_items/index.html) explains chunks
//! to its users.
//!
//! Without the feature `simulate`, which is on by default, the crate has only the policy: it builds
//! in a fraction of the time.
//!
//! This crate measures nothing and starts no threads. Times come in as numbers, so it needs no
//! clock and no standard library.
//!
//! ```
//! use taskel_adaptive::{ChunkConfig, Chunker};
//!
//! // One worker works through its own 1000 taskels, 50 ns each.
//! let mut chunker = Chunker::new(ChunkConfig::default());
//! let (mut remaining, mut sizes) = (1000, Vec::new());
//! while remaining > 0 {
//!     let chunk = chunker.next_chunk(remaining);
//!     remaining -= chunk;
//!     chunker.observe(chunk, 50 * chunk as u64);
//!     sizes.push(chunk);
//! }
//! // It grows up to 4 µs worth of work, and always leaves half of the rest for others to steal.
//! assert_eq!(sizes[..6], [1, 4, 16, 64, 80, 80]);
//! assert_eq!(sizes.iter().sum::<usize>(), 1000);
//! ```

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

extern crate alloc;

mod chunker;
mod estimate;
pub mod recording;
#[cfg(feature = "simulate")]
mod scaling;
#[cfg(feature = "simulate")]
pub mod simulate;
mod tail;
#[doc(hidden)]
pub mod units;

pub use chunker::{ChunkConfig, Chunker, History};
#[cfg(feature = "simulate")]
pub use scaling::{Limit, Prediction, Scaling};
pub use tail::Tail;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
