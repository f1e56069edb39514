//! OpenMP, as GCC's libgomp has it, with each of its schedules.

use crate::{
    peer::{FLOATS_PER_TASKEL, Peer, Timed, timed},
    work::work,
};
use std::ffi::c_int;

type Work = extern "C" fn(u32) -> u64;
type SumWork = unsafe extern "C" fn(*const u32, usize, c_int, Work) -> u64;
type SumFloats = unsafe extern "C" fn(*const f32, usize, usize, c_int) -> f32;

unsafe extern "C" {
    fn openmp_sum_work_static(weights: *const u32, len: usize, threads: c_int, work: Work) -> u64;
    fn openmp_sum_work_dynamic(weights: *const u32, len: usize, threads: c_int, work: Work) -> u64;
    fn openmp_sum_work_guided(weights: *const u32, len: usize, threads: c_int, work: Work) -> u64;
    fn openmp_sum_floats_static(floats: *const f32, len: usize, block: usize, threads: c_int) -> f32;
    fn openmp_sum_floats_dynamic(floats: *const f32, len: usize, block: usize, threads: c_int) -> f32;
    fn openmp_sum_floats_guided(floats: *const f32, len: usize, block: usize, threads: c_int) -> f32;
}

pub(crate) struct OpenMp {
    name: &'static str,
    threads: c_int,
    sum_work: SumWork,
    sum_floats: SumFloats,
}

impl OpenMp {
    /// One for each schedule.
    pub(crate) fn all(threads: usize) -> [OpenMp; 3] {
        let threads = c_int::try_from(threads).expect("fewer threads than a C int counts");
        let schedules: [(_, SumWork, SumFloats); 3] = [
            ("OpenMP static", openmp_sum_work_static, openmp_sum_floats_static),
            ("OpenMP dynamic", openmp_sum_work_dynamic, openmp_sum_floats_dynamic),
            ("OpenMP guided", openmp_sum_work_guided, openmp_sum_floats_guided),
        ];
        schedules.map(|(name, sum_work, sum_floats)| OpenMp { name, threads, sum_work, sum_floats })
    }
}

impl Peer for OpenMp {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        timed(weights, calls, |weights| {
            // SAFETY: it reads the slice, and calls `work` from threads that have ended their part
            // when it returns.
            unsafe { (self.sum_work)(weights.as_ptr(), weights.len(), self.threads, work) }
        })
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        timed(floats, calls, |floats| {
            // SAFETY: it reads the slice, in threads that have ended their part when it returns.
            unsafe { (self.sum_floats)(floats.as_ptr(), floats.len(), FLOATS_PER_TASKEL, self.threads) }
        })
    }
}
