//! What rayon's documentation shows of the members that taskel has, too: programs with the same behaviours, compiled for both.

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
