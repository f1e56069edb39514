//! glibc's robust mutexes and ours on one thread's list.
#![cfg(all(not(loom), target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]

mod support;

use std::cell::UnsafeCell;
use std::mem;
use std::ptr;

use shm_lock::{LockError, RegionMutex, ShmMutexGuard, ShmRegion};
use support::{Child, End, Random};

const OURS: usize = 12;
const GLIBC: usize = 12;
const WITH_INHERITANCE: usize = 4;
const ROUNDS: u64 = 200;
const OPERATIONS: usize = 400;

/// Robust mutexes of glibc, in memory that children share.
struct Pthreads(*mut [UnsafeCell<libc::pthread_mutex_t>; GLIBC]);

impl Pthreads {
    fn new() -> Self {
        let (size, writable) =
            (mem::size_of::<[libc::pthread_mutex_t; GLIBC]>(), libc::PROT_READ | libc::PROT_WRITE);
        // SAFETY: a new anonymous mapping.
        let memory = unsafe {
            libc::mmap(ptr::null_mut(), size, writable, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0)
        };
        assert_ne!(memory, libc::MAP_FAILED);
        let mutexes = Pthreads(memory.cast());
        for i in 0..GLIBC {
            let mut attributes = mem::MaybeUninit::uninit();
            let attributes = attributes.as_mut_ptr();
            // SAFETY: the attributes are writable.
            unsafe { libc::pthread_mutexattr_init(attributes) };
            // SAFETY: they were initialised above.
            unsafe { libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) };
            // SAFETY: as above.
            unsafe { libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST) };
            if i < WITH_INHERITANCE {
                // SAFETY: as above.
                unsafe { libc::pthread_mutexattr_setprotocol(attributes, libc::PTHREAD_PRIO_INHERIT) };
            }
            // SAFETY: the mapping holds that many mutexes, and nobody uses them yet.
            assert_eq!(unsafe { libc::pthread_mutex_init(mutexes.at(i), attributes) }, 0);
        }
        mutexes
    }

    fn at(&self, i: usize) -> *mut libc::pthread_mutex_t {
        self.0.cast::<libc::pthread_mutex_t>().wrapping_add(i)
    }

    fn lock(&self, i: usize) -> i32 {
        // SAFETY: initialised by `new`, and never unmapped.
        unsafe { libc::pthread_mutex_lock(self.at(i)) }
    }

    fn unlock(&self, i: usize) {
        // SAFETY: as above; this thread has it.
        assert_eq!(unsafe { libc::pthread_mutex_unlock(self.at(i)) }, 0);
    }
}

/// How many locks the calling thread's list holds, which must lead back as it leads forward.
fn length_of_list() -> usize {
    let (mut head, mut size) = (ptr::null_mut::<usize>(), 0_usize);
    // SAFETY: `head` and `size` are writable.
    unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut size) };
    let mut length = 0;
    let mut at = head;
    loop {
        // SAFETY: the head, or a node that the list leads to, begins with the link to the next.
        let next = ptr::with_exposed_provenance_mut::<usize>(unsafe { *at } & !1);
        let before = next.wrapping_sub(1);
        // SAFETY: each node, and the head, has the pointer to the one before in the word before.
        let back = unsafe { *before };
        assert_eq!(back, at.expose_provenance(), "the list leads back to where it came from");
        if next == head {
            return length;
        }
        length += 1;
        at = next;
    }
}

/// Takes and gives back at random; returns which are held.
fn mix(ours: &[RegionMutex<u64>; OURS], theirs: &Pthreads, random: &mut Random) -> u64 {
    let mut guards: [Option<ShmMutexGuard<'_, u64>>; OURS] = [const { None }; OURS];
    let mut held = 0_u64;
    for _ in 0..OPERATIONS {
        let i = random.below((OURS + GLIBC) as u64) as usize;
        let take = held & 1 << i == 0;
        match (i.checked_sub(OURS), take) {
            (None, true) => guards[i] = Some(ours[i].lock().unwrap()),
            (None, false) => guards[i] = None,
            (Some(i), true) => assert_eq!(theirs.lock(i), 0),
            (Some(i), false) => theirs.unlock(i),
        }
        held ^= 1 << i;
        assert_eq!(length_of_list(), held.count_ones() as usize);
    }
    mem::forget(guards);
    held
}

#[test]
fn both_kinds_mixed_on_one_list_are_all_reported() {
    let theirs = Pthreads::new();
    let mut reported = 0;
    for round in 1..=ROUNDS {
        let ours = ShmRegion::memfd("ours", [0; OURS].map(RegionMutex::new)).unwrap();
        let told = ShmRegion::memfd("told", std::sync::atomic::AtomicU64::new(0)).unwrap();
        let mut child = Child::fork(|| {
            let held = mix(&ours, &theirs, &mut Random(round));
            told.store(held, std::sync::atomic::Ordering::Release);
            // SAFETY: ends this process as a crash would.
            unsafe { libc::raise(libc::SIGKILL) };
            0
        });
        assert_eq!(child.end(), End::Signal(libc::SIGKILL), "round {round}");
        let held = told.load(std::sync::atomic::Ordering::Acquire);
        for (i, lock) in ours.iter().enumerate() {
            match lock.lock() {
                Ok(_) => assert_eq!(held & 1 << i, 0, "round {round}: ours {i} was held"),
                Err(LockError::OwnerDied(guard)) => {
                    assert_ne!(held & 1 << i, 0, "round {round}: ours {i} was free");
                    drop(guard.mark_consistent());
                }
                Err(error) => panic!("{error}"),
            }
        }
        for i in 0..GLIBC {
            let died = theirs.lock(i) == libc::EOWNERDEAD;
            assert_eq!(died, held & 1 << (OURS + i) != 0, "round {round}: glibc's {i}");
            if died {
                // SAFETY: this thread has it, and was told that its owner died.
                assert_eq!(unsafe { libc::pthread_mutex_consistent(theirs.at(i)) }, 0);
            }
            theirs.unlock(i);
        }
        reported += held.count_ones();
    }
    assert!(u64::from(reported) > ROUNDS * 6, "{reported} deaths in {ROUNDS} rounds");
}
