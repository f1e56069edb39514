//! Creates the file of a region in such a way that no other process ever sees an incomplete one.
//!
//! The file has no name (`O_TMPFILE`) until its memory is reserved and its content is written. Then
//! it gets its name in one step, which fails if the name is taken. A process that dies before this
//! step leaves nothing behind. If the file system has no nameless files, the file gets a temporary
//! name, which a process that dies at the wrong moment leaves behind.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::open::{MODE, io_error};
use crate::error::OpenError;
use crate::sys;

/// A file that other processes cannot find yet.
#[derive(Debug)]
pub(super) struct Hidden {
    file: File,
    /// The temporary name, if the file system has no nameless files.
    name: Option<PathBuf>,
}

impl Hidden {
    /// Creates a file of `size` zero bytes that can become `path`.
    pub(super) fn new(path: &Path, size: usize) -> Result<Hidden, OpenError> {
        let hidden = Hidden::nameless(path)
            .unwrap_or_else(|| Hidden::named(path))
            .map_err(io_error(path, "create"))?;
        reserve(&hidden.file, size).map_err(io_error(path, "reserve memory for"))?;
        Ok(hidden)
    }

    /// Creates a file without a name. Returns `None` if the file system has no such files.
    fn nameless(path: &Path) -> Option<io::Result<Hidden>> {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .mode(MODE)
            .custom_flags(libc::O_TMPFILE)
            .open(directory_of(path));
        let unsupported = |error: &io::Error| {
            matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL))
        };
        match opened {
            Err(error) if unsupported(&error) => None,
            opened => Some(opened.map(|file| Hidden { file, name: None })),
        }
    }

    /// Creates a file with a name that no other process or thread uses at the same time.
    fn named(path: &Path) -> io::Result<Hidden> {
        let name = unused_name(path);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(&name)?;
        Ok(Hidden { file, name: Some(name) })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name. Fails with `AlreadyExists` if the name is taken.
    pub(super) fn publish(&self, path: &Path) -> io::Result<()> {
        match &self.name {
            Some(name) => fs::hard_link(name, path),
            None => sys::link(&self.file, &CString::new(path.as_os_str().as_bytes())?),
        }
    }

    /// Gives the file the name of another file, in one step. A process that dies just before this
    /// leaves a temporary name behind.
    pub(super) fn publish_over(&self, path: &Path) -> io::Result<()> {
        let name = unused_name(path);
        self.publish(&name)?;
        fs::rename(&name, path).inspect_err(|_| {
            let _ = fs::remove_file(&name);
        })
    }
}

/// Returns a name beside `path` that no other process or thread uses at the same time.
fn unused_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{:x}.tmp", sys::thread_id(), sys::since_boot_ns()));
    directory_of(path).join(name)
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // A leftover name is harmless, and a destructor cannot report errors.
            let _ = fs::remove_file(name);
        }
    }
}

/// Creates a file in memory.
pub(super) fn memory_file(name: &str, size: usize) -> Result<File, OpenError> {
    let region = Path::new(name);
    let name = CString::new(name).map_err(|error| io_error(region, "create")(error.into()))?;
    let file = sys::memory_file(&name).map_err(io_error(region, "create"))?;
    reserve(&file, size).map_err(io_error(region, "reserve memory for"))?;
    sys::seal_size(&file).map_err(io_error(region, "seal"))?;
    Ok(file)
}

/// Sets the size of the file, and reserves its memory, so that later writes cannot fail for lack of
/// memory.
fn reserve(file: &File, size: usize) -> io::Result<()> {
    // The process's umask may have removed permissions, and a memory file has too many.
    file.set_permissions(Permissions::from_mode(MODE))?;
    match sys::allocate(file, size as u64) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => file.write_all_at(&vec![0; size], 0),
        result => result,
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no such files")]
    fn both_kinds_appear_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        for nameless in [true, false] {
            let path = directory.path().join(format!("{nameless}"));
            let hidden = if nameless {
                Hidden::nameless(&path).expect("a file system with O_TMPFILE")
            } else {
                Hidden::named(&path)
            };
            let hidden = hidden.unwrap();
            reserve(&hidden.file, 300).unwrap();
            assert!(!path.exists());
            hidden.publish(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len(), 300);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
            assert_eq!(hidden.publish(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
