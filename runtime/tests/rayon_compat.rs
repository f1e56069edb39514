//! Does a program that was written for rayon compile for taskel, and compute the same?
//!
//! The text of the program stands here once and is compiled twice.

/// The program, for the library of that name.
macro_rules! program {
    ($library:ident) => {
        use std::collections::BTreeMap;
        use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
        use std::sync::mpsc::{Receiver, channel};

        use $library::iter::{IndexedParallelIterator, IntoParallelIterator};
        use $library::prelude::*;
        use $library::{BroadcastContext, Scope, ThreadPool, ThreadPoolBuilder, Yield, scope};

        /// What users write who have functions over any parallel iterator.
        fn indexed<I: IntoParallelIterator<Item = u32>>(items: I) -> Vec<(usize, u32)>
        where
            I::Iter: IndexedParallelIterator,
        {
            let items = items.into_par_iter();
            let len = items.len() as u32;
            items.enumerate().map(|(i, n)| (i, n / 2 + len)).collect()
        }

        fn any_iterator<T: Send + Ord>(items: impl ParallelIterator<Item = T>) -> Option<T> {
            items.map(|item| item).max()
        }

        fn by_reference<'a, C>(collection: &'a C) -> u64
        where
            C: IntoParallelRefIterator<'a, Item = &'a u32> + ?Sized,
        {
            collection.par_iter().map(|&n| u64::from(n)).sum()
        }

        fn in_place<C>(mut collection: C) -> C
        where
            for<'a> C: IntoParallelRefMutIterator<'a, Item = &'a mut u32>,
        {
            collection.par_iter_mut().for_each(|n| *n = n.wrapping_mul(3));
            collection
        }

        fn collected<T, C>(items: impl ParallelIterator<Item = T>) -> C
        where
            T: Send,
            C: FromParallelIterator<T>,
        {
            items.collect()
        }

        fn pool(threads: usize) -> ThreadPool {
            ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|i| format!("compat-{i}"))
                .stack_size(1 << 20)
                .start_handler(|_| ())
                .exit_handler(|_| ())
                .build()
                .expect("a pool")
        }

        type Report = BTreeMap<&'static str, String>;

        fn sources_and_adapters(report: &mut Report, numbers: &[u32]) {
            let mut note = |what, value: &dyn std::fmt::Debug| report.insert(what, format!("{value:?}"));
            note("slice", &numbers.par_iter().cloned().collect::<Vec<u32>>());
            note("vec", &numbers.to_vec().into_par_iter().map(|n| n % 7).collect::<Vec<u32>>());
            note("array", &[3, 1, 2].into_par_iter().map(|n| n + 1).collect::<Vec<i32>>());
            note("range", &(-5..5_i64).into_par_iter().map(|n| n * n).collect::<Vec<_>>());
            note("inclusive", &(250..=255_u8).into_par_iter().collect::<Vec<_>>());
            note("in place", &in_place(numbers.to_vec()));
            note("indexed", &indexed(numbers.to_vec()));
            note("indexed range", &indexed(10..20));
            note("any iterator", &any_iterator(numbers.par_iter()));
            note("any iterator of nothing", &any_iterator(Vec::<u8>::new().into_par_iter()));
            note("by reference", &(by_reference(numbers), by_reference(&numbers.to_vec())));
            note("collected", &collected::<_, Vec<usize>>((0..50_usize).into_par_iter()));
            let zipped = numbers.par_iter().zip(5..1000_usize).enumerate().map(|(i, (&n, m))| (i, n, m));
            note("zip and enumerate", &zipped.collect::<Vec<_>>());
            let tuned = numbers.par_iter().copied().with_min_len(10).with_max_len(50);
            note("tuned", &tuned.map(u64::from).sum::<u64>());
            let seen = AtomicU64::new(0);
            let inspected = numbers.par_iter().inspect(|&&n| {
                seen.fetch_add(u64::from(n), Ordering::Relaxed);
            });
            note("inspect", &inspected.count());
            note("inspected", &seen);
            let lengths = numbers.par_iter().map_init(String::new, |text, n| {
                text.clear();
                text.push_str(&n.to_string());
                text.len()
            });
            note("map_init", &lengths.collect::<Vec<_>>());
        }

        fn consumers(report: &mut Report, numbers: &[u32]) {
            let mut note = |what, value: &dyn std::fmt::Debug| report.insert(what, format!("{value:?}"));
            let total = AtomicU64::new(0);
            let add = |n: u64| {
                total.fetch_add(n, Ordering::Relaxed);
            };
            numbers.par_iter().for_each(|&n| add(u64::from(n)));
            numbers.par_iter().for_each_init(|| 1, |one, &n| add(u64::from(n) + *one));
            note("for_each", &total);
            let words = || numbers.par_iter().map(|n| n.to_string());
            note("reduce", &words().reduce(String::new, |a, b| a + &b));
            note("reduce_with", &words().reduce_with(|a, b| a + &b));
            let none = Vec::<String>::new().into_par_iter();
            note("reduce nothing", &none.reduce_with(|a, b| a + &b));
            let folds = numbers.par_iter().fold(String::new, |text, n| text + &n.to_string());
            note("fold", &folds.reduce(String::new, |a, b| a + &b));
            note("sum", &numbers.par_iter().map(|&n| u64::from(n)).sum::<u64>());
            note("sum of references", &(0..9).collect::<Vec<i32>>().par_iter().sum::<i32>());
            note("product", &(1..=20_u64).into_par_iter().product::<u64>());
            note("float sum", &numbers.par_iter().map(|&n| f64::from(n % 1000)).sum::<f64>());
            note("min and max", &(numbers.par_iter().min(), numbers.par_iter().max()));
            note("any", &(numbers.par_iter().any(|&n| n == numbers[7]), numbers.par_iter().any(|&n| n == 1)));
            note("all", &(numbers.par_iter().all(|&n| n != 1), numbers.par_iter().all(|&n| n % 2 == 0)));
        }

        fn pools(report: &mut Report, pool: &ThreadPool, numbers: &[u32]) {
            let mut note = |what, value: &dyn std::fmt::Debug| report.insert(what, format!("{value:?}"));
            let inside = pool.install(|| ($library::current_num_threads(), by_reference(numbers)));
            note("install", &inside);
            note("threads", &pool.current_num_threads());
            note("outside", &$library::current_thread_index());
            let square = |i: u32| (0..i).into_par_iter().map(|j| i * j).collect::<Vec<_>>();
            note("nested", &pool.install(|| (0..30).into_par_iter().map(square).collect::<Vec<_>>()));
            let panics = std::panic::AssertUnwindSafe(|| {
                pool.install(|| {
                    numbers.par_iter().for_each(|&n| match n == numbers[9] {
                        true => std::panic::resume_unwind(Box::new(n)),
                        false => (),
                    });
                });
            });
            let payload = std::panic::catch_unwind(panics).expect_err("a panic");
            note("panic", &payload.downcast::<u32>().expect("a number"));
        }

        fn quicksort(numbers: &mut [u32]) {
            if numbers.len() < 2 {
                return;
            }
            let last = numbers.len() - 1;
            let mut middle = 0;
            for i in 0..last {
                if numbers[i] < numbers[last] {
                    numbers.swap(i, middle);
                    middle += 1;
                }
            }
            numbers.swap(middle, last);
            let (low, high) = numbers.split_at_mut(middle);
            $library::join(|| quicksort(low), || quicksort(&mut high[1..]));
        }

        /// Tasks of tasks, which borrow from outside the scope.
        fn count_down<'s>(s: &Scope<'s>, n: u64, sum: &'s AtomicU64) {
            sum.fetch_add(n, Ordering::Relaxed);
            (0..n).for_each(|n| s.spawn(move |s| count_down(s, n, sum)));
        }

        fn joins_and_scopes(report: &mut Report, pool: &ThreadPool, numbers: &[u32]) {
            let mut note = |what, value: &dyn std::fmt::Debug| report.insert(what, format!("{value:?}"));
            let mut sorted = numbers.to_vec();
            pool.install(|| quicksort(&mut sorted));
            note("join", &sorted);
            note("join on a pool", &pool.join(|| numbers.len(), || by_reference(numbers)));
            let sum = AtomicU64::new(0);
            note("scope on a pool", &pool.scope(|s| count_down(s, 6, &sum)));
            note("tasks of tasks", &sum);
            let (mut left, mut right) = (vec![1, 2], vec![3]);
            let len = pool.install(|| {
                scope(|s| {
                    s.spawn(|_| left.push(0));
                    s.spawn(|_| right.clear());
                    7
                })
            });
            note("scope", &(len, left, right));
            let not_send = std::rc::Rc::new(AtomicU64::new(0));
            let in_place = AtomicU64::new(0);
            $library::in_place_scope(|s| {
                not_send.fetch_add(1, Ordering::Relaxed);
                s.spawn(|s| count_down(s, 2, &in_place));
            });
            pool.in_place_scope(|s| s.spawn(|s| count_down(s, 3, &in_place)));
            note("in_place_scope", &(not_send, in_place));
            let unwound = |op: &dyn Fn()| {
                let payload =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(op)).expect_err("a panic");
                *payload.downcast::<u32>().expect("a number")
            };
            let panic = |n: u32| std::panic::resume_unwind(Box::new(n));
            note("panic of a", &unwound(&|| ((), ()) = pool.join(|| panic(1), || ())));
            note("panic of b", &unwound(&|| ((), ()) = pool.join(|| (), || panic(2))));
            note("panic of both", &unwound(&|| ((), ()) = pool.join(|| panic(3), || panic(4))));
            note("panic of a task", &unwound(&|| pool.scope(|s| s.spawn(|s| s.spawn(move |_| panic(5))))));
            note("panic of a body", &unwound(&|| pool.scope(|_| panic(6))));
            note("panic of a call", &unwound(&|| drop(pool.broadcast(|_| panic(7)))));
        }

        fn handed_over(report: &mut Report, pool: &ThreadPool) {
            let mut note = |what, value: &dyn std::fmt::Debug| report.insert(what, format!("{value:?}"));
            let sorted = |receiver: Receiver<usize>| {
                let mut all: Vec<usize> = receiver.iter().collect();
                all.sort_unstable();
                all
            };
            let (sender, receiver) = channel();
            pool.install(|| {
                for n in 0..20 {
                    let sender = sender.clone();
                    $library::spawn(move || {
                        let again = sender.clone();
                        $library::spawn(move || again.send(n + 100).expect("a listener"));
                        sender.send(n).expect("a listener");
                    });
                }
            });
            pool.spawn(move || sender.send($library::current_num_threads()).expect("a listener"));
            note("spawn", &sorted(receiver));
            let index = |context: BroadcastContext<'_>| (context.index(), context.num_threads());
            note("broadcast", &pool.install(|| $library::broadcast(index)));
            note("broadcast on a pool", &pool.broadcast(|_| $library::current_thread_index()));
            let (sender, receiver) = channel();
            let again = sender.clone();
            pool.spawn_broadcast(move |context| again.send(context.index()).expect("a listener"));
            pool.install(|| {
                $library::spawn_broadcast(move |context| {
                    sender.send(context.num_threads()).expect("a listener")
                })
            });
            note("spawn_broadcast", &sorted(receiver));
            let panics = channel();
            let handler = move |payload: Box<dyn std::any::Any + Send>| {
                panics.0.send(*payload.downcast::<u32>().expect("a number")).expect("a listener");
            };
            let handled =
                ThreadPoolBuilder::new().num_threads(1).panic_handler(handler).build().expect("a pool");
            handled.spawn(|| std::panic::resume_unwind(Box::new(8_u32)));
            note("panic of spawned work", &panics.1.recv().expect("a panic"));
        }

        /// Polls for what work of one's own brings about.
        fn yields(report: &mut Report, pool: &ThreadPool) {
            let mut note = |what, value: &dyn std::fmt::Debug| report.insert(what, format!("{value:?}"));
            note("yield outside", &($library::yield_now(), pool.yield_now()));
            note("index outside", &(pool.current_thread_index(), pool.current_thread_has_pending_tasks()));
            let await_flag = |flag: &AtomicBool| {
                while !flag.load(Ordering::Acquire) {
                    match $library::yield_now() {
                        Some(Yield::Executed | Yield::Idle) => (),
                        None => unreachable!("inside of the pool"),
                    }
                }
            };
            let raise = |flag: &AtomicBool| flag.store(true, Ordering::Release);
            let flags: [AtomicBool; 3] = Default::default();
            pool.scope(|s| {
                s.spawn(|_| raise(&flags[0]));
                await_flag(&flags[0]);
                $library::join(|| await_flag(&flags[1]), || raise(&flags[1]));
                pool.spawn_broadcast(|_| ());
                scope(|inner| {
                    inner.spawn(|_| await_flag(&flags[2]));
                    s.spawn(|_| raise(&flags[2]));
                });
            });
            note("yields", &flags);
            note("yield inside", &pool.broadcast(|_| pool.yield_now().is_some()));
            note("index inside", &pool.broadcast(|_| pool.current_thread_index()));
        }

        pub(crate) fn run(threads: usize) -> Report {
            let numbers: Vec<u32> = (0..3000_u32).map(|n| n.wrapping_mul(0x9E37_79B9) | 2).collect();
            let mut report = Report::new();
            let pool = pool(threads);
            pool.install(|| {
                sources_and_adapters(&mut report, &numbers);
                consumers(&mut report, &numbers);
            });
            pools(&mut report, &pool, &numbers);
            joins_and_scopes(&mut report, &pool, &numbers);
            handed_over(&mut report, &pool);
            yields(&mut report, &pool);
            report
        }
    };
}

mod for_rayon {
    program!(rayon);
}

mod for_taskel {
    program!(taskel);
}

#[test]
fn the_same_program_computes_the_same() {
    for threads in [1, 2, 5] {
        let expected = for_rayon::run(threads);
        assert!(expected.len() > 55, "{} results", expected.len());
        for _ in 0..5 {
            for (what, result) in for_taskel::run(threads) {
                assert_eq!(result, expected[what], "{what}, {threads} threads");
            }
        }
    }
}
