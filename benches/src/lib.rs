//! taskel and shm-lock beside their peers: `cargo run --release -p taskel-benches -- help`.
//!
//! [`suite`] is the list of what is measured. What suites share: [`load`] is what there is to do,
//! [`work`] what a taskel of it does, [`peer`] who does it, [`turns`] how samples are taken,
//! [`result`] what they are kept in. [`iters`], [`locks`], [`programs`] and [`regions`] are loads
//! of their own. [`report`] shows results, [`compare`](mod@compare) tells what changed, [`stats`]
//! how sure that is.

pub mod compare;
pub mod cpu;
pub mod iters;
pub mod load;
pub mod locks;
pub mod machine;
pub mod noise;
pub mod options;
pub mod peer;
mod peers;
pub mod programs;
pub mod regions;
pub mod report;
pub mod result;
pub mod stats;
pub mod suite;
pub mod turns;
pub mod work;
