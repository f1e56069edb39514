//! What the charts and tables hold.

use crate::study::{MACHINES, POLICIES, Study};
use crate::{WORKERS, chart, loads, tables};

const README: &str = include_str!("../../README.md");

#[test]
fn the_same_load_gives_the_same_bytes() {
    let workers = &WORKERS[..5];
    let once = || {
        let study = Study::of(&loads::CLUSTERS_IN_1_US, workers);
        (chart::draw(&study, workers).unwrap(), tables::document(&[study], workers))
    };
    assert_eq!(once(), once());
}

#[test]
fn a_chart_has_a_line_for_each_policy_on_each_machine() {
    let study = Study::of(&loads::CLUSTERS_IN_1_US, &WORKERS[..3]);
    let svg = chart::draw(&study, &WORKERS[..3]).unwrap();
    let document = roxmltree::Document::parse(&svg).expect("well-formed XML");
    let of_three_points = |node: &roxmltree::Node<'_, '_>| {
        node.has_tag_name("polyline")
            && node.attribute("points").is_some_and(|points| points.split_whitespace().count() == 3)
    };
    let lines = document.descendants().filter(of_three_points).count();
    assert_eq!(lines, POLICIES.len() * MACHINES.len());
    for (name, _) in POLICIES {
        assert!(
            document.descendants().any(|node| node.text().is_some_and(|text| text.trim() == name)),
            "{name}"
        );
    }
}

#[test]
fn the_readme_shows_these_figures() {
    let study = Study::of(&loads::CLUSTERS_IN_1_US, &WORKERS);
    let row = tables::summary(&[study], &WORKERS, 0).lines().last().unwrap().to_owned();
    assert!(README.lines().any(|line| line == row), "README.md should have this row:\n{row}");
}
