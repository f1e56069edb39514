//! Which files are there.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::Failure;
use crate::progress::Progress;

/// All regular files at and below `roots`, ordered by the bytes of their paths as `LC_ALL=C sort`
/// orders them, and what could not be looked at.
///
/// Paths begin as their root was given. A file that is below two roots is there twice. Other kinds
/// of files are left out where the walk meets them, but are failures where they are roots: whoever
/// names one expects to hear of it.
///
/// Only names are kept, about 100 bytes each, so that a million files are no burden.
pub(crate) fn regular_files(roots: &[PathBuf], progress: &Progress) -> (Vec<Box<Path>>, Vec<Failure>) {
    let (mut files, mut failures) = (Vec::new(), Vec::new());
    for root in roots {
        for entry in WalkDir::new(root).follow_root_links(false) {
            match entry.map_err(|error| failure(root, error)).and_then(regular_file) {
                Ok(Some(path)) => {
                    files.push(path.into_boxed_path());
                    progress.advance();
                }
                Ok(None) => {}
                Err(failure) => failures.push(failure),
            }
        }
    }
    // Path's own order compares component by component: it puts a/b before a-b.
    files.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    (files, failures)
}

fn regular_file(entry: DirEntry) -> Result<Option<PathBuf>, Failure> {
    let (kind, is_root) = (entry.file_type(), entry.depth() == 0);
    let odd_root = |what| Failure { path: entry.path().to_owned(), error: io::Error::other(what) };
    match () {
        () if kind.is_file() => Ok(Some(entry.into_path())),
        () if kind.is_dir() || !is_root => Ok(None),
        () if kind.is_symlink() => {
            Err(odd_root("a symbolic link; to follow it to a directory, append a slash"))
        }
        () => Err(odd_root("neither a directory nor a regular file")),
    }
}

fn failure(root: &Path, error: walkdir::Error) -> Failure {
    let path = error.path().unwrap_or(root).to_owned();
    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("a cycle of directories"));
    Failure { path, error }
}
