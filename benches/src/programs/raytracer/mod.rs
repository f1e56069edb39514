//! A ray tracer after Whitted (1980): balls that mirror each other over a chequered floor, with the
//! sun and its shadows. The rows at the top, sky, are cheap, and those in the middle are not.

use std::array;

use super::{By, Program};

pub(crate) mod by_rayon {
    use super::{Colour, Scene};
    use rayon::prelude::*;
    include!("parallel.rs");
}

pub(crate) mod by_taskel {
    use super::{Colour, Scene};
    use taskel::prelude::*;
    include!("parallel.rs");
}

type Vector = [f64; 3];

/// Red, green and blue, 0 to 1 each.
type Colour = [f32; 3];

fn plus(a: Vector, factor: f64, b: Vector) -> Vector {
    array::from_fn(|axis| a[axis] + factor * b[axis])
}

fn dot(a: Vector, b: Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn unit(a: Vector) -> Vector {
    let length = dot(a, a).sqrt();
    a.map(|x| x / length)
}

#[derive(Clone, Copy)]
struct Ray {
    from: Vector,
    /// Of length 1.
    towards: Vector,
}

struct Ball {
    centre: Vector,
    radius: f64,
    colour: Colour,
}

impl Ball {
    /// How far along the ray it is met first, from outside.
    fn meets(&self, ray: Ray) -> Option<f64> {
        let to_centre = plus(self.centre, -1.0, ray.from);
        let along = dot(to_centre, ray.towards);
        let squared = self.radius * self.radius - (dot(to_centre, to_centre) - along * along);
        if squared < 0.0 {
            return None;
        }
        let distance = along - squared.sqrt();
        (distance > 1e-6).then_some(distance)
    }
}

/// Where a ray ends.
struct Hit {
    at: Vector,
    /// Of length 1.
    normal: Vector,
    colour: Colour,
    /// How much of the light is mirrored.
    mirrored: f32,
}

pub(crate) struct Scene {
    balls: Vec<Ball>,
    /// Of length 1.
    to_sun: Vector,
}

/// A ray is mirrored so often at most.
const BOUNCES: u32 = 4;

impl Scene {
    /// A spiral of balls on a floor at height 0.
    fn new(balls: usize) -> Self {
        let ball = |i: usize| {
            let (angle, radius) = (i as f64 * 2.4, 0.25 + 0.15 * (i % 4) as f64);
            let out = 0.7 * (i as f64).sqrt();
            let colour = array::from_fn(|channel| 0.4 + 0.3 * ((i >> channel) % 3) as f32);
            Ball { centre: [out * angle.cos(), radius, 6.0 + out * angle.sin()], radius, colour }
        };
        Scene { balls: (0..balls).map(ball).collect(), to_sun: unit([-1.0, 2.0, -1.5]) }
    }

    #[inline(never)]
    fn colour_at(&self, x: usize, y: usize, width: usize, height: usize) -> Colour {
        let [right, up] = [x as f64 - width as f64 / 2.0, height as f64 / 2.0 - y as f64]
            .map(|pixels| pixels / height as f64);
        self.colour_along(Ray { from: [0.0, 1.5, 0.0], towards: unit([right, up - 0.2, 1.0]) }, BOUNCES)
    }

    fn colour_along(&self, ray: Ray, bounces: u32) -> Colour {
        let Some(hit) = self.nearest(ray) else { return sky(ray.towards) };
        let to_sun = Ray { from: hit.at, towards: self.to_sun };
        let in_shadow = self.balls.iter().any(|ball| ball.meets(to_sun).is_some());
        let sunlight = if in_shadow { 0.0 } else { dot(hit.normal, self.to_sun).max(0.0) as f32 };
        let own = hit.colour.map(|channel| channel * (0.2 + 0.8 * sunlight));
        if bounces == 0 {
            return own;
        }
        let mirrored = plus(ray.towards, -2.0 * dot(ray.towards, hit.normal), hit.normal);
        let seen = self.colour_along(Ray { from: hit.at, towards: mirrored }, bounces - 1);
        array::from_fn(|channel| (1.0 - hit.mirrored) * own[channel] + hit.mirrored * seen[channel])
    }

    fn nearest(&self, ray: Ray) -> Option<Hit> {
        let met = self.balls.iter().filter_map(|ball| Some((ball.meets(ray)?, ball)));
        let ball = met.min_by(|(a, _), (b, _)| a.total_cmp(b));
        let to_floor = -ray.from[1] / ray.towards[1];
        match ball {
            Some((distance, ball)) if to_floor < 1e-6 || distance < to_floor => {
                let at = plus(ray.from, distance, ray.towards);
                let normal = unit(plus(at, -1.0, ball.centre));
                Some(Hit { at, normal, colour: ball.colour, mirrored: 0.4 })
            }
            _ if to_floor > 1e-6 => {
                let at = plus(ray.from, to_floor, ray.towards);
                let is_dark = (at[0].floor() + at[2].floor()).rem_euclid(2.0) == 0.0;
                let colour = if is_dark { [0.1; 3] } else { [0.9; 3] };
                Some(Hit { at, normal: [0.0, 1.0, 0.0], colour, mirrored: 0.1 })
            }
            _ => None,
        }
    }
}

fn sky(towards: Vector) -> Colour {
    let height = towards[1].max(0.0) as f32;
    [0.9 - 0.6 * height, 0.9 - 0.4 * height, 1.0]
}

mod serial {
    use super::{Colour, Scene};

    pub(super) fn render(scene: &Scene, width: usize, height: usize) -> Vec<Colour> {
        let pixel = |i| scene.colour_at(i % width, i / width, width, height);
        (0..width * height).map(pixel).collect()
    }
}

/// A picture of that size, of a hundred balls.
pub(super) fn program(name: &'static str, width: usize, height: usize) -> Program {
    let expected = serial::render(&Scene::new(100), width, height);
    let run = move |by, scene: &mut Scene| match by {
        By::Serial => serial::render(scene, width, height),
        By::Rayon => by_rayon::render(scene, width, height),
        By::Taskel => by_taskel::render(scene, width, height),
    };
    let check = move |_: &Scene, picture: &Vec<Colour>| assert!(*picture == expected, "a pixel differs");
    Program::new(name, || Scene::new(100), run, check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rays_meet_what_is_there() {
        let scene = Scene {
            balls: vec![Ball { centre: [0.0, 1.0, 5.0], radius: 1.0, colour: [1.0; 3] }],
            to_sun: [0.0, 1.0, 0.0],
        };
        let at = |towards| scene.nearest(Ray { from: [0.0, 1.0, 0.0], towards: unit(towards) });
        let ball = at([0.0, 0.0, 1.0]).expect("straight ahead");
        assert_eq!((ball.at, ball.normal), ([0.0, 1.0, 4.0], [0.0, 0.0, -1.0]));
        let floor = at([0.0, -1.0, 0.0]).expect("below");
        assert_eq!((floor.at, floor.normal), ([0.0; 3], [0.0, 1.0, 0.0]));
        assert!(at([0.0, 1.0, 0.0]).is_none(), "above is the sky");
        // The ball shadows the floor below it, and not the floor elsewhere.
        let colour = |x: f64| {
            let towards = unit([x, -1.0, 5.0]);
            scene.colour_along(Ray { from: [0.0, 1.0, 0.0], towards }, 0)
        };
        assert_eq!(colour(0.0).map(|c| c < 0.3), [true; 3]);
        assert_eq!(colour(6.0).map(|c| c > 0.05), [true; 3]);
    }
}
