//! One file for each peer.

pub(crate) mod orx;
pub(crate) mod paralight;
pub(crate) mod rayon;
pub(crate) mod serial;
pub(crate) mod std_scope;
pub(crate) mod taskel;
