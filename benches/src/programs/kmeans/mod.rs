//! Lloyd's k-means. Coordinates are whole numbers, whose sums are exact in any order, so that every
//! answer must be the same to the last bit.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{By, Program};

pub(crate) mod by_rayon {
    use super::{Point, Sums, nearest};
    use rayon::prelude::*;
    include!("parallel.rs");
}

pub(crate) mod by_taskel {
    use super::{Point, Sums, nearest};
    use taskel::prelude::*;
    include!("parallel.rs");
}

type Point = [f64; 4];

/// The points of each cluster, added up.
pub(crate) struct Sums(Vec<(Point, f64)>);

impl Sums {
    fn new(clusters: usize) -> Self {
        Sums(vec![([0.0; 4], 0.0); clusters])
    }

    fn add(&mut self, cluster: usize, point: &Point) {
        let (sum, count) = &mut self.0[cluster];
        sum.iter_mut().zip(point).for_each(|(sum, x)| *sum += x);
        *count += 1.0;
    }

    fn merged(mut self, other: Self) -> Self {
        for ((sum, count), (other_sum, other_count)) in self.0.iter_mut().zip(other.0) {
            sum.iter_mut().zip(other_sum).for_each(|(sum, x)| *sum += x);
            *count += other_count;
        }
        self
    }

    /// A centre without points stays where it is.
    fn means(&self, centres: &[Point]) -> Vec<Point> {
        let mean = |(&(sum, count), &centre): (&(Point, f64), &Point)| match count {
            0.0 => centre,
            _ => sum.map(|x| x / count),
        };
        self.0.iter().zip(centres).map(mean).collect()
    }
}

#[inline(never)]
fn nearest(point: &Point, centres: &[Point]) -> usize {
    let mut best = (f64::INFINITY, 0);
    for (index, centre) in centres.iter().enumerate() {
        let squared = point.iter().zip(centre).map(|(x, c)| (x - c) * (x - c)).sum::<f64>();
        if squared < best.0 {
            best = (squared, index);
        }
    }
    best.1
}

mod serial {
    use super::{Point, Sums, nearest};

    pub(super) fn round(points: &[Point], centres: &[Point]) -> Vec<Point> {
        let mut sums = Sums::new(centres.len());
        for point in points {
            sums.add(nearest(point, centres), point);
        }
        sums.means(centres)
    }
}

const CLUSTERS: usize = 32;

/// Where the clusters are: the corners of a cube of four dimensions, and of one twice as large
/// around it.
fn true_centre(cluster: usize) -> Point {
    let half = if cluster < 16 { 1000.0 } else { 4000.0 };
    std::array::from_fn(|axis| if cluster >> axis & 1 == 0 { -half } else { half })
}

/// A point of each cluster in turn, up to 400 from its centre along each axis. Points that mirror
/// each other in their centre follow each other, so that the mean of a cluster is its centre.
fn points(count: usize) -> Vec<Point> {
    let mut random = Pcg64Mcg::seed_from_u64(2);
    let mut points = Vec::with_capacity(count);
    for pair in 0..count / 2 {
        let centre = true_centre(pair % CLUSTERS);
        let apart: Point = std::array::from_fn(|_| f64::from(random.random_range(-400..=400)));
        points.push(std::array::from_fn(|axis| centre[axis] + apart[axis]));
        points.push(std::array::from_fn(|axis| centre[axis] - apart[axis]));
    }
    points
}

/// The first guess: somewhere in each cluster.
fn guess() -> Vec<Point> {
    (0..CLUSTERS).map(|cluster| true_centre(cluster).map(|x| x + 300.0)).collect()
}

const ROUNDS: usize = 5;

/// Five rounds on about that many points, an even number of pairs for each cluster.
pub(super) fn program(name: &'static str, count: usize) -> Program {
    let points = points(count / (2 * CLUSTERS) * (2 * CLUSTERS));
    let run = move |by, centres: &mut Vec<Point>| {
        let round = match by {
            By::Serial => serial::round,
            By::Rayon => by_rayon::round,
            By::Taskel => by_taskel::round,
        };
        for _ in 0..ROUNDS {
            *centres = round(&points, centres);
        }
    };
    let check = |centres: &Vec<Point>, _: &()| {
        for (cluster, centre) in centres.iter().enumerate() {
            assert_eq!(*centre, true_centre(cluster), "cluster {cluster}");
        }
    };
    Program::new(name, guess, run, check)
}
