//! `cloned` and `copied`.

use std::iter;
use std::ops::Range;

use super::forward_to_base;
use crate::iter::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, ParallelIterator};

macro_rules! by_value {
    ($Adapter:ident, $method:ident, $Bound:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug)]
        pub struct $Adapter<I> {
            pub(crate) base: I,
        }

        impl<'data, I, T> ParallelIterator for $Adapter<I>
        where
            I: ParallelIterator<Item = &'data T>,
            T: $Bound + Send + Sync + 'data,
        {
            type Item = T;
            type Producer = $Adapter<I::Producer>;

            fn into_producer(self) -> Self::Producer {
                $Adapter { base: self.base.into_producer() }
            }
        }

        impl<'data, I, T> IndexedParallelIterator for $Adapter<I>
        where
            I: IndexedParallelIterator<Item = &'data T>,
            T: $Bound + Send + Sync + 'data,
        {
            fn len(&self) -> usize {
                self.base.len()
            }
        }

        impl<'data, P, T> Producer for $Adapter<P>
        where
            P: Producer<Item = &'data T>,
            T: $Bound + Send + Sync + 'data,
        {
            type Item = T;
            type Local = P::Local;
            type Iter<'a>
                = iter::$Adapter<P::Iter<'a>>
            where
                Self: 'a;
            const HAS_TAIL: bool = P::HAS_TAIL;

            forward_to_base!();

            fn local(&self) -> Self::Local {
                self.base.local()
            }

            #[inline]
            unsafe fn chunk<'a>(
                &'a self,
                local: &'a mut Self::Local,
                indices: Range<usize>,
            ) -> Self::Iter<'a> {
                // SAFETY: the same demands.
                unsafe { self.base.chunk(local, indices) }.$method()
            }
        }

        impl<'data, P, T> IndexedProducer for $Adapter<P>
        where
            P: IndexedProducer<Item = &'data T>,
            T: $Bound + Send + Sync + 'data,
        {
            type IndexedIter<'a>
                = iter::$Adapter<P::IndexedIter<'a>>
            where
                Self: 'a;

            #[inline]
            unsafe fn indexed_chunk<'a>(
                &'a self,
                local: &'a mut Self::Local,
                indices: Range<usize>,
            ) -> Self::IndexedIter<'a> {
                // SAFETY: the same demands.
                unsafe { self.base.indexed_chunk(local, indices) }.$method()
            }
        }
    };
}

by_value!(Cloned, cloned, Clone, "Made by [`cloned`](ParallelIterator::cloned).");
by_value!(Copied, copied, Copy, "Made by [`copied`](ParallelIterator::copied).");
