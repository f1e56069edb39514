//! The iterators of the standard library's types, with rayon's paths and names.

/// Iterators over arrays.
pub mod array {
    use crate::iter::IntoParallelIterator;

    /// Over the items of an array, by value.
    pub type IntoIter<T, const N: usize> = <[T; N] as IntoParallelIterator>::Iter;
}

/// Iterators over the standard library's collections.
pub mod collections {
    /// Iterators over heaps.
    pub mod binary_heap {
        use std::collections::BinaryHeap;

        use crate::iter::{IntoParallelIterator, ParallelDrainFull};

        /// By value.
        pub type IntoIter<T> = <BinaryHeap<T> as IntoParallelIterator>::Iter;
        /// By reference.
        pub type Iter<'a, T> = <&'a BinaryHeap<T> as IntoParallelIterator>::Iter;
        /// By value, out of a heap that stays.
        pub type Drain<'a, T> = <&'a mut BinaryHeap<T> as ParallelDrainFull>::Iter;
    }

    /// Iterators over ordered maps.
    pub mod btree_map {
        use std::collections::BTreeMap;

        use crate::iter::IntoParallelIterator;

        /// By value.
        pub type IntoIter<K, V> = <BTreeMap<K, V> as IntoParallelIterator>::Iter;
        /// By reference.
        pub type Iter<'a, K, V> = <&'a BTreeMap<K, V> as IntoParallelIterator>::Iter;
        /// By mutable reference to the values.
        pub type IterMut<'a, K, V> = <&'a mut BTreeMap<K, V> as IntoParallelIterator>::Iter;
    }

    /// Iterators over ordered sets.
    pub mod btree_set {
        use std::collections::BTreeSet;

        use crate::iter::IntoParallelIterator;

        /// By value.
        pub type IntoIter<T> = <BTreeSet<T> as IntoParallelIterator>::Iter;
        /// By reference.
        pub type Iter<'a, T> = <&'a BTreeSet<T> as IntoParallelIterator>::Iter;
    }

    /// Iterators over hash maps.
    pub mod hash_map {
        use std::collections::HashMap;

        use crate::iter::{IntoParallelIterator, ParallelDrainFull};

        /// By value.
        pub type IntoIter<K, V> = <HashMap<K, V> as IntoParallelIterator>::Iter;
        /// By reference.
        pub type Iter<'a, K, V> = <&'a HashMap<K, V> as IntoParallelIterator>::Iter;
        /// By mutable reference to the values.
        pub type IterMut<'a, K, V> = <&'a mut HashMap<K, V> as IntoParallelIterator>::Iter;
        /// By value, out of a map that stays.
        pub type Drain<'a, K, V> = <&'a mut HashMap<K, V> as ParallelDrainFull>::Iter;
    }

    /// Iterators over hash sets.
    pub mod hash_set {
        use std::collections::HashSet;

        use crate::iter::{IntoParallelIterator, ParallelDrainFull};

        /// By value.
        pub type IntoIter<T> = <HashSet<T> as IntoParallelIterator>::Iter;
        /// By reference.
        pub type Iter<'a, T> = <&'a HashSet<T> as IntoParallelIterator>::Iter;
        /// By value, out of a set that stays.
        pub type Drain<'a, T> = <&'a mut HashSet<T> as ParallelDrainFull>::Iter;
    }

    /// Iterators over linked lists.
    pub mod linked_list {
        use std::collections::LinkedList;

        use crate::iter::IntoParallelIterator;

        /// By value.
        pub type IntoIter<T> = <LinkedList<T> as IntoParallelIterator>::Iter;
        /// By reference.
        pub type Iter<'a, T> = <&'a LinkedList<T> as IntoParallelIterator>::Iter;
        /// By mutable reference.
        pub type IterMut<'a, T> = <&'a mut LinkedList<T> as IntoParallelIterator>::Iter;
    }

    /// Iterators over double-ended queues.
    pub mod vec_deque {
        use std::collections::VecDeque;

        use crate::iter::{IntoParallelIterator, ParallelDrainRange};

        /// By value.
        pub type IntoIter<T> = <VecDeque<T> as IntoParallelIterator>::Iter;
        /// By reference.
        pub type Iter<'a, T> = <&'a VecDeque<T> as IntoParallelIterator>::Iter;
        /// By mutable reference.
        pub type IterMut<'a, T> = <&'a mut VecDeque<T> as IntoParallelIterator>::Iter;
        /// By value, out of a queue that stays.
        pub type Drain<'a, T> = <&'a mut VecDeque<T> as ParallelDrainRange>::Iter;
    }
}

