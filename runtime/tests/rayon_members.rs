//! Small programs for each member that rayon and taskel share, as its documentation shows them: the
//! text stands here once, is compiled for both, and computes the same.

/// The programs, for the library of that name.
macro_rules! programs {
    ($library:ident) => {
        use std::collections::{BTreeMap, BTreeSet, HashMap, LinkedList, VecDeque};

        use $library::iter::Either;
        use $library::prelude::*;

        type Report = Vec<(&'static str, String)>;

        macro_rules! note {
            ($report:ident: $what:literal, $value:expr) => {
                $report.push(($what, format!("{:?}", $value)))
            };
        }

        /// What users write for their own types.
        struct Shelf(Vec<String>);

        impl IntoParallelIterator for Shelf {
            type Iter = <Vec<String> as IntoParallelIterator>::Iter;
            type Item = String;

            fn into_par_iter(self) -> Self::Iter {
                self.0.into_par_iter()
            }
        }

        impl FromParallelIterator<String> for Shelf {
            fn from_par_iter<I: IntoParallelIterator<Item = String>>(items: I) -> Self {
                Shelf(items.into_par_iter().collect())
            }
        }

        impl ParallelExtend<String> for Shelf {
            fn par_extend<I: IntoParallelIterator<Item = String>>(&mut self, items: I) {
                self.0.par_extend(items);
            }
        }

        fn longest<I: IndexedParallelIterator<Item = String>>(items: I) -> Option<(usize, String)> {
            items.enumerate().max_by_key(|(_, text)| text.len())
        }

        fn even(limit: u32) -> impl IndexedParallelIterator<Item = u32> {
            (0..limit).into_par_iter().step_by(2)
        }

        fn own_types(report: &mut Report) {
            let mut shelf: Shelf = ["novel", "atlas"].par_iter().map(|title| title.to_string()).collect();
            shelf.par_extend(vec!["dictionary".to_string()]);
            note!(report: "own type", longest(shelf.0.clone().into_par_iter()));
            note!(report: "own into", shelf.into_par_iter().rev().collect::<Vec<_>>());
            note!(report: "returned", even(11).map(|n| n * n).collect::<Vec<_>>());
        }

        fn adapters(report: &mut Report) {
            let words = ["apple", "fig", "kiwi", "plum", "fig"];
            note!(report: "filter", (0..20).into_par_iter().filter(|n| n % 3 == 0).collect::<Vec<_>>());
            note!(report: "filter_map", words.par_iter().filter_map(|w| w.find('i')).collect::<Vec<_>>());
            let pairs = [vec![1, 2], vec![], vec![3]];
            note!(report: "flat_map", pairs.par_iter().flat_map(|v| v).map(|n| n + 1).collect::<Vec<_>>());
            note!(report: "flat_map_iter", words.par_iter().flat_map_iter(|w| w.chars()).collect::<String>());
            note!(report: "flatten", pairs.clone().into_par_iter().flatten().collect::<Vec<_>>());
            note!(report: "flatten_iter", pairs.par_iter().flatten_iter().count());
            note!(report: "chain", (0..3).into_par_iter().chain(vec![9, 8]).collect::<Vec<i32>>());
            note!(report: "update", vec![1, 2].into_par_iter().update(|n| *n *= 10).collect::<Vec<_>>());
            note!(report: "map_with", (0..4).into_par_iter().map_with(2, |k, n| n * *k).collect::<Vec<i32>>());
            note!(report: "while_some", (0..9).into_par_iter().map(Some).while_some().sum::<i32>());
            note!(report: "panic_fuse", (0..9).into_par_iter().panic_fuse().sum::<i32>());
            note!(report: "take_any", (0..50).into_par_iter().take_any(7).count());
            note!(report: "skip_any", (0..50).into_par_iter().skip_any(7).count());
            note!(report: "take_any_while", (0..50).into_par_iter().take_any_while(|n| *n < 90).count());
            note!(report: "skip_any_while", (0..50).into_par_iter().skip_any_while(|n| *n < 90).count());
            note!(report: "fold_with", (1..9).into_par_iter().fold_with(0, |a, b| a + b).sum::<i32>());
            let checked = (1..9_u8).into_par_iter().try_fold(|| 0_u8, |a, n| a.checked_add(n));
            note!(report: "try_fold", checked.try_reduce(|| 0, u8::checked_add));
            let with = (1..9_u8).into_par_iter().try_fold_with(0_u8, |a, n| a.checked_add(n * 9));
            note!(report: "try_fold_with", with.try_reduce(|| 0, u8::checked_add));
        }

        fn indexed_adapters(report: &mut Report) {
            let range = || (0..10).into_par_iter();
            note!(report: "rev", range().rev().collect::<Vec<_>>());
            note!(report: "take", range().take(3).collect::<Vec<_>>());
            note!(report: "skip", range().skip(7).collect::<Vec<_>>());
            note!(report: "chunks", range().chunks(4).collect::<Vec<_>>());
            note!(report: "fold_chunks", range().fold_chunks(4, || 0, |a, b| a + b).collect::<Vec<i32>>());
            note!(report: "zip_eq", range().zip_eq(10..20).map(|(a, b)| a * b).collect::<Vec<i32>>());
            note!(report: "interleave", range().interleave(vec![50, 60]).collect::<Vec<_>>());
            note!(report: "interleave_shortest", range().interleave_shortest(vec![50]).collect::<Vec<_>>());
            note!(report: "intersperse", range().take(3).intersperse(-1).collect::<Vec<_>>());
            note!(report: "positions", range().positions(|n| n % 4 == 1).collect::<Vec<_>>());
            note!(report: "tuple", ([1, 2], [3, 4], [5, 6]).into_par_iter().map(|(a, b, c)| a + b * c).sum::<i32>());
            let mut target = vec![0; 3];
            range().collect_into_vec(&mut target);
            note!(report: "collect_into_vec", target);
            let (mut left, mut right) = (vec![], vec![]);
            range().map(|n| (n, -n)).unzip_into_vecs(&mut left, &mut right);
            note!(report: "unzip_into_vecs", (left, right));
            note!(report: "cmp", [1, 2].par_iter().cmp(&[1, 3]));
            note!(report: "partial_cmp", [1.0].par_iter().partial_cmp(&[f64::NAN]));
            note!(report: "eq", ([1].par_iter().eq(&[1]), [1].par_iter().ne(&[1, 2])));
            note!(report: "lt", ([1].par_iter().lt(&[2]), [1].par_iter().le(&[0])));
            note!(report: "gt", ([1].par_iter().gt(&[2]), [1].par_iter().ge(&[0])));
        }

        fn consumers(report: &mut Report) {
            let numbers = [5_i32, 3, 8, 3, 8, 1];
            let iter = || numbers.par_iter().copied();
            note!(report: "min_by", iter().enumerate().min_by(|a, b| (a.1 % 3).cmp(&(b.1 % 3))));
            note!(report: "max_by", iter().enumerate().max_by(|a, b| (a.1 % 3).cmp(&(b.1 % 3))));
            note!(report: "min_by_key", iter().enumerate().min_by_key(|a| a.1));
            note!(report: "max_by_key", iter().enumerate().max_by_key(|a| a.1));
            note!(report: "find_any", iter().find_any(|n| *n == 1));
            note!(report: "find_first", iter().enumerate().find_first(|a| a.1 == 3));
            note!(report: "find_last", iter().enumerate().find_last(|a| a.1 == 3));
            note!(report: "find_map_any", iter().find_map_any(|n| (n == 5).then_some(n * 2)));
            note!(report: "find_map_first", iter().find_map_first(|n| (n > 5).then_some(n * 2)));
            note!(report: "find_map_last", iter().find_map_last(|n| (n < 5).then_some(n * 2)));
            note!(report: "position_any", iter().position_any(|n| n == 1));
            note!(report: "position_first", iter().position_first(|n| n == 8));
            note!(report: "position_last", iter().position_last(|n| n == 8));
            note!(report: "try_for_each", iter().try_for_each(|n| if n == 1 { Err(n) } else { Ok(()) }));
            note!(report: "try_for_each_init", iter().try_for_each_init(|| 7, |k, n| (n < *k + 2).then_some(())));
            note!(report: "try_for_each_with", iter().try_for_each_with(7, |k, n| (n < *k + 2).then_some(())));
            note!(report: "try_reduce", iter().map(|n| n.checked_mul(2)).try_reduce(|| 0, |a: i32, b| a.checked_add(b)));
            note!(report: "try_reduce_with", iter().map(Some).try_reduce_with(|a: i32, b| a.checked_sub(b)).is_some());
            note!(report: "partition", iter().partition::<Vec<_>, Vec<_>, _>(|n| n % 2 == 0));
            let sides: (Vec<_>, Vec<_>) = iter().partition_map(|n| if n > 4 { Either::Left(n) } else { Either::Right(-n) });
            note!(report: "partition_map", sides);
            note!(report: "unzip", iter().map(|n| (n, n * n)).unzip::<_, _, Vec<_>, BTreeSet<_>>());
            let pairs = || iter().enumerate().map(|(i, n)| (n, i));
            note!(report: "maps", (pairs().collect::<BTreeMap<_, _>>(), pairs().collect::<HashMap<_, _>>()[&8]));
            note!(report: "lists", (iter().collect::<LinkedList<_>>(), iter().collect::<VecDeque<_>>()));
            note!(report: "boxed", iter().collect::<Box<[_]>>());
            note!(report: "option", iter().map(|n| (n > 1).then_some(n)).collect::<Option<Vec<_>>>());
            note!(report: "result", iter().map(Ok::<_, ()>).collect::<Result<Vec<_>, _>>());
            note!(report: "collect_vec_list", iter().filter(|n| n % 2 == 1).collect_vec_list().into_iter().flatten().collect::<Vec<_>>());
            let mut text = String::from("a");
            text.par_extend(["b", "c"].par_iter().copied());
            note!(report: "par_extend", text);
        }

        fn slices_and_strings(report: &mut Report) {
            let numbers: Vec<i32> = (0..11).collect();
            note!(report: "par_chunks", numbers.par_chunks(4).map(|c| c.len()).collect::<Vec<_>>());
            let exact = numbers.par_chunks_exact(4);
            note!(report: "par_chunks_exact", (exact.remainder().to_vec(), exact.count()));
            note!(report: "par_rchunks", numbers.par_rchunks(4).collect::<Vec<_>>());
            note!(report: "par_windows", numbers.par_windows(2).map(|w| w[0] * w[1]).sum::<i32>());
            note!(report: "par_split", numbers.par_split(|n| n % 4 == 0).collect::<Vec<_>>());
            note!(report: "par_split_inclusive", numbers.par_split_inclusive(|n| n % 4 == 0).count());
            let mut turned = numbers.clone();
            turned.par_chunks_mut(3).for_each(|c| c.reverse());
            turned.par_chunks_exact_mut(4).for_each(|c| c[0] = -c[0]);
            turned.par_rchunks_mut(5).enumerate().for_each(|(i, c)| c[0] += 100 * i as i32);
            note!(report: "in place", turned);
            turned.par_sort_by_key(|n| n % 3);
            note!(report: "par_sort_by_key", turned);
            turned.par_sort_unstable_by(|a, b| b.cmp(a));
            note!(report: "par_sort_unstable_by", turned);
            turned.par_sort_by_cached_key(|n| n.to_string());
            note!(report: "par_sort_by_cached_key", turned);
            let text = "Über den\r\nWolken, \n\nmuß";
            note!(report: "par_lines", text.par_lines().collect::<Vec<_>>());
            note!(report: "par_chars", text.par_chars().rev_string());
            note!(report: "par_char_indices", text.par_char_indices().collect::<Vec<_>>());
            note!(report: "par_bytes", text.par_bytes().map(u32::from).sum::<u32>());
            note!(report: "par_split_whitespace", text.par_split_whitespace().collect::<Vec<_>>());
            note!(report: "text split", text.par_split(' ').collect::<Vec<_>>());
            let deque: VecDeque<i32> = numbers.iter().copied().collect();
            note!(report: "deque", deque.par_iter().map(|n| n + 1).collect::<Vec<_>>());
            let set: BTreeSet<i32> = numbers.iter().map(|n| n * 7 % 5).collect();
            note!(report: "set", set.par_iter().copied().collect::<Vec<_>>());
            let mut map: BTreeMap<i32, i32> = numbers.iter().map(|n| (*n, n * n)).collect();
            map.par_iter_mut().for_each(|(k, v)| *v -= k);
            note!(report: "map", map);
            note!(report: "option source", (Some(3).into_par_iter().sum::<i32>(), None::<i32>.par_iter().count()));
            note!(report: "once", $library::iter::once(4).chain($library::iter::repeat_n(5, 2)).collect::<Vec<_>>());
            note!(report: "empty", $library::iter::empty::<u8>().count());
            note!(report: "par_bridge", (0..100).par_bridge().map(|n| n * n).sum::<u32>());
        }

        trait RevString {
            fn rev_string(self) -> String;
        }
        impl<I: ParallelIterator<Item = char>> RevString for I {
            fn rev_string(self) -> String {
                self.map(String::from).reduce(String::new, |a, b| b + &a)
            }
        }

        pub(crate) fn run() -> Report {
            let mut report = Report::new();
            own_types(&mut report);
            adapters(&mut report);
            indexed_adapters(&mut report);
            consumers(&mut report);
            slices_and_strings(&mut report);
            report
        }
    };
}

mod for_rayon {
    programs!(rayon);
}

mod for_taskel {
    programs!(taskel);
}

#[test]
fn each_shared_member_does_what_rayon_s_does() {
    let expected = for_rayon::run();
    assert!(expected.len() >= 90, "{} results", expected.len());
    for threads in [1, 2, 4] {
        let pool = taskel::ThreadPool::builder().num_threads(threads).build().unwrap();
        for _ in 0..10 {
            for (result, expected) in pool.install(for_taskel::run).iter().zip(&expected) {
                assert_eq!(result, expected, "{threads} threads");
            }
        }
    }
}
