//! Who runs the loads: one trait, one list.

use crate::{load::Data, peers};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Back-to-back calls of one load by one peer.
#[derive(Clone, Copy, Debug)]
pub struct Timed<T> {
    /// How long all calls took.
    pub elapsed: Duration,
    /// What the last call found.
    pub answer: T,
}

/// A way to run a loop over a slice, used as its documentation recommends.
///
/// An implementation makes its threads once, before it is measured. Where loops are cheaper to
/// start from inside the peer's pool, all calls are made from there, and [`timed`] starts its clock
/// there.
pub trait Peer {
    /// What the table calls it.
    fn name(&self) -> &'static str;

    /// Sums [`work`](crate::work::work) over `weights`, `calls` times.
    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64>;

    /// Sums `floats`, `calls` times, with vector code where the peer lets its user write that.
    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32>;

    /// Runs a load `calls` times.
    fn run(&mut self, data: &Data, calls: u32) -> Timed<f64> {
        match data {
            Data::Taskels(weights) => {
                let Timed { elapsed, answer } = self.sum_work(weights, calls);
                Timed { elapsed, answer: answer as f64 }
            }
            Data::Floats(floats) => {
                let Timed { elapsed, answer } = self.sum_floats(floats, calls);
                Timed { elapsed, answer: f64::from(answer) }
            }
        }
    }
}

/// All peers, each with `threads` threads. The first is [`SERIAL`](crate::result::SERIAL), from
/// which the bounds are derived.
#[must_use]
pub fn all(threads: usize) -> Vec<Box<dyn Peer>> {
    let mut peers: Vec<Box<dyn Peer>> = vec![
        Box::new(peers::serial::Serial),
        Box::new(peers::std_scope::StdScope::new(threads)),
        Box::new(peers::rayon::Rayon::new(threads)),
        Box::new(peers::chili::Chili::new(threads)),
        Box::new(peers::paralight::Paralight::new(threads)),
        Box::new(peers::orx::Orx::new(threads)),
    ];
    #[cfg(feature = "fork-union")]
    peers.extend(peers::fork_union::ForkUnion::all(threads).map(|peer| Box::new(peer) as Box<dyn Peer>));
    #[cfg(openmp)]
    peers.extend(peers::openmp::OpenMp::all(threads).map(|peer| Box::new(peer) as Box<dyn Peer>));
    #[cfg(onetbb)]
    peers.push(Box::new(peers::onetbb::OneTbb::new(threads)));
    peers.extend(peers::taskel::Taskel::all(threads).map(|peer| Box::new(peer) as Box<dyn Peer>));
    peers
}

/// Who of [`all`] is not in this build, and why: a line each.
#[must_use]
pub fn left_out() -> Vec<String> {
    let all = [
        (
            cfg!(feature = "fork-union"),
            "ForkUnion is left out: it needs a C++ compiler and `--features fork-union`",
        ),
        (
            cfg!(openmp),
            "OpenMP is left out: the build found no C compiler with omp.h and libgomp (Debian: gcc)",
        ),
        (
            cfg!(onetbb),
            "oneTBB is left out: the build found no C++ compiler with tbb/ and libtbb (Debian: libtbb-dev)",
        ),
    ];
    all.into_iter().filter(|(is_here, _)| !is_here).map(|(_, why)| why.to_owned()).collect()
}

/// Times `calls` back-to-back calls of `call` on `input`.
///
/// # Panics
/// Panics if `calls` is 0.
pub fn timed<I: ?Sized, T>(input: &I, calls: u32, mut call: impl FnMut(&I) -> T) -> Timed<T> {
    assert!(calls > 0, "nothing to time: 0 calls were asked for");
    let start = Instant::now();
    for _ in 1..calls {
        // An input that could have changed and an answer that is used keep each call from being
        // left out.
        black_box(call(black_box(input)));
    }
    let answer = call(black_box(input));
    Timed { elapsed: start.elapsed(), answer }
}

/// Sums floats in 16 independent lanes: code that the compiler turns into vector additions.
///
/// The plain `iter().sum()` must add in order, one float at a time.
#[must_use]
pub fn lane_sum(floats: &[f32]) -> f32 {
    let (blocks, rest) = floats.as_chunks::<16>();
    let mut lanes = [0.0_f32; 16];
    for block in blocks {
        for (lane, float) in lanes.iter_mut().zip(block) {
            *lane += float;
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// How many floats a taskel sums where the peer's user must cut the vector code's input: 16 KiB.
pub const FLOATS_PER_TASKEL: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        load::{DECLARATIONS, Load},
        work::{Calibration, work},
    };

    /// A load of at most 10 000 items, every n-th of `data`, and its answer: for unoptimised peers
    /// the millions of some loads take minutes.
    fn thinned(data: &Data) -> (Data, f64) {
        fn every_nth<T: Copy>(items: &[T]) -> Vec<T> {
            items.iter().step_by(items.len().div_ceil(10_000)).copied().collect()
        }
        match data {
            Data::Taskels(weights) => {
                let weights = every_nth(weights);
                let answer = weights.iter().map(|&weight| work(weight)).sum::<u64>() as f64;
                (Data::Taskels(weights), answer)
            }
            Data::Floats(floats) => {
                let floats = every_nth(floats);
                let answer = floats.iter().map(|&float| f64::from(float)).sum();
                (Data::Floats(floats), answer)
            }
        }
    }

    #[test]
    fn every_peer_gives_the_expected_answer_on_every_load() {
        // One iteration stands for 100 ns, so that the loads keep their shape and are done soon.
        let calibration = Calibration { iteration_ns: 100.0, call_ns: 0.0 };
        let mut peers = all(2);
        for declaration in DECLARATIONS {
            let load = Load::build(declaration, &calibration);
            assert_eq!(peers[0].run(&load.data, 1).answer, load.expected, "the whole of {}", load.name);
            let (data, expected) = thinned(&load.data);
            for peer in &mut peers {
                for calls in 1..3 {
                    let answer = peer.run(&data, calls).answer;
                    assert_eq!(answer, expected, "{} on {}", peer.name(), load.name);
                }
            }
        }
    }

    #[test]
    fn every_peer_handles_lengths_that_do_not_divide() {
        for peer in &mut all(2) {
            for len in [1, 2, 3, FLOATS_PER_TASKEL - 1, FLOATS_PER_TASKEL + 17] {
                let weights = vec![3; len];
                let floats = vec![1.0; len];
                let expected = work(3) * len as u64;
                assert_eq!(peer.sum_work(&weights, 1).answer, expected, "{}, {len} taskels", peer.name());
                assert_eq!(peer.sum_floats(&floats, 1).answer, len as f32, "{}, {len} floats", peer.name());
            }
        }
    }

    #[test]
    fn whoever_is_not_left_out_is_there() {
        let names: Vec<&str> = all(1).iter().map(|peer| peer.name()).collect();
        let missing = left_out();
        for peer in ["ForkUnion", "OpenMP", "oneTBB"] {
            let is_here = names.iter().any(|name| name.contains(peer));
            let is_missing = missing.iter().any(|line| line.starts_with(peer));
            assert_ne!(is_here, is_missing, "{peer}: {names:?}, {missing:?}");
        }
    }

    #[test]
    fn serial_comes_first() {
        assert_eq!(all(1)[0].name(), crate::result::SERIAL);
    }
}
