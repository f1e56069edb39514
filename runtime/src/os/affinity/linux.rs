//! Linux: each thread has a mask of the cores that it may run on. New threads and processes inherit
//! it.

use std::io;
use std::sync::{Mutex, MutexGuard};

type Word = libc::c_ulong;

const WORD_BITS: usize = Word::BITS as usize;

/// No kernel can be built for more.
const MOST_CORES: usize = 8192;

/// The kernel's name for the calling thread.
const THIS_THREAD: libc::pid_t = 0;

/// The cores of this process, as found at the first call. A later call may come from a pinned
/// thread.
static PROCESS: Mutex<Option<Mask>> = Mutex::new(None);

/// A set of cores: a `cpu_set_t` that is large enough for any kernel. It does not allocate, so a
/// worker can move at any point.
#[derive(Clone, Debug)]
struct Mask([Word; MOST_CORES / WORD_BITS]);

impl Mask {
    const NONE: Mask = Mask([0; MOST_CORES / WORD_BITS]);

    fn only(core: usize) -> io::Result<Mask> {
        if core >= MOST_CORES {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let mut mask = Mask::NONE;
        mask.0[core / WORD_BITS] = 1 << (core % WORD_BITS);
        Ok(mask)
    }

    /// Returns the mask of a thread.
    fn of(thread: libc::pid_t) -> io::Result<Mask> {
        let mut mask = Mask::NONE;
        let words = mask.0.as_mut_slice();
        // SAFETY: the kernel writes at most `size_of_val(words)` bytes at the pointer, all of them
        // inside `words`; any bits are a `c_ulong`.
        let status =
            unsafe { libc::sched_getaffinity(thread, size_of_val(words), words.as_mut_ptr().cast()) };
        if status == 0 { Ok(mask) } else { Err(io::Error::last_os_error()) }
    }

    /// Sets the mask of the calling thread, and moves the thread if needed. The kernel ignores
    /// cores that the process does not have.
    fn apply(&self) -> io::Result<()> {
        let words = self.0.as_slice();
        // SAFETY: the kernel reads exactly `size_of_val(words)` bytes at the pointer, which are
        // those of `words`; it writes nothing.
        let status =
            unsafe { libc::sched_setaffinity(THIS_THREAD, size_of_val(words), words.as_ptr().cast()) };
        if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn contains(&self, core: usize) -> bool {
        self.0.get(core / WORD_BITS).is_some_and(|word| word >> (core % WORD_BITS) & 1 == 1)
    }

    fn cores(&self) -> impl Iterator<Item = usize> {
        // Word by word, because most of the bits are 0.
        let not_empty = self.0.iter().enumerate().filter(|(_, bits)| **bits != 0);
        not_empty
            .flat_map(|(index, _)| index * WORD_BITS..(index + 1) * WORD_BITS)
            .filter(|&core| self.contains(core))
    }

    fn contains_all_of(&self, other: &Mask) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, others)| others & !mine == 0)
    }
}

/// Returns the cores of the process: the mask of the calling thread or that of the main thread,
/// whichever is larger. (One of the two may be pinned.)
fn of_process() -> io::Result<Mask> {
    let mut process = lock();
    if let Some(mask) = &*process {
        return Ok(mask.clone());
    }
    let mine = Mask::of(THIS_THREAD)?;
    let main = main_thread().and_then(|main| Mask::of(main).ok());
    let more = main.filter(|main| main.cores().count() > mine.cores().count());
    Ok(process.insert(more.unwrap_or(mine)).clone())
}

fn lock() -> MutexGuard<'static, Option<Mask>> {
    // No user code runs under the lock, so the data is consistent even if it is poisoned.
    PROCESS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Returns the main thread. Its number is that of the process.
fn main_thread() -> Option<libc::pid_t> {
    // Miri expects thread numbers, which differ from process numbers there.
    // SAFETY: the call takes nothing and touches no memory.
    (!cfg!(miri)).then(|| unsafe { libc::getpid() })
}

/// Replaces the known cores of the process. `None` means that the next call finds them again.
fn look_again(mask: Option<Mask>) {
    *lock() = mask;
}

/// While this lives, the thread that created it may run on all cores of the process.
#[must_use]
pub(crate) struct Unpinned {
    /// The mask that the thread had before, if that was smaller.
    before: Option<Mask>,
}

impl Unpinned {
    pub(crate) fn new() -> Self {
        Unpinned { before: widen().ok().flatten() }
    }
}

impl Drop for Unpinned {
    fn drop(&mut self) {
        // This fails only if these cores were taken from the process meanwhile. Then the kernel has
        // already chosen others.
        let _ = self.before.as_ref().map(Mask::apply);
    }
}

/// Lets the calling thread run on all cores of the process. Returns its mask, if that was smaller.
fn widen() -> io::Result<Option<Mask>> {
    let (before, mut all) = (Mask::of(THIS_THREAD)?, of_process()?);
    if !all.contains_all_of(&before) {
        // The process has got more cores since.
        look_again(None);
        all = of_process()?;
    }
    if before.contains_all_of(&all) {
        return Ok(None);
    }
    if let Err(error) = all.apply() {
        // The process has lost all of these cores, or a sandbox forbids the call.
        look_again(None);
        return Err(error);
    }
    let left = Mask::of(THIS_THREAD)?;
    if !left.contains_all_of(&all) {
        // The process has lost some of these cores.
        look_again(Some(left));
    }
    Ok(Some(before))
}

/// Returns the cores that this process may run on, in ascending order, even if the calling thread
/// is pinned. Returns an empty list if they are unknown.
///
/// The cores are found once. If the kernel has taken some away since, or has given the calling
/// thread more, this call notices it.
/// calling thread, that is noticed here.
pub(crate) fn usable_cores() -> Vec<usize> {
    let _all = Unpinned::new();
    of_process().map_or_else(|_| Vec::new(), |mask| mask.cores().collect())
}

/// Pins the calling thread to `core`.
///
/// # Errors
/// Returns the error of the operating system: the core does not exist or is outside the process's
/// cpuset, or a sandbox forbids the call. The thread then keeps its cores. The error does not name
/// the core, because the caller knows it.
pub(crate) fn pin_current_thread(core: usize) -> io::Result<()> {
    Mask::only(core)?.apply()
}

/// Moves the calling thread to `core`, if it may run there. The thread may leave it again.
///
/// Takes about 5 µs if the thread is already there, and 50 µs otherwise.
///
/// # Errors
/// As [`pin_current_thread`], and if the thread is confined to other cores.
pub(crate) fn place_current_thread(core: usize) -> io::Result<()> {
    let before = Mask::of(THIS_THREAD)?;
    if !before.contains(core) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    Mask::only(core)?.apply()?;
    before.apply().or_else(|_| {
        // The process has just lost the thread's cores. The thread must not stay pinned.
        look_again(None);
        widen().map(drop)
    })
}

/// Returns the core that the calling thread runs on, if the system has a cheap way to tell. The
/// thread may move at any moment.
///
/// Takes a few nanoseconds: it reads a register in the vDSO, without a system call.
#[inline]
pub(crate) fn current_core() -> Option<usize> {
    if cfg!(miri) {
        return None;
    }
    // SAFETY: takes no argument and touches no memory of ours.
    let core = unsafe { libc::sched_getcpu() };
    usize::try_from(core).ok()
}
