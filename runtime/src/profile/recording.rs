//! A profile as a recording: the calls of all lanes, put together as one tree.

use std::collections::HashMap;
use std::mem;

use taskel_adaptive::Scaling;
use taskel_adaptive::recording::{Call, CallKind, Part, Recording};

use super::Profile;
use super::calls::{CallId, CallRecord, PartRecord};
use super::sites;
use super::sorted::sort_by_key;

impl Profile {
    /// The work of the profiled program as a tree that can be replayed on other numbers of workers:
    /// loops with the times of their items, joins, scopes, and what lies between them.
    ///
    /// With the feature `record`, `to_json` and `from_json` carry it to a file, which the example
    /// `replay` of `taskel-adaptive` reads.
    ///
    /// What is [spawned](crate::spawn()) or [submitted](crate::submit) goes on beside what its spawner does next: up to a
    /// [`join`](crate::Task::join) in the same closure or thread, else to the end of that. A broadcast has a part for each worker that
    /// there was. A stream is a loop, and beside it what its source and its sink take. Of joins whose
    /// closures take less than 4 µs, only the outer ones are in it; that time is doubled with each sixteenth of the
    /// room that calls have taken.
    ///
    /// The more workers a profile has, the more the items have slowed each other down: a profile of
    /// one worker predicts best.
    ///
    /// A pool of one worker does not divide what it need not, such as a sort, which counts as serial
    /// then: two workers record that.
    ///
    /// Memory is bounded: 32,768 parts and 16,384 calls for each worker.
    /// [`Recording::left_out`] says how many calls had no room.
    ///
    /// ```
    /// use taskel::prelude::*;
    ///
    /// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
    /// let (_, profile) = pool.profile(|| (0..1000_u64).into_par_iter().map(|n| n * n).sum::<u64>());
    /// let recording = profile.recording();
    /// assert_eq!(recording.calls().len(), 2, "the program, and the loop in it");
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn recording(&self) -> Recording {
        Tree::new(self).recording()
    }

    /// What the same program would take on other numbers of workers, and what limits it: the work,
    /// the longest item, a path through joins, or what is in no parallel call. See [`Scaling`].
    ///
    /// The same as [`recording`](Self::recording) and [`Recording::scaling`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskel::prelude::*;
    ///
    /// let pool = taskel::ThreadPool::builder().num_threads(1).build()?;
    /// let ((), profile) = pool.profile(|| {
    ///     std::thread::sleep(Duration::from_millis(30)); // in no parallel call
    ///     (0..70).into_par_iter().for_each(|_| std::thread::sleep(Duration::from_millis(1)));
    /// });
    /// let text = profile.scaling([1, 4, 16, 64]).to_string();
    /// assert!(text.contains("a serial part of"), "{text}");
    /// # Ok::<(), taskel::ThreadPoolBuildError>(())
    /// ```
    pub fn scaling(&self, workers: impl IntoIterator<Item = usize>) -> Scaling {
        self.recording().scaling(workers)
    }
}

/// The calls of all lanes on the way to a recording.
struct Tree<'p> {
    profile: &'p Profile,
    calls: Vec<&'p CallRecord>,
    /// Where in `calls` those are that nothing in `done` stands for yet.
    call_at: HashMap<CallId, usize>,
    /// Of each call that has any.
    parts: Vec<Vec<&'p PartRecord>>,
    /// Where in `parts` a call's are.
    parts_at: HashMap<CallId, usize>,
    /// What the recording has so far. A call's parts come when it is written.
    done: Vec<Call>,
    /// What is to be written, by its place in `done`.
    to_do: Vec<(CallId, usize)>,
    /// Of each in `done`, whether it is a short loop.
    is_short: Vec<bool>,
    /// Of each in `done`, how much less time there was behind it, if it is a short loop, than it took
    /// to write it down.
    dearer_ns: Vec<u64>,
    names: sites::Names,
}

