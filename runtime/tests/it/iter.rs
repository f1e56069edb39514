//! Every member against its sequential counterpart, over lengths and thread counts.

use std::sync::atomic::{AtomicUsize, Ordering};

use taskel::prelude::*;
use taskel::{CancelToken, Chunk, ThreadPool};

const LENGTHS: [usize; 9] = [0, 1, 2, 3, 7, 64, 1000, 10_007, 60_000];

/// Runs `test` on pools of one to eight workers, several times: the first call of a site takes
/// another way than later ones.
fn on_pools(test: impl Fn()) {
    for threads in [1, 2, 3, 8] {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for _ in 0..4 {
            pool.install(&test);
        }
    }
}

fn numbers(len: usize) -> Vec<u64> {
    (0..len as u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32).collect()
}

#[test]
fn sources() {
    on_pools(|| {
        for len in LENGTHS {
            let items = numbers(len);
            assert_eq!(items.par_iter().copied().collect::<Vec<_>>(), items);
            assert_eq!(items.clone().into_par_iter().collect::<Vec<_>>(), items);
            assert_eq!((0..len).into_par_iter().collect::<Vec<_>>(), (0..len).collect::<Vec<_>>());
            let mut changed = items.clone();
            changed.par_iter_mut().for_each(|n| *n += 1);
            assert_eq!(changed, items.iter().map(|n| n + 1).collect::<Vec<_>>());
            let strings: Vec<String> = items.iter().map(|n| n.to_string()).collect();
            assert_eq!(strings.clone().into_par_iter().collect::<Vec<_>>(), strings);
        }
        assert_eq!((250..=255_u8).into_par_iter().map(u32::from).sum::<u32>(), (250..=255).sum());
        assert_eq!((i8::MIN..=i8::MAX).into_par_iter().map(i32::from).sum::<i32>(), -128);
        assert_eq!((i128::MAX - 2..=i128::MAX).into_par_iter().max(), Some(i128::MAX));
        assert_eq!(
            (u64::MAX - 3..u64::MAX).into_par_iter().collect::<Vec<_>>(),
            [u64::MAX - 3, u64::MAX - 2, u64::MAX - 1]
        );
        #[expect(clippy::reversed_empty_ranges, reason = "it is the empty range that is tested")]
        let nothing = (5..3).into_par_iter().count() + (5..=3).into_par_iter().count();
        assert_eq!(nothing, 0);
        assert_eq!([1, 2, 3].into_par_iter().sum::<i32>(), 6);
    });
}

#[test]
fn adapters() {
    on_pools(|| {
        for len in LENGTHS {
            let items = numbers(len);
            let par: Vec<(usize, u64)> = items.par_iter().map(|n| n / 2).enumerate().collect();
            assert!(par.iter().copied().eq(items.iter().map(|n| n / 2).enumerate()));
            let par: Vec<(u64, usize)> = items.par_iter().cloned().zip(5..len + 100).collect();
            assert!(par.iter().copied().eq(items.iter().copied().zip(5..len + 100)));
            let seen = AtomicUsize::new(0);
            let inspect = |_: &&u64| {
                seen.fetch_add(1, Ordering::Relaxed);
            };
            assert_eq!(items.par_iter().inspect(inspect).with_min_len(10).with_max_len(100).count(), len);
            assert_eq!(seen.into_inner(), len);
            let inits = AtomicUsize::new(0);
            let init = || inits.fetch_add(1, Ordering::Relaxed);
            let par: Vec<u64> = items.par_iter().map_init(init, |_, n| n + 1).collect();
            assert!(par.iter().copied().eq(items.iter().map(|n| n + 1)));
            assert!(inits.into_inner() <= taskel::current_num_threads());
        }
    });
}

#[test]
fn consumers() {
    on_pools(|| {
        for len in LENGTHS {
            let items = numbers(len);
            assert_eq!(items.par_iter().sum::<u64>(), items.iter().sum::<u64>());
            assert_eq!(
                items.par_iter().map(|n| std::num::Wrapping(n | 1)).product::<std::num::Wrapping<u64>>(),
                items.iter().map(|n| std::num::Wrapping(n | 1)).product()
            );
            assert_eq!(items.par_iter().count(), len);
            assert_eq!(items.par_iter().min(), items.iter().min());
            assert_eq!(items.par_iter().max(), items.iter().max());
            let last = items.last().copied();
            assert_eq!(items.par_iter().any(|&n| Some(n) == last), len > 0);
            assert_eq!(items.par_iter().all(|&n| Some(n) != last), len == 0);
            assert!(!items.par_iter().any(|&n| n == u64::MAX));
        }
    });
}

