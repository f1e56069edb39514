//! The pages of `ParallelIterator`, `FromParallelIterator` and `ParallelExtend`: what collections
//! are made of items.

macro_rules! examples {
    ($library:ident) => {
        use std::borrow::Cow;
        use std::collections::{BTreeMap, LinkedList};
        use std::ffi::{OsStr, OsString};
        use std::sync::Mutex;

        use $library::iter::Either::{self, Left, Right};
        use $library::prelude::*;

        /// Words on the left, numbers on the right.
        fn sorted(text: &'static str) -> Either<&'static str, u32> {
            text.parse().map_or(Left(text), Right)
        }

        const MIXED: [&str; 6] = ["one", "2", "three", "4", "5", "six"];

        #[test]
        fn collect() {
            let in_sequence: Vec<String> = (0..500).map(|n| n.to_string()).collect();
            let in_parallel: Vec<String> = (0..500).into_par_iter().map(|n| n.to_string()).collect();
            assert_eq!(in_parallel, in_sequence);
        }

        #[test]
        fn collect_pairs() {
            let (days, temperatures): (Vec<_>, Vec<_>) =
                [("Mon", 21), ("Tue", 19), ("Wed", 25)].into_par_iter().collect();
            assert_eq!(days, ["Mon", "Tue", "Wed"]);
            assert_eq!(temperatures, [21, 19, 25]);
        }

        #[test]
        fn collect_either() {
            let (words, numbers): (Vec<_>, Vec<_>) = MIXED.into_par_iter().map(sorted).collect();
            assert_eq!(words, ["one", "three", "six"]);
            assert_eq!(numbers, [2, 4, 5]);
        }

        #[test]
        fn collect_pairs_with_either() {
            let (lengths, (words, numbers)): (Vec<_>, (Vec<_>, Vec<_>)) =
                MIXED.into_par_iter().map(|text| (text.len(), sorted(text))).collect();
            assert_eq!(lengths, [3, 1, 5, 1, 1, 3]);
            assert_eq!(words, ["one", "three", "six"]);
            assert_eq!(numbers, [2, 4, 5]);
        }

        /// The same, unless an item is an error: then one of these.
        #[test]
        fn collect_result() {
            type Sorted = (Vec<usize>, (Vec<&'static str>, Vec<u32>));
            let collect = |longest: usize| -> Result<Sorted, &'static str> {
                let check = |text: &'static str| {
                    if text.len() > longest { Err(text) } else { Ok((text.len(), sorted(text))) }
                };
                MIXED.into_par_iter().map(check).collect()
            };
            assert_eq!(
                collect(5),
                Ok((vec![3, 1, 5, 1, 1, 3], (vec!["one", "three", "six"], vec![2, 4, 5])))
            );
            assert!(["one", "three", "six"].contains(&collect(2).unwrap_err()));
        }

        /// `()` gathers nothing: only the errors count.
        #[test]
        fn collect_unit() {
            let written = Mutex::new(Vec::new());
            let write = |&n: &u32| written.lock().map(|mut written| written.push(n)).map_err(|_| n);
            let result: Result<(), u32> = [8, 9, 10].par_iter().map(write).collect();
            assert_eq!(result, Ok(()));
            assert_eq!(written.into_inner().unwrap().iter().sum::<u32>(), 27);
        }

        #[test]
        fn unzip() {
            let prices = [("tea", 3), ("jam", 5), ("rice", 2)];
            let (goods, euros): (Vec<&str>, Vec<i32>) = prices.par_iter().copied().unzip();
            assert_eq!(goods, ["tea", "jam", "rice"]);
            assert_eq!(euros, [3, 5, 2]);
        }

        #[test]
        fn unzip_nested() {
            let (numbers, (halves, odd)): (Vec<_>, (Vec<_>, Vec<_>)) =
                (6..10_u8).into_par_iter().map(|n| (n, (n / 2, n % 2 == 1))).unzip();
            assert_eq!(numbers, [6, 7, 8, 9]);
            assert_eq!(halves, [3, 3, 4, 4]);
            assert_eq!(odd, [false, true, false, true]);
        }

        /// The two collections may be of different kinds.
        #[test]
        fn partition() {
            let (short, long): (Vec<&str>, LinkedList<&str>) =
                MIXED.into_par_iter().partition(|text| text.len() < 3);
            assert_eq!(short, ["2", "4", "5"]);
            assert_eq!(long, LinkedList::from(["one", "three", "six"]));
        }

        #[test]
        fn partition_map() {
            let (words, numbers): (Vec<_>, Vec<_>) = MIXED.into_par_iter().partition_map(sorted);
            assert_eq!(words, ["one", "three", "six"]);
            assert_eq!(numbers, [2, 4, 5]);
        }

        #[test]
        fn partition_map_nested() {
            let quadrant = |(x, y): (i32, i32)| match (x < 0, y < 0) {
                (true, true) => Left(Left((x, y))),
                (true, false) => Left(Right((x, y))),
                (false, true) => Right(Left((x, y))),
                (false, false) => Right(Right((x, y))),
            };
            let points = [(1, 2), (-3, 4), (5, -6), (-7, -8), (9, 10)];
            let ((south_west, north_west), (south_east, north_east)): ((Vec<_>, Vec<_>), (Vec<_>, Vec<_>)) =
                points.into_par_iter().partition_map(quadrant);
            assert_eq!(south_west, [(-7, -8)]);
            assert_eq!(north_west, [(-3, 4)]);
            assert_eq!(south_east, [(5, -6)]);
            assert_eq!(north_east, [(1, 2), (9, 10)]);
        }

        /// Flattened, it is a sequential iterator over a parallel one's items.
        #[test]
        fn collect_vec_list() {
            let triangle = (0..=40_u32).into_par_iter().filter(|n| n % 4 == 0).flat_map(|n| 0..n);
            let pieces: LinkedList<Vec<u32>> = triangle.collect_vec_list();
            let expected = (0..=40).step_by(4).flat_map(|n| 0..n);
            assert!(pieces.into_iter().flatten().eq(expected));
        }

        /// A collection of one's own, of which only sums are left.
        #[derive(Debug, Default, PartialEq)]
        struct Load {
            bytes: usize,
        }

        impl<T: Send> FromParallelIterator<T> for Load {
            fn from_par_iter<I: IntoParallelIterator<Item = T>>(items: I) -> Self {
                let mut load = Load::default();
                load.par_extend(items);
                load
            }
        }

        impl<T: Send> ParallelExtend<T> for Load {
            fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, items: I) {
                self.bytes += items.into_par_iter().map(|item| size_of_val(&item)).sum::<usize>();
            }
        }

        #[test]
        fn from_par_iter() {
            let load: Load = (0..25_u64).into_par_iter().filter(|n| n % 5 == 0).collect();
            assert_eq!(load, Load { bytes: 5 * 8 });
        }

        #[test]
        fn par_extend_of_own_type() {
            let mut load = Load::default();
            load.par_extend(vec![1_u16; 100]);
            assert_eq!(load.bytes, 200);
            load.par_extend(["a", "b"].map(|text| text.as_bytes()[0]));
            assert_eq!(load.bytes, 202);
        }

        #[test]
        fn par_extend() {
            let mut letters = vec!['-'];
            letters.par_extend('a'..'d');
            letters.par_extend("xyz".par_chars().map(|c| c.to_ascii_uppercase()));
            assert_eq!(letters, ['-', 'a', 'b', 'c', 'X', 'Y', 'Z']);
            let mut squares = BTreeMap::from([(0, 0)]);
            squares.par_extend((1..4).into_par_iter().map(|n| (n, n * n)));
            assert_eq!(squares, BTreeMap::from([(0, 0), (1, 1), (2, 4), (3, 9)]));
        }

        #[test]
        fn collect_texts_of_the_system() {
            let names = [OsStr::new("a"), OsStr::new("bc")];
            assert_eq!(names.into_par_iter().collect::<OsString>(), "abc");
            assert_eq!(names.par_iter().map(|name| name.to_os_string()).collect::<OsString>(), "abc");
            let borrowed = names.par_iter().map(|name| Cow::Borrowed(*name));
            assert_eq!(borrowed.collect::<Cow<'_, OsStr>>(), OsStr::new("abc"));
            let mut path = OsString::from("x");
            path.par_extend(names);
            assert_eq!(path, "xabc");
        }

        #[test]
        fn collect_boxed_texts() {
            assert_eq!(&*"abc".par_chars().collect::<Box<str>>(), "abc");
            assert_eq!(&*["a", "b"].into_par_iter().collect::<Box<str>>(), "ab");
            assert_eq!(&*["a", "b"].map(Box::<str>::from).into_par_iter().collect::<Box<str>>(), "ab");
            assert_eq!(["a", "b"].into_par_iter().collect::<Cow<'_, str>>(), "ab");
            assert_eq!([1, 2].into_par_iter().collect::<Cow<'_, [i32]>>(), [1, 2].as_slice());
        }

        #[test]
        fn extend_either() {
            let mut numbers: Either<Vec<u32>, LinkedList<u32>> = Left(vec![1]);
            numbers.par_extend(2..4);
            assert_eq!(numbers, Left(vec![1, 2, 3]));
            numbers = Right(LinkedList::new());
            numbers.par_extend(2..4);
            assert_eq!(numbers, Right(LinkedList::from([2, 3])));
        }
    };
}

crate::for_both!(examples);
