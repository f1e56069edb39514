//! C functions for locks between processes that survive the death of their owner.
//!
//! `include/shm_lock.h` documents them. This package builds `libshm_lock_c.so` and
//! `libshm_lock_c.a`. Rust programs use the crate `shm-lock` itself.

#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod codes;
mod held;
mod message;

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::time::Duration;

use shm_lock::OpenError;
use shm_lock::untyped::{UntypedMutex, ValueType};

use codes::{INVALID, OK};
use message::fail;

/// An open lock.
#[derive(Debug)]
pub struct Lock(UntypedMutex);

/// Why a pointer may be used.
macro_rules! reference {
    ($lock:expr) => {
        // SAFETY: the caller promises that it is null or an open lock.
        match unsafe { $lock.as_ref() } {
            Some(lock) => lock,
            None => {
                return fail(INVALID, &"expected an open lock, found NULL; look at the result of opening it")
            }
        }
    };
}

/// What a name leads to, by a function for each of the two kinds.
fn by_name<T>(name: &CStr, bare: impl FnOnce(&str) -> T, path: impl FnOnce(&Path) -> T) -> Result<T, c_int> {
    if name.to_bytes().contains(&b'/') {
        return Ok(path(Path::new(OsStr::from_bytes(name.to_bytes()))));
    }
    let told = "expected a name in UTF-8, or a path, found other bytes; put ./ before it for a file in this directory";
    name.to_str().map(bare).map_err(|_| fail(INVALID, &told))
}

/// Opens a lock by a function that is given as its two kinds: of names and of paths.
macro_rules! open_by {
    ($(#[$meta:meta])* $function:ident, $method:ident) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// `lock` points to where a pointer may be written; `name` and `type` to text that ends
        /// with a zero, or they are null.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(
            lock: *mut *mut Lock,
            name: *const c_char,
            r#type: *const c_char,
            size: usize,
            align: usize,
        ) -> c_int {
            let open = |name: &CStr, value: ValueType<'_>| {
                by_name(name, |name| UntypedMutex::$method(name, value), |path| UntypedMutex::$method(path, value))
            };
            // SAFETY: as the caller promises.
            unsafe { open_with(lock, name, r#type, size, align, open) }
        }
    };
}

open_by! {
    /// Opens a lock that exists.
    shm_lock_open, open
}
open_by! {
    /// Makes a lock; fails if there is a file of that name.
    shm_lock_create_new, create_new
}
open_by! {
    /// Opens a lock, or makes it if there is none.
    shm_lock_open_or_create, open_or_create
}
open_by! {
    /// Opens a lock, or makes it if there is none, or one that nobody can use any more.
    shm_lock_open_or_replace_stale, open_or_replace_stale
}

/// # Safety
/// As the functions for C.
unsafe fn open_with(
    lock: *mut *mut Lock,
    name: *const c_char,
    text: *const c_char,
    size: usize,
    align: usize,
    open: impl FnOnce(&CStr, ValueType<'_>) -> Result<Result<UntypedMutex, OpenError>, c_int>,
) -> c_int {
    if lock.is_null() || name.is_null() || text.is_null() {
        return fail(
            INVALID,
            &"expected where to store a lock, its name and its type, found NULL; pass all three",
        );
    }
    // SAFETY: it may be written, as the caller promises.
    unsafe { lock.write(ptr::null_mut()) };
    // SAFETY: text that ends with a zero, as the caller promises.
    let name = unsafe { CStr::from_ptr(name) };
    // SAFETY: as above.
    let text = unsafe { CStr::from_ptr(text) };
    let Ok(text) = text.to_str() else {
        return fail(INVALID, &"expected a type in UTF-8, found other bytes; describe it as LAYOUT.md says");
    };
    let value = match ValueType::new(text, size, align) {
        Ok(value) => value,
        Err(error) => return fail(INVALID, &error),
    };
    match open(name, value) {
        Ok(Ok(mutex)) => {
            let opened = Box::into_raw(Box::new(Lock(mutex)));
            // SAFETY: as above.
            unsafe { lock.write(opened) };
            OK
        }
        Ok(Err(error)) => fail(codes::of_open(&error), &error),
        Err(code) => code,
    }
}

/// Closes a lock.
///
/// # Safety
/// `lock` is null, or open and used by no thread of this process any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_close(lock: *mut Lock) {
    if !lock.is_null() {
        // SAFETY: `open_with` has made it by `Box::into_raw`, and nobody uses it, as the caller
        // promises.
        drop(unsafe { Box::from_raw(lock) });
    }
}

/// Removes the name of a lock.
///
/// # Safety
/// `name` is null or points to text that ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_unlink(name: *const c_char) -> c_int {
    if name.is_null() {
        return fail(INVALID, &"expected the name of a lock, found NULL; pass one");
    }
    // SAFETY: as the caller promises.
    let name = unsafe { CStr::from_ptr(name) };
    let removed: Result<io::Result<()>, c_int> =
        by_name(name, |name| UntypedMutex::unlink(name), |path| UntypedMutex::unlink(path));
    match removed {
        Ok(Ok(())) => OK,
        Ok(Err(error)) => fail(codes::IO, &error),
        Err(code) => code,
    }
}

/// Whether the name still leads to the lock.
///
/// # Safety
/// `lock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_is_linked(lock: *const Lock) -> c_int {
    reference!(lock).0.is_linked().into()
}

/// Takes the lock, waiting for it as long as it takes.
///
/// # Safety
/// `lock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_lock(lock: *mut Lock) -> c_int {
    held::take(reference!(lock), |head| head.lock())
}

/// Takes the lock if it is free.
///
/// # Safety
/// `lock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_try_lock(lock: *mut Lock) -> c_int {
    held::take(reference!(lock), |head| head.try_lock())
}

/// Takes the lock, waiting for it no longer than `nanoseconds`.
///
/// # Safety
/// `lock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_timed_lock(lock: *mut Lock, nanoseconds: u64) -> c_int {
    held::take(reference!(lock), |head| head.lock_timeout(Duration::from_nanos(nanoseconds)))
}

/// Gives the lock back.
///
/// # Safety
/// `lock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_unlock(lock: *mut Lock) -> c_int {
    held::give_back(reference!(lock))
}

/// The value is whole, or has been repaired.
///
/// # Safety
/// `lock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_mark_consistent(lock: *mut Lock) -> c_int {
    held::mark_consistent(reference!(lock))
}

/// Gives the lock back with a value that cannot be repaired.
///
/// # Safety
/// `lock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_abandon(lock: *mut Lock) -> c_int {
    held::abandon(reference!(lock))
}

/// Where the value is.
///
/// # Safety
/// `lock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shm_lock_value(lock: *const Lock) -> *mut c_void {
    // SAFETY: as the caller promises.
    let lock = unsafe { lock.as_ref() };
    lock.and_then(|lock| lock.0.value()).map_or(ptr::null_mut(), |value| value.as_ptr().cast())
}

/// What there is to say about the last negative result in this thread.
#[unsafe(no_mangle)]
pub extern "C" fn shm_lock_message() -> *const c_char {
    message::last()
}
