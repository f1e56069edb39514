//! One load under all policies on all machines.

use std::sync::Mutex;
use std::thread;

use taskel_adaptive::simulate::{Policy, Simulation};

use crate::loads::Load;

/// The policies, with the names under which they are shown. The last three are ours.
pub(crate) const POLICIES: [(&str, Policy); 11] = [
    ("static", Policy::Static),
    ("n/4P", Policy::PerWorker(4)),
    ("chunks of 64", Policy::Fixed(64)),
    ("one at a time", Policy::SelfScheduling),
    ("guided", Policy::Guided),
    ("FAC2", Policy::Factoring),
    ("rayon", Policy::RayonSplit),
    ("joblib", Policy::JoblibAuto),
    ("adaptive", Policy::Adaptive),
    (TASKEL, Policy::Revocable),
    (AGAIN, Policy::Revocable),
];

/// How many of them are ours.
pub(crate) const OURS: usize = 3;

/// What the crate `taskel` does, wake-ups included.
const TASKEL: &str = "taskel";

/// The second call of a loop, which starts from what the first has learned.
const AGAIN: &str = "taskel, again";

/// What the workers are like.
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    /// The speed of the second half of the workers; the first half has 1.
    slow: f64,
    /// Workers of a node, and what a steal across nodes costs.
    nodes: Option<(usize, f64)>,
}

pub(crate) const MACHINES: [Machine; 3] = [
    Machine { name: "equal cores", slow: 1.0, nodes: None },
    Machine { name: "half of the cores at 0.4", slow: 0.4, nodes: None },
    Machine { name: "nodes of 8, 3 µs between them", slow: 1.0, nodes: Some((8, 3000.0)) },
];

/// Makespans of one load.
pub(crate) struct Study {
    pub(crate) name: &'static str,
    pub(crate) taskels: usize,
    /// The time that one worker would need, and the longest taskel.
    pub(crate) sum_ns: f64,
    pub(crate) longest_ns: f64,
    /// Makespan / bound, by machine, policy and worker count.
    pub(crate) ratios: Vec<Vec<Vec<f64>>>,
}

impl Study {
    pub(crate) fn of(load: &Load, workers: &[usize]) -> Study {
        let times_ns = (load.times_ns)();
        let mut ratios = vec![vec![vec![0.0; workers.len()]; POLICIES.len()]; MACHINES.len()];
        let cells = ratios.iter_mut().zip(&MACHINES).flat_map(|(by_policy, machine)| {
            by_policy.iter_mut().zip(&POLICIES).flat_map(move |(by_workers, &(name, policy))| {
                by_workers
                    .iter_mut()
                    .zip(workers)
                    .map(move |(ratio, &workers)| (ratio, name, simulation(name, policy, machine, workers)))
            })
        });
        let cells = Mutex::new(cells);
        let next = || cells.lock().expect("no simulation fails").next();
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    while let Some((ratio, name, simulation)) = next() {
                        let run = |simulation: &Simulation| simulation.run(&times_ns).expect("finite times");
                        let mut schedule = run(&simulation);
                        if name == AGAIN {
                            schedule = run(&simulation.with_lesson(&schedule));
                        }
                        *ratio = schedule.ratio();
                    }
                });
            }
        });
        Study {
            name: load.name,
            taskels: times_ns.len(),
            sum_ns: times_ns.iter().sum(),
            longest_ns: times_ns.iter().copied().fold(0.0, f64::max),
            ratios,
        }
    }

    pub(crate) fn chart_file(&self) -> String {
        format!("{}.svg", self.name.to_lowercase().replace(' ', "-").replace('µ', "u"))
    }
}

fn simulation(name: &str, policy: Policy, machine: &Machine, workers: usize) -> Simulation {
    let speed = |worker| if worker < workers / 2 { 1.0 } else { machine.slow };
    let speeds: Vec<f64> = (0..workers).map(speed).collect();
    let simulation = match name {
        TASKEL | AGAIN => Simulation::taskel(workers),
        _ => Simulation::new(policy, workers),
    };
    let simulation = simulation.with_speeds(&speeds);
    match machine.nodes {
        Some((workers, far_steal_ns)) => simulation.with_nodes(workers, far_steal_ns),
        None => simulation,
    }
}
