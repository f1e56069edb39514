//! Bodies that attract each other, all pairs; the integrator of the Computer Language Benchmarks
//! Game, whose five bodies and energies are the test.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{By, Program};

pub(crate) mod by_rayon {
    use super::{Body, Vector};
    use rayon::prelude::*;
    include!("parallel.rs");
}

pub(crate) mod by_taskel {
    use super::{Body, Vector};
    use taskel::prelude::*;
    include!("parallel.rs");
}

/// Coordinates.
type Vector = [f64; 3];

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Body {
    position: Vector,
    velocity: Vector,
    mass: f64,
}

/// Added to each squared distance, so that a body exerts no infinite force on itself. A hundred
/// kilometres, if distances are astronomical units: it does not show in the energies below.
const SOFTENING: f64 = 4e-13;

impl Body {
    /// What all bodies together exert on this one, itself included: that is 0.
    #[inline(never)]
    fn acceleration(&self, bodies: &[Body]) -> Vector {
        let mut sum = [0.0; 3];
        for other in bodies {
            let apart: Vector = std::array::from_fn(|axis| other.position[axis] - self.position[axis]);
            let squared = square(&apart) + SOFTENING;
            let pull = other.mass / (squared * squared.sqrt());
            for (sum, apart) in sum.iter_mut().zip(apart) {
                *sum += pull * apart;
            }
        }
        sum
    }

    fn kick_and_drift(&mut self, acceleration: &Vector, dt: f64) {
        for (axis, acceleration) in acceleration.iter().enumerate() {
            self.velocity[axis] += dt * acceleration;
            self.position[axis] += dt * self.velocity[axis];
        }
    }

    /// This body's kinetic energy, and the potential energy of its pairs with `others`.
    #[inline(never)]
    fn energy(&self, others: &[Body]) -> f64 {
        let kinetic = 0.5 * self.mass * square(&self.velocity);
        let potential = |other: &Body| {
            let apart: Vector = std::array::from_fn(|axis| other.position[axis] - self.position[axis]);
            self.mass * other.mass / square(&apart).sqrt()
        };
        kinetic - others.iter().map(potential).sum::<f64>()
    }
}

fn square(vector: &Vector) -> f64 {
    vector.iter().map(|x| x * x).sum()
}

mod serial {
    use super::{Body, Vector};

    pub(super) fn advance(bodies: &mut [Body], dt: f64) {
        let accelerations: Vec<Vector> = bodies.iter().map(|body| body.acceleration(bodies)).collect();
        for (body, acceleration) in bodies.iter_mut().zip(&accelerations) {
            body.kick_and_drift(acceleration, dt);
        }
    }

    pub(super) fn energy(bodies: &[Body]) -> f64 {
        bodies.iter().enumerate().map(|(i, body)| body.energy(&bodies[i + 1..])).sum()
    }
}

type Advance = fn(&mut [Body], f64);
type Energy = fn(&[Body]) -> f64;

/// Bodies of a mass of 1 in all, at rest in a cube.
fn cloud(bodies: usize) -> Vec<Body> {
    let mut random = Pcg64Mcg::seed_from_u64(1);
    let mut body = || Body {
        position: std::array::from_fn(|_| random.random::<f64>()),
        velocity: [0.0; 3],
        mass: 1.0 / bodies as f64,
    };
    (0..bodies).map(|_| body()).collect()
}

const DT: f64 = 1e-4;

/// `steps` steps of that many bodies, and the energy after each.
pub(super) fn program(name: &'static str, bodies: usize, steps: usize) -> Program {
    let run = move |by, bodies: &mut Vec<Body>| -> Vec<f64> {
        let (advance, energy): (Advance, Energy) = match by {
            By::Serial => (serial::advance, serial::energy),
            By::Rayon => (by_rayon::advance, by_rayon::energy),
            By::Taskel => (by_taskel::advance, by_taskel::energy),
        };
        let step = |_| {
            advance(bodies, DT);
            energy(bodies)
        };
        (0..steps).map(step).collect()
    };
    let start = cloud(bodies);
    let mut expected = start.clone();
    let expected_energies = run(By::Serial, &mut expected);
    let check = move |bodies: &Vec<Body>, energies: &Vec<f64>| {
        assert!(*bodies == expected, "a body is elsewhere than the sequential program puts it");
        for (energy, expected) in energies.iter().zip(&expected_energies) {
            // The terms are added in another order.
            assert!((energy - expected).abs() < 1e-9 * expected.abs(), "{energy} instead of {expected}");
        }
    };
    Program::new(name, move || start.clone(), run, check)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sun and the giant planets; lengths in astronomical units, velocities per day, from the
    /// Benchmarks Game's n-body.
    #[expect(clippy::excessive_precision, reason = "as it was published")]
    fn solar_system() -> Vec<Body> {
        const SOLAR_MASS: f64 = 4.0 * std::f64::consts::PI * std::f64::consts::PI;
        const DAYS_PER_YEAR: f64 = 365.24;
        let body = |position: Vector, velocity: Vector, mass: f64| Body {
            position,
            velocity: velocity.map(|v| v * DAYS_PER_YEAR),
            mass: mass * SOLAR_MASS,
        };
        let mut bodies = vec![
            body([0.0; 3], [0.0; 3], 1.0),
            body(
                [4.841_431_442_464_720_9e0, -1.160_320_044_027_428_4e0, -1.036_220_444_711_231_1e-1],
                [1.660_076_642_744_036_9e-3, 7.699_011_184_197_404_3e-3, -6.904_600_169_720_630_2e-5],
                9.547_919_384_243_266e-4,
            ),
            body(
                [8.343_366_718_244_58e0, 4.124_798_564_124_304_8e0, -4.035_234_171_143_213_8e-1],
                [-2.767_425_107_268_624e-3, 4.998_528_012_349_172e-3, 2.304_172_975_737_639_3e-5],
                2.858_859_806_661_308e-4,
            ),
            body(
                [1.289_436_956_213_913_1e1, -1.511_115_140_169_863_1e1, -2.233_075_788_926_557_3e-1],
                [2.964_601_375_647_616e-3, 2.378_471_739_594_809_5e-3, -2.965_895_685_402_375_6e-5],
                4.366_244_043_351_563e-5,
            ),
            body(
                [1.537_969_711_485_091_7e1, -2.591_931_460_998_796_4e1, 1.792_587_729_503_712e-1],
                [2.680_677_724_903_893_2e-3, 1.628_241_700_382_423e-3, -9.515_922_545_197_158_7e-5],
                5.151_389_020_466_114_5e-5,
            ),
        ];
        for axis in 0..3 {
            let momentum: f64 = bodies.iter().map(|body| body.mass * body.velocity[axis]).sum();
            bodies[0].velocity[axis] = -momentum / SOLAR_MASS;
        }
        bodies
    }

    #[test]
    fn the_solar_system_has_the_published_energies() {
        for (advance, energy) in [
            (serial::advance as Advance, serial::energy as Energy),
            (by_rayon::advance, by_rayon::energy),
            (by_taskel::advance, by_taskel::energy),
        ] {
            let mut bodies = solar_system();
            assert_eq!(format!("{:.9}", energy(&bodies)), "-0.169075164");
            for _ in 0..1000 {
                advance(&mut bodies, 0.01);
            }
            assert_eq!(format!("{:.9}", energy(&bodies)), "-0.169087605");
        }
    }
}
