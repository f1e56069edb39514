//! Words of the first rank that all ranks add to. This uses MPI's one-sided operations, for which
//! rsmpi has only the C bindings.
//!
//! There is one operation: an addition to 64 bits that returns the old value. Networks do this
//! without the help of the rank that has the words. The window's keys promise that there is no other
//! operation.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr;

use mpi::ffi;
use mpi::raw::AsRaw;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

/// What is promised about the use of the words.
const KEYS: [(&CStr, &CStr); 5] = [
    (c"accumulate_ops", c"same_op"),
    (c"accumulate_ordering", c"none"),
    (c"same_disp_unit", c"true"),
    // Names of MPICH and Open MPI.
    (c"which_accumulate_ops", c"sum"),
    (c"acc_single_intrinsic", c"true"),
];
/// The distance between words in bytes. Each word has its own cache line.
const DISTANCE: usize = 64;

/// The words. The caller makes all calls of MPI one after the other, here and elsewhere.
pub(super) struct Window {
    window: ffi::MPI_Win,
    words: usize,
}

// SAFETY: a handle, which any thread may use, one after the other.
unsafe impl Send for Window {}
// SAFETY: as above.
unsafe impl Sync for Window {}

/// By default, MPI ends the job on an error. If the program has told it to return errors, this
/// function panics.
fn check(code: i32, call: &str) {
    assert_eq!(code, 0, "MPI failed in {call}");
}

impl Window {
    /// Creates words, all 0. All ranks must call it together.
    pub(super) fn new(world: &SimpleCommunicator, words: usize) -> Window {
        let mut info = MaybeUninit::uninit();
        // SAFETY: it writes a handle.
        check(unsafe { ffi::MPI_Info_create(info.as_mut_ptr()) }, "MPI_Info_create");
        // SAFETY: it was written above.
        let mut info: ffi::MPI_Info = unsafe { info.assume_init() };
        for (key, value) in KEYS {
            // SAFETY: a handle that was made above, and two strings with their ends.
            check(unsafe { ffi::MPI_Info_set(info, key.as_ptr(), value.as_ptr()) }, "MPI_Info_set");
        }
        let has = if world.rank() == 0 { words } else { 0 };
        let (mut memory, mut window) = (ptr::null_mut::<i64>(), MaybeUninit::uninit());
        // SAFETY: handles that live, and two places that it writes a pointer and a handle to.
        let code = unsafe {
            ffi::MPI_Win_allocate(
                (has * DISTANCE) as ffi::MPI_Aint,
                DISTANCE as i32,
                info,
                world.as_raw(),
                ptr::from_mut(&mut memory).cast(),
                window.as_mut_ptr(),
            )
        };
        check(code, "MPI_Win_allocate");
        // SAFETY: a handle that was made above, and that nobody uses any more.
        check(unsafe { ffi::MPI_Info_free(&mut info) }, "MPI_Info_free");
        // SAFETY: it was written above.
        let window = unsafe { window.assume_init() };
        if has > 0 {
            // SAFETY: so many bytes are this rank's, and nobody comes to them before the barrier.
            unsafe { ptr::write_bytes(memory.cast::<u8>(), 0, has * DISTANCE) };
        }
        world.barrier();
        // SAFETY: a handle that was made above.
        check(unsafe { ffi::MPI_Win_lock_all(0, window) }, "MPI_Win_lock_all");
        Window { window, words }
    }

    /// Adds to a word, and returns its old value.
    pub(super) fn add(&self, word: usize, value: i64) -> i64 {
        assert!(word < self.words, "a word outside the window");
        let mut before = 0_i64;
        // SAFETY: an operation that MPI has.
        let sum = unsafe { ffi::RSMPI_SUM };
        // SAFETY: a type that MPI has.
        let word_type = unsafe { ffi::RSMPI_INT64_T };
        // SAFETY: the window lives and is open to all ranks (`new`), the word lies in it, and both
        // places are of the type and stay until the flush below.
        let code = unsafe {
            ffi::MPI_Fetch_and_op(
                ptr::from_ref(&value).cast(),
                ptr::from_mut(&mut before).cast(),
                word_type,
                0,
                word as ffi::MPI_Aint,
                sum,
                self.window,
            )
        };
        check(code, "MPI_Fetch_and_op");
        // SAFETY: the window lives, and is open to all ranks.
        check(unsafe { ffi::MPI_Win_flush(0, self.window) }, "MPI_Win_flush");
        // SAFETY: written by MPI, before the flush was over.
        unsafe { ptr::from_ref(&before).read_volatile() }
    }
}

impl Drop for Window {
    /// All ranks must drop it together.
    fn drop(&mut self) {
        // SAFETY: opened in `new`, and nothing is under way: each addition is flushed.
        check(unsafe { ffi::MPI_Win_unlock_all(self.window) }, "MPI_Win_unlock_all");
        // SAFETY: made in `new`, and used by nobody any more.
        check(unsafe { ffi::MPI_Win_free(&mut self.window) }, "MPI_Win_free");
    }
}
