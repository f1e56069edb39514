//! Few bodies and many steps, as in ForkUnion's own comparison: two regions a step, the forces on 128
//! bodies and where these forces take them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::cost;
use crate::result::{Row, SERIAL};
use crate::suite::Context;
use crate::turns::{Sample, Turn};

const BODIES: usize = 128;
const STEPS: u32 = 1000;

/// A float that one thread writes in each region: a plain load or store to the processor.
#[derive(Default)]
struct Float(AtomicU64);

impl Float {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    fn add(&self, more: f64) {
        self.set(self.get() + more);
    }
}

#[derive(Default)]
struct Body {
    position: [Float; 3],
    velocity: [Float; 3],
    force: [Float; 3],
}

struct Bodies(Vec<Body>);

impl Bodies {
    fn new() -> Self {
        let body = |index: usize| {
            let body = Body::default();
            for (axis, position) in body.position.iter().enumerate() {
                position.set(((index * (7 + 4 * axis)) % BODIES) as f64);
            }
            body
        };
        Bodies((0..BODIES).map(body).collect())
    }

    // Never inlined, so that all peers run the same code.
    #[inline(never)]
    fn attract(&self, index: usize) {
        let own = self.0[index].position.each_ref().map(Float::get);
        let mut force = [0.0; 3];
        for other in &self.0 {
            let apart: [f64; 3] = std::array::from_fn(|axis| other.position[axis].get() - own[axis]);
            let squared = apart.iter().map(|x| x * x).sum::<f64>() + 0.5;
            let pull = 1.0 / (squared * squared.sqrt());
            (0..3).for_each(|axis| force[axis] += pull * apart[axis]);
        }
        (0..3).for_each(|axis| self.0[index].force[axis].set(force[axis]));
    }

    #[inline(never)]
    fn go_on(&self, index: usize) {
        const TIME: f64 = 1e-3;
        let body = &self.0[index];
        for axis in 0..3 {
            body.velocity[axis].add(TIME * body.force[axis].get());
            body.position[axis].add(TIME * body.velocity[axis].get());
        }
    }

    /// Where the bodies are, in all bits.
    fn places(&self) -> u64 {
        let all = self.0.iter().flat_map(|body| &body.position);
        all.fold(0, |bits, position| bits.rotate_left(1) ^ position.get().to_bits())
    }
}

/// What a step takes and burns. `region` calls its function for each body, perhaps in parallel.
fn sample(answer: u64, mut region: impl FnMut(&(dyn Fn(usize) + Sync))) -> Sample {
    let bodies = Bodies::new();
    let all = cost(|| {
        for _ in 0..STEPS {
            region(&|index| bodies.attract(index));
            region(&|index| bodies.go_on(index));
        }
    });
    assert_eq!(bodies.places(), answer);
    let steps = f64::from(STEPS);
    Sample { value: all.value / steps, cpu: all.cpu.map(|cpu| cpu / steps) }
}

fn answer() -> u64 {
    let bodies = Bodies::new();
    for _ in 0..STEPS {
        (0..BODIES).for_each(|index| bodies.attract(index));
        (0..BODIES).for_each(|index| bodies.go_on(index));
    }
    bodies.places()
}

fn with_rayon(f: &(dyn Fn(usize) + Sync)) {
    use rayon::prelude::*;
    (0..BODIES).into_par_iter().for_each(f);
}

fn with_taskel(f: &(dyn Fn(usize) + Sync)) {
    use taskel::prelude::*;
    (0..BODIES).into_par_iter().for_each(f);
}

/// The row, if it is wanted.
pub(super) fn rows(context: &Context) -> Vec<Row> {
    const NAME: &str = "a step of 128 bodies";
    if !context.wants_row(NAME) {
        return Vec::new();
    }
    let threads = context.threads;
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for rayon");
    let taskel = taskel::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads for taskel");
    let answer = answer();
    let turns = vec![
        Turn::new(SERIAL, || sample(answer, |f| (0..BODIES).for_each(f))),
        Turn::new("rayon, inside", || rayon.install(|| sample(answer, with_rayon))),
        Turn::new("taskel, inside", || taskel.scope(|_| sample(answer, with_taskel))),
        #[cfg(feature = "fork-union")]
        Turn::new("ForkUnion static", || {
            let mut pool = crate::peers::fork_union::spawn(threads);
            sample(answer, |f| {
                drop(pool.for_slices(BODIES, |first, count| {
                    (first.task_index..first.task_index + count).for_each(f);
                }));
            })
        }),
        #[cfg(feature = "fork-union")]
        Turn::new("ForkUnion dynamic", || {
            let mut pool = crate::peers::fork_union::spawn(threads);
            sample(answer, |f| drop(pool.for_n_dynamic(BODIES, |item| f(item.task_index))))
        }),
    ];
    vec![super::row(NAME, turns, threads, context)]
}
