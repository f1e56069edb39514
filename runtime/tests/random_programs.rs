//! Random programs: trees of loops, joins, scopes, tasks, streams, yields, cancellations and
//! panics, on pools of 1 to 16 threads. Is the result that of the same tree done sequentially, does
//! it end, and is everything dropped once?
//!
//! `TASKEL_STRESS_SECONDS` says how long each test goes on; a program that fails is named by its
//! seed, and `TASKEL_STRESS_SEED` runs that one, many times.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel::prelude::*;
use taskel::{CancelToken, Cancelled, Chunk, Pinning, ThreadPool};

#[path = "support/child.rs"]
mod child;
#[path = "support/ledger.rs"]
mod ledger;
#[path = "support/random.rs"]
mod random;

use ledger::Ledger;
use random::Random;

/// What a program does; its value depends on all that is below, and on the order.
#[derive(Debug)]
enum Program {
    /// Computes, for so many rounds.
    Work(u64),
    /// Takes so many microseconds and no core: then all workers are at work at the same time,
    /// however many cores there are.
    Sleep(u64),
    Yield,
    /// For one in so many salts: in a loop, items before and behind it come to their ends.
    Panic(u64),
    Join(Box<[Program; 2]>),
    Loop {
        len: usize,
        chunk: Chunk,
        body: Box<Program>,
    },
    Stream {
        len: usize,
        bound: usize,
        body: Box<Program>,
    },
    /// A task for each; those behind `nested` are spawned by the first.
    Scope {
        tasks: Vec<Program>,
        nested: usize,
    },
    /// Handed to the pool, and joined.
    Submit(Box<Program>),
    /// A panic ends here.
    Catch(Box<Program>),
    /// Loops, joins and tasks, of which one cancels them all. What they do is not known, only that
    /// they end.
    Cancel {
        len: usize,
        at: usize,
        body: Box<Program>,
    },
}

use Program::{Cancel, Catch, Join, Loop, Panic, Scope, Sleep, Stream, Submit, Work, Yield};

/// The payload of a panic that a program asked for.
struct Stop;

/// What a caught panic, and a cancelled program, are worth.
const CAUGHT: u64 = 99;

fn mixed(before: u64, next: u64) -> u64 {
    (before.rotate_left(7) ^ next).wrapping_mul(0x2545_F491_4F6C_DD1D)
}

fn work(rounds: u64, salt: u64) -> u64 {
    (0..rounds).fold(salt ^ rounds, |x, n| black_box(x.rotate_left(5) ^ n))
}

impl Program {
    /// A program of about `size` leaves.
    fn random(random: &mut Random, size: usize, may_panic: bool) -> Program {
        if size < 2 {
            return match random.below(24) {
                0 if may_panic => Panic(random.pick(&[1, 3, 10])),
                1..=3 => Yield,
                4 => Work(20_000),
                5..=7 => Work(500),
                8 => Sleep(random.pick(&[10, 100, 1000])),
                _ => Work(random.below(20) as u64),
            };
        }
        let smaller = |random: &mut Random, size| Box::new(Program::random(random, size, may_panic));
        let len = 1 + random.below(size.min(80));
        match random.below(12) {
            0..=3 => {
                let left = 1 + random.below(size - 1);
                Join(Box::new([left, size - left].map(|size| Program::random(random, size, may_panic))))
            }
            4 | 5 => {
                let chunk = if random.one_in(2) { Chunk::Auto } else { Chunk::Exact(1 + random.below(4)) };
                Loop { len, chunk, body: smaller(random, size / len) }
            }
            6..=8 => {
                let len = 1 + len % 12;
                let tasks = (0..len).map(|_| Program::random(random, size / len, may_panic)).collect();
                Scope { tasks, nested: random.below(len) + 1 }
            }
            9 => match random.below(3) {
                0 => Stream { len, bound: 1 + random.below(6), body: smaller(random, size / len) },
                _ => Submit(smaller(random, size - 1)),
            },
            10 => Catch(Box::new(Program::random(random, size - 1, true))),
            _ => {
                let body = Box::new(Program::random(random, size / len, false));
                Cancel { len, at: random.below(len + 1), body }
            }
        }
    }

    /// The value; `None` if it panics.
    fn sequential(&self, salt: u64) -> Option<u64> {
        let all = |programs: &mut dyn Iterator<Item = &Program>| {
            let mut programs = programs.enumerate();
            programs
                .try_fold(1, |value, (i, program)| Some(mixed(value, program.sequential(salt ^ i as u64)?)))
        };
        match self {
            Work(rounds) => Some(work(*rounds, salt)),
            Sleep(_) => Some(salt),
            Yield => Some(0),
            Panic(one_in) => (!salt.is_multiple_of(*one_in)).then_some(salt),
            Join(sides) => all(&mut sides.iter()),
            Scope { tasks, .. } => all(&mut tasks.iter()),
            Loop { len, body, .. } | Stream { len, body, .. } => all(&mut std::iter::repeat_n(&**body, *len)),
            Submit(body) => body.sequential(salt),
            Catch(body) => Some(body.sequential(salt).unwrap_or(CAUGHT)),
            Cancel { .. } => Some(CAUGHT),
        }
    }

