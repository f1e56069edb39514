//! Settings that come from environment variables.

use std::env;

use super::build::MOST_THREADS;
use crate::sched::error::ThreadPoolBuildError;

/// The first that is set counts.
const NUM_THREADS: [&str; 2] = ["TASKEL_NUM_THREADS", "RAYON_NUM_THREADS"];

/// How many workers the environment asks for; 0 if it does not say.
///
/// # Errors
///
/// When the variable holds anything but such a number.
pub(super) fn num_threads() -> Result<usize, ThreadPoolBuildError> {
    let is_set = |name| Some((name, env::var_os(name).filter(|value| !value.is_empty())?));
    let Some((name, value)) = NUM_THREADS.into_iter().find_map(is_set) else { return Ok(0) };
    let number = value.to_str().and_then(|value| value.trim().parse().ok());
    number
        .filter(|&threads| threads <= MOST_THREADS)
        .ok_or_else(|| ThreadPoolBuildError::bad_variable(name, value, MOST_THREADS))
}
