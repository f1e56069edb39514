//! The page of `IndexedParallelIterator`.

macro_rules! examples {
    ($library:ident) => {
        use std::cmp::Ordering::{Equal, Greater, Less};
        use std::collections::BTreeSet;
        use std::panic::catch_unwind;

        use $library::iter::{self, Either};
        use $library::prelude::*;

        fn known<I: IntoParallelIterator>(items: I) -> Option<usize> {
            items.into_par_iter().opt_len()
        }

        #[test]
        fn opt_len() {
            let five = || (0..5_u32).into_par_iter();
            let held = vec![1_u8; 5];
            assert_eq!(known(five()), Some(5));
            assert_eq!(known(held.clone()), Some(5));
            assert_eq!(known(&held), Some(5));
            assert_eq!(known(held.par_chunks(2)), Some(3));
            assert_eq!(known(five().map(|n| n + 1).inspect(|_| ()).rev().panic_fuse()), Some(5));
            assert_eq!(known(five().enumerate().zip(0..3)), Some(3));
            assert_eq!(known((five(), 0..4).into_par_iter()), Some(4));
            assert_eq!(known(five().chain(five()).skip(1).take(7).step_by(2)), Some(4));
            assert_eq!(known(five().interleave(five()).chunks(4).with_min_len(2)), Some(3));
            assert_eq!(known(five().intersperse(9)), Some(9));
            assert_eq!(known(five().take(0).intersperse(9)), Some(0));
            assert_eq!(known(BTreeSet::from([3, 1])), Some(2));
            assert_eq!(known(Either::<_, iter::Empty<u32>>::Left(five())), Some(5));
            assert_eq!(known(0..=u128::MAX), None);
            assert_eq!(known(five().filter(|n| n % 2 == 0)), None);
            assert_eq!(known(five().flat_map(|n| 0..n)), None);
            assert_eq!(known(five().filter(|_| true).chain(five())), None);
            assert_eq!(known(five().filter(|_| true).intersperse(9)), None);
            assert_eq!(known((0..5).par_bridge()), None);
        }

        #[test]
        fn len() {
            let pairs = (0..50).into_par_iter().zip(vec!['x'; 7]);
            assert_eq!(pairs.len(), 7);
            assert_eq!(pairs.count(), 7);
        }

        #[test]
        fn enumerate() {
            let lines: Vec<String> = vec!["if", "else"]
                .into_par_iter()
                .enumerate()
                .map(|(i, line)| format!("{i}: {line}"))
                .collect();
            assert_eq!(lines, ["0: if", "1: else"]);
        }

        #[test]
        fn zip() {
            let seats: Vec<(u32, char)> = (10..100).into_par_iter().zip(vec!['A', 'B', 'C']).collect();
            assert_eq!(seats, [(10, 'A'), (11, 'B'), (12, 'C')]);
        }

        #[test]
        fn zip_eq() {
            let sums = |a: &[u8], b: &[u8]| a.par_iter().zip_eq(b).map(|(a, b)| a + b).collect::<Vec<_>>();
            assert_eq!(sums(&[1, 2], &[30, 40]), [31, 42]);
            assert!(catch_unwind(|| sums(&[1, 2], &[30])).is_err());
        }

        #[test]
        fn interleave() {
            let (guests, hosts) = (vec!["g", "g", "g", "g"], vec!["h"]);
            let mixed: String = guests.clone().into_par_iter().interleave(hosts.clone()).collect();
            assert_eq!(mixed, "ghggg");
            let mixed: String = hosts.into_par_iter().interleave(guests).collect();
            assert_eq!(mixed, "hgggg");
        }

        /// The first iterator's turn comes once more, unless it is the one that ends.
        #[test]
        fn interleave_shortest() {
            let (long, short) = (vec![9, 8, 7, 6, 5], vec![1, 2]);
            let first_is_longer: Vec<i32> =
                long.clone().into_par_iter().interleave_shortest(short.clone()).collect();
            assert_eq!(first_is_longer, [9, 1, 8, 2, 7]);
            let first_is_shorter: Vec<i32> = short.into_par_iter().interleave_shortest(long).collect();
            assert_eq!(first_is_shorter, [1, 9, 2, 8]);
        }

        #[test]
        fn intersperse() {
            let dashed: String = vec!["12", "34", "56"].into_par_iter().intersperse("-").collect();
            assert_eq!(dashed, "12-34-56");
        }

        #[test]
        fn chunks() {
            let weeks: Vec<Vec<u32>> = (1..18).into_par_iter().chunks(7).collect();
            let days: Vec<u32> = (1..18).collect();
            assert_eq!(weeks, days.chunks(7).map(<[u32]>::to_vec).collect::<Vec<_>>());
            assert!(catch_unwind(|| (0..9).into_par_iter().chunks(0).count()).is_err());
        }

        #[test]
        fn fold_chunks() {
            let words = vec!["to", "be", "or", "not", "to"];
            let lengths = || words.par_iter().fold_chunks(2, || 0, |sum, word| sum + word.len());
            assert_eq!(lengths().len(), 3);
            assert_eq!(lengths().collect::<Vec<_>>(), [4, 5, 2]);
            assert!(
                catch_unwind(|| (0..9).into_par_iter().fold_chunks(0, || 0, |a, b| a + b).count()).is_err()
            );
        }

        #[test]
        fn cmp() {
            let version = [1, 4, 2];
            assert_eq!(version.par_iter().cmp(&[1, 5]), Less);
            assert_eq!(version.par_iter().cmp(&[1, 4, 2]), Equal);
            assert_eq!(version.par_iter().cmp(&[1, 4]), Greater, "what the shorter one has, is the same");
        }

        #[test]
        fn partial_cmp() {
            let point = [0.5, 2.0];
            assert_eq!(point.par_iter().partial_cmp(&[0.75, 0.0]), Some(Less));
            assert_eq!(point.par_iter().partial_cmp(&[0.5, 2.0]), Some(Equal));
            assert_eq!(point.par_iter().partial_cmp(&[0.5]), Some(Greater));
            assert_eq!(point.par_iter().partial_cmp(&[f64::NAN, 0.0]), None);
            assert_eq!(point.par_iter().partial_cmp(&[0.25, f64::NAN]), Some(Greater), "decided before");
        }

        /// Six questions, for which rayon's pages have no programs.
        #[test]
        fn eq_ne_lt_le_gt_ge() {
            let rows: [&[i32]; 5] = [&[], &[3], &[3, 1], &[3, 2], &[4]];
            for a in rows {
                for b in rows {
                    let ask = || a.par_iter();
                    assert_eq!([ask().eq(b), ask().ne(b)], [a.iter().eq(b), a.iter().ne(b)], "{a:?} {b:?}");
                    assert_eq!([ask().lt(b), ask().le(b)], [a.iter().lt(b), a.iter().le(b)], "{a:?} {b:?}");
                    assert_eq!([ask().gt(b), ask().ge(b)], [a.iter().gt(b), a.iter().ge(b)], "{a:?} {b:?}");
                }
            }
        }

        #[test]
        fn step_by() {
            let hours: Vec<u32> = (8..21).into_par_iter().step_by(4).collect();
            assert_eq!(hours, [8, 12, 16, 20]);
        }

        #[test]
        fn skip() {
            assert_eq!(('a'..='z').into_par_iter().skip(23).collect::<String>(), "xyz");
            assert_eq!(('a'..='z').into_par_iter().skip(26).count(), 0);
        }

        #[test]
        fn take() {
            assert_eq!(('a'..='z').into_par_iter().take(3).collect::<String>(), "abc");
            assert_eq!(('a'..='z').into_par_iter().take(100).count(), 26);
        }

        const NOTES: [&str; 5] = ["do", "sol", "mi", "sol", "do"];

        /// Either place is right.
        #[test]
        fn position_any() {
            let place = NOTES.par_iter().position_any(|note| *note == "sol");
            assert!(place == Some(1) || place == Some(3));
            assert_eq!(NOTES.par_iter().position_any(|note| *note == "fa"), None);
        }

        #[test]
        fn position_first() {
            assert_eq!(NOTES.par_iter().position_first(|note| *note == "sol"), Some(1));
            assert_eq!(NOTES.par_iter().position_first(|note| *note == "fa"), None);
        }

        #[test]
        fn position_last() {
            assert_eq!(NOTES.par_iter().position_last(|note| *note == "sol"), Some(3));
            assert_eq!(NOTES.par_iter().position_last(|note| *note == "fa"), None);
        }

        #[test]
        fn positions() {
            let short: Vec<usize> = NOTES.par_iter().positions(|note| note.len() == 2).collect();
            assert_eq!(short, [0, 2, 4]);
            let high: Vec<usize> = NOTES.par_iter().positions(|note| *note > "fa").collect();
            assert_eq!(high, [1, 2, 3]);
        }

        #[test]
        fn rev() {
            assert_eq!(NOTES.par_iter().copied().rev().collect::<Vec<_>>(), ["do", "sol", "mi", "sol", "do"]);
            assert_eq!((4..8).into_par_iter().rev().collect::<Vec<_>>(), [7, 6, 5, 4]);
        }

        /// What the vector held is gone, its memory is not.
        #[test]
        fn collect_into_vec() {
            let mut squares = vec![-1; 100];
            let memory = squares.as_ptr();
            (0..6).into_par_iter().map(|n| n * n).collect_into_vec(&mut squares);
            assert_eq!(squares, [0, 1, 4, 9, 16, 25]);
            assert_eq!(squares.as_ptr(), memory);
        }

        #[test]
        fn unzip_into_vecs() {
            let mut places = vec![0; 20];
            let mut names = vec!["nobody"; 20];
            ["Eva", "Max"].into_par_iter().enumerate().unzip_into_vecs(&mut places, &mut names);
            assert_eq!(places, [0, 1]);
            assert_eq!(names, ["Eva", "Max"]);
        }

        /// How many items there are in the runs that `fold` folds: at least so many.
        #[test]
        fn with_min_len() {
            let runs = (0..700_000).into_par_iter().with_min_len(2345).fold(|| 0, |count, _| count + 1);
            let counts: Vec<usize> = runs.collect();
            assert_eq!(counts.iter().sum::<usize>(), 700_000);
            assert!(counts.iter().all(|&count| count >= 2345), "{counts:?}");
        }

        /// At most so many.
        #[test]
        fn with_max_len() {
            let runs = (0..700_000).into_par_iter().with_max_len(2345).fold(|| 0, |count, _| count + 1);
            let counts: Vec<usize> = runs.collect();
            assert_eq!(counts.iter().sum::<usize>(), 700_000);
            assert!(counts.iter().all(|&count| count <= 2345), "{counts:?}");
        }

        #[test]
        fn fold_chunks_with() {
            let init = vec!['-'];
            let words: Vec<String> = ('a'..='g')
                .into_par_iter()
                .fold_chunks_with(3, init, |mut word, c| {
                    word.push(c);
                    word
                })
                .map(String::from_iter)
                .collect();
            assert_eq!(words, ["-abc", "-def", "-g"]);
        }

        /// A block is over before the next begins.
        #[test]
        fn by_uniform_blocks() {
            let begun = std::sync::atomic::AtomicUsize::new(0);
            let order = |n: usize| {
                let before = begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                assert_eq!(before / 30, n / 30);
                n
            };
            let numbers: Vec<usize> =
                (0..1000_usize).into_par_iter().map(order).by_uniform_blocks(30).collect();
            assert!(numbers.into_iter().eq(0..1000));
        }

        #[test]
        fn by_exponential_blocks() {
            let sum: u32 =
                (0..10_000_u32).into_par_iter().by_exponential_blocks().filter(|n| n % 3 == 0).sum();
            assert_eq!(sum, (0..10_000).filter(|n| n % 3 == 0).sum());
            let found = (0..usize::MAX).into_par_iter().by_exponential_blocks().find_first(|&n| n * n > 5000);
            assert_eq!(found, Some(71));
            assert_eq!([0; 0].par_iter().by_exponential_blocks().count(), 0);
        }
    };
}

crate::for_both!(examples);
