//! Converts a recording into what is simulated: serial stretches, loops, and trees.

use alloc::vec::Vec;

use crate::recording::{Call, CallKind, Longest, Measures, Part, Path, Recording};
use crate::simulate::{Costs, Policy, Publish, SimulateError, Simulation, TreeBuilder, TreeNodes, Wake};

/// One of several steps that run one after the other.
pub(super) struct Stage {
    pub(super) work_ns: f64,
    pub(super) span_ns: f64,
    pub(super) longest: Longest,
    /// The stage's call, or the first of several.
    pub(super) outermost: Longest,
    /// Whether workers are still searching when the stage begins, and need not be woken.
    are_awake: bool,
    what: What,
}

enum What {
    Serial,
    Loop { times_ns: Vec<f64>, expected_ns: Option<f64> },
    Tree { nodes: TreeNodes, times_ns: Vec<f64> },
}

/// The largest number of taskels in a simulated loop, in addition to one per chunk.
const MOST_TASKELS: f64 = 262_144.0;

/// Shorter items stay together in a simulated loop.
const TASKEL_NS: f64 = 500.0;

/// Shorter items stay together in a simulated tree, which has at most `MOST_LEAVES` leaves per
/// loop.
const LEAF_NS: f64 = 8_000.0;
const MOST_LEAVES: f64 = 16_384.0;

/// For shorter work, another worker is of no use.
const WORTH_SHARING_NS: f64 = 10_000.0;

/// A worker that has been idle for less than this still searches, so it comes sooner, and without
/// being woken.
const SPIN_NS: f64 = 50_000.0;
const AWAKE: (f64, f64) = (1_000.0, 200.0);

/// Thieves choose victims at random. So this many schedules are simulated, or fewer if they reach
/// this many taskels.
const SEEDS: usize = 9;
const TASKELS: usize = 50_000;

/// Returns the program as a list of stages.
pub(super) fn of(recording: &Recording, measures: &Measures) -> Vec<Stage> {
    let calls = recording.calls();
    let program = &calls[0].parts[0];
    let mut stages = alloc::vec![serial(program.ns as f64)];
    for (step, &(call, ns)) in program.calls.iter().enumerate() {
        if calls[call].kind == CallKind::Task {
            let rest = Part::new(0, 1, 0).with_calls(program.calls[step..].to_vec());
            stages.push(tree(recording, measures, &rest));
            break;
        }
        stages.push(match calls[call].kind {
            CallKind::Loop if calls[call].is_flat() => flat(measures, call, &calls[call]),
            _ => {
                let only = Part::new(0, 1, 0).with_calls(alloc::vec![(call, 0)]);
                tree(recording, measures, &only)
            }
        });
        stages.push(serial(ns as f64));
    }
    stages.retain(|stage| stage.work_ns > 0.0);
    let mut idle_ns = f64::INFINITY;
    for stage in &mut stages {
        if stage.is_serial() || stage.work_ns < WORTH_SHARING_NS {
            idle_ns += stage.work_ns;
        } else {
            stage.are_awake = idle_ns < SPIN_NS;
            idle_ns = 0.0;
        }
    }
    stages
}

fn serial(ns: f64) -> Stage {
    Stage {
        work_ns: ns,
        span_ns: ns,
        longest: Longest::default(),
        outermost: Longest::default(),
        are_awake: false,
        what: What::Serial,
    }
}

/// A loop without calls inside.
fn flat(measures: &Measures, at: usize, call: &Call) -> Stage {
    let measure = measures.calls[at];
    let taskel_ns = TASKEL_NS.max(measure.work_ns / MOST_TASKELS);
    let mut times_ns = Vec::new();
    for part in &call.parts {
        // As a cast rounds towards 0 and saturates.
        let most = (part.ns as f64 / taskel_ns) as u64;
        let taskels = most.clamp(1, part.items);
        times_ns.extend((0..taskels).map(|_| part.ns as f64 / taskels as f64));
    }
    let items: u64 = call.parts.iter().map(|part| part.items).sum();
    let expected_ns = call.expected_ns.map(|ns| ns * items as f64 / times_ns.len() as f64);
    Stage {
        work_ns: measure.work_ns,
        span_ns: measure.span_ns,
        longest: measure.longest,
        outermost: Longest { call: at, ..Longest::default() },
        are_awake: false,
        what: What::Loop { times_ns, expected_ns },
    }
}

/// All that `part` calls, where `part` is in no call itself.
fn tree(recording: &Recording, measures: &Measures, part: &Part) -> Stage {
    let called = part.calls.iter().map(|&(call, _)| measures.calls[call]);
    let called_ns: f64 = called.clone().map(|measure| measure.work_ns).sum();
    let mut path = Path::default();
    for &(call, ns) in part.calls.iter().rev() {
        path.then(ns);
        path.call(recording.calls()[call].kind, measures.calls[call]);
    }
    let longer = |a: Longest, b: Longest| if b.ns > a.ns { b } else { a };
    let longest = called.map(|measure| measure.longest).fold(Longest::default(), longer);
    let mut program = Trees::new(recording, called_ns);
    let root = program.part(part);
    let (nodes, times_ns) = program.tree.finish(root);
    let Path { work_ns, span_ns } = path;
    let outermost = Longest { call: part.calls[0].0, ..Longest::default() };
    Stage { work_ns, span_ns, longest, outermost, are_awake: false, what: What::Tree { nodes, times_ns } }
}

/// Builds a tree of calls.
struct Trees<'r> {
    recording: &'r Recording,
    tree: TreeBuilder,
    /// The node of each call, once it exists.
    nodes: Vec<Option<usize>>,
    leaf_ns: f64,
}