#[test]
fn of_equal_items_min_is_the_first_and_max_the_last() {
    #[derive(Clone, Copy, Debug)]
    struct Tagged(u32, usize);
    impl PartialEq for Tagged {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }
    impl Eq for Tagged {}
    impl PartialOrd for Tagged {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Tagged {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }
    on_pools(|| {
        let items: Vec<Tagged> = (0..50_000).map(|i| Tagged((i % 7) as u32, i)).collect();
        assert_eq!(items.par_iter().min().unwrap().1, items.iter().min().unwrap().1);
        assert_eq!(items.par_iter().max().unwrap().1, items.iter().max().unwrap().1);
    });
}

/// Concatenation is associative and does not commute: any partial out of place shows.
#[test]
fn reductions_keep_the_order() {
    on_pools(|| {
        for len in [0, 1, 5, 1000, 30_000] {
            let expected: Vec<usize> = (0..len).collect();
            let append = |mut a: Vec<usize>, b: Vec<usize>| {
                a.extend(b);
                a
            };
            assert_eq!((0..len).into_par_iter().map(|n| vec![n]).reduce(Vec::new, append), expected);
            let with = (0..len).into_par_iter().map(|n| vec![n]).reduce_with(append);
            assert_eq!(with.unwrap_or_default(), expected);
            let push = |mut all: Vec<usize>, n| {
                all.push(n);
                all
            };
            let folded: Vec<Vec<usize>> = (0..len).into_par_iter().fold(Vec::new, push).collect();
            assert_eq!(folded.concat(), expected);
            let mapped = (0..len).into_par_iter().fold(Vec::new, push).map(|v| v).reduce(Vec::new, append);
            assert_eq!(mapped, expected);
        }
    });
}

/// And the results have the order of what they are made of, and lose none of it.
#[test]
fn a_fold_gathers_no_more_than_the_greatest_length() {
    let push = |mut all: Vec<usize>, n| {
        all.push(n);
        all
    };
    let try_push = |all: Vec<usize>, n| Some(push(all, n));
    on_pools(|| {
        for (len, min, max, most) in
            [(300, 1, 7, 7), (5000, 1, 1, 1), (5000, 1, 1000, 1000), (29, 10, 20, 20), (31, 8, 8, 15)]
        {
            let items = || (0..len).into_par_iter().with_min_len(min).with_max_len(max);
            for folded in [
                items().fold(Vec::new, push).collect::<Vec<_>>(),
                items().fold_with(Vec::new(), push).collect(),
                items().try_fold(Vec::new, try_push).collect::<Option<_>>().unwrap(),
                items().chunk(Chunk::Exact(1)).fold(Vec::new, push).collect(),
                items().with_cancel_token(&CancelToken::new()).fold(Vec::new, push).collect(),
            ] {
                assert!(folded.iter().all(|part| part.len() <= most), "{min}, {max}");
                assert!(folded.concat().into_iter().eq(0..len), "{min}, {max}");
            }
        }
        let groups = (0..1000).into_par_iter().with_max_len(50).chunks(10).fold(|| 0, |count, _| count + 1);
        assert!(groups.collect::<Vec<_>>().iter().all(|&count| count <= 5));
        let steps = (0..1000).into_par_iter().with_max_len(50).step_by(10).fold(|| 0, |count, _| count + 1);
        assert!(steps.collect::<Vec<_>>().iter().all(|&count| count <= 5));
    });
    let stopped = (0..5000)
        .into_par_iter()
        .with_max_len(7)
        .try_fold(|| 0, |_, n| if n < 3000 { Ok(n) } else { Err(n) });
    let largest = stopped.try_reduce(|| 0, |a, b| Ok(a.max(b)));
    assert!(largest.is_err_and(|n| n >= 3000));
}

/// What is over after the last full `min` is in the same run.
#[test]
fn a_fold_gathers_no_fewer_than_the_least_length() {
    let token = CancelToken::new();
    let pool = ThreadPool::builder().num_threads(3).build().unwrap();
    for min in [2, 3, 100, 999, 5000] {
        for len in [min, min + 1, 2 * min - 1, 2 * min, 5003, 5 * min - 1, 21 * min + 1] {
            let folded = || -> Vec<usize> {
                (0..len).into_par_iter().with_min_len(min).fold(|| 0, |count, _| count + 1).collect()
            };
            let alone =
                (0..len).into_par_iter().with_min_len(min).with_max_len(min).with_cancel_token(&token);
            let counts: Vec<usize> = alone.fold(|| 0, |count, _| count + 1).collect();
            assert!(counts.iter().all(|&count| count >= min.min(len)), "{min}, {len}: {counts:?}");
            for _ in 0..5 {
                let folded = pool.install(folded);
                assert_eq!(folded.iter().sum::<usize>(), len);
                assert!(folded.iter().all(|&count| count >= min.min(len)), "{min}, {len}: {folded:?}");
            }
        }
    }
}

#[test]
fn an_empty_fold_yields_one_identity() {
    let empty: [u32; 0] = [];
    assert_eq!(empty.par_iter().fold(|| 5, |a, b| a + b).sum::<u32>(), 5);
    assert_eq!(empty.par_iter().map(|n| n + 1).reduce(|| 3, |a, b| a + b), 3);
    assert_eq!(empty.par_iter().reduce_with(|a, _| a), None);
}

#[test]
fn exact_chunks_are_cut_where_pool_map_cuts_them() {
    let pool = ThreadPool::builder().num_threads(3).build().unwrap();
    for (len, chunk) in [(10, 3), (9, 3), (1, 5), (100, 1), (1000, 7)] {
        let (_, profile) =
            pool.profile(|| (0..len).into_par_iter().chunk(Chunk::Exact(chunk)).for_each(|_: usize| ()));
        assert_eq!(profile.chunks(), len.div_ceil(chunk) as u64, "{len} in chunks of {chunk}");
        assert_eq!(profile.taskels(), len as u64);
    }
}

#[test]
#[should_panic(expected = "at least one item")]
fn a_chunk_of_nothing_is_refused() {
    (0..3).into_par_iter().chunk(Chunk::Exact(0)).for_each(|_| ());
}

#[test]
#[should_panic(expected = "usize::MAX")]
fn a_range_with_too_many_numbers_is_refused() {
    (0..u128::MAX).into_par_iter().enumerate().for_each(|_| ());
}

#[test]
fn a_loop_beyond_32_bits_is_counted_in_granules() {
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let beyond = u64::from(u32::MAX) * 3 + 5;
    assert!(pool.install(|| (0..beyond).into_par_iter().any(|n| n == 1)));
    // Without granules, the last unit of this loop would be cut off.
    let asked = AtomicUsize::new(0);
    let (_, profile) =
        pool.profile(|| Asked(&asked).into_par_iter().chunk(Chunk::Exact(1 << 31)).for_each(|()| ()));
    assert_eq!((profile.chunks(), profile.taskels()), (3, Asked::LEN as u64));
    assert_eq!(asked.into_inner(), Asked::LEN);
}

/// An own producer that counts the indices that it is asked for, and has no item at them: four
/// billion items would take half a minute.
struct Asked<'a>(&'a AtomicUsize);

