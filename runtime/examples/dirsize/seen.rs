//! What has been counted already.

use std::collections::HashSet;
use std::fs::Metadata;
use std::sync::{Mutex, PoisonError};

/// Files that could be met a second time, by device and inode.
///
/// That is what `du` remembers: with one root, files that have several names; with more,
/// everything, since one root may lie in another. Which of several directories a file with several
/// names is counted in depends on who comes first.
pub(crate) struct Seen {
    everything: bool,
    /// Many small sets, so that workers seldom wait for each other in a tree that is all hard
    /// links.
    shards: [Mutex<HashSet<(u64, u64)>>; 64],
}

impl Seen {
    pub(crate) fn new(roots: usize) -> Self {
        Seen { everything: roots > 1, shards: std::array::from_fn(|_| Mutex::default()) }
    }

    /// Whether this is the first time that a file, which may be a directory, is met: else it is not
    /// counted.
    pub(crate) fn is_new(&self, metadata: &Metadata) -> bool {
        let Some((id, has_several_names)) = identity(metadata) else { return true };
        if !self.everything && !has_several_names {
            return true;
        }
        let shard = &self.shards[id.1 as usize % self.shards.len()];
        shard.lock().unwrap_or_else(PoisonError::into_inner).insert(id)
    }
}

/// Device and inode, and whether a file has several names. Those of a directory (`.` and the `..`
/// below it) are no further places in the tree.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<((u64, u64), bool)> {
    use std::os::unix::fs::MetadataExt;
    Some(((metadata.dev(), metadata.ino()), !metadata.is_dir() && metadata.nlink() > 1))
}

/// Where the standard library cannot tell files apart, every name counts.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<((u64, u64), bool)> {
    None
}
