//! The pages of the traits that make iterators, of ranges, tuples, and the functions of the module
//! `iter`.

macro_rules! examples {
    ($library:ident) => {
        use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
        use std::ops::Range;
        use std::sync::Mutex;
        use std::sync::mpsc::channel;

        use $library::iter::{
            empty, once, repeat, repeat_n, split, walk_tree, walk_tree_postfix, walk_tree_prefix,
        };
        use $library::prelude::*;

        #[test]
        fn first_steps() {
            fn length(vector: &[f64]) -> f64 {
                vector.par_iter().map(|x| x * x).sum::<f64>().sqrt()
            }

            fn double(vector: &mut [f64]) {
                vector.par_iter_mut().for_each(|x| *x += *x);
            }

            let mut vector = [2.0, 3.0, 6.0];
            assert_eq!(length(&vector), 7.0);
            double(&mut vector);
            assert_eq!(vector, [4.0, 6.0, 12.0]);
        }

        /// Explicit, and as the argument of a method.
        #[test]
        fn into_par_iter() {
            let seen = Mutex::new(Vec::new());
            (20..30).into_par_iter().for_each(|n| seen.lock().unwrap().push(n));
            let mut seen = seen.into_inner().unwrap();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(20..30));
            let mirrored: Vec<(i32, i32)> = (0..3).into_par_iter().zip(-2..1).collect();
            assert_eq!(mirrored, [(0, -2), (1, -1), (2, 0)]);
        }

        /// The references are those into the collection.
        #[test]
        fn par_iter() {
            let words: Vec<String> = ["a", "bb", "ccc"].map(String::from).into();
            assert_eq!(words.par_iter().map(String::len).sum::<usize>(), 6);
            assert!(words.par_iter().zip((&words).into_par_iter()).all(|(a, b)| std::ptr::eq(a, b)));
            assert!(words.par_iter().zip(&words).all(|(a, b)| std::ptr::eq(a, b)));
        }

        #[test]
        fn par_iter_mut() {
            let mut words = vec![String::new(); 4];
            words.par_iter_mut().enumerate().for_each(|(i, word)| *word = "*".repeat(i));
            assert_eq!(words, ["", "*", "**", "***"]);
        }

        #[test]
        fn range() {
            assert_eq!((50..750_u64).into_par_iter().sum::<u64>(), (50..750).sum());
            let divides = |&(a, b): &(usize, usize)| b % a == 0;
            let in_parallel: usize =
                (1..40_usize).into_par_iter().zip(60..99_usize).filter(divides).map(|(a, b)| b / a).sum();
            let in_sequence = (1..40_usize).zip(60..99).filter(divides).map(|(a, b)| b / a).sum();
            assert_eq!(in_parallel, in_sequence);
        }

        #[test]
        fn range_inclusive() {
            assert_eq!((50..=750_u64).into_par_iter().sum::<u64>(), (50..=750).sum());
            let divides = |&(a, b): &(u16, u16)| b % a == 0;
            let in_parallel: u16 =
                (1..=40_u16).into_par_iter().zip(60..=99_u16).filter(divides).map(|(a, b)| b / a).sum();
            let in_sequence = (1..=40_u16).zip(60..=99).filter(divides).map(|(a, b)| b / a).sum();
            assert_eq!(in_parallel, in_sequence);
            assert_eq!((u8::MIN..=u8::MAX).into_par_iter().count(), 256);
        }

        /// Some by value and some by reference, as far as the shortest goes.
        #[test]
        fn tuple() {
            let mut areas = [0; 2];
            (&mut areas, 3..9, vec![5, 6, 7], 100..900)
                .into_par_iter()
                .for_each(|(area, a, b, c)| *area = a * b + c);
            assert_eq!(areas, [3 * 5 + 100, 4 * 6 + 101]);
        }

        #[test]
        fn tuple_by_reference() {
            let (names, ages, towns) = (vec!["Eva", "Max"], vec![40, 50], vec!['U', 'J']);
            let line = |(name, age, town): (&&str, &i32, &char)| format!("{name} {age} {town}");
            let each: Vec<String> = (&names, &ages, &towns).into_par_iter().map(line).collect();
            let all: Vec<String> = (names, ages, towns).par_iter().map(line).collect();
            assert_eq!(each, ["Eva 40 U", "Max 50 J"]);
            assert_eq!(all, each);
        }

        #[test]
        fn tuple_by_mutable_reference() {
            let (mut low, mut high, mut swaps) = (vec![5, 1, 9], vec![4, 2, 8], vec![0; 3]);
            let put_right = |(low, high, swaps): (&mut i32, &mut i32, &mut i32)| {
                if low > high {
                    std::mem::swap(low, high);
                    *swaps += 1;
                }
            };
            (&mut low, &mut high, &mut swaps).into_par_iter().for_each(put_right);
            assert_eq!((&low[..], &high[..]), (&[4, 1, 8][..], &[5, 2, 9][..]));
            assert_eq!(swaps, [1, 0, 1]);

            // The other way round, all of them together.
            let mut all = (high, low, swaps);
            all.par_iter_mut().for_each(put_right);
            assert_eq!(all, (vec![4, 1, 8], vec![5, 2, 9], vec![2, 1, 2]));
        }

        /// Twelve are the most.
        #[test]
        fn tuple_of_twelve() {
            let n = 1..3_i32;
            let twelve = (
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone(),
                n.clone(),
                n,
            );
            let sums = twelve
                .into_par_iter()
                .map(|(a, b, c, d, e, f, g, h, i, j, k, l)| a + b + c + d + e + f + g + h + i + j + k * l);
            assert_eq!(sums.collect::<Vec<i32>>(), [11, 24]);
            assert_eq!((vec!['x'],).into_par_iter().collect::<Vec<_>>(), [('x',)]);
        }

        #[test]
        fn empty_source() {
            let joined = (0..70).into_par_iter().chain(empty()).chain(70..200);
            assert_eq!(joined.count(), 200);
        }

        #[test]
        fn once_source() {
            let joined = ('a'..'m').into_par_iter().chain(once('!')).chain('m'..='z');
            assert_eq!(joined.clone().count(), 27);
            assert_eq!(joined.clone().filter(|c| !c.is_alphabetic()).count(), 1);
            assert_eq!(joined.position_any(|c| c == '!'), Some(12));
        }

        /// Without an end: what it is put together with has one.
        #[test]
        fn repeat_source() {
            let tagged: Vec<(&str, u8)> = repeat("tag").zip(7..9_u8).collect();
            assert_eq!(tagged, [("tag", 7), ("tag", 8)]);
            assert_eq!(repeat('-').take(4).collect::<String>(), "----");
        }

        #[test]
        fn repeat_n_source() {
            let tagged: Vec<(&str, u8)> = repeat_n("tag", 2).zip(7..200_u8).collect();
            assert_eq!(tagged, [("tag", 7), ("tag", 8)]);
        }

        /// Items of a channel, in any order.
        #[test]
        fn par_bridge() {
            let (sender, receiver) = channel();
            ["north", "east", "south"].into_iter().for_each(|word| sender.send(word).unwrap());
            drop(sender);
            let mut words: Vec<&str> = receiver.into_iter().par_bridge().collect();
            words.sort_unstable();
            assert_eq!(words, ["east", "north", "south"]);
        }

        /// What is drained is gone; what is not, stays.
        #[test]
        fn par_drain_range() {
            let mut words: Vec<String> = (0..20).map(|n| n.to_string()).collect();
            let memory = words.as_ptr();
            let drained: Vec<String> = words.par_drain(5..15).rev().collect();
            assert!(drained.iter().map(|word| word.parse::<i32>().unwrap()).eq((5..15).rev()));
            assert_eq!(words.par_drain(..=1).len(), 2);
            drop(words.par_drain(6..));
            assert_eq!(words, ["2", "3", "4", "15", "16", "17"]);
            assert_eq!(words.as_ptr(), memory);
            assert!(words.par_drain(..).any(|word| word == "16"));
            assert!(words.is_empty());

            let mut queue: VecDeque<u32> = (0..10).collect();
            queue.rotate_left(4);
            assert_eq!(queue.par_drain(3..=6).collect::<Vec<_>>(), [7, 8, 9, 0]);
            assert_eq!(queue, [4, 5, 6, 1, 2, 3]);

            let mut text = String::from("grün und blau");
            assert_eq!(text.par_drain(2..10).rev_text(), " dnu nü");
            assert_eq!(text, "grblau");
        }

        trait RevText {
            fn rev_text(self) -> String;
        }

        impl<I: ParallelIterator<Item = char>> RevText for I {
            fn rev_text(self) -> String {
                self.collect::<Vec<_>>().into_iter().rev().collect()
            }
        }

        #[test]
        fn par_drain_of_nothing_that_is_there() {
            let outside = [Range { start: 5, end: 2 }, 0..4, 4..4];
            for range in outside {
                let drain = || vec![1, 2, 3].par_drain(range.clone()).count();
                std::panic::catch_unwind(drain).expect_err("a range within the vector is wanted");
            }
        }

        #[test]
        fn par_drain_full() {
            let mut heap = BinaryHeap::from([3, 1, 2]);
            assert_eq!(heap.par_drain().sum::<i32>(), 6);
            let mut set: HashSet<i32> = (0..10).collect();
            assert_eq!(set.par_drain().sum::<i32>(), 45);
            let mut map: HashMap<i32, i32> = (0..10).map(|n| (n, 2 * n)).collect();
            assert_eq!(map.par_drain().map(|(n, twice)| n * twice).sum::<i32>(), 570);
            assert!(heap.is_empty() && set.is_empty() && map.is_empty());
        }

        /// A heap's tree: below `n` are `2 n` and `2 n + 1`.
        fn below(n: &u32) -> Vec<u32> {
            [2 * n, 2 * n + 1].into_iter().filter(|n| *n < 1000).collect()
        }

        #[test]
        fn walk_tree_source() {
            let mut nodes: Vec<u32> = walk_tree(1, below).collect();
            nodes.sort_unstable();
            assert!(nodes.into_iter().eq(1..1000));
        }

        #[test]
        fn walk_tree_prefix_source() {
            fn add(node: u32, all: &mut Vec<u32>) {
                all.push(node);
                below(&node).into_iter().for_each(|node| add(node, all));
            }
            let mut all = Vec::new();
            add(1, &mut all);
            assert_eq!(walk_tree_prefix(1, below).collect::<Vec<_>>(), all);
        }

        #[test]
        fn walk_tree_postfix_source() {
            fn add(node: u32, all: &mut Vec<u32>) {
                below(&node).into_iter().for_each(|node| add(node, all));
                all.push(node);
            }
            let mut all = Vec::new();
            add(1, &mut all);
            assert_eq!(walk_tree_postfix(1, below).collect::<Vec<_>>(), all);
            let folded = walk_tree_postfix(1, below).fold(Vec::new, |mut all, node| {
                all.push(node);
                all
            });
            assert_eq!(folded.flatten().collect::<Vec<_>>(), all);
            let gather = |mut all: Vec<u32>, node| {
                all.push(node);
                Some(all)
            };
            let tried = walk_tree_postfix(1, below).try_fold(Vec::new, gather);
            assert_eq!(tried.flat_map_iter(|all| all.unwrap()).collect::<Vec<_>>(), all);
            let twice = walk_tree_postfix(1, below).flat_map(|node| [node; 2]).chain([7]);
            assert_eq!(twice.count(), 2 * all.len() + 1);
        }

        /// A list: as deep as there are nodes.
        #[test]
        fn walk_deep_trees() {
            let next = |n: &u32| (*n < 300_000).then_some(n + 1);
            assert_eq!(walk_tree_prefix(1, next).map(u64::from).sum::<u64>(), 300_000 * 300_001 / 2);
            assert_eq!(walk_tree_postfix(1, next).find_first(|n| n % 7 == 0), Some(299_999 / 7 * 7));
        }

        #[test]
        fn split_source() {
            fn halve(range: Range<usize>) -> (Range<usize>, Option<Range<usize>>) {
                match range.len() {
                    0 | 1 => (range, None),
                    len => (range.start..range.start + len / 2, Some(range.start + len / 2..range.end)),
                }
            }
            for len in [0, 1, 2, 1000] {
                let numbers: Vec<usize> = split(0..len, halve).flat_map_iter(|piece| piece).collect();
                assert!(numbers.into_iter().eq(0..len));
            }
            assert!(split(0..1000, halve).count() > 1);
        }
    };
}

crate::for_both!(examples);
