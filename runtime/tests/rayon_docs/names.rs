//! Types of iterators by their paths, and what they implement: programs name them in their own
//! types and signatures.

macro_rules! examples {
    ($library:ident) => {
        use std::fmt::Debug;

        use $library::iter::{self, Either};
        use $library::prelude::*;
        use $library::{array, collections, option, range, range_inclusive, result, slice, str, string, vec};

        /// What a crate does that has a collection of its own: one type for each way to go through
        /// it.
        struct Points(Vec<[f64; 2]>);

        impl IntoParallelIterator for Points {
            type Item = [f64; 2];
            type Iter = vec::IntoIter<[f64; 2]>;

            fn into_par_iter(self) -> Self::Iter {
                self.0.into_par_iter()
            }
        }

        impl<'a> IntoParallelIterator for &'a Points {
            type Item = &'a [f64; 2];
            type Iter = slice::Iter<'a, [f64; 2]>;

            fn into_par_iter(self) -> Self::Iter {
                self.0.par_iter()
            }
        }

        impl<'a> IntoParallelIterator for &'a mut Points {
            type Item = &'a mut [f64; 2];
            type Iter = slice::IterMut<'a, [f64; 2]>;

            fn into_par_iter(self) -> Self::Iter {
                self.0.par_iter_mut()
            }
        }

        #[test]
        fn an_own_collection() {
            let mut points = Points(vec![[0.0, 1.0], [2.0, 3.0]]);
            points.par_iter_mut().for_each(|point| point[0] += 1.0);
            assert_eq!(points.par_iter().map(|point| point[0]).sum::<f64>(), 4.0);
            assert_eq!(points.into_par_iter().map(|point| point[1]).sum::<f64>(), 4.0);
        }

        type Number = u32;
        type Maps<'a> = (
            collections::hash_map::Iter<'a, Number, char>,
            collections::hash_map::IterMut<'a, Number, char>,
            collections::hash_map::IntoIter<Number, char>,
            collections::hash_map::Drain<'a, Number, char>,
            collections::btree_map::Iter<'a, Number, char>,
            collections::btree_map::IterMut<'a, Number, char>,
            collections::btree_map::IntoIter<Number, char>,
        );
        type Sets<'a> = (
            collections::hash_set::Iter<'a, Number>,
            collections::hash_set::IntoIter<Number>,
            collections::hash_set::Drain<'a, Number>,
            collections::btree_set::Iter<'a, Number>,
            collections::btree_set::IntoIter<Number>,
            collections::binary_heap::Iter<'a, Number>,
            collections::binary_heap::IntoIter<Number>,
            collections::binary_heap::Drain<'a, Number>,
        );
        type Lists<'a> = (
            collections::vec_deque::Iter<'a, Number>,
            collections::vec_deque::IterMut<'a, Number>,
            collections::vec_deque::IntoIter<Number>,
            collections::vec_deque::Drain<'a, Number>,
            collections::linked_list::Iter<'a, Number>,
            collections::linked_list::IterMut<'a, Number>,
            collections::linked_list::IntoIter<Number>,
            vec::Drain<'a, Number>,
            string::Drain<'a>,
            array::IntoIter<Number, 3>,
        );
        type Few<'a> = (
            option::Iter<'a, Number>,
            option::IterMut<'a, Number>,
            option::IntoIter<Number>,
            result::Iter<'a, Number>,
            result::IterMut<'a, Number>,
            result::IntoIter<Number>,
            range::Iter<Number>,
            range_inclusive::Iter<Number>,
            iter::Empty<Number>,
            iter::Once<Number>,
            iter::Repeat<Number>,
            iter::RepeatN<Number>,
        );
        type Parts<'a> = (
            slice::Chunks<'a, Number>,
            slice::ChunksExact<'a, Number>,
            slice::ChunksMut<'a, Number>,
            slice::ChunksExactMut<'a, Number>,
            slice::RChunks<'a, Number>,
            slice::RChunksExact<'a, Number>,
            slice::RChunksMut<'a, Number>,
            slice::RChunksExactMut<'a, Number>,
            slice::Windows<'a, Number>,
            slice::ArrayWindows<'a, Number, 2>,
        );
        type Separator = fn(&Number) -> bool;
        type Neighbours = fn(&Number, &Number) -> bool;
        type Cut<'a> = (
            slice::Split<'a, Number, Separator>,
            slice::SplitMut<'a, Number, Separator>,
            slice::SplitInclusive<'a, Number, Separator>,
            slice::SplitInclusiveMut<'a, Number, Separator>,
            slice::ChunkBy<'a, Number, Neighbours>,
            slice::ChunkByMut<'a, Number, Neighbours>,
        );
        type Texts<'a> = (
            str::Bytes<'a>,
            str::Chars<'a>,
            str::CharIndices<'a>,
            str::EncodeUtf16<'a>,
            str::Lines<'a>,
            str::SplitWhitespace<'a>,
            str::SplitAsciiWhitespace<'a>,
            str::Split<'a, char>,
            str::SplitInclusive<'a, char>,
            str::SplitTerminator<'a, char>,
            str::Matches<'a, char>,
            str::MatchIndices<'a, char>,
        );

        fn is_debug<T: Debug>() {}

        #[test]
        fn sources_have_their_names_and_tell_about_themselves() {
            is_debug::<(Maps<'_>, Sets<'_>, Lists<'_>, Few<'_>, Parts<'_>, Cut<'_>)>();
            is_debug::<Texts<'_>>();
            let even: slice::Split<'_, u32, _> = [1, 2, 3].as_slice().par_split(|n| n % 2 == 0);
            assert!(format!("{even:?}").contains("Split"));
        }

        /// As often as they are cloned, and each time the same.
        fn same<I: ParallelIterator<Item = u32> + Clone + Debug>(items: I) {
            let again = items.clone();
            assert!(!format!("{items:?}").is_empty());
            let expected: Vec<u32> = items.collect();
            assert_eq!(again.clone().collect::<Vec<_>>(), expected);
            assert_eq!(again.collect::<Vec<_>>(), expected);
        }

        fn numbers() -> range::Iter<u32> {
            (0..100).into_par_iter()
        }

        #[test]
        fn adapters_with_closures_can_be_cloned_and_shown() {
            same(numbers().map(|n| n + 1));
            same(numbers().inspect(|_| ()));
            same(numbers().update(|n| *n += 1));
            same(numbers().filter(|n| n % 3 == 0));
            same(numbers().filter_map(|n| (n % 3 == 0).then_some(n)));
            same(numbers().flat_map(|n| 0..n % 3));
            same(numbers().flat_map_iter(|n| 0..n % 3));
            same(numbers().map_with(1, |k, n| n * *k));
            same(numbers().map_init(|| 1, |k, n| n * *k));
            same(numbers().fold(|| 0, |a, b| a + b).flat_map_iter(|_| [1; 0]));
            same(numbers().fold_with(0, |a, b| a + b).flat_map_iter(|_| [1; 0]));
            same(numbers().fold_chunks(7, || 0, |a, b| a + b));
            same(numbers().fold_chunks_with(7, 0, |a, b| a + b));
            same(numbers().map(Some).while_some());
            same(numbers().take_any(100));
            same(numbers().skip_any(100));
            same(numbers().take_any_while(|_| true));
            same(numbers().skip_any_while(|_| false));
            same(numbers().positions(|n| n % 3 == 0).map(|place| place as u32));
            let stopped = |a: u32, b: u32| a.checked_add(b);
            same(numbers().try_fold(|| 0, stopped).flat_map_iter(|_| [1; 0]));
            same(numbers().try_fold_with(0, stopped).flat_map_iter(|_| [1; 0]));
        }

        #[test]
        fn adapters_can_be_cloned_and_shown() {
            same(numbers().with_min_len(3).with_max_len(9).panic_fuse());
            same(numbers().chain(numbers()).rev().skip(3).take(90).step_by(2));
            same(numbers().intersperse(7));
            same(numbers().interleave(numbers()));
            same(numbers().interleave_shortest(numbers()));
            same(numbers().chunks(7).flatten());
            same(numbers().chunks(7).flatten_iter());
            same(numbers().zip(numbers()).zip_eq(numbers()).map(|((a, b), c)| a + b * c));
            same(numbers().by_uniform_blocks(7));
            same(numbers().by_exponential_blocks());
            same(Either::<range::Iter<u32>, iter::Empty<u32>>::Left(numbers()));
            let held = [3, 1, 2];
            same(held.par_iter().copied());
            same(held.par_iter().cloned());
            same(held.par_chunk_by(|a, b| a < b).map(|run| run[0]));
            same(held.par_array_windows().map(|[a, b]| a + b));
        }

        type Adapted = (
            iter::MinLen<range::Iter<u32>>,
            iter::MaxLen<range::Iter<u32>>,
            iter::PanicFuse<range::Iter<u32>>,
            iter::ZipEq<range::Iter<u32>, range::Iter<u32>>,
            iter::Intersperse<range::Iter<u32>>,
            iter::UniformBlocks<range::Iter<u32>>,
            iter::ExponentialBlocks<range::Iter<u32>>,
        );
        type Folded<F> = (
            iter::FoldWith<range::Iter<u32>, u32, F>,
            iter::FoldChunks<range::Iter<u32>, fn() -> u32, F>,
            iter::FoldChunksWith<range::Iter<u32>, u32, F>,
            iter::MapInit<range::Iter<u32>, fn() -> u32, F>,
            iter::MapWith<range::Iter<u32>, u32, F>,
            iter::WalkTree<u32, F>,
            iter::WalkTreePrefix<u32, F>,
            iter::WalkTreePostfix<u32, F>,
        );

        #[test]
        fn adapters_have_their_names() {
            is_debug::<(Adapted, Folded<fn(u32, u32) -> u32>)>();
        }
    };
}

crate::for_both!(examples);
