//! What surrounds a lock goes wrong: signals, filters of system calls, names that go away, files
//! that are cut off.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

#[path = "support/filter.rs"]
mod filter;
mod support;

use std::fs::{self, File, OpenOptions};
use std::mem;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::ptr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use shm_lock::{LockError, OpenError, ShmMutex, ShmRegion, Unsupported};
use support::{Child, End};

fn mutex() -> ShmMutex<u64> {
    ShmMutex::memfd("test", 0).unwrap()
}

/// Says that the thread has the lock, without its knowing.
fn set_owner(mutex: &ShmMutex<u64>, owner: libc::pid_t) {
    let file = File::from(mutex.as_fd().try_clone_to_owned().unwrap());
    file.write_all_at(&(owner as u32).to_ne_bytes(), 256).unwrap();
}

/// How many mappings and how many descriptors of this process are of a file whose path contains
/// `name`.
fn uses(name: &str) -> (usize, usize) {
    let mappings = fs::read_to_string("/proc/self/maps").unwrap();
    let mappings = mappings.lines().filter(|line| line.contains(name)).count();
    let files = fs::read_dir("/proc/self/fd").unwrap();
    let files = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    (mappings, files.filter(|file| file.to_string_lossy().contains(name)).count())
}

#[test]
fn a_file_that_is_opened_for_each_use_while_another_thread_has_the_lock_is_mapped_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("per-use");
    ShmMutex::create_new(&path, 0_u64).unwrap();
    let mutex = ShmMutex::<u64>::open(&path).unwrap();
    let (ready, is_ready) = mpsc::channel();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let mutex = &mutex;
        scope.spawn(move || {
            let _guard = mutex.lock().unwrap();
            ready.send(()).unwrap();
            let _ = is_done.recv();
        });
        is_ready.recv().unwrap();
        for _ in 0..300 {
            drop(ShmMutex::<u64>::open(&path).unwrap());
        }
        assert_eq!(uses("per-use"), (1, 1));
        drop(done);
    });
    let again = ShmMutex::<u64>::open(&path).unwrap();
    drop(mutex);
    *again.lock().unwrap() += 1;
    drop(again);
    assert_eq!(uses("per-use"), (0, 0));
}

#[test]
fn a_mapping_that_a_leaked_guard_keeps_goes_when_its_thread_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("leaked-for-a-while");
    ShmMutex::create_new(&path, 0_u64).unwrap();
    let (leaked, has_leaked) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let mutex = ShmMutex::<u64>::open(&path).unwrap();
    let owner = thread::spawn(move || {
        mem::forget(mutex.lock().unwrap());
        drop(mutex);
        leaked.send(()).unwrap();
        let _ = ends.recv();
    });
    has_leaked.recv().unwrap();
    for _ in 0..300 {
        drop(ShmMutex::<u64>::open(&path).unwrap());
    }
    assert_eq!(uses("leaked-for-a-while"), (1, 1));
    drop(end);
    owner.join().unwrap();
    let again = ShmMutex::<u64>::open(&path).unwrap();
    match again.lock() {
        Err(LockError::OwnerDied(guard)) => drop(guard.mark_consistent()),
        other => panic!("{other:?}"),
    }
    drop(again);
    assert_eq!(uses("leaked-for-a-while"), (0, 0));
}

extern "C" fn do_nothing(_: libc::c_int) {}

/// As a profiler does.
fn interrupt_every(interval: Duration) {
    // SAFETY: an action is numbers and a handler that is null.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = do_nothing as *const () as usize;
    // SAFETY: the handler does nothing.
    unsafe { libc::sigaction(libc::SIGALRM, &raw const action, ptr::null_mut()) };
    let every = libc::timeval { tv_sec: 0, tv_usec: interval.as_micros() as _ };
    let timer = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: `timer` is whole.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) };
}

#[test]
fn a_waiter_that_gets_signals_all_the_time_finds_out_that_the_owner_is_dead() {
    let mutex = mutex();
    let mut owner = Child::fork(|| {
        loop {
            thread::park();
        }
    });
    set_owner(&mutex, owner.pid);
    let mut waiter = Child::fork(|| {
        interrupt_every(Duration::from_millis(10));
        i32::from(!matches!(mutex.lock(), Err(LockError::OwnerDied(_))))
    });
    // By now the waiter looks less often than signals come.
    thread::sleep(Duration::from_millis(300));
    owner.kill_and_wait();
    let killed = Instant::now();
    assert_eq!(waiter.end(), End::Exit(0));
    assert!(killed.elapsed() < Duration::from_secs(2), "{:?}", killed.elapsed());
}

