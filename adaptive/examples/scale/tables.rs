//! The figures as Markdown.

use crate::study::{MACHINES, OURS, POLICIES, Study};

/// Worker counts of the summary.
const SUMMARY: [usize; 6] = [2, 16, 64, 256, 1024, 4096];

/// All tables, and the charts.
pub(crate) fn document(studies: &[Study], workers: &[usize]) -> String {
    let mut text = "# Simulated scaling\n\
        \n\
        Made by `cargo run --release -p taskel-adaptive --example scale -- benches/results/simulation`; the same each time.\n\
        \n\
        Makespan as a multiple of max(sum/P, longest taskel / fastest core), for the loads of [adaptive's README](../../../adaptive/README.md)\n\
        and the default costs. The loads stay the same as P grows, so a worker's part shrinks: at the right end of a chart wake-ups (5 µs)\n\
        and steals weigh most, and where one taskel is longer than sum/P, it alone is the bound.\n\
        \n\
        Three policies are ours: `adaptive` claims chunks, and all its workers begin together, as those of all policies above it do. `taskel` is what the\n\
        crate does: what is not begun of a chunk can be taken away, workers sleep until others wake them, which costs 5 µs each, and nothing is dealt out\n\
        beforehand as long as nothing is known. `taskel, again` is the second call of the same loop, which starts from the mean time and, where the first\n\
        met one, the outlier. The tables right below show them in this order. How workers are woken, and how many at once, is in [wakes.md](wakes.md).\n\
        \n\
        The vertical axis is logarithmic in what is lost: 1.001, 1.01, 1.1, 2 and 11 times the bound are equally far apart.\n"
        .to_owned();
    for (machine, heading) in MACHINES.iter().enumerate() {
        text += &format!("\n## Ours and the best other policy: {}\n\n", heading.name);
        text += &summary(studies, workers, machine);
    }
    for study in studies {
        text += &format!(
            "\n## {}\n\n{} taskels, {} together, the longest {}.\n\n![makespan / bound over workers]({})\n",
            study.name,
            grouped(study.taskels),
            time(study.sum_ns),
            time(study.longest_ns),
            study.chart_file()
        );
        for (machine, by_policy) in MACHINES.iter().zip(&study.ratios) {
            text += &table(machine.name, by_policy, workers);
        }
    }
    text
}

/// For each load the ratios of our policies, and in brackets that of the best other one.
pub(crate) fn summary(studies: &[Study], workers: &[usize], machine: usize) -> String {
    let columns: Vec<usize> = (0..workers.len()).filter(|&at| SUMMARY.contains(&workers[at])).collect();
    let counts: Vec<String> = columns.iter().map(|&at| workers[at].to_string()).collect();
    let mut text = format!("| load | {} |\n|---|{}\n", counts.join(" | "), "---|".repeat(columns.len()));
    for study in studies {
        let (others, ours) = study.ratios[machine].split_at(POLICIES.len() - OURS);
        let cell = |&at: &usize| {
            let best = (0..others.len()).min_by(|&a, &b| others[a][at].total_cmp(&others[b][at]));
            let best = best.expect("other policies");
            let ours: Vec<String> = ours.iter().map(|ratios| format!("{:.3}", ratios[at])).collect();
            format!("{} ({} {:.3})", ours.join(", "), POLICIES[best].0, others[best][at])
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        text += &format!("| {} | {} |\n", study.name, cells.join(" | "));
    }
    text
}

fn table(machine: &str, by_policy: &[Vec<f64>], workers: &[usize]) -> String {
    let counts: Vec<String> = workers.iter().map(usize::to_string).collect();
    let mut text =
        format!("\n| {machine} | {} |\n|---|{}\n", counts.join(" | "), "---|".repeat(workers.len()));
    for ((name, _), ratios) in POLICIES.iter().zip(by_policy) {
        let cells: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
        text += &format!("| {name} | {} |\n", cells.join(" | "));
    }
    text
}

/// Digits in groups of three.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&groups.join(&b' ')).into_owned()
}

fn time(ns: f64) -> String {
    match ns {
        1e6.. => format!("{:.1} ms", ns / 1e6),
        1e3.. => format!("{:.1} µs", ns / 1e3),
        _ => format!("{ns} ns"),
    }
}
