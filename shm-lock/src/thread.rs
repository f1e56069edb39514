//! The calling thread, the locks that it holds and how it waits: as the kernel sees them, or as a
//! model does.

#[cfg(not(loom))]
pub(crate) use crate::robust_list::{Claim, RawLock, Thread};
#[cfg(not(loom))]
pub(crate) use crate::ticker::Ticker;

#[cfg(loom)]
pub(crate) use crate::sync::{Claim, RawLock, Thread, Ticker};
