//! Collects `Option` and `Result` items: into a collection of all values, or the reason why there
//! is none.

use super::FromParallelIterator;
use crate::iter::adapter::producers::WhileOp;
use crate::iter::adapter::{Adapted, Halt};
use crate::iter::{IntoParallelIterator, ParallelIterator, Try};

/// Collects until an item says to stop.
#[track_caller]
fn collect_while<C, I>(items: I) -> (C, Option<<I::Item as Try>::Residual>)
where
    I: IntoParallelIterator<Item: Try<Output: Send, Residual: Send>>,
    C: FromParallelIterator<<I::Item as Try>::Output>,
{
    let halt = Halt::new();
    let collected = Adapted { base: items.into_par_iter(), adapter: WhileOp(&halt) }.collect();
    (collected, halt.into_reason())
}

impl<C: FromParallelIterator<T>, T: Send> FromParallelIterator<Option<T>> for Option<C> {
    /// `None` if any item is; the loop then ends.
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = Option<T>>>(items: I) -> Self {
        match collect_while(items) {
            (collected, None) => Some(collected),
            (_, Some(())) => None,
        }
    }
}

impl<C: FromParallelIterator<T>, T: Send, E: Send> FromParallelIterator<Result<T, E>> for Result<C, E> {
    /// One of the errors if there are any, not always the first; the loop then ends.
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = Result<T, E>>>(items: I) -> Self {
        match collect_while(items) {
            (collected, None) => Ok(collected),
            (_, Some(error)) => Err(error),
        }
    }
}
