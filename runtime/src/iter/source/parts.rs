//! Slices, in parts: `par_chunks` and its kin, `par_windows`.

use std::ops::Range;
use std::slice;

use super::slice::SliceMutProducer;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Of a slice of `len` items, those of some parts of `size` items each.
fn from_front(len: usize, size: usize, parts: Range<usize>) -> Range<usize> {
    let place = |part: usize| part.saturating_mul(size).min(len);
    place(parts.start)..place(parts.end)
}

/// The same with parts that are counted from the back.
fn from_back(len: usize, size: usize, parts: Range<usize>) -> Range<usize> {
    let Range { start, end } = from_front(len, size, parts);
    len - end..len - start
}

/// Windows overlap: each has `size` items, from its index on.
fn windows(_: usize, size: usize, parts: Range<usize>) -> Range<usize> {
    if parts.is_empty() { parts } else { parts.start..parts.end + size - 1 }
}

/// The members that a producer of parts has whatever its slice.
macro_rules! exact_parts {
    ($count:expr) => {
        fn len(&self) -> usize {
            let count: fn(usize, usize) -> usize = $count;
            count(self.slice.len(), self.size)
        }

        fn is_exact(&self) -> bool {
            true
        }

        fn local(&self) {}

        #[inline]
        unsafe fn chunk<'a>(&'a self, local: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
            // SAFETY: the same demands.
            unsafe { self.indexed_chunk(local, indices) }
        }
    };
}

/// Parts of a shared slice, and the standard library's iterator over them.
macro_rules! shared_parts {
    ($($Parts:ident: $par_method:literal, $method:ident, $count:expr, $place:ident;)*) => {$(
        #[doc = concat!("Made by [`", $par_method, "`](super::ParallelSlice::", $par_method, ").")]
        #[derive(Debug)]
        #[must_use = "iterators do nothing until they are consumed"]
        pub struct $Parts<'data, T> {
            pub(super) slice: &'data [T],
            /// At least 1.
            pub(super) size: usize,
        }

        impl<T> Clone for $Parts<'_, T> {
            fn clone(&self) -> Self {
                $Parts { slice: self.slice, size: self.size }
            }
        }

        impl<'data, T: Sync> ParallelIterator for $Parts<'data, T> {
            type Item = &'data [T];
            type Producer = Self;

            fn into_producer(self) -> Self {
                self
            }
        }

        impl<T: Sync> IndexedParallelIterator for $Parts<'_, T> {
            fn len(&self) -> usize {
                Producer::len(self)
            }
        }

        impl<'data, T: Sync> Producer for $Parts<'data, T> {
            type Item = &'data [T];
            type Local = ();
            type Iter<'a>
                = slice::$Parts<'data, T>
            where
                Self: 'a;
            const STEPS: bool = true;

            exact_parts!($count);
        }

        impl<'data, T: Sync> IndexedProducer for $Parts<'data, T> {
            type IndexedIter<'a>
                = slice::$Parts<'data, T>
            where
                Self: 'a;

            #[inline]
            unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
                self.slice[$place(self.slice.len(), self.size, indices)].$method(self.size)
            }
        }
    )*};
}

shared_parts! {
    Chunks: "par_chunks", chunks, usize::div_ceil, from_front;
    ChunksExact: "par_chunks_exact", chunks_exact, |len, size| len / size, from_front;
    RChunks: "par_rchunks", rchunks, usize::div_ceil, from_back;
    RChunksExact: "par_rchunks_exact", rchunks_exact, |len, size| len / size, from_back;
    Windows: "par_windows", windows, |len, size| (len + 1).saturating_sub(size), windows;
}

impl<'data, T> ChunksExact<'data, T> {
    /// The last items, which do not fill a chunk.
    pub fn remainder(&self) -> &'data [T] {
        &self.slice[self.slice.len() / self.size * self.size..]
    }
}

impl<'data, T> RChunksExact<'data, T> {
    /// The first items, which do not fill a chunk.
    pub fn remainder(&self) -> &'data [T] {
        &self.slice[..self.slice.len() % self.size]
    }
}

/// Parts of a mutable slice, and the standard library's iterator over them.
macro_rules! mutable_parts {
    ($($Parts:ident, $Producer:ident: $par_method:literal, $method:ident, $count:expr, $place:ident;)*) => {$(
        #[doc = concat!("Made by [`", $par_method, "`](super::ParallelSliceMut::", $par_method, ").")]
        #[derive(Debug)]
        #[must_use = "iterators do nothing until they are consumed"]
        pub struct $Parts<'data, T> {
            pub(super) slice: &'data mut [T],
            /// At least 1.
            pub(super) size: usize,
        }

        impl<'data, T: Send> ParallelIterator for $Parts<'data, T> {
            type Item = &'data mut [T];
            type Producer = $Producer<'data, T>;

            fn into_producer(self) -> Self::Producer {
                $Producer { slice: self.slice.into_par_iter().into_producer(), size: self.size }
            }
        }

        impl<T: Send> IndexedParallelIterator for $Parts<'_, T> {
            fn len(&self) -> usize {
                let count: fn(usize, usize) -> usize = $count;
                count(self.slice.len(), self.size)
            }
        }

        #[doc = concat!("Hands out the items of a [`", stringify!($Parts), "`].")]
        #[derive(Debug)]
        pub struct $Producer<'data, T> {
            slice: SliceMutProducer<'data, T>,
            size: usize,
        }

        impl<'data, T: Send> Producer for $Producer<'data, T> {
            type Item = &'data mut [T];
            type Local = ();
            type Iter<'a>
                = slice::$Parts<'data, T>
            where
                Self: 'a;
            const STEPS: bool = true;

            exact_parts!($count);
        }

        impl<'data, T: Send> IndexedProducer for $Producer<'data, T> {
            type IndexedIter<'a>
                = slice::$Parts<'data, T>
            where
                Self: 'a;

            #[inline]
            unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
                let items = $place(self.slice.len(), self.size, indices);
                // SAFETY: different parts have different items, within the slice.
                unsafe { self.slice.part(items) }.$method(self.size)
            }
        }
    )*};
}

mutable_parts! {
    ChunksMut, ChunksMutProducer: "par_chunks_mut", chunks_mut, usize::div_ceil, from_front;
    ChunksExactMut, ChunksExactMutProducer:
        "par_chunks_exact_mut", chunks_exact_mut, |len, size| len / size, from_front;
    RChunksMut, RChunksMutProducer: "par_rchunks_mut", rchunks_mut, usize::div_ceil, from_back;
    RChunksExactMut, RChunksExactMutProducer:
        "par_rchunks_exact_mut", rchunks_exact_mut, |len, size| len / size, from_back;
}