impl<'p> Tree<'p> {
    fn new(profile: &'p Profile) -> Self {
        let logs = || profile.workers.iter().flat_map(|worker| worker.logs());
        let calls: Vec<&CallRecord> = logs().flat_map(|log| &log.calls).collect();
        let call_at = calls.iter().enumerate().map(|(at, call)| (call.head.id, at)).collect();
        let mut parts: Vec<Vec<&PartRecord>> = Vec::new();
        let mut parts_at: HashMap<CallId, usize> = HashMap::new();
        for part in logs().flat_map(|log| &log.parts) {
            let at = *parts_at.entry(part.of).or_insert(parts.len());
            if at == parts.len() {
                parts.push(Vec::new());
            }
            parts[at].push(part);
        }
        let names = sites::Names::new();
        Tree {
            profile,
            calls,
            call_at,
            parts,
            parts_at,
            done: Vec::new(),
            to_do: Vec::new(),
            is_short: Vec::new(),
            dearer_ns: Vec::new(),
            names,
        }
    }

    fn recording(mut self) -> Recording {
        let program = self.names.number("program");
        self.push(Call::new(CallKind::Program, program, Vec::new()), false);
        self.done[0].parts = vec![self.program()];
        let mut next = 0;
        while let Some(&(id, at)) = self.to_do.get(next) {
            let mut parts = self.parts_of(id, self.done[at].kind);
            parts.iter_mut().take(1).for_each(|first| take_off(first, self.dearer_ns[at]));
            self.done[at].parts = parts;
            next += 1;
        }
        let logs = self.profile.workers.iter().flat_map(|worker| worker.logs());
        let left_out: u64 = logs.map(|log| log.left_out).sum();
        let (workers, wall_ns) = (self.profile.threads.max(1), self.profile.wall_ns);
        let waited = self.profile.waited();
        let recording = Recording::new(workers, wall_ns, self.names.into_list(), self.done);
        recording
            .expect("a tree, as each call is written once, behind the one that it is in")
            .with_left_out(left_out)
            .with_waited(waited)
    }

    /// The whole, from the calls that are in no other.
    fn program(&mut self) -> Part {
        let mut outermost: Vec<(usize, &CallRecord)> = Vec::new();
        let logs = self.profile.workers.iter().flat_map(|worker| worker.logs());
        for (lane, log) in logs.enumerate() {
            outermost.extend(log.unclaimed.iter().map(|&call| (lane, &log.calls[call])));
        }
        sort_by_key(&mut outermost, |(_, call)| call.start_ns);
        let mut at_ns = self.profile.start_ns;
        let mut steps = Steps::default();
        let mut rest = &outermost[..];
        while let Some((_, first)) = rest.first() {
            // What overlaps is of several threads.
            let mut end_ns = first.end_ns;
            let mut count = 0;
            while let Some((_, call)) =
                rest.get(count).filter(|(_, call)| count == 0 || call.start_ns < end_ns)
            {
                end_ns = end_ns.max(call.end_ns);
                count += 1;
            }
            let (together, others) = rest.split_at(count);
            steps.work(first.start_ns.saturating_sub(at_ns));
            steps.step(match together {
                [(_, call)] => What::Call(call),
                _ => What::Beside(together),
            });
            at_ns = at_ns.max(end_ns);
            rest = others;
        }
        let end_ns = self.profile.start_ns.saturating_add(self.profile.wall_ns);
        steps.work(end_ns.saturating_sub(at_ns));
        let mut program = self.part((0, 1), &steps);
        let logs = self.profile.workers.iter().flat_map(|worker| worker.logs());
        take_off(&mut program, self.untold_ns(logs.map(|log| log.untold).fold(0, u64::saturating_add)));
        program
    }

    /// What it took to see that there is no room for so many calls.
    fn untold_ns(&self, calls: u64) -> u64 {
        calls.saturating_mul(self.profile.costs.untold_ns)
    }