    /// The same, in parallel. Everything that is handed over owns a thing of the ledger.
    fn parallel(&'static self, salt: u64, ledger: &'static Ledger) -> u64 {
        let thing = ledger.thing(0);
        match self {
            Work(rounds) => work(*rounds, salt),
            Sleep(us) => {
                thread::sleep(Duration::from_micros(*us));
                salt
            }
            Yield => {
                taskel::yield_now();
                0
            }
            Panic(one_in) if salt.is_multiple_of(*one_in) => resume_unwind(Box::new(Stop)),
            Panic(_) => salt,
            Join(sides) => {
                let (left, right) = (ledger.thing(1), ledger.thing(2));
                let run = |side: usize| sides[side].parallel(salt ^ side as u64, ledger);
                let (left, right) = taskel::join(|| (run(0), left), || (run(1), right));
                mixed(mixed(1, left.0), right.0)
            }
            Loop { len, chunk, body } => {
                let items = ledger.things(*len).into_par_iter().chunk(*chunk);
                let values = items.map(|item| (body.parallel(salt ^ item.value as u64, ledger), item));
                values.collect::<Vec<_>>().into_iter().fold(1, |value, (next, _)| mixed(value, next))
            }
            Stream { len, bound, body } => {
                let mut value = 1;
                let stream = ledger.things(*len).into_iter().par_stream();
                let values = stream.map(|item| (body.parallel(salt ^ item.value as u64, ledger), item));
                values.max_in_flight(*bound).for_each_ordered(|(next, _)| value = mixed(value, next));
                value
            }
            Scope { tasks, nested } => scope(tasks, *nested, salt, ledger),
            Submit(body) => {
                let result = taskel::submit(move || (body.parallel(salt, ledger), thing));
                result.join().0
            }
            Catch(body) => match catch_unwind(AssertUnwindSafe(|| body.parallel(salt, ledger))) {
                Ok(value) => value,
                Err(payload) if payload.is::<Stop>() => CAUGHT,
                Err(payload) => resume_unwind(payload),
            },
            Cancel { len, at, body } => {
                cancelled(*len, *at, body, ledger);
                CAUGHT
            }
        }
    }
}

fn scope(tasks: &'static [Program], nested: usize, salt: u64, ledger: &'static Ledger) -> u64 {
    let values: Vec<AtomicU64> = tasks.iter().map(|_| AtomicU64::new(0)).collect();
    let (values, run) = (&values, |i: usize| tasks[i].parallel(salt ^ i as u64, ledger));
    taskel::scope(|s| {
        for (i, value) in values.iter().enumerate().take(nested) {
            let thing = ledger.thing(i);
            s.spawn(move |s| {
                let thing = thing;
                if i == 0 {
                    for (i, value) in values.iter().enumerate().skip(nested) {
                        let thing = ledger.thing(i);
                        s.spawn(move |_| {
                            // All of it, which is dropped here.
                            let thing = thing;
                            value.store(run(thing.value), Ordering::Relaxed);
                        });
                    }
                }
                value.store(run(thing.value), Ordering::Relaxed);
            });
        }
    });
    values.iter().fold(1, |value, next| mixed(value, next.load(Ordering::Relaxed)))
}

/// A loop, a scope and a join that are cancelled at some point, or not at all.
fn cancelled(len: usize, at: usize, body: &'static Program, ledger: &'static Ledger) {
    let token = CancelToken::new();
    let item = |i: usize| {
        if i == at {
            token.cancel();
        }
        body.parallel(i as u64, ledger)
    };
    let things = || ledger.things(len).into_par_iter().with_cancel_token(&token);
    let collect = || things().map(|thing| (item(thing.value), thing)).collect::<Vec<_>>();
    let outcome = catch_unwind(AssertUnwindSafe(collect));
    match outcome {
        Ok(values) => assert_eq!(values.len(), len),
        Err(payload) if payload.is::<Cancelled>() => assert!(at < len, "nobody has cancelled it"),
        Err(payload) => resume_unwind(payload),
    }
    let of_scope = CancelToken::new();
    let _either = of_scope.scope(|s| {
        for thing in ledger.things(len) {
            let (item, of_scope) = (&item, of_scope.clone());
            s.spawn(move |_| {
                let thing = thing;
                if thing.value == at {
                    of_scope.cancel();
                }
                item(thing.value);
            });
        }
    });
    let (left, right) = (ledger.thing(0), ledger.thing(1));
    let _either = token.join(|| drop(left), || drop(right));
}

