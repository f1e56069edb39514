//! Processes that claim from one counter: how many items at a time, beside what others do.
//!
//! A rank has several threads, each of which claims for itself, so the workers here are all threads.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use plotters::prelude::*;
use taskel_adaptive::simulate::{Costs, Policy, Simulation, load};
use taskel_adaptive::{ChunkConfig, Tail};

use crate::chart;

/// Ranks and the threads of each.
const TEAMS: [(usize, usize); 8] = [(2, 1), (2, 4), (4, 4), (16, 4), (64, 4), (256, 4), (1024, 4), (4096, 1)];

/// What a claim takes, during which nobody else claims.
const CLAIMS_NS: [f64; 3] = [100.0, 1000.0, 20_000.0];

/// The speed of the second half of the ranks.
const SPEEDS: [f64; 2] = [1.0, 0.4];

const STATIC: RGBColor = RGBColor(150, 150, 150);
const LINES: [(&str, RGBColor); 5] = [
    ("static", STATIC),
    ("guided", RGBColor(0, 114, 178)),
    ("FAC2", RGBColor(86, 180, 233)),
    ("mFSC", RGBColor(213, 94, 0)),
    ("team", BLACK),
];

/// Rules that were tried: a target as a multiple of the claim, how many claims of each worker the
/// rest should be good for, and whether there is a least claim.
const RULES: [(f64, usize, bool); 10] = [
    (1000.0, 2, true),
    (1000.0, 2, false),
    (1000.0, 1, true),
    (1000.0, 4, true),
    (1000.0, 8, true),
    (100.0, 2, true),
    (100.0, 2, false),
    (10_000.0, 2, true),
    (100.0, 4, true),
    (10_000.0, 4, true),
];

type Load = (&'static str, fn() -> Vec<f64>);

const LOADS: [Load; 4] = [
    ("equal, 1 µs", || load::constant(2_000_000, 1000.0)),
    ("lognormal, median 10 µs", || load::lognormal(400_000, 10_000.0, 1.0, 5)),
    ("lognormal, median 1 ms", || load::lognormal(100_000, 1e6, 1.5, 7)),
    ("Pareto, from 10 ms to 10 s", || load::pareto(40_000, 1e7, 1.5, 1e10, 3)),
];

/// Writes the charts and tables of teams.
pub(crate) fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    let workers: Vec<usize> = TEAMS.iter().map(|(ranks, threads)| ranks * threads).collect();
    let mut text = head();
    let mut tried = vec![vec![0.0; TEAMS.len()]; RULES.len()];
    for (number, (name, times_ns)) in LOADS.iter().enumerate() {
        let times_ns = times_ns();
        let panels: Vec<(String, Vec<Vec<f64>>)> = machines()
            .map(|(claim_ns, slow)| {
                let named = |(policy, _): &(&str, RGBColor)| named(policy, claim_ns, times_ns.len());
                (machine(claim_ns, slow), ratios(&times_ns, claim_ns, slow, LINES.iter().map(named)))
            })
            .collect();
        let file = format!("teams-{}.svg", number + 1);
        let shown: Vec<_> = [0, 3, 5].iter().map(|&at| (panels[at].0.clone(), &panels[at].1)).collect();
        fs::write(folder.join(&file), chart::draw_panels(&shown, &LINES, &workers)?)?;
        text += &format!(
            "\n## {name}\n\n{} items.\n\n![makespan / bound over threads]({file})\n",
            times_ns.len()
        );
        for (title, ratios) in &panels {
            text += &table(title, LINES.iter().map(|(name, _)| (*name).to_owned()), ratios);
        }
        for (claim_ns, slow) in machines() {
            let rules = RULES.iter().map(|&rule| by_rule(rule, claim_ns));
            for (sums, ratios) in tried.iter_mut().zip(ratios(&times_ns, claim_ns, slow, rules)) {
                sums.iter_mut().zip(ratios).for_each(|(sum, ratio)| *sum += ratio.ln());
            }
        }
    }
    let cells = (LOADS.len() * machines().count()) as f64;
    let means: Vec<Vec<f64>> =
        tried.iter().map(|sums| sums.iter().map(|sum| (sum / cells).exp()).collect()).collect();
    text += "\n## Rules that were tried\n\nGeometric means over all loads, claims and speeds.\n";
    text += &table("target, parts, least claim", RULES.iter().map(|&rule| rule_name(rule)), &means);
    fs::write(folder.join("teams.md"), text)?;
    println!("{}", folder.join("teams.md").display());
    Ok(())
}

