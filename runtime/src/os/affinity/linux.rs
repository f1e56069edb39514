//! Linux: each thread has a mask of the cores that it may run on, which what it starts inherits.

use std::io;
use std::sync::{Mutex, MutexGuard};

type Word = libc::c_ulong;

const WORD_BITS: usize = Word::BITS as usize;

/// No kernel can be built for more.
const MOST_CORES: usize = 8192;

/// What the kernel takes for the calling thread.
const THIS_THREAD: libc::pid_t = 0;

/// The cores of this process, as they were found when first asked for. What is asked later may be
/// asked by a thread that is pinned.
static PROCESS: Mutex<Option<Mask>> = Mutex::new(None);

/// A set of cores: a `cpu_set_t`, large enough for any kernel. It allocates nothing, so that a
/// worker may move in the middle of anything.
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

    /// The mask of a thread.
    fn of(thread: libc::pid_t) -> io::Result<Mask> {
        let mut mask = Mask::NONE;
        let words = mask.0.as_mut_slice();
        // SAFETY: the kernel writes at most `size_of_val(words)` bytes at the pointer, all of them
        // inside `words`; any bits are a `c_ulong`.
        let status =
            unsafe { libc::sched_getaffinity(thread, size_of_val(words), words.as_mut_ptr().cast()) };
        if status == 0 { Ok(mask) } else { Err(io::Error::last_os_error()) }
    }

    /// Makes it the mask of the calling thread, which is moved if need be. Cores that the process
    /// does not have are left out.
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
        // Word by word: of the bits, thousands are 0.
        let not_empty = self.0.iter().enumerate().filter(|(_, bits)| **bits != 0);
        not_empty
            .flat_map(|(index, _)| index * WORD_BITS..(index + 1) * WORD_BITS)
            .filter(|&core| self.contains(core))
    }

    fn contains_all_of(&self, other: &Mask) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, others)| others & !mine == 0)
    }
}

/// The cores of the process: what the first thread that asked was allowed, or the main thread, if
/// that was more. (One of the two may be pinned.)
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
    // No user code runs under it, so it is whole even if poisoned.
    PROCESS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Its number is that of the process.
fn main_thread() -> Option<libc::pid_t> {
    // Miri asks for threads, which have other numbers there.
    // SAFETY: the call takes nothing and touches no memory.
    (!cfg!(miri)).then(|| unsafe { libc::getpid() })
}

/// The cores of the process are not what they were.
fn look_again(mask: Option<Mask>) {
    *lock() = mask;
}

/// While it lives, the thread that made it may run on all cores of the process.
#[must_use]
pub(crate) struct Unpinned {
    /// What the thread had before, if that was less.
    before: Option<Mask>,
}

impl Unpinned {
    pub(crate) fn new() -> Self {
        Unpinned { before: widen().ok().flatten() }
    }
}

impl Drop for Unpinned {
    fn drop(&mut self) {
        // Refused only if these cores were taken from the process meanwhile: then the kernel knows
        // better.
        let _ = self.before.as_ref().map(Mask::apply);
    }
}

/// Lets the calling thread run on all cores of the process. Returns its mask, if that was smaller.
fn widen() -> io::Result<Option<Mask>> {
    let (before, mut all) = (Mask::of(THIS_THREAD)?, of_process()?);
    if !all.contains_all_of(&before) {
        // The process was given more since, or back what was taken from it.
        look_again(None);
        all = of_process()?;
    }
    if before.contains_all_of(&all) {
        return Ok(None);
    }
    if let Err(error) = all.apply() {
        // None of them is left to the process, or a sandbox forbids the call.
        look_again(None);
        return Err(error);
    }
    let left = Mask::of(THIS_THREAD)?;
    if !left.contains_all_of(&all) {
        // Some were taken from the process.
        look_again(Some(left));
    }
    Ok(Some(before))
}

/// The cores that this process may run on, ascending, whatever the calling thread is confined to;
/// empty when that cannot be found out.
///
/// They are found out once. Should the kernel have taken some away since, or given some to the
/// calling thread, that is noticed here.
pub(crate) fn usable_cores() -> Vec<usize> {
    let _all = Unpinned::new();
    of_process().map_or_else(|_| Vec::new(), |mask| mask.cores().collect())
}

/// Lets the calling thread run on `core` alone.
///
/// # Errors
/// The operating system's refusal: no such core, a core outside the process's cpuset, a sandbox
/// that forbids the call. The thread then runs wherever it could before. The error does not name
/// the core; the caller knows it.
pub(crate) fn pin_current_thread(core: usize) -> io::Result<()> {
    Mask::only(core)?.apply()
}

/// Moves the calling thread to `core`, if it may run there. It may leave again.
///
/// Some 5 µs if it is there already, 50 if not.
///
/// # Errors
/// As [`pin_current_thread`]'s, and where the thread is confined to other cores.
pub(crate) fn place_current_thread(core: usize) -> io::Result<()> {
    let before = Mask::of(THIS_THREAD)?;
    if !before.contains(core) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    Mask::only(core)?.apply()?;
    before.apply().or_else(|_| {
        // Its cores were taken from the process in this very moment. It must not stay pinned.
        look_again(None);
        widen().map(drop)
    })
}

/// The core that the calling thread is on right now, if the system tells cheaply; it may have moved
/// on since.
///
/// A read of a register in the vDSO: a few nanoseconds, no system call.
#[inline]
pub(crate) fn current_core() -> Option<usize> {
    if cfg!(miri) {
        return None;
    }
    // SAFETY: takes no argument and touches no memory of ours.
    let core = unsafe { libc::sched_getcpu() };
    usize::try_from(core).ok()
}
