//! Parts of slices: `par_chunks` and similar methods, `par_windows`.

use std::ops::Range;
use std::{mem, slice};

use super::slice::SliceMutProducer;
use crate::engine::producer::{IndexedProducer, Producer};
use crate::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator, known_len};

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

            known_len!();
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

/// Made by [`par_array_windows`](super::ParallelSlice::par_array_windows).
#[derive(Debug)]
#[must_use = "iterators do nothing until they are consumed"]
pub struct ArrayWindows<'data, T, const N: usize>(pub(super) Windows<'data, T>);

impl<T, const N: usize> Clone for ArrayWindows<'_, T, N> {
    fn clone(&self) -> Self {
        ArrayWindows(self.0.clone())
    }
}

impl<'data, T: Sync, const N: usize> ParallelIterator for ArrayWindows<'data, T, N> {
    type Item = &'data [T; N];
    type Producer = Self;

    fn into_producer(self) -> Self {
        self
    }

    known_len!();
}

impl<T: Sync, const N: usize> IndexedParallelIterator for ArrayWindows<'_, T, N> {
    fn len(&self) -> usize {
        Producer::len(&self.0)
    }
}

impl<'data, T: Sync, const N: usize> Producer for ArrayWindows<'data, T, N> {
    type Item = &'data [T; N];
    type Local = ();
    type Iter<'a>
        = Arrays<'data, T, N>
    where
        Self: 'a;
    const STEPS: bool = true;

    fn len(&self) -> usize {
        Producer::len(&self.0)
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
}

impl<'data, T: Sync, const N: usize> IndexedProducer for ArrayWindows<'data, T, N> {
    type IndexedIter<'a>
        = Arrays<'data, T, N>
    where
        Self: 'a;

    #[inline]
    unsafe fn indexed_chunk<'a>(&'a self, local: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
        // SAFETY: the same demands.
        Arrays(unsafe { self.0.indexed_chunk(local, indices) })
    }
}

/// The sequential iterator of `par_array_windows`.
#[derive(Clone, Debug)]
pub struct Arrays<'data, T, const N: usize>(slice::Windows<'data, T>);

fn as_array<T, const N: usize>(window: &[T]) -> &[T; N] {
    window.try_into().expect("a window of N items")
}

impl<'data, T, const N: usize> Iterator for Arrays<'data, T, N> {
    type Item = &'data [T; N];

    #[inline]
    fn next(&mut self) -> Option<&'data [T; N]> {
        self.0.next().map(as_array)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T, const N: usize> DoubleEndedIterator for Arrays<'_, T, N> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(as_array)
    }
}

impl<T, const N: usize> ExactSizeIterator for Arrays<'_, T, N> {}

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

            known_len!();
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

/// What is over, of parts of exactly a size, and cuts it off.
macro_rules! remainder {
    ($($Parts:ident: $par_method:literal, $rest:literal, $left:literal, $cut:expr;)*) => {$(
        impl<'data, T> $Parts<'data, T> {
            /// The parts together, and the rest.
            fn cut(slice: &'data mut [T], size: usize) -> (&'data mut [T], &'data mut [T]) {
                let cut: fn(&'data mut [T], usize) -> (&'data mut [T], &'data mut [T]) = $cut;
                let over = slice.len() % size;
                cut(slice, over)
            }

            #[doc = concat!("The ", $rest, " items, which do not fill a chunk, without the chunks.")]
            ///
            /// ```
            /// use taskel::prelude::*;
            /// let mut numbers = [1, 2, 3];
            #[doc = concat!("assert_eq!(numbers.", $par_method, "(2).into_remainder(), [", $left, "]);")]
            /// ```
            pub fn into_remainder(self) -> &'data mut [T] {
                Self::cut(self.slice, self.size).1
            }

            #[doc = concat!("The ", $rest, " items, which do not fill a chunk.")]
            ///
            /// ```
            /// use taskel::prelude::*;
            /// let mut numbers = [1, 2, 3];
            #[doc = concat!("assert_eq!(numbers.", $par_method, "(2).remainder(), [", $left, "]);")]
            /// ```
            pub fn remainder(&mut self) -> &mut [T] {
                $Parts::cut(self.slice, self.size).1
            }

            #[doc = concat!("The ", $rest, " items, which do not fill a chunk, beside the chunks; none, when they were taken before.")]
            ///
            /// ```
            /// use taskel::prelude::*;
            /// let mut numbers = [1, 2, 3];
            #[doc = concat!("let mut chunks = numbers.", $par_method, "(2);")]
            /// let rest = chunks.take_remainder();
            /// chunks.for_each(|chunk| chunk.reverse());
            #[doc = concat!("assert_eq!(rest, [", $left, "]);")]
            /// ```
            pub fn take_remainder(&mut self) -> &'data mut [T] {
                let (parts, rest) = Self::cut(mem::take(&mut self.slice), self.size);
                self.slice = parts;
                rest
            }
        }
    )*};
}

remainder! {
    ChunksExactMut: "par_chunks_exact_mut", "last", "3", |slice, over| slice.split_at_mut(slice.len() - over);
    RChunksExactMut: "par_rchunks_exact_mut", "first", "1", |slice, over| {
        let (rest, parts) = slice.split_at_mut(over);
        (parts, rest)
    };
}
