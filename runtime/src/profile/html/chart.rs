//! What more workers would bring, as a chart: how many times as fast, over the number of workers,
//! both on logarithmic scales.

use svg::Document;
use svg::node::element::{Circle, Group, Line, Polyline};
use taskel_adaptive::units::{Grouped, Time, counted};
use taskel_adaptive::{Prediction, Scaling};

use super::super::svg::{GRID, MUTED, TEXT, label, pixels, tip};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 500.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 310.0;

const PREDICTED: &str = "#2250a0";
const BOUND: &str = "#d9480f";

/// The chart of predictions in ascending order of workers, which begin with one worker.
pub(super) fn of(scaling: &Scaling) -> Document {
    let predictions = scaling.predictions();
    let most = predictions.iter().map(Prediction::workers).max().unwrap_or(1).max(2) as f64;
    let scale = Scale { most };
    let bound = |made: &Prediction| ratio(scaling, made);
    let document = Document::new()
        .set("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .set("width", WIDTH)
        .set("height", HEIGHT)
        .set("font-size", 13)
        .set("fill", TEXT)
        .add(scale.grid(predictions))
        .add(
            scale
                .line(predictions, |made| made.workers() as f64)
                .set("stroke", MUTED)
                .set("stroke-dasharray", "4 4"),
        )
        .add(scale.line(predictions, bound).set("stroke", BOUND).set("stroke-dasharray", "7 4"))
        .add(scale.line(predictions, Prediction::speed_up).set("stroke", PREDICTED).set("stroke-width", 2));
    let mut dots = Group::new().set("class", "predictions").set("fill", PREDICTED);
    for made in predictions {
        let told = format!(
            "{}: {}, {:.2} times as fast as one; at least {}",
            counted(made.workers() as u64, "worker"),
            Time(made.time().as_nanos() as f64),
            made.speed_up(),
            Time(made.bound().as_nanos() as f64),
        );
        let dot = Circle::new().set("cx", scale.x(made.workers() as f64)).set("cy", scale.y(made.speed_up()));
        dots = dots.add(dot.set("r", 4.5).add(tip(&told)));
    }
    // Their ends may lie close together, so the names stand in a list of their own.
    let names = [("perfect", MUTED), ("at best", BOUND), ("predicted", PREDICTED)];
    let names = names.iter().zip(0..).fold(Group::new(), |names, (&(name, colour), row)| {
        names
            .add(label(RIGHT + 14.0, TOP + 14.0 + 20.0 * f64::from(row), name.to_owned()).set("fill", colour))
    });
    document.add(dots).add(names)
}

/// How many times as fast as on one worker it would be if nothing but its work and its longest path
/// took time.
fn ratio(scaling: &Scaling, made: &Prediction) -> f64 {
    let bound = made.bound().as_secs_f64();
    if bound > 0.0 { scaling.work().as_secs_f64() / bound } else { 1.0 }
}

struct Scale {
    /// Workers, and so many times as fast.
    most: f64,
}

impl Scale {
    fn x(&self, workers: f64) -> f64 {
        pixels(LEFT + self.share(workers) * (RIGHT - LEFT))
    }

    fn y(&self, speed_up: f64) -> f64 {
        pixels(BOTTOM - self.share(speed_up) * (BOTTOM - TOP))
    }

    /// What is less than once, or more often than there are workers, is drawn at the edge.
    fn share(&self, value: f64) -> f64 {
        (value.max(1.0).log2() / self.most.log2()).min(1.0)
    }

    fn grid(&self, predictions: &[Prediction]) -> Group {
        let mut grid = Group::new().set("stroke", GRID).set("fill", MUTED);
        let text = |x, y, content: String| label(x, y, content).set("stroke", "none");
        for workers in predictions.iter().map(Prediction::workers).filter(|workers| workers.is_power_of_two())
        {
            let (x, y) = (self.x(workers as f64), self.y(workers as f64));
            let number = Grouped(workers as u64).to_string();
            let down = Line::new().set("x1", x).set("x2", x).set("y1", TOP).set("y2", BOTTOM);
            let across = Line::new().set("x1", LEFT).set("x2", RIGHT).set("y1", y).set("y2", y);
            grid = grid
                .add(down)
                .add(across)
                .add(text(x, BOTTOM + 18.0, number.clone()).set("text-anchor", "middle"))
                .add(text(LEFT - 8.0, y + 4.5, number).set("text-anchor", "end"));
        }
        grid.add(text((LEFT + RIGHT) / 2.0, BOTTOM + 40.0, "workers".to_owned()).set("text-anchor", "middle"))
            .add(text(LEFT - 50.0, TOP - 14.0, "times as fast as one".to_owned()))
    }

    fn line(&self, predictions: &[Prediction], of: impl Fn(&Prediction) -> f64) -> Polyline {
        let points = predictions.iter().map(|made| {
            let (x, y) = (self.x(made.workers() as f64), self.y(of(made)));
            format!("{x},{y}")
        });
        Polyline::new().set("fill", "none").set("points", points.collect::<Vec<_>>().join(" "))
    }
}
