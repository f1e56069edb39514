use super::*;

fn cell(peer: &str, samples: &[f64]) -> Cell {
    Cell::new(peer, samples.to_vec())
}

fn example(shown: Shown, rows: Vec<Row>) -> Group {
    Group {
        name: "loops".to_owned(),
        title: "How?".to_owned(),
        unit: "ns per call".to_owned(),
        shown,
        rows,
        cores_of_others: Some(0.125),
    }
}

fn row(name: &str, bound: Option<f64>, cells: Vec<Cell>) -> Row {
    Row { name: name.to_owned(), bound, cells }
}

#[test]
fn ratios_are_to_the_bound_of_their_row() {
    let noted = Cell { note: Some("×8".to_owned()), ..cell("µ", &[1.5e7; 3]) };
    let rows = vec![
        row("ten", Some(1e7), vec![cell(SERIAL, &[2e7, 2e7, 2.5e7]), noted]),
        row("tiny", Some(100.0), vec![cell(SERIAL, &[200.0; 3]), cell("x", &[100.0, 110.0, 30_000.0])]),
    ];
    let expected = "\
## loops

How?; ns per call; 3 samples.

Medians alone:

| load | serial | bound  | µ    | x    |
| ---- | ------ | ------ | ---- | ---- |
| ten  | 20.0ms | 10.0ms | 1.50 |      |
| tiny | 200ns  | 100ns  |      | 1.10 |

With their intervals:

| load | serial | bound  | µ                         | x                     |
| ---- | ------ | ------ | ------------------------- | --------------------- |
| ten  | 20.0ms | 10.0ms | 1.50 [1.50–1.50] ≥1.50 ×8 |                       |
| tiny | 200ns  | 100ns  |                           | 1.10 [1.00–300] ≥1.00 |

Other processes used 0.12 cores meanwhile.
";
    assert_eq!(group(&example(Shown::RatioToBound, rows)), expected);
}

#[test]
fn times_over_the_serial_loop_may_be_below_it() {
    let burnt = Cell { cpu: Some(vec![5.0]), ..cell("b", &[4.25]) };
    let rows = vec![row("r", None, vec![cell(SERIAL, &[2.0]), cell("a", &[1.5]), burnt])];
    let expected = "\
| what | serial | a            | b                      |
| ---- | ------ | ------------ | ---------------------- |
| r    | 2.00   | 1.50 (−0.50) | 4.25 (+2.25), cpu 5.00 |
";
    let text = group(&example(Shown::OverSerial, rows));
    assert!(text.contains(expected), "{text}");
}

#[test]
fn many_peers_are_spread_over_tables_that_all_have_the_serial_one() {
    let peers: Vec<String> = (0..9).map(|peer| format!("p{peer}")).collect();
    let cells =
        std::iter::once(SERIAL).chain(peers.iter().map(String::as_str)).map(|peer| cell(peer, &[1.0]));
    let text = group(&example(Shown::Value, vec![row("r", None, cells.collect())]));
    let headers: Vec<&str> = text.lines().filter(|line| line.contains("serial")).collect();
    assert_eq!(headers.len(), 2, "{text}");
    assert!(!headers[0].contains("p5") && !headers[1].contains("p4"), "{text}");
    assert!(headers[0].contains("p4") && headers[1].contains("p5") && headers[1].contains("p8"), "{text}");
}

#[test]
fn a_report_says_who_is_left_out() {
    let report = super::report(&Report {
        machine: "m".to_owned(),
        calibration: "c".to_owned(),
        left_out: vec!["nobody is left out".to_owned()],
        groups: vec![example(Shown::Count, vec![row("r", None, vec![cell("a", &[7.0])])])],
    });
    assert!(report.starts_with("# Results\n\nm; c\n"), "{report}");
    assert!(report.contains("\nnobody is left out.\n") && report.contains("| r    | 7.00 |"), "{report}");
}
