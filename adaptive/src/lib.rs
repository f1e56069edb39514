//! How many loop items should a worker take at once?
//!
//! Words: a *taskel* is the processing of one item, a *chunk* is a run of consecutive taskels that
//! a worker claims at once. Small chunks pay the price of a claim over and over; big chunks bundle
//! long taskels that could have run side by side.
//!
//! | job | tool |
//! |---|---|
//! | answer the question while a loop runs, from the times of its chunks so far | [`Chunker`] |
//! | say beforehand what is known: a time per item, a largest chunk, earlier loops | [`ChunkConfig`], [`History`] |
//! | claim from one counter that many share, as processes do | [`Tail`] |
//! | replay recorded times on 1 to 4096 workers, of equal speed or not | [`Simulation`](simulate::Simulation) |
//! | compare this policy with eight others | [`Policy`](simulate::Policy) |
//! | predict from one run what a program takes on more workers, and what limits it | [`Recording`](recording::Recording) |
//! | see what `taskel` makes of a loop | [`Simulation::taskel`](simulate::Simulation::taskel) |
//! | make up loads: equal, ascending, lognormal, Pareto, clusters | [`load`](simulate::load) |
//!
//! The pool of threads that is built on it is the crate [`taskel`](https://docs.rs/taskel); what
//! its users should know of chunks is a [chapter of its
//! guide](https://docs.rs/taskel/latest/taskel/guide/long_items/index.html).
//!
//! The crate measures nothing and starts nothing: times come in as numbers, so it needs no clock,
//! no threads and no standard library.
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
mod scaling;
pub mod simulate;
mod tail;
#[doc(hidden)]
pub mod units;

pub use chunker::{ChunkConfig, Chunker, History};
pub use scaling::{Limit, Prediction, Scaling};
pub use tail::Tail;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
