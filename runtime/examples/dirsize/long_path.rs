//! Directories that lie deeper than a path can say.

use std::fs::{self, ReadDir};
use std::io;
use std::path::Path;

/// As [`fs::read_dir`], however long the path is.
pub(crate) fn read_dir(path: &Path) -> io::Result<ReadDir> {
    match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => read_dir_stepwise(path, error),
        result => result,
    }
}

/// Linux takes paths of up to 4095 bytes, but also has a short path for each open file: opens a
/// directory on the way that it takes the path of, and goes on from that. This begins at the root
/// each time, so that no directory need stay open: a chain of 20 000 directories takes half a
/// minute, one of 1000 a tenth of a second.
#[cfg(target_os = "linux")]
fn read_dir_stepwise(path: &Path, _: io::Error) -> io::Result<ReadDir> {
    use std::os::fd::AsRawFd;

    const LONGEST: usize = 4000;
    let mut open = None;
    let mut reached = std::path::PathBuf::new();
    for component in path.components() {
        if reached.as_os_str().len() + component.as_os_str().len() > LONGEST {
            let dir = fs::File::open(&reached)?;
            reached = format!("/proc/self/fd/{}", dir.as_raw_fd()).into();
            open = Some(dir); // and closes the one that led here
        }
        reached.push(component);
    }
    let entries = fs::read_dir(reached);
    drop(open);
    entries
}

#[cfg(not(target_os = "linux"))]
fn read_dir_stepwise(_: &Path, error: io::Error) -> io::Result<ReadDir> {
    Err(error)
}
