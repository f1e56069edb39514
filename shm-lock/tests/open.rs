//! Regions are made whole by whoever comes first, and nothing but such a region is opened.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::ffi::CString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use shm_lock::{LockError, OpenError, RegionMutex, ShmMutex, ShmRegion};
use support::{Child, End, unique};
use tempfile::TempDir;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A directory with a mutex called `lock` in it.
fn made() -> (TempDir, PathBuf) {
    let directory = directory();
    let path = directory.path().join("lock");
    ShmMutex::create_new(&path, 7_u64).unwrap();
    (directory, path)
}

fn refusal(path: &Path) -> OpenError {
    let error = ShmMutex::<u64>::open(path).unwrap_err();
    // Neither does the other way to open it put something in its place.
    let again = ShmMutex::<u64>::open_or_create(path, || 0).unwrap_err();
    assert_eq!(error.to_string(), again.to_string());
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    error
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

/// Stores the checksum that the header's other bytes ask for (FNV-1a, with its own eight bytes as
/// zeros).
fn seal(path: &Path) {
    let mut header = fs::read(path).unwrap()[..256].to_vec();
    header[24..32].fill(0);
    let sum = header.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    overwrite(path, 24, &sum.to_ne_bytes());
}

fn assert_damaged(path: &Path, expected_part: &str) {
    match refusal(path) {
        OpenError::Damaged { part, .. } => assert_eq!(part, expected_part),
        other => panic!("{other:?}"),
    }
}

fn assert_untrusted(path: &Path, expected: &str) {
    match refusal(path) {
        OpenError::Untrusted { found, .. } => assert_eq!(found, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_file_is_damaged() {
    let (_directory, path) = made();
    File::create(&path).unwrap();
    assert_damaged(&path, "size");
}

#[test]
fn a_truncated_file_is_damaged_wherever_it_ends() {
    for length in [1, 255, 256, 300] {
        let (_directory, path) = made();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
        assert_damaged(&path, "size");
    }
}

#[test]
fn a_file_that_is_too_long_is_damaged() {
    let (_directory, path) = made();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(4096).unwrap();
    assert_damaged(&path, "size");
}

#[test]
fn another_program_s_file_is_damaged() {
    let (_directory, path) = made();
    overwrite(&path, 0, b"\x7fELF\x02\x01\x01\x00");
    assert_damaged(&path, "magic number");
}

#[test]
fn a_corrupt_header_is_damaged() {
    let (_directory, path) = made();
    overwrite(&path, 60, &[1]);
    assert_damaged(&path, "header checksum");
}

#[test]
fn a_32_bit_program_s_file_is_a_mismatch() {
    let (_directory, path) = made();
    overwrite(&path, 16, &32_u32.to_ne_bytes());
    seal(&path);
    assert!(matches!(refusal(&path), OpenError::Mismatch { part: "pointer width", .. }));
}

#[test]
fn a_file_of_an_earlier_boot_is_stale() {
    let (_directory, path) = made();
    overwrite(&path, 32, &[0; 16]);
    seal(&path);
    assert!(matches!(refusal(&path), OpenError::Stale { .. }));
}

#[test]
fn another_pid_namespace_is_refused() {
    let (_directory, path) = made();
    overwrite(&path, 48, &7_u64.to_ne_bytes());
    seal(&path);
    assert!(matches!(refusal(&path), OpenError::OtherPidNamespace { found: 7, .. }));
}

#[test]
fn another_user_s_file_is_untrusted() {
    let (_directory, path) = made();
    let c_path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the path ends in a zero byte.
    let changed = unsafe { libc::chown(c_path.as_ptr(), 12_345, u32::MAX) };
    // SAFETY: the call has no preconditions.
    let root = unsafe { libc::geteuid() } == 0;
    assert_eq!(changed == 0, root, "only root gives files away: {}", io::Error::last_os_error());
    if root {
        assert_untrusted(&path, "one of user 12345");
    } else {
        eprintln!("NOT TESTED: giving a file to another user needs root; /etc/hostname stands in for one");
        let error = ShmMutex::<u64>::open("/etc/hostname").unwrap_err();
        assert!(matches!(error, OpenError::Io { .. } | OpenError::Untrusted { .. }), "{error}");
    }
}

#[test]
fn a_file_that_others_may_open_is_untrusted() {
    let (_directory, path) = made();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert_untrusted(&path, "mode 640");
}

#[test]
fn a_symbolic_link_is_untrusted() {
    let (directory, path) = made();
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    assert_untrusted(&link, "a symbolic link");
    let dangling = directory.path().join("dangling");
    symlink(directory.path().join("nothing"), &dangling).unwrap();
    assert_untrusted(&dangling, "a symbolic link");
}

#[test]
fn directories_fifos_sockets_and_devices_are_untrusted() {
    let directory = directory();
    assert_untrusted(directory.path(), "a directory");
    let fifo = directory.path().join("fifo");
    let c_path = CString::new(fifo.to_str().unwrap()).unwrap();
    // SAFETY: the path ends in a zero byte.
    assert_eq!(unsafe { libc::mkfifo(c_path.as_ptr(), 0o600) }, 0);
    assert_untrusted(&fifo, "a FIFO");
    let socket = directory.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    assert_untrusted(&socket, "a socket or a device");
    assert_untrusted(Path::new("/dev/null"), "a device");
}

#[test]
fn names_that_lead_nowhere_say_so() {
    let directory = directory();
    let missing = directory.path().join("missing");
    let error = ShmMutex::<u64>::open(&missing).unwrap_err();
    assert!(error.to_string().ends_with("create it first, or open it with open_or_create"), "{error}");
    let nowhere = missing.join("lock");
    for error in [
        ShmMutex::create_new(&nowhere, 0_u64).unwrap_err(),
        ShmMutex::open_or_create(&nowhere, || 0_u64).unwrap_err(),
    ] {
        assert!(error.to_string().ends_with("create its directory first"), "{error}");
    }
    for name in ["", "a\0b", "./a\0b"] {
        let error = ShmMutex::open_or_create(name, || 0_u64).unwrap_err();
        assert!(
            matches!(&error, OpenError::Io { source, .. } if source.kind() == io::ErrorKind::InvalidInput),
            "{error}"
        );
    }
}

#[test]
fn a_bare_name_is_this_user_s_file_in_dev_shm() {
    let name = unique("bare");
    let mutex = ShmMutex::create_new(&name, 7_u64).unwrap();
    // SAFETY: the call has no preconditions.
    let path = format!("/dev/shm/shm-lock-{}-{name}", unsafe { libc::geteuid() });
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    *ShmMutex::<u64>::open(&path).unwrap().lock().unwrap() += 1;
    assert_eq!(*mutex.lock().unwrap(), 8);
    ShmMutex::<u64>::unlink(&name).unwrap();
    assert_eq!(ShmMutex::<u64>::unlink(&name).unwrap_err().kind(), io::ErrorKind::NotFound);
    *mutex.lock().unwrap() += 1;
}

#[test]
fn a_path_without_a_slash_is_a_path() {
    let name = unique("path");
    let mut child = Child::fork(|| {
        let directory = directory();
        std::env::set_current_dir(directory.path()).unwrap();
        let mutex = ShmMutex::create_new(Path::new(&name), 7_u64).unwrap();
        let is_here = directory.path().join(&name).exists();
        std::env::set_current_dir("/").unwrap();
        i32::from(!is_here || !mutex.is_linked() || ShmMutex::<u64>::open(&name).is_ok())
    });
    assert_eq!(child.end(), End::Exit(0));
}

#[test]
fn what_exists_is_not_made_anew() {
    let (_directory, path) = made();
    let error = ShmMutex::create_new(&path, 9_u64).unwrap_err();
    assert!(error.to_string().ends_with("open it instead, or choose another name"), "{error}");
    let mutex = ShmMutex::<u64>::open_or_create(&path, || panic!("it exists")).unwrap();
    assert_eq!(*mutex.lock().unwrap(), 7_u64);
}

#[test]
fn a_directory_is_no_lock_and_stays() {
    let directory = directory();
    let path = directory.path().join("kept");
    std::fs::create_dir(&path).unwrap();
    let refusals = [
        ShmMutex::create_new(&path, 7_u64),
        ShmMutex::open(&path),
        ShmMutex::open_or_create(&path, || 7),
        ShmMutex::open_or_replace_stale(&path, || 7),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err().to_string();
        assert!(error.ends_with("found a directory; give the path of a file in it"), "{error}");
        assert!(!error.contains("remove"), "{error}");
    }
    assert!(path.is_dir());
}

#[test]
fn an_empty_name_is_called_one() {
    let refusals = [ShmMutex::create_new("", 7_u64), ShmMutex::open(""), ShmMutex::open(Path::new(""))];
    for refusal in refusals {
        let error = refusal.unwrap_err().to_string();
        assert!(error.contains("without a name") && error.contains("found an empty string"), "{error}");
    }
    let long = "n".repeat(300);
    let error = ShmMutex::create_new(&long, 7_u64).unwrap_err().to_string();
    assert!(error.ends_with("choose a shorter name"), "{error}");
    let error = ShmMutex::memfd("a\0b", 7_u64).unwrap_err().to_string();
    assert!(error.ends_with("choose a name without a NUL in it"), "{error}");
}

#[test]
fn memory_regions_are_sealed_and_opened_by_descriptor() {
    let mutex = ShmMutex::memfd("a", 7_u64).unwrap();
    let file = File::from(mutex.as_fd().try_clone_to_owned().unwrap());
    assert_eq!(file.set_len(0).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    assert_eq!(file.set_len(1 << 20).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    let same = ShmMutex::<u64>::from_fd(file.into()).unwrap();
    *same.lock().unwrap() += 1;
    assert_eq!(*mutex.lock().unwrap(), 8);
    let error = ShmMutex::<i8>::from_fd(mutex.as_fd().try_clone_to_owned().unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("/memfd:a was made by a different program"), "{error}");
    let pipe = io::pipe().unwrap().0;
    assert!(matches!(ShmMutex::<u64>::from_fd(pipe.into()).unwrap_err(), OpenError::Untrusted { .. }));
}

#[test]
fn of_many_racing_creators_one_makes_it_and_all_get_it() {
    const CREATORS: u32 = 8;
    let directory = directory();
    for round in 0..30 {
        let path = directory.path().join(round.to_string());
        let start = ShmRegion::memfd("start", AtomicU32::new(0)).unwrap();
        let mut children: Vec<_> = (0..CREATORS)
            .map(|_| {
                Child::fork(|| {
                    start.fetch_add(1, Ordering::Relaxed);
                    while start.load(Ordering::Relaxed) < CREATORS {
                        std::hint::spin_loop();
                    }
                    let mutex = ShmMutex::open_or_create(&path, || [0_u64; 32]).unwrap();
                    mutex.lock().unwrap()[7] += 1;
                    0
                })
            })
            .collect();
        children.iter_mut().for_each(|child| assert_eq!(child.end(), End::Exit(0)));
        assert_eq!(ShmMutex::<[u64; 32]>::open(&path).unwrap().lock().unwrap()[7], u64::from(CREATORS));
    }
    let files = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, 30, "nothing but the regions is left");
}

#[test]
fn a_creator_that_dies_leaves_nothing_half_made() {
    let directory = directory();
    let path = directory.path().join("lock");
    let mut made = 0;
    for delay in 0..200 {
        let child = Child::fork(|| {
            drop(ShmMutex::open_or_create(&path, || 7_u64).unwrap());
            0
        });
        (0..delay * 500).for_each(|_| std::hint::spin_loop());
        drop(child);
        match ShmMutex::<u64>::open(&path) {
            Ok(mutex) => {
                assert_eq!(*mutex.lock().unwrap(), 7);
                ShmMutex::<u64>::unlink(&path).unwrap();
                made += 1;
            }
            Err(OpenError::Io { source, .. }) => assert_eq!(source.kind(), io::ErrorKind::NotFound),
            Err(other) => panic!("{other}"),
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
    assert!(0 < made && made < 200, "{made} of 200 creators were quick enough");
}

#[test]
fn a_lock_of_any_bytes_is_a_lock() {
    // Behind an intact header the content may be anything: it answers, or waits for a thread that
    // lives.
    for byte in [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xff] {
        let (_directory, path) = made();
        overwrite(&path, 256, &[byte; 64]);
        let mutex = ShmMutex::<u64>::open(&path).unwrap();
        match mutex.lock_timeout(std::time::Duration::from_millis(1)) {
            Ok(guard) => drop(guard),
            Err(LockError::OwnerDied(guard) | LockError::Poisoned(guard)) => drop(guard.mark_consistent()),
            Err(error) => println!("{byte:#x}: {error}"),
        }
    }
}

#[test]
fn a_region_of_several_locks_is_one_file() {
    shm_lock::region! {
        struct Several {
            first: RegionMutex<u64>,
            rest: [RegionMutex<[u16; 3]>; 2],
        }
    }
    let directory = directory();
    let path = directory.path().join("several");
    let init = || Several { first: RegionMutex::new(1), rest: [[2; 3], [3; 3]].map(RegionMutex::new) };
    let made = ShmRegion::open_or_create(&path, init).unwrap();
    let opened = ShmRegion::open_or_create(&path, init).unwrap();
    let first = made.first.lock().unwrap();
    assert!(matches!(opened.first.try_lock(), Err(LockError::WouldBlock)));
    opened.rest[1].lock().unwrap()[2] = 9;
    assert_eq!((*first, *made.rest[1].lock().unwrap()), (1, [3, 3, 9]));
}
