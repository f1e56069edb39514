//! Where a region is: in a mapped file, in a model, or nowhere.

#[cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]
mod create;
#[cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]
mod mapped;
#[cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]
mod mappings;
#[cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]
mod open;
#[cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]
mod replace;
#[cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]
pub(crate) use mapped::Place;
#[cfg(all(feature = "untyped", not(loom), target_os = "linux", target_pointer_width = "64"))]
mod untyped;

#[cfg(all(not(loom), not(all(target_os = "linux", target_pointer_width = "64"))))]
mod nowhere;
#[cfg(all(not(loom), not(all(target_os = "linux", target_pointer_width = "64"))))]
pub(crate) use nowhere::Place;

#[cfg(loom)]
mod model;
#[cfg(loom)]
pub(crate) use model::Place;