fn head() -> String {
    "# Teams: claims from one counter\n\
     \n\
     Made by `cargo run --release -p taskel-adaptive --example scale -- benches/results/simulation`; the same each time.\n\
     \n\
     Makespan as a multiple of max(sum/P, longest item / fastest rank). Ranks x threads; each thread claims for itself, and nothing is taken from another.\n\
     Claims happen one after another, each takes the time in the heading; in the right half of the tables' machines half of the ranks have 0.4 of the speed.\n\
     The loads stay the same as P grows.\n\
     \n\
     - `static`: an equal share for each. `guided`: remaining/(2P) (LB4OMP's GSS takes remaining/P). `FAC2`: rounds of P chunks, each round half of what\n\
       remains. `mFSC`: chunks of 0.55 + s ln 2 / ln s with s = n/P, as in DLS4LB, which makes about as many as FAC2 does.\n\
     - `team`: `Policy::Counter`, a chunker for each thread with a target of 1000 claims' time, and `Tail`: at most remaining/(2P), at least P claims' time.\n"
        .to_owned()
}

fn machines() -> impl Iterator<Item = (f64, f64)> {
    CLAIMS_NS.into_iter().flat_map(|claim_ns| SPEEDS.into_iter().map(move |slow| (claim_ns, slow)))
}

fn machine(claim_ns: f64, slow: f64) -> String {
    let ranks = if slow == 1.0 { "equal ranks".to_owned() } else { format!("half at {slow}") };
    format!("claims of {} µs, {ranks}", claim_ns / 1000.0)
}

/// A policy for so many workers.
type ForWorkers = Box<dyn Fn(usize) -> Simulation + Sync>;

fn named(name: &str, claim_ns: f64, items: usize) -> ForWorkers {
    match name {
        "static" => Box::new(|workers| Simulation::new(Policy::Static, workers)),
        "guided" => Box::new(|workers| Simulation::new(Policy::Guided, workers)),
        "FAC2" => Box::new(|workers| Simulation::new(Policy::Factoring, workers)),
        "mFSC" => Box::new(move |workers| Simulation::new(Policy::Fixed(mfsc(items, workers)), workers)),
        _ => by_rule(RULES[0], claim_ns),
    }
}

fn mfsc(items: usize, workers: usize) -> usize {
    let share = items.div_ceil(workers) as f64;
    if share < 2.0 { 1 } else { (0.55 + share * 2_f64.ln() / share.ln()) as usize }
}

fn by_rule((target, parts, has_least): (f64, usize, bool), claim_ns: f64) -> ForWorkers {
    Box::new(move |workers| {
        let config = ChunkConfig::default().with_target_ns((target * claim_ns) as u64);
        let tail = Tail::new(workers, if has_least { claim_ns } else { 0.0 }).with_parts(parts);
        Simulation::new(Policy::Counter, workers).with_chunk_config(config).with_tail(tail)
    })
}

fn rule_name((target, parts, has_least): (f64, usize, bool)) -> String {
    format!("{target} claims, remaining/({parts}P){}", if has_least { ", P claims" } else { "" })
}

/// Makespan / bound, by policy and team.
fn ratios(
    times_ns: &[f64],
    claim_ns: f64,
    slow: f64,
    policies: impl Iterator<Item = ForWorkers>,
) -> Vec<Vec<f64>> {
    let policies: Vec<ForWorkers> = policies.collect();
    let mut ratios = vec![vec![0.0; TEAMS.len()]; policies.len()];
    let cells = ratios.iter_mut().zip(&policies);
    let cells =
        cells.flat_map(|(ratios, policy)| ratios.iter_mut().zip(TEAMS).map(move |cell| (cell, policy)));
    let cells = Mutex::new(cells);
    let next = || cells.lock().expect("no simulation fails").next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(((ratio, (ranks, threads)), policy)) = next() {
                    let workers = ranks * threads;
                    let speed = |worker| if worker / threads < ranks / 2 { 1.0 } else { slow };
                    let speeds: Vec<f64> = (0..workers).map(speed).collect();
                    let costs = Costs { claim_ns, ..Costs::default() };
                    let simulation = policy(workers).with_costs(costs).with_speeds(&speeds);
                    *ratio = simulation.run(times_ns).expect("finite times").ratio();
                }
            });
        }
    });
    ratios
}

fn table(title: &str, names: impl Iterator<Item = String>, by_policy: &[Vec<f64>]) -> String {
    let teams: Vec<String> = TEAMS.iter().map(|(ranks, threads)| format!("{ranks} x {threads}")).collect();
    let mut text = format!("\n| {title} | {} |\n|---|{}\n", teams.join(" | "), "---|".repeat(teams.len()));
    for (name, ratios) in names.zip(by_policy) {
        let cells: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
        text += &format!("| {name} | {} |\n", cells.join(" | "));
    }
    text
}
