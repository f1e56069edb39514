//! How long does it take until another thread has done something, and the caller knows?
//!
//! A dispatch is a fork of two empty pieces of work, one of which must run on another thread: with joins, the first side spins until the second,
//! on another thread, has raised a flag. chili is left out of that: it shares a fork only at a heartbeat, and only forks that are pending then.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskel_benches::machine::Machine;
use taskel_benches::turns::{Spread, Turn, take_turns};

const THREADS: usize = 2;

/// Raises a flag from the second side of a join.
macro_rules! dispatch {
    ($($join:tt)+) => {{
        let done = AtomicBool::new(false);
        let start = Instant::now();
        $($join)+(
            || {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            },
            || done.store(true, Ordering::Relaxed),
        );
        start.elapsed()
    }};
}

/// The processor time of this process, in nanoseconds.
fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "every Linux has this clock");
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// What pauses between dispatches cost: the kernel accounts for other threads at its ticks, so that only the sum over many means
/// something.
#[derive(Default)]
struct Gaps {
    elapsed_ns: f64,
    cpu_ns: f64,
}

impl Gaps {
    fn busy(&self) -> String {
        if self.elapsed_ns == 0.0 {
            return "–".to_owned();
        }
        format!("{:.1} %", 100.0 * self.cpu_ns / self.elapsed_ns)
    }
}

/// One dispatch after a pause: its nanoseconds.
fn sample(gap: Duration, gaps: &mut Gaps, dispatch: &mut dyn FnMut() -> Duration) -> f64 {
    if gap.is_zero() {
        // The first one wakes whoever slept meanwhile.
        const HOT: u32 = 1000;
        for _ in 0..100 {
            dispatch();
        }
        return (0..HOT).map(|_| dispatch()).sum::<Duration>().as_nanos() as f64 / f64::from(HOT);
    }
    dispatch();
    let (start, cpu) = (Instant::now(), cpu_ns());
    thread::sleep(gap);
    gaps.cpu_ns += cpu_ns() - cpu;
    gaps.elapsed_ns += start.elapsed().as_nanos() as f64;
    dispatch().as_nanos() as f64
}

/// The floor: two threads that spin hand a flag to and fro.
fn ping_pong() -> f64 {
    const ROUNDS: u32 = 100_000;
    let turn = AtomicU32::new(0);
    let wait_for = |value| {
        while turn.load(Ordering::Acquire) != value {
            std::hint::spin_loop();
        }
    };
    thread::scope(|s| {
        s.spawn(|| {
            for round in 0..ROUNDS {
                wait_for(2 * round + 1);
                turn.store(2 * round + 2, Ordering::Release);
            }
        });
        let start = Instant::now();
        for round in 0..ROUNDS {
            turn.store(2 * round + 1, Ordering::Release);
            wait_for(2 * round + 2);
        }
        start.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
    })
}

type Dispatch<'a> = (&'static str, Box<dyn FnMut() -> Duration + 'a>);

fn rows(taskel: &taskel::ThreadPool, rayon: &rayon::ThreadPool) {
    println!("{:28} {:>6} {:>26} {:>18}", "dispatch", "gap", "ns, median [min–max]", "core busy in gap");
    for gap in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(100)] {
        let repetitions = if gap.as_millis() == 100 { 21 } else { 51 };
        // Made when its turn comes: its threads spin as long as it lives.
        #[cfg(feature = "fork-union")]
        let mut fork_union = std::cell::OnceCell::new();
        let peers: Vec<Dispatch<'_>> = vec![
            ("rayon, from outside", Box::new(|| dispatch!(rayon.join))),
            ("rayon, from inside", Box::new(|| rayon.install(|| dispatch!(rayon::join)))),
            ("taskel, from outside", Box::new(|| dispatch!(taskel.join))),
            ("taskel, from inside", Box::new(|| taskel.scope(|_| dispatch!(taskel::join)))),
            ("taskel, outside, kept hot", Box::new(|| dispatch!(taskel.join))),
            ("taskel, inside, kept hot", Box::new(|| taskel.scope(|_| dispatch!(taskel::join)))),
            #[cfg(feature = "fork-union")]
            (
                "fork_union, for_threads",
                Box::new(move || {
                    fork_union.get_or_init(|| fork_union::spawn(THREADS));
                    let pool = fork_union.get_mut().expect("made just now");
                    let start = Instant::now();
                    pool.for_threads(|_, _| ());
                    start.elapsed()
                }),
            ),
        ];
        // One peer after the other: fork_union's threads spin all the time, and hot workers do while they are kept so.
        for (name, mut dispatch) in peers {
            let hot = name.contains("hot").then(|| taskel.keep_hot());
            let mut gaps = Gaps::default();
            let mut turns: [Turn<'_>; 1] = [(name, Box::new(|| sample(gap, &mut gaps, &mut dispatch)))];
            let (_, spread) = take_turns(&mut turns, repetitions)[0];
            drop(turns);
            drop(hot);
            let Spread { median, min, max } = spread;
            let busy = gaps.busy();
            println!("{name:28} {gap:>6?} {:>26} {busy:>18}", format!("{median:.0} [{min:.0}–{max:.0}]"));
        }
    }
}

/// The processor time that an idle pool burns in a second.
fn idle(name: &str) {
    thread::sleep(Duration::from_millis(200));
    let cpu = cpu_ns();
    thread::sleep(Duration::from_secs(1));
    println!("{name:28} {:.3} ms of processor time in an idle second", (cpu_ns() - cpu) / 1e6);
}

fn main() {
    let taskel = taskel::ThreadPool::builder().num_threads(THREADS).build().expect("a pool");
    taskel.join(|| (), || ());
    idle("taskel");
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("a pool");
    rayon.join(|| (), || ());
    idle("taskel and rayon");
    {
        let chili = chili::ThreadPool::with_config(chili::Config::default());
        chili.scope().join(|_| (), |_| ());
        idle("taskel, rayon and chili");
    }
    let pings: Vec<f64> = (0..21).map(|_| ping_pong()).collect();
    let Spread { median, min, max } = Spread::of(&pings);
    println!("\n{:28} {median:.0} ns [{min:.0}–{max:.0}] there and back\n", "two spinning threads");
    rows(&taskel, &rayon);
    println!("\n{}", Machine::here(thread::available_parallelism().map_or(1, usize::from)));
}
