//! A thread's number is not the thread: exec changes it, another thread may get it, another
//! namespace has its own.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::ffi::CString;
use std::fs::File;
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::ptr;
use std::thread;

use shm_lock::{LockError, ShmMutex, ShmMutexGuard};
use support::{Child, End, await_that};

fn mutex() -> ShmMutex<u64> {
    ShmMutex::memfd("test", 0).unwrap()
}

fn expect_owner_died<'a>(outcome: Result<ShmMutexGuard<'a, u64>, LockError<'a, u64>>) {
    match outcome {
        Err(LockError::OwnerDied(guard)) => drop(guard.mark_consistent()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_exec_by_another_thread_than_the_first_is_seen_by_one_who_only_tries() {
    let mutex = mutex();
    let program = CString::new("/bin/sleep").unwrap();
    let seconds = CString::new("60").unwrap();
    let arguments = [program.as_ptr(), seconds.as_ptr(), ptr::null()];
    let addresses = [program.as_ptr().expose_provenance(), arguments.as_ptr().expose_provenance()];
    let executes = Child::fork(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                mem::forget(mutex.lock().unwrap());
                let [program, arguments] = addresses.map(ptr::with_exposed_provenance::<*const libc::c_char>);
                // SAFETY: path and arguments end as they must; nothing of this process lives on.
                unsafe { libc::execv(program.cast(), arguments) };
            });
        });
        1
    });
    let mut told = false;
    await_that("the owner's death is told", || {
        if let Err(LockError::OwnerDied(guard)) = mutex.try_lock() {
            drop(guard.mark_consistent());
            told = true;
        }
        told
    });
    // SAFETY: signal 0 is sent to nobody; a child that was not waited for.
    assert_eq!(unsafe { libc::kill(executes.pid, 0) }, 0, "the new program lives");
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn an_owner_with_this_thread_s_number_that_does_not_hold_it_is_a_dead_one() {
    let mutex = mutex();
    drop(mutex.lock());
    let others = [crate::mutex(), crate::mutex()];
    let _others = others.each_ref().map(|other| other.lock().unwrap());
    let set_owner = || {
        let file = File::from(mutex.as_fd().try_clone_to_owned().unwrap());
        // SAFETY: the call has no preconditions.
        let tid = unsafe { libc::gettid() } as u32;
        file.write_all_at(&tid.to_ne_bytes(), 256).unwrap();
    };
    set_owner();
    expect_owner_died(mutex.lock());
    set_owner();
    expect_owner_died(mutex.try_lock());
    assert!(mutex.try_lock().is_ok(), "only one is told");
}

/// As `fork`, but the child gets the number `tid`, which nobody has; `None` where that is not
/// permitted.
fn fork_as(tid: libc::pid_t, body: impl FnOnce() -> i32) -> Option<Child> {
    let (mut head, mut size) = (0_usize, 0_usize);
    // SAFETY: both are writable.
    unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut size) };
    // SAFETY: numbers alone.
    let mut arguments: libc::clone_args = unsafe { mem::zeroed() };
    arguments.exit_signal = libc::SIGCHLD as u64;
    arguments.set_tid = (&raw const tid).expose_provenance() as u64;
    arguments.set_tid_size = 1;
    // SAFETY: as fork; the child uses nothing that another thread may have been changing.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size_of_val(&arguments)) }
        as libc::pid_t;
    if pid == 0 {
        // What the C library does in a child.
        // SAFETY: the list of the thread that the child's is a copy of, at the same address.
        unsafe { libc::syscall(libc::SYS_set_robust_list, head, size) };
        let code = body();
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(code) };
    }
    (pid == tid).then(|| Child::of(pid))
}

#[test]
fn a_living_owner_with_a_former_owner_s_number_keeps_the_lock() {
    let mutex = mutex();
    drop(mutex.lock());
    let word = File::from(mutex.as_fd().try_clone_to_owned().unwrap());
    let mut first = Child::fork(|| {
        let _guard = mutex.lock().unwrap();
        loop {
            thread::park();
        }
    });
    await_that("the child has the lock", || matches!(mutex.try_lock(), Err(LockError::WouldBlock)));
    let mut waiter = Child::fork(|| i32::from(mutex.lock().is_err()));
    // By now it looks every quarter of a second.
    thread::sleep(std::time::Duration::from_millis(600));
    // The first one gives the lock back, to another sleeper, which dies. All that is left of it is
    // the mark.
    word.write_all_at(&(1_u32 << 31).to_ne_bytes(), 256).unwrap();
    first.kill_and_wait();
    let second = fork_as(first.pid, || {
        let Ok(mut guard) = mutex.lock() else { return 1 };
        *guard = 7;
        thread::sleep(std::time::Duration::from_millis(600));
        i32::from(*guard != 7)
    });
    let Some(mut second) = second else {
        eprintln!("NOT TESTED: choosing a thread's number is not permitted here");
        return;
    };
    assert_eq!(second.end(), End::Exit(0));
    assert_eq!(waiter.end(), End::Exit(0), "nobody died with the lock in hand");
}

#[test]
fn a_child_in_another_pid_namespace_is_told_that_it_cannot() {
    const NOT_PERMITTED: i32 = 77;
    let mutex = mutex();
    drop(mutex.lock());
    let mut child = Child::fork(|| {
        // SAFETY: the call changes what later children are, and no memory.
        if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
            return NOT_PERMITTED;
        }
        let mut inner = Child::fork(|| {
            let told = matches!(
                mutex.try_lock(),
                Err(LockError::Unsupported(shm_lock::Unsupported::OtherPidNamespace { expected, found }))
                    if expected != found
            );
            i32::from(!told)
        });
        // The middle one is still where its parent is.
        let outside = mutex.lock().is_ok();
        i32::from(!outside || inner.end() != End::Exit(0))
    });
    match child.end() {
        End::Exit(NOT_PERMITTED) => eprintln!("NOT TESTED: a new PID namespace is not permitted here"),
        end => assert_eq!(end, End::Exit(0)),
    }
}
