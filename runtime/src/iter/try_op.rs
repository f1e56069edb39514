//! Types that can say "stop": `Option`, `Result`, `ControlFlow`.

use std::any::TypeId;
use std::error::Error;
use std::ops::ControlFlow;

use crate::sched::cancel::Cancelled;

/// The types that `?` works on, as far as the `try_` methods know them; a stand-in for the standard
/// library's unstable trait of this name.
///
/// It cannot be implemented elsewhere.
pub trait Try: sealed::Sealed {
    /// What is in it when work goes on.
    type Output;

    /// What is in it when work stops.
    #[doc(hidden)]
    type Residual;

    #[doc(hidden)]
    fn from_output(output: Self::Output) -> Self;

    #[doc(hidden)]
    fn from_residual(residual: Self::Residual) -> Self;

    #[doc(hidden)]
    fn branch(self) -> ControlFlow<Self::Residual, Self::Output>;

    /// How this says that a loop was cancelled, if it can.
    #[doc(hidden)]
    fn cancelled() -> Option<Self>
    where
        Self: Sized;
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for Option<T> {}
    impl<T, E> Sealed for Result<T, E> {}
    impl<B, C> Sealed for std::ops::ControlFlow<B, C> {}
}

impl<T> Try for Option<T> {
    type Output = T;
    type Residual = ();

    fn from_output(output: T) -> Self {
        Some(output)
    }

    fn from_residual((): ()) -> Self {
        None
    }

    fn branch(self) -> ControlFlow<(), T> {
        self.map_or(ControlFlow::Break(()), ControlFlow::Continue)
    }

    fn cancelled() -> Option<Self> {
        Some(None)
    }
}

impl<T, E> Try for Result<T, E> {
    type Output = T;
    type Residual = E;

    fn from_output(output: T) -> Self {
        Ok(output)
    }

    fn from_residual(residual: E) -> Self {
        Err(residual)
    }

    fn branch(self) -> ControlFlow<E, T> {
        match self {
            Ok(output) => ControlFlow::Continue(output),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn cancelled() -> Option<Self> {
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Cancelled);
        same(Cancelled).or_else(|| same(boxed)).map(Err)
    }
}

impl<B, C> Try for ControlFlow<B, C> {
    type Output = C;
    type Residual = B;

    fn from_output(output: C) -> Self {
        ControlFlow::Continue(output)
    }

    fn from_residual(residual: B) -> Self {
        ControlFlow::Break(residual)
    }

    fn branch(self) -> ControlFlow<B, C> {
        self
    }

    fn cancelled() -> Option<Self> {
        same(Cancelled).map(ControlFlow::Break)
    }
}

/// `from` as a `To`, if that is its type.
fn same<From: 'static, To>(from: From) -> Option<To> {
    if typeid::of::<To>() != TypeId::of::<From>() {
        return None;
    }
    let from = std::mem::ManuallyDrop::new(from);
    // SAFETY: `To` is `From`: neither has lifetimes, since `From` is 'static. The original is not
    // dropped.
    Some(unsafe { std::mem::transmute_copy::<From, To>(&from) })
}
