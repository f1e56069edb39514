//! What there is to say about a failure.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};
use std::fmt::Display;

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Remembers what to say about `code`, which it returns.
pub(crate) fn fail(code: c_int, told: &dyn Display) -> c_int {
    // A path has no zeros; what a header says may.
    let text = told.to_string().replace('\0', " ");
    // In a thread that is ending, nothing is remembered.
    let _ = LAST.try_with(|last| last.replace(CString::new(text).unwrap_or_default()));
    code
}

/// The text, which lives until the next failure in this thread.
pub(crate) fn last() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}
