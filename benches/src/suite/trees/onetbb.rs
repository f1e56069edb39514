//! The same trees in C++, with oneTBB's `task_group`.

use super::Load;

/// oneTBB's threads.
pub(super) struct Arena {
    #[cfg(onetbb)]
    arena: *mut std::ffi::c_void,
}

#[cfg(onetbb)]
unsafe extern "C" {
    fn onetbb_arena(threads: std::ffi::c_int) -> *mut std::ffi::c_void;
    fn onetbb_arena_free(arena: *mut std::ffi::c_void);
    fn onetbb_fib(arena: *mut std::ffi::c_void, n: u32) -> u64;
    fn onetbb_skynet(arena: *mut std::ffi::c_void, leaves: u64) -> u64;
    fn onetbb_queens(arena: *mut std::ffi::c_void, size: usize) -> u64;
    fn onetbb_product(
        arena: *mut std::ffi::c_void,
        c: *mut f32,
        a: *const f32,
        b: *const f32,
        entries: usize,
    );
}

#[cfg(onetbb)]
impl Arena {
    pub(super) fn new(threads: usize) -> Option<Self> {
        let threads = threads.try_into().expect("fewer threads than a C int counts");
        // SAFETY: it only allocates.
        Some(Arena { arena: unsafe { onetbb_arena(threads) } })
    }

    pub(super) fn run(&self, load: &Load) -> u64 {
        match load {
            // SAFETY: the arena lives as long as `self`; the function takes a number.
            Load::Fib(n) => unsafe { onetbb_fib(self.arena, *n) },
            // SAFETY: as above.
            Load::Skynet(leaves) => unsafe { onetbb_skynet(self.arena, *leaves) },
            // SAFETY: as above; no board of a load has more than 16 rows.
            Load::Queens(size) => unsafe { onetbb_queens(self.arena, *size) },
            Load::Product([a, b]) => {
                let (a, b) = (a.entries(), b.entries());
                let mut c = vec![0.0_f32; a.len()];
                // SAFETY: all three have as many entries, in the order in which the function reads
                // and writes them; its threads have ended their part when it returns.
                unsafe { onetbb_product(self.arena, c.as_mut_ptr(), a.as_ptr(), b.as_ptr(), a.len()) };
                c.iter().map(|&entry| entry as u64).sum()
            }
        }
    }
}

#[cfg(onetbb)]
impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: it was made by `new`, and nothing runs in it.
        unsafe { onetbb_arena_free(self.arena) };
    }
}

#[cfg(not(onetbb))]
impl Arena {
    pub(super) fn new(_: usize) -> Option<Self> {
        None
    }

    pub(super) fn run(&self, _: &Load) -> u64 {
        unreachable!("there is no such arena")
    }
}
