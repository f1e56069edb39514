//! Whether all ranks are busy, on items that sleep: so any number of them works on a few cores.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use support::{Random, parameter, program, run_with};
use taskel_team::Team;

const MS: u64 = 4;
const LONG: u64 = 16 * MS;
const MEDIUM: u64 = 8 * MS;
const LONGEST: u64 = 32 * MS;

/// Those that take almost no time, beside which some take long: six milliseconds of them, at what an
/// item takes with the loop around it where nothing is optimised.
const TINY: usize = 20_000;
const TINY_NS: f64 = 300.0;
const AMONG_TINY: u64 = 20;

/// Eight experiments of a minute or a day, the longest three of them next to each other but one: a
/// day is 80 ms.
const EXPERIMENTS: [u64; 8] = [1, 1, 80, 80, 1, 1, 1, 78];

/// The loads of the benchmarks' suite `workers`, four times as long but for those with tiny items,
/// and the experiments: milliseconds of each item.
fn loads(ranks: usize) -> [(&'static str, Vec<u64>); 10] {
    let mut random = Random(ranks as u64);
    let others = vec![MEDIUM; 4 * (ranks - 1)];
    let (tiny, long) = (vec![0; TINY], vec![AMONG_TINY; ranks]);
    [
        ("one each", vec![LONG; ranks]),
        ("four each", vec![MEDIUM; 4 * ranks]),
        ("P - 1", vec![LONG; ranks - 1]),
        ("one long first", [&[LONGEST], &*others].concat()),
        ("one long last", [&*others, &[LONGEST]].concat()),
        ("side by side", [vec![MEDIUM; ranks], vec![LONG; ranks], vec![MEDIUM; ranks]].concat()),
        ("side amid tiny", [&tiny[..TINY / 2], &*long, &tiny[TINY / 2..]].concat()),
        ("side after tiny", [tiny, long].concat()),
        ("bad luck", EXPERIMENTS.to_vec()),
        ("random", (0..4 * ranks).map(|_| MS * random.between(2, 17)).collect()),
    ]
}

/// No order that leaves no rank idle takes longer (Graham, Bounds on multiprocessing timing
/// anomalies, 1969).
fn graham_ms(items: &[u64], ranks: usize) -> f64 {
    let (sum, longest) = (items.iter().sum::<u64>() as f64, *items.iter().max().unwrap() as f64);
    let tiny_ms = items.iter().filter(|&&ms| ms == 0).count() as f64 * TINY_NS / 1e6;
    (sum + tiny_ms) / ranks as f64 + longest * (1.0 - 1.0 / ranks as f64)
}

fn run_item(ms: u64) {
    match ms {
        // A look at the clock.
        0 => {
            black_box(Instant::now());
        }
        ms => thread::sleep(Duration::from_millis(ms)),
    }
}

/// What each rank does that the test below starts.
#[test]
fn program_of_a_rank() {
    if program().is_none() {
        return;
    }
    let team = Team::from_env().unwrap();
    assert_eq!(parameter(), team.size() as u64);
    for (name, items) in loads(team.size()) {
        team.barrier().unwrap();
        let began = Instant::now();
        team.for_each(0..items.len(), |i| run_item(items[i])).unwrap();
        let took = began.elapsed();
        team.barrier().unwrap();
        tell!("{name}: {}", took.as_micros());
    }
}

#[test]
fn no_rank_is_idle_while_there_is_something_to_claim() {
    for ranks in [4, 16] {
        let ran = run_with("loads", &["-n", &ranks.to_string(), "--threads", "1"], ranks);
        assert!(ran.status.success(), "{ran:#?}");
        let ranks = ranks as usize;
        for (name, items) in loads(ranks) {
            let times = ran.told.iter().filter_map(|told| told.strip_prefix(name)?.strip_prefix(": "));
            let times: Vec<f64> = times.map(|us| us.parse::<f64>().unwrap() / 1000.0).collect();
            assert_eq!(times.len(), ranks, "{ran:#?}");
            let slowest = times.iter().copied().fold(0.0, f64::max);
            let most = 1.05 * graham_ms(&items, ranks);
            println!("{ranks} ranks, {name}: {slowest:.1} ms, at most {most:.1}");
            assert!(slowest <= most, "{ranks} ranks, {name}: {slowest} ms, at most {most}");
        }
    }
}
