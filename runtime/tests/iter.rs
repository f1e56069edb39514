//! Every member against its sequential counterpart, over lengths and thread counts.

use std::sync::atomic::{AtomicUsize, Ordering};

use taskel::prelude::*;
use taskel::{Chunk, ThreadPool};

const LENGTHS: [usize; 9] = [0, 1, 2, 3, 7, 64, 1000, 10_007, 60_000];

/// Runs `test` on pools of one to eight workers, several times: the first call of a site takes another way than later ones.
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

/// Concatenation is associative and does not commute: any segment out of place shows.
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
    (0..u128::MAX).into_par_iter().for_each(|_| ());
}

#[test]
fn a_loop_beyond_32_bits_is_counted_in_granules() {
    let pool = ThreadPool::builder().num_threads(2).build().unwrap();
    let beyond = u64::from(u32::MAX) * 3 + 5;
    assert!(pool.install(|| (0..beyond).into_par_iter().any(|n| n == 1)));
    // Without granules, the last unit of this loop would be cut off.
    let nothing = vec![(); u32::MAX as usize + 2];
    let (_, profile) = pool.profile(|| nothing.par_iter().chunk(Chunk::Exact(1 << 31)).for_each(|()| ()));
    assert_eq!((profile.chunks(), profile.taskels()), (3, u64::from(u32::MAX) + 2));
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

/// A call site that has only seen nothing, then a call with taskels that take longer: they must not be run one after another.
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
        // Sleeping for no time at all costs nothing: the standard library makes no system call for it.
        threads(&[0; 8]);
    }
    let naps = [0, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20];
    assert!(threads(&naps) > 1, "one thread alone did everything");
}

/// Numbers whose sum depends on the order of the additions.
fn inexact(len: usize) -> Vec<f64> {
    numbers(len).into_iter().map(|n| 1.0 / (n as f64 + 0.1)).collect()
}
/// Whatever stands between `deterministic()` and the sum.
#[test]
fn every_adapter_passes_on_that_a_sum_is_deterministic() {
    let items = inexact(30_000);
    let bits = || {
        let start = || items.par_iter().copied().deterministic();
        let at_tuples = |(a, b): (f64, &f64)| a * b;
        let three = (&items, start(), &items).into_par_iter().map(|(a, b, c)| a + b * c);
        [
            (start(), &items).into_par_iter().map(at_tuples).sum::<f64>(),
            (&items, start()).into_par_iter().map(|(a, b)| at_tuples((b, a))).sum(),
            three.sum(),
            items.par_iter().zip(start()).map(|(a, b)| a * b).sum(),
            items.par_iter().copied().chain(start()).sum(),
            items.par_iter().copied().interleave(start()).sum(),
            start().interleave_shortest(items.par_iter().copied()).sum(),
            start().rev().sum(),
            start().skip(10).take(29_000).sum(),
            start().step_by(3).sum(),
            start().chunks(7).map(|chunk| chunk.len() as f64 * 0.1 + chunk[0]).sum(),
            start().enumerate().map(|(index, item)| index as f64 * item).sum(),
            start().intersperse(0.1).sum(),
            start().map_init(|| 0.1, |tenth, item| item * *tenth).sum(),
            start().filter_map(|item| (item > 1e-9).then_some(item)).sum(),
            start().flat_map_iter(|item| [item, 0.1]).sum(),
            start().progress_with(|_, _| ()).sum(),
            start().chunk(Chunk::Exact(7)).sum(),
            start().fold(|| 0.0, |a, b| a + b).sum(),
        ]
        .map(f64::to_bits)
    };
    let expected = ThreadPool::builder().num_threads(1).build().unwrap().install(bits);
    for threads in 1..=8 {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        (0..5).for_each(|_| assert_eq!(pool.install(bits), expected, "{threads} threads"));
    }
}

#[test]
fn deterministic_reductions_have_the_same_bits_for_any_threads_chunks_and_runs() {
    let items = inexact(50_000);
    let bits = || {
        let sum = items.par_iter().deterministic().sum::<f64>();
        let chunked = items.par_iter().chunk(Chunk::Exact(7)).deterministic().sum::<f64>();
        assert_eq!(sum.to_bits(), chunked.to_bits());
        let product = items.par_iter().deterministic().map(|x| 1.0 + x * 1e-4).product::<f64>();
        let reduced = items.par_iter().copied().deterministic().reduce(|| 0.0, |a, b| a + b * 0.999);
        let some = items.par_iter().filter(|x| **x > 1e-9).deterministic().sum::<f64>();
        let folded = items.par_iter().deterministic().fold(|| 0.0, |a, b| a + b).sum::<f64>();
        let folds: Vec<f64> = items.par_iter().deterministic().fold(|| 0.0, |a, b| a + b).collect();
        let floats = items.par_iter().map(|&x| x as f32).deterministic().sum::<f32>();
        let folds = folds.into_iter().map(f64::to_bits).fold(0, |all: u64, bits| all.rotate_left(5) ^ bits);
        [
            sum.to_bits(),
            product.to_bits(),
            reduced.to_bits(),
            some.to_bits(),
            folded.to_bits(),
            folds,
            floats.to_bits().into(),
        ]
    };
    let expected = ThreadPool::builder().num_threads(1).build().unwrap().install(bits);
    for threads in 1..=8 {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for run in 0..125 / threads {
            assert_eq!(pool.install(bits), expected, "{threads} threads, run {run}");
        }
    }
}

/// A thousand runs, of so few items that they take no time: still many chunks, and as many lanes as there are.
#[test]
fn a_deterministic_float_sum_has_the_same_bits_in_a_thousand_runs() {
    let items = inexact(10_000);
    let bits = || items.par_iter().chunk(Chunk::Exact(50)).deterministic().sum::<f64>().to_bits();
    let expected = ThreadPool::builder().num_threads(1).build().unwrap().install(bits);
    for threads in 1..=8 {
        let pool = ThreadPool::builder().num_threads(threads).build().unwrap();
        for run in 0..125 {
            assert_eq!(pool.install(bits), expected, "{threads} threads, run {run}");
        }
    }
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