/// Iterators over options.
pub mod option {
    use crate::iter::IntoParallelIterator;

    /// By value.
    pub type IntoIter<T> = <Option<T> as IntoParallelIterator>::Iter;
    /// By reference.
    pub type Iter<'a, T> = <&'a Option<T> as IntoParallelIterator>::Iter;
    /// By mutable reference.
    pub type IterMut<'a, T> = <&'a mut Option<T> as IntoParallelIterator>::Iter;
}

/// Iterators over results.
pub mod result {
    use crate::iter::IntoParallelIterator;

    /// By value.
    pub type IntoIter<T> = <Result<T, ()> as IntoParallelIterator>::Iter;
    /// By reference.
    pub type Iter<'a, T> = <&'a Result<T, ()> as IntoParallelIterator>::Iter;
    /// By mutable reference.
    pub type IterMut<'a, T> = <&'a mut Result<T, ()> as IntoParallelIterator>::Iter;
}

/// Iterators over ranges.
pub mod range {
    pub use crate::iter::RangeIter as Iter;
}

/// Iterators over ranges that have their end in them.
pub mod range_inclusive {
    pub use crate::iter::RangeIter as Iter;
}

/// Iterators over slices and their parts.
pub mod slice {
    pub use crate::iter::source::{
        ArrayWindows, ChunkBy, ChunkByMut, ChunksExactMut, ChunksMut, ParallelSlice, ParallelSliceMut,
        RChunks, RChunksExact, RChunksExactMut, RChunksMut, SliceChunks as Chunks,
        SliceChunksExact as ChunksExact, SliceIter as Iter, SliceIterMut as IterMut, SplitInclusiveMut,
        SplitInclusiveSlice as SplitInclusive, SplitMut, SplitSlice as Split, Windows,
    };
}

/// Iterators over strings and their parts.
pub mod str {
    use crate::iter::source::{Split as Cut, text, text_matches};
    use crate::iter::{Copied, SliceIter};

    pub use crate::iter::source::ParallelString;

    /// Made by [`par_bytes`](ParallelString::par_bytes).
    pub type Bytes<'ch> = Copied<SliceIter<'ch, u8>>;
    /// Made by [`par_char_indices`](ParallelString::par_char_indices).
    pub type CharIndices<'ch> = Cut<text::CharIndices<'ch>>;
    /// Made by [`par_chars`](ParallelString::par_chars).
    pub type Chars<'ch> = Cut<text::Chars<'ch>>;
    /// Made by [`par_encode_utf16`](ParallelString::par_encode_utf16).
    pub type EncodeUtf16<'ch> = Cut<text::EncodeUtf16<'ch>>;
    /// Made by [`par_lines`](ParallelString::par_lines).
    pub type Lines<'ch> = Cut<text::Lines<'ch>>;
    /// Made by [`par_match_indices`](ParallelString::par_match_indices).
    pub type MatchIndices<'ch, P> = Cut<text_matches::MatchIndices<'ch, P>>;
    /// Made by [`par_matches`](ParallelString::par_matches).
    pub type Matches<'ch, P> = Cut<text_matches::Matches<'ch, P>>;
    /// Made by [`par_split`](ParallelString::par_split).
    pub type Split<'ch, P> = Cut<text::Between<'ch, P>>;
    /// Made by [`par_split_ascii_whitespace`](ParallelString::par_split_ascii_whitespace).
    pub type SplitAsciiWhitespace<'ch> = Cut<text::AsciiWords<'ch>>;
    /// Made by [`par_split_inclusive`](ParallelString::par_split_inclusive).
    pub type SplitInclusive<'ch, P> = Cut<text::EndingWith<'ch, P>>;
    /// Made by [`par_split_terminator`](ParallelString::par_split_terminator).
    pub type SplitTerminator<'ch, P> = Cut<text_matches::Terminated<'ch, P>>;
    /// Made by [`par_split_whitespace`](ParallelString::par_split_whitespace).
    pub type SplitWhitespace<'ch> = Cut<text::Words<'ch>>;
}

/// Iterators over strings that own their text.
pub mod string {
    use crate::iter::ParallelDrainRange;

    /// Over characters of a string that stays, made by
    /// [`par_drain`](ParallelDrainRange::par_drain).
    pub type Drain<'a> = <&'a mut String as ParallelDrainRange>::Iter;
}

/// Iterators over vectors.
pub mod vec {
    pub use crate::iter::source::{VecDrain as Drain, VecIter as IntoIter};
}
