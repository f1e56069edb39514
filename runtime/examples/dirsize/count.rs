//! The parallel part: a task per directory.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use taskel::{Scope, ThreadPool};

use crate::long_path::read_dir;
use crate::seen::Seen;
use crate::subtree::{Line, Subtree};

/// What is to be said about a root, in any order.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) lines: Vec<Line>,
    pub(crate) failures: Vec<Failure>,
}

/// Something that could not be looked at, and so is not counted.
pub(crate) struct Failure {
    pub(crate) path: PathBuf,
    pub(crate) doing: &'static str,
    pub(crate) error: io::Error,
}

struct Count<'s> {
    seen: &'s Seen,
    per_dir: bool,
    report: Mutex<Report>,
}

/// Counts `root` and all below it, except for what has been `seen` already. There is no line for a
/// root that has been.
pub(crate) fn count(pool: &ThreadPool, root: &Path, seen: &Seen, per_dir: bool) -> Report {
    let count = Count { seen, per_dir, report: Mutex::default() };
    match fs::symlink_metadata(root) {
        Err(error) => count.fail(root.to_owned(), "access", error),
        Ok(metadata) if seen.is_new(&metadata) => {
            let tree = Subtree::new(root.to_owned(), metadata.len(), None);
            if metadata.is_dir() {
                pool.scope(|scope| count.visit(scope, tree));
            } else {
                count.finish(tree);
            }
        }
        Ok(_) => {}
    }
    count.report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl<'s> Count<'s> {
    /// The task of a directory: adds up what is in it and spawns a task for each directory among
    /// that.
    ///
    /// A worker that has nothing left takes the oldest task of another, which is one of those
    /// closest to the root and likely to lead to many more. Only running tasks have their directory
    /// open, so that there are never more open than threads.
    fn visit(&'s self, scope: &Scope<'s>, dir: Arc<Subtree>) {
        let mut bytes = 0_u64;
        match read_dir(&dir.path) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => bytes = bytes.saturating_add(self.visit_entry(scope, &dir, &entry)),
                        Err(error) => self.fail(dir.path.clone(), "read directory", error),
                    }
                }
            }
            Err(error) => self.fail(dir.path.clone(), "read directory", error),
        }
        dir.add(bytes); // once, since other workers may be adding to it, too
        self.finish(dir);
    }

    /// The bytes of a file. Those of a directory come from its own task.
    fn visit_entry(&'s self, scope: &Scope<'s>, dir: &Arc<Subtree>, entry: &DirEntry) -> u64 {
        // Not `entry.path()`, which is a detour where the path is a long one.
        let path = || dir.path.join(entry.file_name());
        match entry.metadata() {
            Ok(metadata) if !self.seen.is_new(&metadata) => 0,
            Ok(metadata) if metadata.is_dir() => {
                let below = Subtree::new(path(), metadata.len(), Some(Arc::clone(dir)));
                scope.spawn(move |scope| self.visit(scope, below));
                0
            }
            Ok(metadata) => metadata.len(),
            Err(error) => {
                self.fail(path(), "access", error);
                0
            }
        }
    }

    fn finish(&self, dir: Arc<Subtree>) {
        dir.release(|line, is_root| {
            if is_root || self.per_dir {
                self.report(|report| report.lines.push(line));
            }
        });
    }

    fn fail(&self, path: PathBuf, doing: &'static str, error: io::Error) {
        self.report(|report| report.failures.push(Failure { path, doing, error }));
    }

    fn report(&self, add: impl FnOnce(&mut Report)) {
        add(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
