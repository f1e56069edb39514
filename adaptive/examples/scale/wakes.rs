//! Who should wake how many: the same loops under other rules.

use taskel_adaptive::simulate::{Costs, Policy, Publish, Simulation, Wake, load};

const WORKERS: [usize; 6] = [4, 16, 64, 256, 1024, 4096];

/// Until a woken worker begins, in microseconds: on an idle machine, on a virtual one, from a deep
/// sleep.
const WAKE_US: [f64; 3] = [5.0, 50.0, 130.0];

const RULES: [(&str, Wake); 7] = [
    ("one by one", Wake::OneByOne),
    ("1", Wake::FanOut(1)),
    ("2", Wake::FanOut(2)),
    ("4", Wake::FanOut(4)),
    ("8", Wake::FanOut(8)),
    ("16", Wake::FanOut(16)),
    ("all at once, at no cost", Wake::Together),
];

/// All tables.
pub(crate) fn document() -> String {
    let mut text = "# Wake-ups\n\
        \n\
        Made by `cargo run --release -p taskel-adaptive --example scale -- benches/results/simulation`; the same each time.\n\
        \n\
        What a loop takes longer than max(sum/P, longest taskel), in microseconds, by how many workers one wakes before its first chunk.\n\
        A woken worker begins after the time in the first column; the system call takes its waker 5 µs. In `one by one`, what has been stolen is begun\n\
        before anyone else is woken, and only one worker at a time is on its way. In the first call nothing is known of the loop.\n"
        .to_owned();
    let each = |ns: f64| move |workers| load::constant(workers, ns);
    text += &table("One taskel of 40 ms for each worker, first call", each(4e7), false);
    text += &table("One taskel of 1 ms for each worker, first call", each(1e6), false);
    for (title, items) in [("200 µs", 2_000), ("1 ms", 10_000), ("4 ms", 40_000)] {
        let loop_of = |_| load::constant(items, 100.0);
        text += &table(&format!("{title} of taskels of 100 ns in all, first call"), loop_of, false);
        text += &table(&format!("{title} of taskels of 100 ns in all, second call"), loop_of, true);
    }
    let per_worker = |workers| load::constant(1000 * workers, 1000.0);
    text += &table("1 ms of taskels of 1 µs for each worker, second call", per_worker, true);
    text + &joins()
}

fn table(title: &str, times_ns: impl Fn(usize) -> Vec<f64>, again: bool) -> String {
    let mut text = head(title, "woken before the first chunk");
    for wake_us in WAKE_US {
        for (name, wake) in RULES {
            let cell = |&workers: &usize| {
                let simulation = Simulation::taskel(workers).with_wake(wake).with_costs(costs(wake_us));
                let times_ns = times_ns(workers);
                let mut schedule = simulation.run(&times_ns).expect("finite times");
                if again {
                    schedule = simulation.with_lesson(&schedule).run(&times_ns).expect("finite times");
                }
                format!("{:.0}", (schedule.makespan_ns - schedule.bound) / 1000.0)
            };
            text += &row(wake_us, name, WORKERS.iter().map(cell));
        }
    }
    text
}

fn joins() -> String {
    let mut text =
        head("A tree of joins with one leaf of 40 ms for each worker", "pending halves that others see");
    let rules = [
        ("the oldest, woken one by one", Publish::Oldest, Wake::OneByOne),
        ("each, woken one by one", Publish::Each, Wake::OneByOne),
        ("each, up to 4 woken by each that comes", Publish::Each, Wake::FanOut(4)),
    ];
    for wake_us in WAKE_US {
        for (name, publish, wake) in rules {
            let cell = |&workers: &usize| {
                let simulation = Simulation::new(Policy::Join(publish), workers);
                let simulation = simulation.with_wake(wake).with_costs(costs(wake_us));
                let schedule = simulation.run(&load::constant(workers, 4e7)).expect("finite times");
                format!("{:.0}", (schedule.makespan_ns - schedule.bound) / 1000.0)
            };
            text += &row(wake_us, name, WORKERS.iter().map(cell));
        }
    }
    text
}

fn costs(wake_us: f64) -> Costs {
    Costs { wake_ns: 1000.0 * wake_us, ..Costs::default() }
}

fn head(title: &str, rule: &str) -> String {
    let counts: Vec<String> = WORKERS.iter().map(usize::to_string).collect();
    let rule_of = "---|".repeat(WORKERS.len());
    format!("\n## {title}\n\n| wake-up | {rule} | {} |\n|---|---|{rule_of}\n", counts.join(" | "))
}

fn row(wake_us: f64, name: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {wake_us} µs | {name} | {} |\n", cells.join(" | "))
}
