//! Adapters: what stands between a source and its consumer.
//!
//! Most adapters implement [`Adapt`]: they wrap the sequential iterator of a chunk. Adapters that
//! move items to other places have their own producer.

mod adapted;
mod behind;
mod chain;
mod chunks;
mod deterministic;
mod either;
mod enumerate;
mod filter;
mod flat_map;
mod fold;
mod fold_chunks;
mod identity;
mod in_blocks;
mod interleave;
mod intersperse;
mod map;
mod map_init;
pub(crate) mod producers;
mod progress;
mod skip_take_rev;
mod step_by;
mod tuned;
mod until;
mod zip;

pub use adapted::{Adapt, AdaptIndexed, Adapted, Outputs};
pub use chain::Chain;
pub use chunks::Chunks;
pub use deterministic::Deterministic;
pub use enumerate::Enumerate;
pub use filter::{Filter, FilterMap, Positions};
pub use flat_map::{FlatMap, FlatMapIter, Flatten, FlattenIter};
pub use fold::{Fold, FoldWith, TryFold, TryFoldWith};
pub use fold_chunks::{FoldChunks, FoldChunksWith};
pub use in_blocks::{ExponentialBlocks, UniformBlocks};
pub use interleave::{Interleave, InterleaveShortest};
pub use intersperse::Intersperse;
pub use map::{Cloned, Copied, Inspect, Map, Update};
pub use map_init::{MapInit, MapWith};
pub(crate) use progress::BETWEEN_REPORTS_NS;
pub use progress::Progress;
pub use skip_take_rev::{Rev, Skip, Take};
pub use step_by::StepBy;
pub use tuned::{MaxLen, MinLen, PanicFuse, Tuned};
pub(crate) use until::Halt;
pub use until::{SkipAny, SkipAnyWhile, TakeAny, TakeAnyWhile, WhileSome};
pub use zip::{Zip, ZipEq};

/// Tells of an adapter all but its closures, which have nothing to tell.
macro_rules! debug_without_closures {
    ($([$($generics:tt)*] $Adapter:ident<$($parameter:tt),*> { $($field:tt),* };)*) => {$(
        impl<$($generics)*> std::fmt::Debug for $Adapter<$($parameter),*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($Adapter))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        }
    )*};
}
pub(crate) use debug_without_closures;

/// The members of [`Producer`](crate::engine::producer::Producer) that an adapter with one base
/// passes on unchanged.
macro_rules! forward_to_base {
    () => {
        const HAS_TAIL: bool = P::HAS_TAIL;
        const DETERMINISTIC: bool = P::DETERMINISTIC;

        $crate::iter::adapter::forward_to_base!(same places);

        fn is_exact(&self) -> bool {
            self.base.is_exact()
        }

        fn is_bounded(&self) -> bool {
            self.base.is_bounded()
        }

        $crate::iter::adapter::forward_to_base!(@always);
    };
    // For an adapter of indexed items.
    (indexed) => {
        const DETERMINISTIC: bool = P::DETERMINISTIC;
        const STEPS: bool = P::STEPS;

        $crate::iter::adapter::forward_to_base!(same places);
        $crate::iter::adapter::forward_to_base!(@exact);
    };
    // For an adapter of indexed items that moves them.
    (indexed, other places) => {
        const DETERMINISTIC: bool = P::DETERMINISTIC;
        const STEPS: bool = P::STEPS;

        $crate::iter::adapter::forward_to_base!(@exact);
    };
    // For an adapter each of whose items stands for as many of the base's as that field says.
    (indexed, groups of $size:ident) => {
        const DETERMINISTIC: bool = P::DETERMINISTIC;
        const STEPS: bool = P::STEPS;

        fn is_exact(&self) -> bool {
            true
        }

        fn options(&self) -> $crate::engine::options::Options<'_> {
            self.base.options().for_groups(self.$size)
        }

        $crate::iter::adapter::forward_to_base!(@state);
    };
    (@exact) => {
        fn is_exact(&self) -> bool {
            true
        }

        $crate::iter::adapter::forward_to_base!(@always);
    };
    (same places) => {
        fn len(&self) -> usize {
            self.base.len()
        }

        unsafe fn discard(&self, indices: std::ops::Range<usize>) {
            // SAFETY: the same demands.
            unsafe { self.base.discard(indices) }
        }
    };
    (@always) => {
        fn options(&self) -> $crate::engine::options::Options<'_> {
            self.base.options()
        }

        $crate::iter::adapter::forward_to_base!(@state);
    };
    (@state) => {
        fn is_full(&self) -> bool {
            self.base.is_full()
        }

        fn local(&self) -> Self::Local {
            self.base.local()
        }
    };
}
pub(crate) use forward_to_base;
