//! C functions.
