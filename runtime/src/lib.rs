//! taskel.
#[cfg_attr(not(test), allow(dead_code))]
mod protocol;
mod sync;
