//! The same trees in C++, with oneTBB's `task_group`.

use super::Load;
use crate::peers::onetbb::OneTbb;

unsafe extern "C" {
    fn onetbb_fib(n: u32) -> u64;
    fn onetbb_skynet(leaves: u64) -> u64;
    fn onetbb_queens(size: usize) -> u64;
    fn onetbb_product(c: *mut f32, a: *const f32, b: *const f32, entries: usize);
}

pub(super) fn run(arena: &mut OneTbb, load: &Load) -> u64 {
    arena.execute(|| match load {
        // SAFETY: the function takes a number.
        Load::Fib(n) => unsafe { onetbb_fib(*n) },
        // SAFETY: as above.
        Load::Skynet(leaves) => unsafe { onetbb_skynet(*leaves) },
        // SAFETY: as above; no board of a load has more than 16 rows.
        Load::Queens(size) => unsafe { onetbb_queens(*size) },
        Load::Product([a, b]) => {
            let (a, b) = (a.entries(), b.entries());
            let mut c = vec![0.0_f32; a.len()];
            // SAFETY: all three have as many entries, in the order in which the function reads and
            // writes them; its threads have ended their part when it returns.
            unsafe { onetbb_product(c.as_mut_ptr(), a.as_ptr(), b.as_ptr(), a.len()) };
            c.iter().map(|&entry| entry as u64).sum()
        }
    })
}
