//! System calls that are refused, as by a container's filter.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::io;

/// From now on `call` says EPERM in this process. False if such filters are not permitted here.
pub(crate) fn refuse(call: libc::c_long) -> bool {
    filter(call, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32)
}

/// From now on `call` kills this process. False if such filters are not permitted here.
pub(crate) fn forbid(call: libc::c_long) -> bool {
    filter(call, libc::SECCOMP_RET_KILL_PROCESS)
}

fn filter(call: libc::c_long, answer: u32) -> bool {
    const LOAD_NUMBER: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let operation = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let mut program = [
        operation(LOAD_NUMBER, 0, 0, 0),
        operation(JUMP_IF_EQUAL, call as u32, 0, 1),
        operation(RETURN, answer, 0, 0),
        operation(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the call takes numbers alone.
    let confined = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: `program` and what it points to are whole; the kernel copies them.
    let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if confined != 0 || set != 0 {
        eprintln!("NOT TESTED: no system call filter: {}", io::Error::last_os_error());
    }
    confined == 0 && set == 0
}