    /// A part, with all calls in it.
    fn part(&mut self, (first, items): (u64, u64), steps: &Steps<'_, 'p>) -> Part {
        let mut part = Part::new(first, items, steps.ns);
        let joins = steps.joins();
        let mut rest = &steps.steps[..];
        while let Some(&(what, after_ns)) = rest.first() {
            let (together, others) =
                rest.split_at(Steps::together(rest, steps.steps.len() - rest.len(), &joins));
            match together {
                [_] => {
                    let call = self.step(what);
                    self.then(&mut part, call, after_ns);
                }
                [.., (_, after_ns)] => {
                    let scope = self.tasks(together);
                    self.then(&mut part, Some(scope), *after_ns);
                }
                [] => unreachable!("the first is one of them"),
            }
            rest = others;
        }
        part
    }

    /// Tasks up to the last join of them, and what their spawner does meanwhile: a scope.
    fn tasks(&mut self, steps: &[(What<'_, 'p>, u64)]) -> usize {
        let site = match steps[0].0 {
            What::Call(task) => self.names.number(&task.head.site.name()),
            What::Beside(_) => self.names.number("several threads"),
        };
        let at = self.push(Call::new(CallKind::Scope, site, Vec::new()), false);
        let mut part = Part::new(0, 1, 0);
        for (number, &(what, ns)) in steps.iter().enumerate() {
            let call = self.step(what);
            // What comes after the last join comes after the scope.
            self.then(&mut part, call, if number + 1 < steps.len() { ns } else { 0 });
        }
        self.done[at].parts = vec![part];
        at
    }

    /// The call of a step, but for a join of a task, which is none.
    fn step(&mut self, what: What<'_, 'p>) -> Option<usize> {
        match what {
            What::Call(call) if call.waits_for == 0 => Some(self.add(call)),
            What::Call(_) => None,
            What::Beside(together) => Some(self.beside(together)),
        }
    }

    /// Puts a call behind those of a part, if there is one, and what comes after it. To write calls
    /// down took some of that, and of short ones itself.
    fn then(&mut self, part: &mut Part, call: Option<usize>, after_ns: u64) {
        let costs = self.profile.costs;
        let short = call.filter(|&call| self.is_short[call]);
        let cost_ns = short.map_or(costs.call_ns, |_| costs.short_ns);
        if let Some(call) = short.filter(|_| after_ns < cost_ns) {
            self.dearer_ns[call] = cost_ns - after_ns;
        }
        part.calls.extend(call.map(|at| (at, 0)));
        let ns = part.calls.last_mut().map_or(&mut part.ns, |(_, ns)| ns);
        *ns = ns.saturating_add(after_ns.saturating_sub(cost_ns));
    }

