//! The size of a directory with all below it, added up by whoever comes last.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A directory whose size is not known yet. Its own task holds it, and so do the subtrees in it:
/// when nobody does any more, all is counted. So there are only as many as are under way, whatever
/// the size of the whole tree.
pub(crate) struct Subtree {
    parent: Option<Arc<Subtree>>,
    pub(crate) path: PathBuf,
    bytes: AtomicU64,
}

/// A directory whose size is known.
pub(crate) struct Line {
    pub(crate) bytes: u64,
    pub(crate) path: PathBuf,
}

impl Subtree {
    /// `bytes` is what the directory itself has.
    pub(crate) fn new(path: PathBuf, bytes: u64, parent: Option<Arc<Subtree>>) -> Arc<Self> {
        Arc::new(Subtree { parent, path, bytes: AtomicU64::new(bytes) })
    }

    pub(crate) fn add(&self, bytes: u64) {
        // Relaxed: the last of the references, whose count is AcqRel, sees what was added through
        // any of them. Sparse files may claim more bytes than there are numbers; as in `du`, the
        // sum then stays at the largest.
        let _ = self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sum| Some(sum.saturating_add(bytes)));
    }

    /// Gives back a reference. If it was the last one, the size goes to `on_known`, which also
    /// hears whether this is the whole tree, and to the parent, whose size may thereby be known,
    /// too: a loop, since directories can be nested deeper than calls.
    pub(crate) fn release(self: Arc<Self>, mut on_known: impl FnMut(Line, bool)) {
        let mut held = Some(self);
        while let Some(Subtree { parent, path, bytes }) = held.and_then(Arc::into_inner) {
            let bytes = bytes.into_inner();
            if let Some(parent) = &parent {
                parent.add(bytes);
            }
            on_known(Line { bytes, path }, parent.is_none());
            held = parent;
        }
    }
}