#[test]
fn one_who_cannot_wait_is_told_why() {
    let mutex = mutex();
    let _guard = mutex.lock().unwrap();
    let mut waiter = Child::fork(|| {
        if !filter::refuse(libc::SYS_futex) {
            return 0;
        }
        let told = Unsupported::SystemCall { call: "futex", errno: libc::EPERM };
        match mutex.lock() {
            Err(LockError::Unsupported(reason)) if reason == told => 0,
            _ => 1,
        }
    });
    assert_eq!(waiter.end(), End::Exit(0));
}

#[test]
fn a_leaked_guard_s_lock_stays_mapped_where_nobody_can_ask_for_threads() {
    let mut child = Child::fork(|| {
        if !filter::refuse(libc::SYS_tgkill) {
            return 0;
        }
        let leaked = ShmMutex::memfd("test-filtered", 0_u64).unwrap();
        mem::forget(leaked.lock().unwrap());
        drop(leaked);
        // The list leads through the leaked lock.
        drop(mutex().lock().unwrap());
        i32::from(uses("test-filtered").0 != 1)
    });
    assert_eq!(child.end(), End::Exit(0));
}

#[test]
fn a_list_that_may_not_be_asked_for_is_a_system_call_that_is_refused() {
    let mut child = Child::fork(|| {
        if !filter::refuse(libc::SYS_get_robust_list) {
            return 0;
        }
        let told = Unsupported::SystemCall { call: "get_robust_list", errno: libc::EPERM };
        let outcome = ShmMutex::memfd("test", 0_u64);
        i32::from(!matches!(outcome, Err(OpenError::Unsupported(reason)) if reason == told))
    });
    assert_eq!(child.end(), End::Exit(0));
}

#[test]
fn a_name_that_went_away_under_a_lock_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cleaned");
    let mutex = ShmMutex::open_or_create(&path, || 0_u64).unwrap();
    let held = mutex.lock().unwrap();
    assert!(mutex.is_linked());
    fs::remove_file(&path).unwrap();
    assert!(!mutex.is_linked());
    let other = ShmMutex::open_or_create(&path, || 0_u64).unwrap();
    assert!(other.is_linked() && !mutex.is_linked());
    drop(held);
    let nameless = ShmMutex::memfd("test", 0_u64).unwrap();
    assert!(!nameless.is_linked());
}

#[test]
fn a_region_that_was_cut_off_can_be_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut");
    let mut child = Child::fork(|| {
        let mutex = ShmMutex::create_new(&path, 0_u64).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
        drop(mutex);
        0
    });
    assert_eq!(child.end(), End::Exit(0));
}

#[test]
fn a_memory_file_that_can_be_cut_off_is_refused() {
    let mutex = mutex();
    let bytes = {
        let file = File::from(mutex.as_fd().try_clone_to_owned().unwrap());
        let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    };
    // SAFETY: the name ends in a zero byte.
    let fd = unsafe { libc::memfd_create(c"unsealed".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    assert!(fd >= 0);
    // SAFETY: it was just opened, so nobody else owns it.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.write_all_at(&bytes, 0).unwrap();
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    match ShmMutex::<u64>::from_fd(file.into()) {
        Err(OpenError::Untrusted { found, .. }) => assert_eq!(found, "one that can be made shorter"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_open_that_was_refused_uses_up_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("refused");
    ShmMutex::create_new(&path, 0_u64).unwrap();
    for _ in 0..100 {
        ShmMutex::<i64>::open(&path).unwrap_err();
        ShmMutex::create_new(&path, 1_u64).unwrap_err();
    }
    assert_eq!(uses("refused"), (0, 0));
}

#[test]
fn a_held_lock_that_was_overwritten_makes_its_owner_write_nowhere() {
    const PREVIOUS: u64 = 256 + 24;
    let mutex = mutex();
    let untouched = ShmRegion::memfd("untouched", [7_u64; 4]).unwrap();
    let mut owner = Child::fork(|| {
        let guard = mutex.lock().unwrap();
        let address = (&raw const untouched[2]).expose_provenance();
        let file = File::from(mutex.as_fd().try_clone_to_owned().unwrap());
        file.write_all_at(&address.to_ne_bytes(), PREVIOUS).unwrap();
        drop(guard);
        0
    });
    assert_eq!(owner.end(), End::Signal(libc::SIGABRT));
    assert!(untouched.iter().all(|&word| word == 7));
    assert!(matches!(mutex.lock(), Err(LockError::OwnerDied(_))), "others go on");
}
