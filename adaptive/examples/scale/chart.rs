//! Makespan over worker count as a picture, a panel for each machine.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::study::{MACHINES, POLICIES, Study};

const SIZE: (u32, u32) = (1260, 470);
/// What is lost is drawn down to a thousandth.
const LEAST: f64 = 0.001;

/// Okabe and Ito's colours, which the colour-blind can tell apart, and a grey; ours are violet, red
/// and black.
const COLOURS: [RGBColor; POLICIES.len()] = [
    RGBColor(150, 150, 150),
    RGBColor(204, 121, 167),
    RGBColor(240, 200, 40),
    RGBColor(120, 80, 40),
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(110, 60, 160),
    RGBColor(220, 30, 40),
    BLACK,
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(crate) fn draw(study: &Study, workers: &[usize]) -> Result<String, Box<dyn Error>> {
    let lines: Vec<_> = POLICIES.iter().zip(COLOURS).map(|((name, _), colour)| (*name, colour)).collect();
    let panels = MACHINES.iter().zip(&study.ratios);
    let panels = panels.map(|(machine, ratios)| (format!("{}: {}", study.name, machine.name), ratios));
    draw_panels(&panels.collect::<Vec<_>>(), &lines, workers)
}

/// Panels of the same lines, with a legend below.
pub(crate) fn draw_panels(
    panels: &[(String, &Vec<Vec<f64>>)],
    lines: &[(&str, RGBColor)],
    workers: &[usize],
) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (areas, legend) = root.split_vertically(SIZE.1 - 40);
        let most = panels.iter().flat_map(|(_, ratios)| ratios.iter().flatten()).copied().fold(2.0, f64::max);
        for ((title, ratios), area) in panels.iter().zip(areas.split_evenly((1, panels.len()))) {
            draw_panel(&area, title, (ratios, lines), workers, 1.3 * most)?;
        }
        draw_legend(&legend, lines)?;
        root.present()?;
    }
    Ok(svg)
}

fn draw_panel(
    area: &Area<'_>,
    title: &str,
    (by_policy, lines): (&[Vec<f64>], &[(&str, RGBColor)]),
    workers: &[usize],
    most: f64,
) -> Result<(), Box<dyn Error>> {
    let (first, last) = (workers[0] as f64, workers[workers.len() - 1] as f64);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(8)
        .margin_right(20)
        .x_label_area_size(38)
        .y_label_area_size(48)
        .build_cartesian_2d((first..last).log_scale().base(2.0), (0.999 * LEAST..most).log_scale())?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(RGBColor(220, 220, 220))
        .x_labels(workers.len())
        .x_label_formatter(&|workers| format!("{workers:.0}"))
        .y_label_formatter(&|lost| format!("{}", 1.0 + (lost * 1e4).round() / 1e4))
        .x_desc("workers")
        .y_desc("makespan / bound")
        .label_style(("sans-serif", 12))
        .axis_desc_style(("sans-serif", 13))
        .draw()?;
    for (ratios, &(_, colour)) in by_policy.iter().zip(lines) {
        let points =
            workers.iter().zip(ratios).map(|(&workers, ratio)| (workers as f64, (ratio - 1.0).max(LEAST)));
        chart.draw_series(LineSeries::new(points.clone(), style(colour)))?;
        chart.draw_series(points.map(|point| Circle::new(point, 2, colour.filled())))?;
    }
    Ok(())
}

fn style(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(if colour == BLACK { 3 } else { 2 })
}

fn draw_legend(area: &Area<'_>, lines: &[(&str, RGBColor)]) -> Result<(), Box<dyn Error>> {
    let mut x = 20;
    for &(name, colour) in lines {
        area.draw(&PathElement::new([(x, 16), (x + 24, 16)], style(colour)))?;
        area.draw(&Text::new(name, (x + 30, 9), ("sans-serif", 15)))?;
        x += 52 + 7 * name.len() as i32;
    }
    Ok(())
}
