//! Opens the file of a region, and checks it before any of it is used.

use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{A_DIRECTORY, OpenError};
use crate::header::{self, Header};
use crate::pid_namespace;
use crate::sys;

/// Only the owner may read or write.
pub(super) const MODE: u32 = 0o600;

/// An error of the operating system.
pub(super) fn io_error(region: &Path, operation: &'static str) -> impl FnOnce(io::Error) -> OpenError {
    move |source| OpenError::Io { region: region.into(), operation, source }
}

/// Returns the path for a name. A bare name is a file of this user in `/dev/shm`.
pub(super) fn path_of(name: &Path) -> Result<PathBuf, OpenError> {
    let bytes = name.as_os_str().as_bytes();
    if bytes.is_empty() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the name is empty");
        return Err(io_error(name, "open")(source));
    }
    if bytes.contains(&b'/') {
        return Ok(name.to_owned());
    }
    let mut file = OsString::from(format!("/dev/shm/shm-lock-{}-", sys::user_id()));
    file.push(name);
    Ok(PathBuf::from(file))
}

/// The error if a region could not be given the name `path`.
pub(super) fn not_created(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    move |error| {
        let is_taken = error.kind() == io::ErrorKind::AlreadyExists;
        match fs::symlink_metadata(path) {
            Ok(there) if is_taken && there.is_dir() => untrusted(path, "a regular file", A_DIRECTORY),
            _ => io_error(path, "create")(error),
        }
    }
}

/// Opens a region's file, which must then be [examined](examine).
pub(super) fn open(path: &Path) -> Result<File, OpenError> {
    // The open of a FIFO must not wait for its other end.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let opened = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => untrusted(path, "a regular file", "a symbolic link"),
        Some(libc::EISDIR) => untrusted(path, "a regular file", A_DIRECTORY),
        Some(libc::ENXIO) => untrusted(path, "a regular file", "a socket or a device"),
        _ => io_error(path, "open")(error),
    })
}

/// Returns whether `path` still leads to `file`.
pub(super) fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    let here = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (here.dev(), here.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns what `/proc` shows for a file without a path.
pub(super) fn shown_path(file: &File) -> PathBuf {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    let Ok(shown) = fs::read_link(&link) else { return link.into() };
    let shown = shown.to_string_lossy();
    shown.strip_suffix(" (deleted)").unwrap_or(&shown).into()
}

/// Refuses a memory file whose size is not sealed: whoever can shorten it could kill every process
/// that has mapped it.
pub(super) fn check_seals(file: &File, path: &Path) -> Result<(), OpenError> {
    let is_memory = path.as_os_str().as_bytes().starts_with(b"/memfd:");
    if is_memory && !sys::size_is_sealed(file).map_err(io_error(path, "examine"))? {
        return Err(untrusted(path, "a memory file with sealed size", "one that can be made shorter"));
    }
    Ok(())
}

/// Checks that the file holds what `expected` describes, and was created by this user, in this
/// namespace, since the last boot. Returns the region's random number.
pub(super) fn examine(file: &File, path: &Path, expected: &Header) -> Result<u64, OpenError> {
    let (bytes, size) = read_header(file, path, expected)?;
    expected.check(&bytes, size, path)
}

/// Returns the header of the file as it is, and its size. Only this user can change the file.
pub(super) fn read_header(
    file: &File,
    path: &Path,
    expected: &Header,
) -> Result<([u8; header::LENGTH], u64), OpenError> {
    let metadata = file.metadata().map_err(io_error(path, "examine"))?;
    check_trust(&metadata, path)?;
    if metadata.len() < header::LENGTH as u64 {
        return Err(header::too_short(expected.region_size(), metadata.len(), path));
    }
    let mut bytes = [0; header::LENGTH];
    file.read_exact_at(&mut bytes, 0).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => header::too_short(expected.region_size(), 0, path),
        _ => io_error(path, "read")(error),
    })?;
    Ok((bytes, metadata.len()))
}

/// The file contains links of lists: whoever can write it can make this process write anywhere.
fn check_trust(metadata: &Metadata, path: &Path) -> Result<(), OpenError> {
    if !metadata.is_file() {
        return Err(untrusted(path, "a regular file", kind(metadata.file_type())));
    }
    let user = sys::user_id();
    if metadata.uid() != user {
        return Err(untrusted(
            path,
            &format!("a file of user {user}"),
            &format!("one of user {}", metadata.uid()),
        ));
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(untrusted(path, &format!("mode {MODE:o}"), &format!("mode {mode:o}")));
    }
    Ok(())
}

fn kind(file: FileType) -> &'static str {
    match file {
        file if file.is_dir() => A_DIRECTORY,
        file if file.is_fifo() => "a FIFO",
        file if file.is_socket() => "a socket",
        _ => "a device",
    }
}

fn untrusted(path: &Path, expected: &str, found: &str) -> OpenError {
    OpenError::Untrusted { region: path.into(), expected: expected.to_owned(), found: found.to_owned() }
}

/// Returns the boot id, in the order of its digits.
pub(super) fn boot_id() -> Result<[u8; 16], OpenError> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    let text = fs::read_to_string(path).map_err(io_error(path, "read"))?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    match u128::from_str_radix(&digits, 16) {
        Ok(id) => Ok(id.to_be_bytes()),
        Err(error) => Err(io_error(path, "read")(io::Error::new(io::ErrorKind::InvalidData, error))),
    }
}

/// Returns the number of this process's PID namespace.
pub(super) fn pid_namespace() -> Result<u64, OpenError> {
    pid_namespace::of_new_region().map_err(io_error(Path::new("/proc/self/ns/pid"), "examine"))
}
