//! Parallel loops of taskel's peers, side by side on loads whose answers are known; and [`locks`] of shm-lock's.
//!
//! The bench targets ask one question each; what they share is here:
//! [`work`] is what a taskel does, [`load`] what there is to do, [`peer`] who does it, [`measure`] how it is
//! timed and [`report`] what is printed. [`programs`] and [`regions`] are loads of their own.

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
