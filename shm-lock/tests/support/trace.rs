//! A child that is stopped after each instruction.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use shm_lock::ShmRegion;

use crate::support::{Child, await_that, sleeps_in_futex};

/// A stopped child.
pub(crate) struct Traced(pub(crate) Child);

impl Traced {
    /// Runs `body` in a child that stops before it.
    ///
    /// # Panics
    /// Where a process may not trace its child: there the test cannot show what it is for.
    pub(crate) fn fork(body: impl FnOnce() -> i32) -> Traced {
        let child = Child::fork(|| {
            // SAFETY: asks to be traced by the parent; no memory is involved.
            let traced = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
            if traced != 0 {
                return 77;
            }
            // SAFETY: stops this process until the parent continues it.
            unsafe { libc::raise(libc::SIGSTOP) };
            body()
        });
        let status = wait(child.pid);
        assert!(
            libc::WIFSTOPPED(status) && libc::WSTOPSIG(status) == libc::SIGSTOP,
            "ptrace is not permitted here (status {status:#x}), so nothing can be killed at every instruction: \
             allow it (seccomp, CAP_SYS_PTRACE) to run this test"
        );
        Traced(child)
    }

    /// Runs one instruction. False if the child has ended.
    pub(crate) fn step(&mut self) -> bool {
        request(libc::PTRACE_SINGLESTEP, self.0.pid);
        libc::WIFSTOPPED(wait(self.0.pid))
    }

    /// Runs until the child stops itself.
    pub(crate) fn run_to_stop(&mut self) {
        request(libc::PTRACE_CONT, self.0.pid);
        let status = wait(self.0.pid);
        assert!(libc::WIFSTOPPED(status) && libc::WSTOPSIG(status) == libc::SIGSTOP, "status {status:#x}");
    }

    /// Runs until the child is about to sleep in a futex, and lets it; it stops as soon as it is
    /// woken.
    pub(crate) fn sleep_in_futex(&mut self) {
        loop {
            // To the entry of a system call.
            request(libc::PTRACE_SYSCALL, self.0.pid);
            assert!(libc::WIFSTOPPED(wait(self.0.pid)), "the child ended before it slept");
            let (call, operation) = call(self.0.pid);
            if call == libc::SYS_futex && operation & libc::FUTEX_CMD_MASK == libc::FUTEX_WAIT_BITSET {
                break;
            }
            // To its end.
            request(libc::PTRACE_SYSCALL, self.0.pid);
            assert!(libc::WIFSTOPPED(wait(self.0.pid)), "the child ended before it slept");
        }
        request(libc::PTRACE_SINGLESTEP, self.0.pid);
        await_that("the child sleeps", || sleeps_in_futex(self.0.pid));
    }

    /// Waits for the stop after the sleep.
    pub(crate) fn await_stop(&mut self) {
        assert!(libc::WIFSTOPPED(wait(self.0.pid)), "the child ended in its sleep");
    }
}

/// The number of the system call that the child is at, and its second argument.
fn call(pid: libc::pid_t) -> (i64, i32) {
    // SAFETY: registers are numbers.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    // SAFETY: `registers` is writable and as large as the kernel writes.
    let got = unsafe { libc::ptrace(libc::PTRACE_GETREGS, pid, 0, &raw mut registers) };
    assert_eq!(got, 0, "PTRACE_GETREGS: {}", io::Error::last_os_error());
    (registers.orig_rax as i64, registers.rsi as i32)
}

fn request(what: libc::c_uint, pid: libc::pid_t) {
    // SAFETY: continues a stopped child without a signal; no memory of this process is involved.
    let result = unsafe { libc::ptrace(what, pid, 0, 0) };
    assert_eq!(result, 0, "ptrace: {}", io::Error::last_os_error());
}

fn wait(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: `status` is writable.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!(waited, pid, "waitpid: {}", io::Error::last_os_error());
    status
}

/// Whether a child has come to the end of what is looked at.
pub(crate) type Done = ShmRegion<AtomicU32>;

/// For each number of instructions: `begin` makes a child that is stopped where `operation` begins,
/// and whatever is around it; the child does as many and is killed, between `look` and `end`.
/// Returns how many there are.
pub(crate) fn kill_after_every_instruction<S, L>(
    least: usize,
    mut begin: impl FnMut(&Done) -> (Traced, S),
    mut look: impl FnMut(&S, u32) -> L,
    mut end: impl FnMut(S, L),
) {
    for at in 0.. {
        let done = Done::memfd("done", AtomicU32::new(0)).unwrap();
        let (mut traced, scene) = begin(&done);
        let is_done = || done.load(Ordering::Acquire) == 1;
        // How many it takes may depend on the others.
        (0..at).any(|_| is_done() || !traced.step());
        let over = is_done();
        let seen = look(&scene, traced.0.pid as u32);
        traced.0.kill_and_wait();
        end(scene, seen);
        if over {
            println!("{at} instructions, 0 stranded");
            assert!(at >= least, "{at} instructions");
            return;
        }
    }
}

/// In a child: the operation begins after this.
pub(crate) fn stop() {
    // SAFETY: stops this process until the parent continues it.
    unsafe { libc::raise(libc::SIGSTOP) };
}

pub(crate) fn finish(done: &Done) -> i32 {
    done.store(1, Ordering::Release);
    0
}
