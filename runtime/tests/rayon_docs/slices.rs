//! The pages of `ParallelSlice` and `ParallelSliceMut`.

macro_rules! examples {
    ($library:ident) => {
        use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

        use $library::prelude::*;

        const SCORES: [i32; 9] = [7, 2, -1, 5, 5, 5, -1, 0, 3];

        fn over(score: &i32) -> bool {
            *score < 0
        }

        #[test]
        fn par_split() {
            let games: Vec<i32> = SCORES.par_split(over).map(|game| game.iter().sum()).collect();
            assert_eq!(games, [9, 15, 3]);
        }

        #[test]
        fn par_split_inclusive() {
            let lengths: Vec<usize> = SCORES.par_split_inclusive(over).map(<[i32]>::len).collect();
            assert_eq!(lengths, [3, 4, 2]);
        }

        #[test]
        fn par_windows() {
            let trios: Vec<&[char]> = ['w', 'x', 'y', 'z'].par_windows(3).collect();
            assert_eq!(trios, [['w', 'x', 'y'], ['x', 'y', 'z']]);
        }

        #[test]
        fn par_chunks() {
            assert_eq!(SCORES.par_chunks(4).collect::<Vec<_>>(), SCORES.chunks(4).collect::<Vec<_>>());
            assert_eq!(SCORES.par_chunks(4).map(<[i32]>::len).collect::<Vec<_>>(), [4, 4, 1]);
        }

        #[test]
        fn par_chunks_exact() {
            let chunks = SCORES.par_chunks_exact(4);
            assert_eq!(chunks.remainder(), [3]);
            assert_eq!(chunks.collect::<Vec<_>>(), [[7, 2, -1, 5], [5, 5, -1, 0]]);
        }

        #[test]
        fn par_rchunks() {
            assert_eq!(SCORES.par_rchunks(4).collect::<Vec<_>>(), SCORES.rchunks(4).collect::<Vec<_>>());
            assert_eq!(SCORES.par_rchunks(4).map(<[i32]>::len).collect::<Vec<_>>(), [4, 4, 1]);
        }

        #[test]
        fn par_rchunks_exact() {
            let chunks = SCORES.par_rchunks_exact(4);
            assert_eq!(chunks.remainder(), [7]);
            assert_eq!(chunks.collect::<Vec<_>>(), [[5, -1, 0, 3], [2, -1, 5, 5]]);
        }

        /// Letters, of which some parts are turned round.
        fn turned(turn: impl Fn(&mut [char])) -> String {
            let mut letters: Vec<char> = ('a'..='h').collect();
            turn(&mut letters);
            letters.into_iter().collect()
        }

        #[test]
        fn par_chunks_mut() {
            assert_eq!(
                turned(|letters| letters.par_chunks_mut(3).for_each(|part| part.reverse())),
                "cbafedhg"
            );
        }

        #[test]
        fn par_chunks_exact_mut() {
            assert_eq!(
                turned(|letters| letters.par_chunks_exact_mut(3).for_each(|part| part.reverse())),
                "cbafedgh"
            );
        }

        #[test]
        fn par_rchunks_mut() {
            assert_eq!(
                turned(|letters| letters.par_rchunks_mut(3).for_each(|part| part.reverse())),
                "baedchgf"
            );
        }

        #[test]
        fn par_rchunks_exact_mut() {
            assert_eq!(
                turned(|letters| letters.par_rchunks_exact_mut(3).for_each(|part| part.reverse())),
                "abedchgf"
            );
        }

        const FLOATS: [f64; 4] = [2.5, -3.0, 1.0, -0.5];

        #[test]
        fn par_sort() {
            let mut words = ["oak", "elm", "yew", "ash"];
            words.par_sort();
            assert_eq!(words, ["ash", "elm", "oak", "yew"]);
        }

        /// Any order that is total among the items, here that of floats without NaN; there and
        /// back.
        #[test]
        fn par_sort_by() {
            let mut floats = FLOATS;
            floats.par_sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
            assert_eq!(floats, [-3.0, -0.5, 1.0, 2.5]);
            let mut words = ["oak", "elm", "yew", "ash"];
            words.par_sort_by(|a, b| a.cmp(b));
            assert_eq!(words, ["ash", "elm", "oak", "yew"]);
            words.par_sort_by(|a, b| b.cmp(a));
            assert_eq!(words, ["yew", "oak", "elm", "ash"]);
        }

        /// Items with the same key stay as they were.
        #[test]
        fn par_sort_by_key() {
            let mut pairs = [(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')];
            pairs.par_sort_by_key(|pair| pair.0);
            assert_eq!(pairs, [(1, 'b'), (1, 'd'), (2, 'a'), (2, 'c')]);
        }

        /// By text, in which 100 comes before 20; made once for each.
        #[test]
        fn par_sort_by_cached_key() {
            let asked = AtomicUsize::new(0);
            let mut numbers = [20, 100, 3, -4, 31];
            numbers.par_sort_by_cached_key(|n| {
                asked.fetch_add(1, Relaxed);
                n.to_string()
            });
            assert_eq!(numbers, [-4, 100, 20, 3, 31]);
            assert!(asked.into_inner() <= 5);
        }

        #[test]
        fn par_sort_unstable() {
            let mut numbers = SCORES;
            numbers.par_sort_unstable();
            assert_eq!(numbers, [-1, -1, 0, 2, 3, 5, 5, 5, 7]);
        }

        #[test]
        fn par_sort_unstable_by() {
            let mut floats = FLOATS;
            floats.par_sort_unstable_by(|a, b| a.partial_cmp(b).expect("no NaN"));
            assert_eq!(floats, [-3.0, -0.5, 1.0, 2.5]);
            let mut numbers = SCORES;
            numbers.par_sort_unstable_by(|a, b| a.cmp(b));
            assert_eq!(numbers, [-1, -1, 0, 2, 3, 5, 5, 5, 7]);
            numbers.par_sort_unstable_by(|a, b| b.cmp(a));
            assert_eq!(numbers, [7, 5, 5, 5, 3, 2, 0, -1, -1]);
        }

        #[test]
        fn par_sort_unstable_by_key() {
            let mut floats = FLOATS;
            floats.par_sort_unstable_by_key(|x| (x.abs() * 10.0) as u32);
            assert_eq!(floats, [-0.5, 1.0, 2.5, -3.0]);
        }

        #[test]
        fn par_array_windows() {
            let rising = SCORES.par_array_windows().filter(|[a, b]| a < b).count();
            assert_eq!(rising, SCORES.windows(2).filter(|pair| pair[0] < pair[1]).count());
            assert_eq!(SCORES.par_array_windows::<10>().count(), 0);
            let backwards: Vec<&[i32; 8]> = SCORES.par_array_windows().rev().collect();
            assert_eq!(backwards.len(), 2);
            assert_eq!(backwards[1][..], SCORES[..8]);
        }

        /// Whatever the runs are, they are those of the standard library.
        #[test]
        fn par_chunk_by() {
            assert!([0; 0].par_chunk_by(|a, b| a == b).collect::<Vec<_>>().is_empty());
            for len in [1, 2, 3, 50, 5000] {
                let numbers: Vec<u64> = (0..len).map(|n: u64| n.pow(3) % 1000 / 200).collect();
                for same in [|a: &u64, b: &u64| a == b, |_: &u64, _: &u64| true, |_: &u64, _: &u64| false] {
                    let runs: Vec<&[u64]> = numbers.par_chunk_by(same).collect();
                    assert_eq!(runs, numbers.chunk_by(same).collect::<Vec<_>>());
                }
            }
        }

        #[test]
        fn par_chunk_by_mut() {
            let mut nothing: [u64; 0] = [];
            assert_eq!(nothing.par_chunk_by_mut(|a, b| a == b).count(), 0);
            for len in [1, 2, 3, 50, 5000] {
                let numbers: Vec<u64> = (0..len).map(|n: u64| n.pow(3) % 1000 / 200).collect();
                for same in [|a: &u64, b: &u64| a == b, |_: &u64, _: &u64| true, |_: &u64, _: &u64| false] {
                    let (mut ours, mut theirs) = (numbers.clone(), numbers.clone());
                    ours.par_chunk_by_mut(same).for_each(|run| run[0] += run.len() as u64);
                    theirs.chunk_by_mut(same).for_each(|run| run[0] += run.len() as u64);
                    assert_eq!(ours, theirs);
                }
            }
        }

        #[test]
        fn par_split_mut() {
            for len in [0, 1, 2, 3, 50, 5000] {
                let numbers: Vec<u64> = (0..len).map(|n: u64| n.pow(3) % 1000).collect();
                for modulo in [1, 2, 7, 2000] {
                    let is_separator = |n: &u64| n % modulo == 0;
                    let (mut ours, mut theirs) = (numbers.clone(), numbers.clone());
                    ours.par_split_mut(is_separator).for_each(|part| part.reverse());
                    theirs.split_mut(is_separator).for_each(|part| part.reverse());
                    assert_eq!(ours, theirs);
                    let parts = ours.par_split_mut(is_separator).count();
                    assert_eq!(parts, theirs.split(is_separator).count());
                }
            }
        }

        #[test]
        fn par_split_inclusive_mut() {
            for len in [0, 1, 2, 3, 50, 5000] {
                let numbers: Vec<u64> = (0..len).map(|n: u64| n.pow(3) % 1000).collect();
                for modulo in [1, 2, 7, 2000] {
                    let is_separator = |n: &u64| n % modulo == 0;
                    let (mut ours, mut theirs) = (numbers.clone(), numbers.clone());
                    ours.par_split_inclusive_mut(is_separator).for_each(|part| part.reverse());
                    theirs.split_inclusive_mut(is_separator).for_each(|part| part.reverse());
                    assert_eq!(ours, theirs);
                    let parts = ours.par_split_inclusive_mut(is_separator).count();
                    assert_eq!(parts, theirs.split_inclusive(is_separator).count());
                }
            }
        }

        /// Can be taken before the chunks are processed, once.
        #[test]
        fn remainder() {
            let mut numbers: Vec<u32> = (0..10).collect();
            let mut chunks = numbers.par_chunks_exact_mut(4);
            assert_eq!(chunks.remainder(), [8, 9]);
            let rest = chunks.take_remainder();
            assert!(chunks.take_remainder().is_empty());
            rest.reverse();
            chunks.for_each(|chunk| chunk.reverse());
            assert_eq!(numbers, [3, 2, 1, 0, 7, 6, 5, 4, 9, 8]);
            assert_eq!(numbers.par_chunks_exact_mut(4).into_remainder(), [9, 8]);

            let mut chunks = numbers.par_rchunks_exact_mut(4);
            assert_eq!(chunks.remainder(), [3, 2]);
            assert_eq!(chunks.take_remainder(), [3, 2]);
            assert_eq!(chunks.len(), 2);
            assert!(chunks.into_remainder().is_empty());
            assert_eq!(numbers.par_rchunks_exact_mut(4).into_remainder(), [3, 2]);
            assert_eq!(numbers.par_chunks_exact(4).remainder(), [9, 8]);
            assert_eq!(numbers.par_rchunks_exact(4).remainder(), [3, 2]);
        }
    };
}

crate::for_both!(examples);
