//! What rayon's documentation shows of the members that taskel has, too: programs with the same
//! behaviours, compiled for both.
//!
//! Each test has the name of the member. The list below is of all pages of rayon 1.12 that have
//! examples.
//!
//! | page | here |
//! |---|---|
//! | `ParallelIterator` | [`adapters`], [`consumers`], [`collecting`] |
//! | `IndexedParallelIterator` | [`indexed`] |
//! | `FromParallelIterator`, `ParallelExtend` | [`collecting`] |
//! | `ParallelSlice`, `ParallelSliceMut` | [`slices`] |
//! | `ParallelString` | [`strings`] |
//! | `IntoParallelIterator` and its kin, `ParallelDrainFull`, `ParallelDrainRange` | [`sources`] |
//! | `range`, `range_inclusive`, `MultiZip`, `ParallelBridge`, the functions of `iter` | [`sources`] |
//! | the types in the modules that are named like the standard library's | [`names`] |

/// The tests of a page, for each library in a module of its own. Nothing but the name of the
/// library differs.
macro_rules! for_both {
    ($examples:ident) => {
        mod with_rayon {
            $examples!(rayon);
        }

        mod with_taskel {
            $examples!(taskel);
        }
    };
}
use for_both;

mod adapters;
mod collecting;
mod consumers;
mod indexed;
mod names;
mod slices;
mod sources;
mod strings;
