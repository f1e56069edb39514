//! Errors in the input of a simulation.

use core::fmt;

/// The largest number of workers in a simulation.
pub(crate) const MAX_WORKERS: usize = 4096;

/// Input that cannot be simulated. Its `Display` says what was expected and what was found.
///
/// ```
/// use taskel_adaptive::simulate::{Policy, Simulation};
///
/// let error = Simulation::new(Policy::Static, 0).run(&[1.0]).unwrap_err();
/// assert_eq!(error.to_string(), "expected 1 to 4096 workers, found 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimulateError(pub(crate) Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Workers(usize),
    SpeedCount { workers: usize, speeds: usize },
    Speed { worker: usize, speed: f64 },
    Cost { name: &'static str, ns: f64 },
    Time { taskel: usize, ns: f64 },
    EmptyNodes,
    Policy { name: &'static str },
    Endless,
}

impl fmt::Display for SimulateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Workers(found) => write!(f, "expected 1 to {MAX_WORKERS} workers, found {found}"),
            Kind::SpeedCount { workers, speeds } => {
                write!(f, "expected one speed for each of {workers} workers, found {speeds} speeds")
            }
            Kind::Speed { worker, speed } => {
                write!(f, "expected finite speeds above 0, found {speed} for worker {worker}")
            }
            Kind::Cost { name, ns } => {
                write!(f, "expected finite costs of at least 0 ns, found {ns} ns for the cost of a {name}")
            }
            Kind::Time { taskel, ns } => {
                write!(f, "expected finite times of at least 0 ns, found {ns} ns for taskel {taskel}")
            }
            Kind::EmptyNodes => write!(f, "expected at least 1 worker in each node, found 0"),
            Kind::Policy { name } => write!(f, "expected at least 1 in Policy::{name}, found 0"),
            Kind::Endless => {
                write!(f, "expected a schedule of finite length, found one beyond {} ns", f64::MAX)
            }
        }
    }
}

impl core::error::Error for SimulateError {}
