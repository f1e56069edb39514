//! The page of `ParallelIterator`: what becomes of items.

macro_rules! examples {
    ($library:ident) => {
        use std::cell::Cell;
        use std::collections::BTreeSet;
        use std::rc::Rc;
        use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
        use std::sync::mpsc::channel;

        use $library::prelude::*;

        /// Fills each part of the vector from a generator that belongs to whoever fills it, and
        /// stays there.
        fn generator() -> Rc<Cell<u32>> {
            Rc::new(Cell::new(1))
        }

        fn fill(generator: &mut Rc<Cell<u32>>, part: &mut [u8]) {
            for byte in part {
                generator.set(generator.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
                *byte = (generator.get() >> 24) as u8;
            }
        }

        #[test]
        fn for_each() {
            let seen = AtomicU64::new(0);
            (0..64).into_par_iter().for_each(|bit| {
                assert_eq!(seen.fetch_or(1 << bit, Relaxed) >> bit & 1, 0, "each of them once");
            });
            assert_eq!(seen.into_inner(), u64::MAX);
        }

        #[test]
        fn for_each_with() {
            let (sender, receiver) = channel();
            (10..14).into_par_iter().for_each_with(sender, |sender, n| sender.send(n * n).unwrap());
            let squares: BTreeSet<i32> = receiver.iter().collect();
            assert_eq!(squares, BTreeSet::from([100, 121, 144, 169]));
        }

        #[test]
        fn for_each_init() {
            let mut bytes = vec![0; 1 << 16];
            bytes.par_chunks_mut(4096).for_each_init(generator, fill);
            assert_eq!(bytes.into_iter().collect::<BTreeSet<u8>>().len(), 256);
        }

        #[test]
        fn try_for_each() {
            let small = |limit: u32| {
                (0..50).into_par_iter().try_for_each(|n| if n < limit { Ok(()) } else { Err(n) })
            };
            assert_eq!(small(50), Ok(()));
            // One of those that fail, whichever.
            assert!((40..50).contains(&small(40).unwrap_err()));
            let none = (0..50).into_par_iter().try_for_each(|n| (n != 31).then_some(()));
            assert_eq!(none, None);
        }

        #[test]
        fn try_for_each_with() {
            let (sender, receiver) = channel();
            let sent = ["x", "y"].into_par_iter().try_for_each_with(sender, |sender, word| sender.send(word));
            assert_eq!(sent, Ok(()));
            assert_eq!(receiver.iter().collect::<BTreeSet<_>>(), BTreeSet::from(["x", "y"]));
            // Nobody receives any more.
            let (sender, _) = channel();
            assert!(
                ["x", "y"]
                    .into_par_iter()
                    .try_for_each_with(sender, |sender, word| sender.send(word))
                    .is_err()
            );
        }

        #[test]
        fn try_for_each_init() {
            let mut bytes = vec![0; 1 << 16];
            let fallible = |generator: &mut Rc<Cell<u32>>, part: &mut [u8]| {
                fill(generator, part);
                if part.len() == 4096 { Ok(()) } else { Err(part.len()) }
            };
            assert_eq!(bytes.par_chunks_mut(4096).try_for_each_init(generator, fallible), Ok(()));
            assert_eq!(bytes.iter().collect::<BTreeSet<_>>().len(), 256);
            bytes.push(0);
            assert_eq!(bytes.par_chunks_mut(4096).try_for_each_init(generator, fallible), Err(1));
        }

        #[test]
        fn count() {
            assert_eq!((5..905).into_par_iter().count(), 900);
        }

        /// Two results at once, of pairs.
        #[test]
        fn reduce() {
            let boxes = [(3, 8), (9, 1), (4, 4), (2, 6)];
            let least_and_most = boxes
                .par_iter()
                .copied()
                .reduce(|| (i32::MAX, i32::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
            assert_eq!(least_and_most, (2, 8));
        }

        #[test]
        fn reduce_with() {
            let boxes = [(3, 8), (9, 1), (4, 4), (2, 6)];
            let least_and_most = boxes.par_iter().copied().reduce_with(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            assert_eq!(least_and_most, Some((2, 8)));
            assert_eq!(boxes[..0].par_iter().reduce_with(|a, _| a), None);
        }

        /// It may fail in what is combined, or in an item already.
        #[test]
        fn try_reduce() {
            fn cubes(numbers: impl IntoParallelIterator<Item = i16>) -> Option<i16> {
                numbers.into_par_iter().map(|n| n.checked_pow(3)).try_reduce(|| 0, i16::checked_add)
            }
            assert_eq!(cubes(1..4), Some(1 + 8 + 27));
            assert_eq!(cubes(0..32), None, "the sum is too large");
            assert_eq!(cubes(32..33), None, "the cube is");
        }

        /// Of no items there is no result; else it is one, good or bad.
        #[test]
        fn try_reduce_with() {
            let longest = |texts: &[&str]| {
                let lengths = texts.par_iter().map(|text| text.parse::<u32>().map(|n| (n, text.len())));
                lengths.try_reduce_with(|a, b| Ok(if a.1 >= b.1 { a } else { b }))
            };
            assert_eq!(longest(&[]), None);
            assert_eq!(longest(&["5", "072", "9"]), Some(Ok((72, 3))));
            assert!(longest(&["5", "none", "9"]).expect("there are items").is_err());
            let options = |items: &[Option<u8>]| items.par_iter().copied().try_reduce_with(u8::checked_add);
            assert_eq!(options(&[]), None);
            assert_eq!(options(&[Some(1), None]), Some(None));
            assert_eq!(options(&[Some(1), Some(2)]), Some(Some(3)));
        }

        #[test]
        fn sum() {
            let weights = [2, 40, 600];
            assert_eq!(weights.par_iter().sum::<i32>(), 642);
        }

        #[test]
        fn product() {
            let falling = |n: u64, k: u64| (n - k + 1..n + 1).into_par_iter().product::<u64>();
            assert_eq!(falling(9, 0), 1);
            assert_eq!(falling(9, 1), 9);
            assert_eq!(falling(9, 3), 9 * 8 * 7);
        }

        #[test]
        fn min() {
            assert_eq!(["pear", "fig", "plum"].par_iter().min(), Some(&"fig"));
            assert_eq!(Vec::<u8>::new().par_iter().min(), None);
        }

        #[test]
        fn min_by() {
            let depths = [4.5_f64, -1.25, 0.0, -1.0];
            assert_eq!(depths.par_iter().min_by(|a, b| a.total_cmp(b)), Some(&-1.25));
        }

        #[test]
        fn min_by_key() {
            let towns = [("Ulm", 126), ("Bonn", 331), ("Jena", 111), ("Hof", 45)];
            assert_eq!(towns.par_iter().min_by_key(|town| town.1), Some(&("Hof", 45)));
            assert_eq!(
                towns.par_iter().min_by_key(|town| town.0.len()),
                Some(&("Ulm", 126)),
                "the first of equal ones"
            );
        }

        #[test]
        fn max() {
            assert_eq!(["pear", "fig", "plum"].par_iter().max(), Some(&"plum"));
            assert_eq!(Vec::<u8>::new().par_iter().max(), None);
        }

        #[test]
        fn max_by() {
            let shifts = [4.5_f64, -7.25, 0.0, 6.0];
            assert_eq!(shifts.par_iter().max_by(|a, b| a.abs().total_cmp(&b.abs())), Some(&-7.25));
        }

        #[test]
        fn max_by_key() {
            let towns = [("Ulm", 126), ("Bonn", 331), ("Jena", 111), ("Hof", 45)];
            assert_eq!(towns.par_iter().max_by_key(|town| town.1), Some(&("Bonn", 331)));
            assert_eq!(
                towns.par_iter().max_by_key(|town| town.0.len()),
                Some(&("Jena", 111)),
                "the last of equal ones"
            );
        }

        /// Any of several will do.
        #[test]
        fn find_any() {
            let ages = [31, 8, 45, 12];
            let minor = ages.par_iter().find_any(|&&age| age < 18);
            assert!(minor == Some(&8) || minor == Some(&12));
            assert_eq!(ages.par_iter().find_any(|&&age| age > 99), None);
        }

        #[test]
        fn find_first() {
            let ages = [31, 8, 45, 12];
            assert_eq!(ages.par_iter().find_first(|&&age| age < 18), Some(&8));
            assert_eq!(ages.par_iter().find_first(|&&age| age > 99), None);
        }

        #[test]
        fn find_last() {
            let ages = [31, 8, 45, 12];
            assert_eq!(ages.par_iter().find_last(|&&age| age < 18), Some(&12));
            assert_eq!(ages.par_iter().find_last(|&&age| age > 99), None);
        }

        const CELLS: [&str; 5] = ["-", "0.5", "n/a", "2e3", "?"];

        #[test]
        fn find_map_any() {
            let number = CELLS.par_iter().find_map_any(|cell| cell.parse::<f64>().ok());
            assert!(number == Some(0.5) || number == Some(2000.0));
            assert_eq!(CELLS.par_iter().find_map_any(|cell| cell.parse::<u8>().ok()), None);
        }

        #[test]
        fn find_map_first() {
            assert_eq!(CELLS.par_iter().find_map_first(|cell| cell.parse::<f64>().ok()), Some(0.5));
        }

        #[test]
        fn find_map_last() {
            assert_eq!(CELLS.par_iter().find_map_last(|cell| cell.parse::<f64>().ok()), Some(2000.0));
        }

        #[test]
        fn any() {
            let words = ["tick", "tock", "boom"];
            assert!(words.par_iter().any(|word| word.starts_with('b')));
            assert!(!words.par_iter().any(|word| word.is_empty()));
        }

        #[test]
        fn all() {
            let words = ["tick", "tock", "boom"];
            assert!(words.par_iter().all(|word| word.len() == 4));
            assert!(!words.par_iter().all(|word| word.starts_with('t')));
        }
    };
}

crate::for_both!(examples);