impl Asked<'_> {
    const LEN: usize = u32::MAX as usize + 2;
}

impl taskel::iter::Producer for Asked<'_> {
    type Item = ();
    type Local = ();
    type Iter<'a>
        = std::iter::Empty<()>
    where
        Self: 'a;
    fn len(&self) -> usize {
        Self::LEN
    }
    fn local(&self) {}
    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: std::ops::Range<usize>) -> Self::Iter<'a> {
        self.0.fetch_add(indices.len(), Ordering::Relaxed);
        std::iter::empty()
    }
}

impl ParallelIterator for Asked<'_> {
    type Item = ();
    type Producer = Self;
    fn into_producer(self) -> Self {
        self
    }
}

#[test]
fn float_sums_are_close_and_integers_exact() {
    on_pools(|| {
        for len in LENGTHS {
            let floats: Vec<f32> = (0..len).map(|n| (n % 101) as f32).collect();
            let exact: f64 = floats.iter().map(|&x| f64::from(x)).sum();
            let sum = f64::from(floats.par_iter().sum::<f32>());
            assert!((sum - exact).abs() <= exact * 1e-5, "{sum} for {exact}");
            let doubles: Vec<f64> = floats.iter().map(|&x| f64::from(x)).collect();
            assert_eq!(doubles.par_iter().copied().sum::<f64>(), exact);
        }
    });
}