    /// Calls that several threads have made, one part for each thread.
    fn beside(&mut self, together: &[(usize, &'p CallRecord)]) -> usize {
        let mut lanes: Vec<usize> = together.iter().map(|&(lane, _)| lane).collect();
        sort_by_key(&mut lanes, |&lane| lane as u64);
        lanes.dedup();
        let site = self.names.number("several threads");
        let at = self.push(Call::new(CallKind::Beside, site, Vec::new()), false);
        let mut parts = Vec::new();
        for (number, lane) in lanes.into_iter().enumerate() {
            let mut steps = Steps::default();
            let mut at_ns = None;
            for (_, call) in together.iter().filter(|&&(of, _)| of == lane) {
                steps.work(at_ns.map_or(0, |at_ns| call.start_ns.saturating_sub(at_ns)));
                steps.step(What::Call(call));
                at_ns = Some(call.end_ns);
            }
            parts.push(self.part((number as u64, 1), &steps));
        }
        self.done[at].parts = parts;
        at
    }

    /// Makes room for a call, which is written later.
    fn add(&mut self, call: &CallRecord) -> usize {
        let site = self.names.number(&call.head.site.name());
        let mut added = Call::new(call.head.kind, site, Vec::new());
        added.expected_ns = call.head.expected_ns;
        let at = self.push(added, call.is_short);
        self.to_do.push((call.head.id, at));
        at
    }

    /// Where in `done` it is.
    fn push(&mut self, call: Call, is_short: bool) -> usize {
        self.done.push(call);
        self.is_short.push(is_short);
        self.dearer_ns.push(0);
        self.done.len() - 1
    }

    fn parts_of(&mut self, id: CallId, kind: CallKind) -> Vec<Part> {
        let mut records = self.parts_at.get(&id).map_or(Vec::new(), |&at| mem::take(&mut self.parts[at]));
        sort_by_key(&mut records, |part| part.first);
        let expected = match kind {
            CallKind::Join => Some(2),
            CallKind::Scope | CallKind::Task => Some(1),
            _ => None,
        };
        // Before the calls inside are written: each is in a part.
        records.truncate(expected.unwrap_or(usize::MAX));
        let mut end: u64 = 0;
        let mut parts = Vec::with_capacity(records.len());
        for record in records {
            // Items are counted anew where parts of several places were put together.
            let first = end.max(record.first);
            let items = record.items.max(1);
            let Some(next) = first.checked_add(items) else { break };
            end = next;
            let mut steps = Steps::default();
            steps.work(record.ns);
            for &(inner, ns) in &record.calls {
                if let Some(inner) = self.call_at.remove(&inner) {
                    steps.step(What::Call(self.calls[inner]));
                }
                steps.work(ns);
            }
            let mut part = self.part((first, items), &steps);
            take_off(&mut part, self.untold_ns(record.untold));
            parts.push(part);
        }
        // One that panicked, or that had no room.
        while parts.len() < expected.unwrap_or(0) {
            let first = parts.last().map_or(0, |part| part.first + part.items);
            parts.push(Part::new(first, 1, 0));
        }
        parts
    }
}

/// Makes a part shorter, from its end on.
fn take_off(part: &mut Part, mut ns: u64) {
    let stretches = part.calls.iter_mut().rev().map(|(_, after_ns)| after_ns);
    for stretch_ns in stretches.chain(std::iter::once(&mut part.ns)) {
        let less_ns = ns.min(*stretch_ns);
        *stretch_ns -= less_ns;
        ns -= less_ns;
    }
}

/// A part, as it is put together.
#[derive(Default)]
struct Steps<'s, 'p> {
    ns: u64,
    /// Each with what comes up to the next.
    steps: Vec<(What<'s, 'p>, u64)>,
}

#[derive(Clone, Copy)]
enum What<'s, 'p> {
    Call(&'p CallRecord),
    /// Of several threads at once.
    Beside(&'s [(usize, &'p CallRecord)]),
}

impl<'s, 'p> Steps<'s, 'p> {
    fn work(&mut self, ns: u64) {
        let sum = self.steps.last_mut().map_or(&mut self.ns, |(_, sum)| sum);
        *sum = sum.saturating_add(ns);
    }

    fn step(&mut self, what: What<'s, 'p>) {
        self.steps.push((what, 0));
    }

    /// Which step joins which task.
    fn joins(&self) -> HashMap<CallId, usize> {
        let join = |(at, (what, _)): (usize, &(What<'s, 'p>, u64))| match what {
            What::Call(call) if call.waits_for != 0 => Some((call.waits_for, at)),
            _ => None,
        };
        self.steps.iter().enumerate().filter_map(join).collect()
    }

    /// How many of the steps from `first` on belong together: a task that is joined later, all up
    /// to that join, and where others begin on the way, up to theirs. Of two that overlap, the
    /// first is taken to be joined with the second.
    fn together(steps: &[(What<'_, '_>, u64)], first: usize, joins: &HashMap<CallId, usize>) -> usize {
        let (mut at, mut end) = (0, 1);
        while at < end {
            if let What::Call(task) = steps[at].0 {
                let join = joins.get(&task.head.id).map_or(0, |join| (join + 1).saturating_sub(first));
                end = end.max(join);
            }
            at += 1;
        }
        end
    }
}
