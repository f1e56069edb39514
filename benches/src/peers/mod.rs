//! One file for each peer.

pub(crate) mod chili;
#[cfg(feature = "fork-union")]
pub(crate) mod fork_union;
#[cfg(onetbb)]
pub(crate) mod onetbb;
#[cfg(openmp)]
pub(crate) mod openmp;
pub(crate) mod orx;
pub(crate) mod paralight;
pub(crate) mod rayon;
pub(crate) mod serial;
pub(crate) mod std_scope;
pub(crate) mod taskel;