/// Runs the program that the seed stands for.
fn run(seed: u64, pools: &[ThreadPool]) {
    let mut random = Random(seed);
    let size = random.pick(&[3, 20, 100, 400]);
    // Leaked, since tasks own references to it; the size of what is not dropped is that of a tree,
    // not of what it does.
    let program: &'static Program = Box::leak(Box::new(Program::random(&mut random, size, true)));
    let ledger: &'static Ledger = Box::leak(Box::default());
    let expected = program.sequential(seed);
    let pool = &pools[random.below(pools.len())];
    let outcome = catch_unwind(AssertUnwindSafe(|| pool.install(|| program.parallel(seed, ledger))));
    let found = match outcome {
        Ok(found) => Some(found),
        Err(payload) if payload.is::<Stop>() => None,
        Err(payload) => {
            eprintln!("TASKEL_STRESS_SEED={seed}");
            resume_unwind(payload)
        }
    };
    let threads = pool.current_num_threads();
    assert_eq!(found, expected, "TASKEL_STRESS_SEED={seed}, {threads} threads: {program:?}");
    ledger.assert_balanced(&format!("TASKEL_STRESS_SEED={seed}"));
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value}")))
}

fn seconds() -> Duration {
    Duration::from_secs(number("TASKEL_STRESS_SECONDS").unwrap_or(2))
}

/// Callers, who often meet on a pool, run programs until the time is over; a further thread watches
/// that they get on.
fn run_programs(pinning: &Pinning, callers: usize) {
    const LONGEST: Duration = Duration::from_secs(100);
    let pool = |threads| ThreadPool::builder().num_threads(threads).pinning(pinning.clone()).build().unwrap();
    let pools = [1, 2, 2, 3, 4, 8, 16].map(pool);
    let now = Mutex::new(vec![(0, Instant::now()); callers]);
    let end = Instant::now() + seconds();
    let only = number("TASKEL_STRESS_SEED");
    // Every run takes other seeds than the last.
    let first = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    let programs = AtomicU64::new(0);
    let step = |caller: usize, seed: u64| now.lock().unwrap()[caller] = (seed, Instant::now());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|caller| {
                let (pools, step, programs) = (&pools, &step, &programs);
                scope.spawn(move || {
                    let mut seeds = (0..).map(|n| only.unwrap_or(first + n * callers as u64 + caller as u64));
                    while Instant::now() < end {
                        let seed = seeds.next().unwrap();
                        step(caller, seed);
                        run(seed, pools);
                        programs.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(20));
            for (caller, (seed, since)) in threads.iter().zip(&*now.lock().unwrap()) {
                if since.elapsed() > LONGEST && !caller.is_finished() {
                    eprintln!("TASKEL_STRESS_SEED={seed} hangs");
                    std::process::abort();
                }
            }
        }
    });
    println!("{} programs", programs.into_inner());
}

#[test]
fn programs_compute_what_they_compute_sequentially() {
    run_programs(&Pinning::Off, 2);
}

/// More callers than any pool has workers, or was made for.
#[test]
fn programs_of_many_callers() {
    run_programs(&Pinning::Off, 40);
}

/// All workers, and the callers, on one core: whoever waits must give it up.
#[test]
#[cfg(target_os = "linux")]
fn programs_on_a_single_core() {
    use std::mem::{size_of, zeroed};
    if child::case().is_none() {
        let output = child::run("programs_on_a_single_core", "child");
        assert!(output.status.success(), "{output:?}");
        print!("{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    // SAFETY: a mask is plain data.
    let mut mask: libc::cpu_set_t = unsafe { zeroed() };
    // SAFETY: takes no argument.
    let core = unsafe { libc::sched_getcpu() } as usize;
    // SAFETY: the number is that of a core, which has a bit in the mask.
    unsafe { libc::CPU_SET(core, &mut mask) };
    // SAFETY: the pointer is to a mask of this size.
    let status = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const mask) };
    assert_eq!(status, 0, "the mask of this thread and of those that it starts");
    run_programs(&Pinning::Cores, 2);
}

/// All threads of the process are stopped, anywhere, and go on later, as when a container is
/// frozen.
#[test]
#[cfg(target_os = "linux")]
fn programs_in_a_process_that_is_stopped_now_and_then() {
    const NAME: &str = "programs_in_a_process_that_is_stopped_now_and_then";
    if child::case().is_some() {
        return run_programs(&Pinning::Auto, 2);
    }
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    let mut child = child::as_case(&mut program, NAME, "child").spawn().unwrap();
    let mut random = Random(u64::from(child.id()));
    let mut stops = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        for signal in [libc::SIGSTOP, libc::SIGCONT] {
            // SAFETY: the child was not waited for, so that the number is still its own.
            assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
            thread::sleep(Duration::from_micros(1 + random.below(20_000) as u64));
        }
        stops += 1;
    };
    assert!(status.success() && stops > 10, "{status}, stopped {stops} times");
}