/// An own producer that claims to be exact and is not.
#[test]
fn a_producer_that_miscounts_panics_and_no_more() {
    use std::ops::Range;
    use taskel::iter::Producer;

    struct Liar(fn(usize) -> usize);
    impl Producer for Liar {
        type Item = String;
        type Local = ();
        type Iter<'a> = std::vec::IntoIter<String>;
        fn len(&self) -> usize {
            1000
        }
        fn is_exact(&self) -> bool {
            true
        }
        fn local(&self) {}
        unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
            vec!["x".to_string(); (self.0)(indices.len())].into_iter()
        }
    }
    impl ParallelIterator for Liar {
        type Item = String;
        type Producer = Self;
        fn into_producer(self) -> Self {
            self
        }
    }
    for lie in [|n| n + 1, |n: usize| n.saturating_sub(1), |n| n * 2] {
        let outcome = std::panic::catch_unwind(|| Liar(lie).collect::<Vec<_>>());
        let message = *outcome.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("exact iterator"), "{message}");
    }
    assert_eq!(Liar(|n| n).collect::<Vec<_>>().len(), 1000);
}

/// An own producer whose length grows once the surplus of its partner is gone.
#[test]
fn a_producer_that_changes_its_length_cannot_make_zip_hand_out_dropped_items() {
    use std::ops::Range;
    use taskel::iter::{IndexedProducer, Producer};

    struct Grows(AtomicUsize);
    impl Producer for Grows {
        type Item = usize;
        type Local = ();
        type Iter<'a> = Range<usize>;
        fn len(&self) -> usize {
            if self.0.fetch_add(1, Ordering::Relaxed) < 2 { 0 } else { 8 }
        }
        fn is_exact(&self) -> bool {
            true
        }
        fn local(&self) {}
        unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::Iter<'a> {
            indices
        }
    }
    impl IndexedProducer for Grows {
        type IndexedIter<'a> = Range<usize>;
        unsafe fn indexed_chunk<'a>(&'a self, _: &'a mut (), indices: Range<usize>) -> Self::IndexedIter<'a> {
            indices
        }
    }
    impl ParallelIterator for Grows {
        type Item = usize;
        type Producer = Self;
        fn into_producer(self) -> Self {
            self
        }
    }
    impl IndexedParallelIterator for Grows {
        fn len(&self) -> usize {
            Producer::len(self)
        }
    }
    let strings: Vec<String> = (0..8).map(|n| n.to_string()).collect();
    let pairs: Vec<(usize, String)> = Grows(AtomicUsize::new(0)).zip(strings).collect();
    assert!(pairs.is_empty());
}

/// A call site that has only seen nothing, then a call with taskels that take longer: they must not
/// be run one after another.
#[test]
fn a_site_that_was_small_shares_what_is_not() {
    let pool = ThreadPool::builder().num_threads(4).build().unwrap();
    let threads = |naps: &[u64]| {
        let seen = std::sync::Mutex::new(std::collections::HashSet::new());
        let nap = |&ms: &u64| {
            std::thread::sleep(std::time::Duration::from_millis(ms));
            seen.lock().unwrap().insert(std::thread::current().id());
        };
        pool.install(|| naps.par_iter().for_each(nap));
        seen.into_inner().unwrap().len()
    };
    for _ in 0..50 {
        // Sleeping for no time at all costs nothing: the standard library makes no system call for
        // it.
        threads(&[0; 8]);
    }
    let naps = [0, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20];
    assert!(threads(&naps) > 1, "one thread alone did everything");
}

#[test]
fn ranges_of_characters_leave_the_surrogates_out() {
    let all = '\0'..=char::MAX;
    assert!(all.clone().into_par_iter().collect::<Vec<_>>().into_iter().eq(all.clone()));
    assert!(all.clone().into_par_iter().rev().collect::<Vec<_>>().into_iter().eq(all.rev()));
    for range in
        ['a'..'a', 'b'..'a', 'a'..'x', '\u{d7ff}'..'\u{e000}', '\u{d700}'..'\u{e001}', '\u{e000}'..'\u{e003}']
    {
        assert_eq!(range.clone().into_par_iter().len(), range.clone().count(), "{range:?}");
        assert!(range.clone().into_par_iter().collect::<String>().chars().eq(range));
    }
}

#[test]
fn nothing_comes_before_the_first_item_wherever_it_is() {
    let from = |least| (0..1000).into_par_iter().filter(move |n| *n >= least).intersperse(-1);
    assert!(from(1000).collect::<Vec<_>>().is_empty());
    assert_eq!(from(999).collect::<Vec<_>>(), [999]);
    assert_eq!(from(997).collect::<Vec<_>>(), [997, -1, 998, -1, 999]);
}
