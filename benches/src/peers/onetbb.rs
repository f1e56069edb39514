//! oneTBB, with its default partitioner. All calls are made inside one arena.

use crate::{
    peer::{FLOATS_PER_TASKEL, Peer, Timed, timed},
    work::work,
};
use std::ffi::{c_int, c_void};

unsafe extern "C" {
    fn onetbb_arena(threads: c_int) -> *mut c_void;
    fn onetbb_arena_free(arena: *mut c_void);
    fn onetbb_execute(arena: *mut c_void, body: extern "C" fn(*mut c_void), context: *mut c_void);
    fn onetbb_sum_work(weights: *const u32, len: usize, work: extern "C" fn(u32) -> u64) -> u64;
    fn onetbb_sum_floats(floats: *const f32, len: usize, block: usize) -> f32;
}

pub(crate) struct OneTbb {
    arena: *mut c_void,
}

impl OneTbb {
    pub(crate) fn new(threads: usize) -> Self {
        let threads = c_int::try_from(threads).expect("fewer threads than a C int counts");
        // SAFETY: it only allocates.
        Self { arena: unsafe { onetbb_arena(threads) } }
    }

    /// Calls `body` inside the arena.
    pub(crate) fn execute<R>(&mut self, body: impl FnOnce() -> R) -> R {
        struct Call<F, R> {
            body: Option<F>,
            result: Option<R>,
        }
        extern "C" fn enter<F: FnOnce() -> R, R>(call: *mut c_void) {
            // SAFETY: `execute` has passed its own `call`, which it does not touch before this
            // returns.
            let call = unsafe { &mut *call.cast::<Call<F, R>>() };
            call.result = call.body.take().map(|body| body());
        }
        /// The instance of `enter` for the types of these two.
        fn entry<F: FnOnce() -> R, R>(_: &Call<F, R>) -> extern "C" fn(*mut c_void) {
            enter::<F, R>
        }
        let mut call = Call { body: Some(body), result: None };
        let enter = entry(&call);
        // SAFETY: the arena lives as long as `self`; it calls `enter` once, with `call`, before it
        // returns. It may do so on another thread only while this one waits, and nothing here
        // belongs to a thread.
        unsafe { onetbb_execute(self.arena, enter, (&raw mut call).cast()) };
        call.result.expect("the arena has called it")
    }
}

impl Drop for OneTbb {
    fn drop(&mut self) {
        // SAFETY: it was made by `new`, and nothing runs in it.
        unsafe { onetbb_arena_free(self.arena) };
    }
}

impl Peer for OneTbb {
    fn name(&self) -> &'static str {
        "oneTBB"
    }

    fn sum_work(&mut self, weights: &[u32], calls: u32) -> Timed<u64> {
        self.execute(|| {
            timed(weights, calls, |weights| {
                // SAFETY: it reads the slice, and calls `work` from threads that have ended their
                // part when it returns.
                unsafe { onetbb_sum_work(weights.as_ptr(), weights.len(), work) }
            })
        })
    }

    fn sum_floats(&mut self, floats: &[f32], calls: u32) -> Timed<f32> {
        self.execute(|| {
            timed(floats, calls, |floats| {
                // SAFETY: it reads the slice, in threads that have ended their part when it
                // returns.
                unsafe { onetbb_sum_floats(floats.as_ptr(), floats.len(), FLOATS_PER_TASKEL) }
            })
        })
    }
}
