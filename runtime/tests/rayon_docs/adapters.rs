//! The page of `ParallelIterator`: what happens to items on the way.

macro_rules! examples {
    ($library:ident) => {
        use std::cell::{Cell, RefCell};
        use std::collections::BTreeSet;
        use std::panic::catch_unwind;
        use std::rc::Rc;
        use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
        use std::sync::mpsc::channel;

        use $library::iter::Either;
        use $library::prelude::*;

        fn ascending(numbers: &[u32]) -> bool {
            numbers.is_sorted_by(|a, b| a < b)
        }

        #[test]
        fn map() {
            let thirds = (1..7).into_par_iter().map(|n| f64::from(n) / 3.0);
            let expected: Vec<f64> = (1..7).map(|n| f64::from(n) / 3.0).collect();
            assert_eq!(thirds.collect::<Vec<_>>(), expected);
        }

        /// Each state is a clone of the sender, which need not be shared between threads; they are
        /// gone when the loop is over.
        #[test]
        fn map_with() {
            let (sender, receiver) = channel();
            let copy = |sender: &mut std::sync::mpsc::Sender<char>, letter| {
                sender.send(letter).unwrap();
                letter
            };
            let returned: Vec<char> = ('p'..'u').into_par_iter().map_with(sender, copy).collect();
            let sent: BTreeSet<char> = receiver.iter().collect();
            assert_eq!(returned, ['p', 'q', 'r', 's', 't']);
            assert_eq!(sent.into_iter().collect::<Vec<_>>(), returned);
        }

        /// The state may be of any type, here one that stays on its thread. Its use shows in the
        /// items.
        #[test]
        fn map_init() {
            let seed = || Rc::new(Cell::new(0x9e37_79b9_u32));
            let toss = |state: &mut Rc<Cell<u32>>, n: i64| {
                state.set(state.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
                if state.get() >> 31 == 0 { n } else { -n }
            };
            let tossed: Vec<i64> = (1..200_000).into_par_iter().map_init(seed, toss).collect();
            assert!(tossed.iter().any(|n| *n > 0) && tossed.iter().any(|n| *n < 0));
            assert!(tossed.iter().map(|n| n.abs()).eq(1..200_000));
        }

        #[test]
        fn cloned() {
            let names = ["Ada".to_string(), "Grace".to_string()];
            let cloned: Vec<String> = names.par_iter().cloned().collect();
            let mapped: Vec<String> = names.par_iter().map(|name| name.clone()).collect();
            assert_eq!(cloned, names);
            assert_eq!(mapped, names);
        }

        #[test]
        fn copied() {
            let letters = ['x', 'y', 'z'];
            let copied: Vec<char> = letters.par_iter().copied().collect();
            let mapped: Vec<char> = letters.par_iter().map(|letter| *letter).collect();
            assert_eq!(copied, letters);
            assert_eq!(mapped, letters);
        }

        /// Looking at the items before and behind a filter changes nothing of the result.
        #[test]
        fn inspect() {
            let heights = [12_u32, 7, 30, 9, 18];
            let start = || heights.par_iter().copied();
            let plain = start().filter(|height| height % 6 == 0).reduce(|| 0, u32::max);
            let (before, behind) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let seen = start()
                .inspect(|_| {
                    before.fetch_add(1, Relaxed);
                })
                .filter(|height| height % 6 == 0)
                .inspect(|height| {
                    assert_eq!(height % 6, 0);
                    behind.fetch_add(1, Relaxed);
                })
                .reduce(|| 0, u32::max);
            assert_eq!((plain, seen), (30, 30));
            assert_eq!((before.into_inner(), behind.into_inner()), (5, 3));
        }

        #[test]
        fn update() {
            let words = vec!["sea".to_string(), "sky".to_string()];
            let plural: Vec<String> = words.into_par_iter().update(|word| word.push('s')).collect();
            assert_eq!(plural, ["seas", "skys"]);
        }

        #[test]
        fn filter() {
            let multiples: Vec<u32> = (1..30).into_par_iter().filter(|n| n % 7 == 0).collect();
            assert_eq!(multiples, [7, 14, 21, 28]);
        }

        #[test]
        fn filter_map() {
            let roots: Vec<u32> = (0..30_u32)
                .into_par_iter()
                .filter_map(|n| Some(n.isqrt()).filter(|root| root * root == n))
                .collect();
            assert_eq!(roots, [0, 1, 2, 3, 4, 5]);
        }

        #[test]
        fn flat_map() {
            let steps: Vec<u32> = [3, 0, 2].par_iter().flat_map(|&n| (0..n).collect::<Vec<_>>()).collect();
            assert_eq!(steps, [0, 1, 2, 0, 1]);
        }

        /// The inner iterator stays on one thread, so it need not be `Send`.
        #[test]
        fn flat_map_iter() {
            let rows = ["ab", "", "cde"];
            let letters = |row: &&'static str| {
                let letters = Rc::new(RefCell::new(row.chars()));
                std::iter::from_fn(move || letters.borrow_mut().next())
            };
            assert_eq!(
                rows.par_iter().flat_map_iter(letters).collect::<Vec<char>>(),
                ['a', 'b', 'c', 'd', 'e']
            );
        }

        #[test]
        fn flatten() {
            let shelves = vec![vec!["a", "b"], vec![], vec!["c"]];
            assert_eq!(shelves.into_par_iter().flatten().collect::<Vec<_>>(), ["a", "b", "c"]);
        }

        /// Items that are sequential iterators.
        #[test]
        fn flatten_iter() {
            let stairs: Vec<std::ops::Range<u8>> = vec![0..2, 5..5, 7..10];
            assert_eq!(stairs.into_par_iter().flatten_iter().collect::<Vec<u8>>(), [0, 1, 7, 8, 9]);
        }

        /// Each run of items is folded to a text of its own; put together in order, they make the
        /// same text as item by item.
        #[test]
        fn fold() {
            let letters: Vec<char> = ('a'..='z').cycle().take(1000).collect();
            let expected: String = letters.iter().collect();
            let joined = |mut all: String, more: String| {
                all.push_str(&more);
                all
            };
            let one_by_one = letters.par_iter().map(|letter| letter.to_string()).reduce(String::new, joined);
            let add = |mut all: String, letter: &char| {
                all.push(*letter);
                all
            };
            let by_runs = letters.par_iter().fold(String::new, add).reduce(String::new, joined);
            assert_eq!(one_by_one, expected);
            assert_eq!(by_runs, expected);

            // The accumulator may be wider than the items, whose sum would not fit into theirs.
            let wide = (0..=255_u8).into_par_iter().fold(|| 0_u64, |sum, n| sum + u64::from(n)).sum::<u64>();
            assert_eq!(wide, (0..=255).sum());
        }

        /// The first accumulator is cloned, and need not be `Sync`.
        #[test]
        fn fold_with() {
            let start = Cell::new(0_i64);
            let add = |sum: Cell<i64>, n: i16| Cell::new(sum.get() + i64::from(n));
            let sum: i64 = (-5..300_i16).into_par_iter().fold_with(start, add).map(Cell::into_inner).sum();
            assert_eq!(sum, (-5..300).sum());
        }

        #[test]
        fn try_fold() {
            let product = |numbers: std::ops::Range<u64>| {
                let runs =
                    numbers.into_par_iter().map(|n| n as u32).try_fold(|| 1_u32, |all, n| all.checked_mul(n));
                runs.try_reduce(|| 1, u32::checked_mul)
            };
            assert_eq!(product(1..11), Some((1..11).product()));
            assert_eq!(product(1..100), None);
        }

        #[test]
        fn try_fold_with() {
            let longest = |texts: &[&str]| {
                let parsed = |most: u16, text: &&str| text.parse::<u16>().map(|n| n.max(most));
                texts.par_iter().try_fold_with(0, parsed).try_reduce(|| 0, |a, b| Ok(a.max(b)))
            };
            assert_eq!(longest(&["17", "4", "256"]), Ok(256));
            assert!(longest(&["17", "four", "256"]).is_err());
        }

        #[test]
        fn chain() {
            let (front, back) = (["do", "re"], ["mi", "fa", "sol"]);
            let scale: Vec<&str> = front.par_iter().chain(back.par_iter()).copied().collect();
            assert_eq!(scale, ["do", "re", "mi", "fa", "sol"]);
        }

        /// Ends soon behind a `None`: nothing of what lies behind it is among the items, and not
        /// all of it is looked at.
        #[test]
        fn while_some() {
            let looked_at = AtomicUsize::new(0);
            let last = (0..6000_u32)
                .into_par_iter()
                .map(|n| {
                    looked_at.fetch_add(1, Relaxed);
                    (n < 2000).then_some(n)
                })
                .while_some()
                .max();
            assert!(last < Some(2000));
            assert!(looked_at.into_inner() < 6000);
        }

        /// The panic arrives, and the loop ends long before its last item.
        #[test]
        fn panic_fuse() {
            let done = AtomicUsize::new(0);
            let result = catch_unwind(std::panic::AssertUnwindSafe(|| {
                (0..1_000_000).into_par_iter().panic_fuse().for_each(|n| {
                    assert_ne!(n, 0, "the first of a million");
                    done.fetch_add(1, Relaxed);
                    std::thread::sleep(std::time::Duration::from_millis(1));
                });
            }));
            assert!(result.is_err());
            assert!(done.into_inner() < 1_000_000);
        }

        #[test]
        fn take_any() {
            let taken: Vec<u32> = (0..300).into_par_iter().filter(|n| n % 3 == 0).take_any(8).collect();
            assert_eq!(taken.len(), 8);
            assert!(ascending(&taken) && taken.iter().all(|n| n % 3 == 0));
        }

        #[test]
        fn skip_any() {
            let left: Vec<u32> = (0..300).into_par_iter().filter(|n| n % 3 == 0).skip_any(8).collect();
            assert_eq!(left.len(), 92);
            assert!(ascending(&left) && left.iter().all(|n| n % 3 == 0));
        }

        #[test]
        fn take_any_while() {
            let taken: Vec<u32> = (0..400).into_par_iter().take_any_while(|n| *n < 150).collect();
            assert!(taken.len() <= 150 && ascending(&taken));

            // What is asked need not be about the item: here, whether a budget still allows for it.
            // It stops at the first that is too dear, so less than one item's price is left over.
            let budget = AtomicUsize::new(3000);
            let affordable: Vec<usize> = (0..200_usize)
                .into_par_iter()
                .take_any_while(|price| {
                    budget.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(*price)).is_ok()
                })
                .collect();
            let spent: usize = affordable.iter().sum();
            assert!((2802..=3000).contains(&spent), "{spent}");
        }

        #[test]
        fn skip_any_while() {
            let left: Vec<u32> = (0..400).into_par_iter().skip_any_while(|n| *n < 150).collect();
            assert!(left.len() >= 250 && ascending(&left));
        }

        fn numbers(backwards: bool) -> impl IndexedParallelIterator<Item = u32> {
            let numbers = (0..100_u32).into_par_iter();
            if backwards { Either::Left(numbers.rev()) } else { Either::Right(numbers) }
        }

        #[test]
        fn either() {
            assert!(numbers(true).collect::<Vec<_>>().into_iter().eq((0..100).rev()));
            assert_eq!(numbers(true).enumerate().find_first(|(_, n)| *n == 90), Some((9, 90)));
            assert_eq!((numbers(false).len(), numbers(false).skip(3).min()), (100, Some(3)));
            let unlike = |some| {
                let numbers = (0..100_u32).into_par_iter();
                if some { Either::Left(numbers.filter(|n| n % 2 == 0)) } else { Either::Right(numbers) }
            };
            assert_eq!((unlike(true).count(), unlike(false).count()), (50, 100));
        }

        /// Between items whose number is not known beforehand.
        #[test]
        fn intersperse_unindexed() {
            let text = "to be or not to be";
            assert_eq!(text.par_split(' ').intersperse("--").collect::<String>(), text.replace(' ', "--"));
        }
    };
}

crate::for_both!(examples);