impl<'r> Trees<'r> {
    fn new(recording: &'r Recording, work_ns: f64) -> Self {
        let nodes = alloc::vec![None; recording.calls().len()];
        let leaf_ns = LEAF_NS.max(work_ns / MOST_LEAVES);
        Trees { recording, tree: TreeBuilder::default(), nodes, leaf_ns }
    }

    /// Returns the node of a part with all its calls.
    fn part(&mut self, part: &Part) -> usize {
        // Bottom-up. Each call is visited twice: before its content and after it.
        let mut to_see: Vec<(usize, bool)> = part.calls.iter().map(|&(call, _)| (call, false)).collect();
        while let Some((at, is_over)) = to_see.pop() {
            let call = &self.recording.calls()[at];
            if is_over {
                let node = self.call(call);
                self.nodes[at] = Some(node);
                continue;
            }
            to_see.push((at, true));
            to_see.extend(call.parts.iter().flat_map(|part| &part.calls).map(|&(inner, _)| (inner, false)));
        }
        self.sequence(part)
    }

    /// Returns the node of a call. Everything inside it already has nodes.
    fn call(&mut self, call: &Call) -> usize {
        let nodes = match call.kind {
            CallKind::Loop => self.items(call),
            _ => call.parts.iter().map(|part| self.sequence(part)).collect(),
        };
        self.tree.beside(nodes).unwrap_or_else(|| self.tree.taskel(0.0))
    }

    /// Returns the leaves of a loop. Short neighbouring items share one leaf. A run of items that
    /// was timed as one gets several leaves.
    fn items(&mut self, call: &Call) -> Vec<usize> {
        let mut nodes = Vec::new();
        let mut short_ns = 0.0;
        for part in &call.parts {
            if !part.calls.is_empty() {
                if short_ns > 0.0 {
                    nodes.push(self.tree.taskel(core::mem::take(&mut short_ns)));
                }
                nodes.push(self.sequence(part));
                continue;
            }
            short_ns += part.ns as f64;
            if short_ns >= self.leaf_ns {
                let leaves = ((short_ns / self.leaf_ns) as u64).clamp(1, part.items);
                let ns = core::mem::take(&mut short_ns) / leaves as f64;
                nodes.extend((0..leaves).map(|_| self.tree.taskel(ns)));
            }
        }
        if short_ns > 0.0 {
            nodes.push(self.tree.taskel(short_ns));
        }
        nodes
    }

    /// Builds a part from its end, because a task runs in parallel with all that follows it.
    fn sequence(&mut self, part: &Part) -> usize {
        let mut rest = None;
        for &(call, ns) in part.calls.iter().rev() {
            rest = self.after(ns as f64, rest);
            let node = self.nodes[call].expect("what is below comes first");
            rest = Some(match (self.recording.calls()[call].kind, rest) {
                (_, None) => node,
                (CallKind::Task, Some(rest)) => self.tree.fork(rest, node),
                (_, Some(rest)) => self.tree.then(node, rest),
            });
        }
        let all = self.after(part.ns as f64, rest);
        all.unwrap_or_else(|| self.tree.taskel(0.0))
    }

    /// Returns a node for `ns` nanoseconds, and then `rest`.
    fn after(&mut self, ns: f64, rest: Option<usize>) -> Option<usize> {
        if ns == 0.0 {
            return rest;
        }
        let first = self.tree.taskel(ns);
        Some(rest.map_or(first, |rest| self.tree.then(first, rest)))
    }
}

impl Stage {
    pub(super) fn is_serial(&self) -> bool {
        matches!(self.what, What::Serial)
    }

    pub(super) fn is_loop(&self) -> bool {
        matches!(self.what, What::Loop { .. })
    }

    /// Returns the time on this number of workers. If it depends on chance, returns the mean.
    pub(super) fn simulate(&self, workers: usize) -> Result<f64, SimulateError> {
        if self.work_ns < WORTH_SHARING_NS || workers == 1 {
            return Ok(self.work_ns);
        }
        let (mut sum_ns, seeds) = (0.0, self.seeds());
        for seed in 1..=seeds {
            sum_ns += self.simulate_once(workers, seed as u64)?;
        }
        Ok(sum_ns / seeds as f64)
    }

    fn seeds(&self) -> usize {
        let taskels = match &self.what {
            What::Serial => return 1,
            What::Loop { times_ns, .. } | What::Tree { times_ns, .. } => times_ns.len(),
        };
        (TASKELS / taskels.max(1)).clamp(1, SEEDS)
    }

    fn simulate_once(&self, workers: usize, seed: u64) -> Result<f64, SimulateError> {
        // More workers would be idle, and take time to simulate.
        let most = |taskels: usize| workers.min(taskels).min((self.work_ns / TASKEL_NS) as usize).max(1);
        let mut costs = Costs::default();
        if self.are_awake {
            (costs.wake_ns, costs.call_ns) = AWAKE;
        }
        let schedule = match &self.what {
            What::Serial => return Ok(self.work_ns),
            What::Loop { times_ns, expected_ns } => {
                let taskel = Simulation::taskel(workers)
                    .with_workers(most(times_ns.len()))
                    .with_costs(costs)
                    .with_seed(seed);
                expected_ns.map_or(taskel.clone(), |ns| taskel.with_estimate_ns(ns)).run(times_ns)?
            }
            What::Tree { nodes, times_ns } => {
                Simulation::new(Policy::Join(Publish::Each), most(times_ns.len()))
                    .with_wake(Wake::FanOut(4))
                    .with_reserves(true)
                    .with_costs(costs)
                    .with_seed(seed)
                    .run_nodes(nodes.clone(), times_ns)?
            }
        };
        Ok(schedule.makespan_ns)
    }
}
