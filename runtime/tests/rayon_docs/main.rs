//! What rayon's documentation shows of the members that taskel has, too: programs with the same behaviours, compiled for both.
//!
//! Each test has the name of the member. The list below is of all pages of rayon 1.12 that have examples.
//!
//! | page | shared | only in rayon |
//! |---|---|---|
//! | `ParallelIterator` | [`adapters`], [`consumers`], [`collecting`] | |
//! | `IndexedParallelIterator` | [`indexed`] | `by_exponential_blocks`, `by_uniform_blocks`, `fold_chunks_with` |
//! | `FromParallelIterator`, `ParallelExtend` | [`collecting`] | |
//! | `ParallelDrainFull`, `ParallelDrainRange` | | `par_drain` |
//! | `ParallelSlice` | [`slices`] | `par_array_windows`, `par_chunk_by` |
//! | `ParallelSliceMut` | [`slices`] | `par_split_mut`, `par_split_inclusive_mut`, `par_chunk_by_mut` |
//! | `ParallelString` | [`strings`] | `par_encode_utf16`, `par_matches`, `par_match_indices` |
//! | the same | | `par_split_terminator` |
//! | `IntoParallelIterator` and its kin, `iter` | [`sources`] | |
//! | `range`, `range_inclusive`, `MultiZip`, `ParallelBridge` | [`sources`] | |
//! | `iter::{empty, once, repeat, repeat_n}` | [`sources`] | |
//! | `iter::split`, `iter::{walk_tree, walk_tree_prefix, walk_tree_postfix}` | | all four |

/// The tests of a page, for each library in a module of its own. Nothing but the name of the library differs.
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
mod slices;
mod sources;
mod strings;
