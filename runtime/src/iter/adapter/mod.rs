//! What stands between a source and its consumer.

mod cloned;
mod enumerate;
mod fold;
mod inspect;
mod map;
mod map_init;
mod tuned;
mod zip;

pub use cloned::{Cloned, Copied};
pub use enumerate::Enumerate;
pub use fold::Fold;
pub use inspect::Inspect;
pub use map::Map;
pub use map_init::MapInit;
pub use tuned::Tuned;
pub use zip::Zip;

/// The members of [`Producer`](super::Producer) that an adapter with one base passes on unchanged.
macro_rules! forward_to_base {
    () => {
        fn len(&self) -> usize {
            self.base.len()
        }

        fn options(&self) -> $crate::iter::Options<'_> {
            self.base.options()
        }

        fn is_exact(&self) -> bool {
            self.base.is_exact()
        }

        fn is_full(&self) -> bool {
            self.base.is_full()
        }

        unsafe fn discard(&self, indices: std::ops::Range<usize>) {
            // SAFETY: the same demands.
            unsafe { self.base.discard(indices) }
        }
    };
}
pub(crate) use forward_to_base;
