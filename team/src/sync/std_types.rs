//! The types of a real program.

pub(crate) use std::sync::atomic::{Ordering, fence};

pub(crate) use super::fences::{Fences, heavy_fence, light_fence};

pub(crate) type AtomicU64 = std::sync::atomic::AtomicU64;
pub(crate) type AtomicBool = std::sync::atomic::AtomicBool;
