//! A file that nobody can use any more is replaced by many at the same time, and all get the same
//! new one.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

#[path = "support/age.rs"]
mod age;
mod support;

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use age::age;
use shm_lock::{OpenError, ShmMutex, ShmRegion};
use support::{Child, End, Random};

fn stale(path: &Path) {
    drop(ShmMutex::create_new(path, [0_u64; 2]).unwrap());
    age(path);
    assert!(matches!(ShmMutex::<[u64; 2]>::open(path), Err(OpenError::Stale { .. })));
}

#[test]
fn of_sixteen_who_replace_a_stale_file_all_get_the_same_new_one() {
    const PROCESSES: u64 = 16;
    let directory = tempfile::tempdir().unwrap();
    let inside = ShmRegion::memfd("inside", AtomicU32::new(0)).unwrap();
    let start = ShmRegion::memfd("start", AtomicU32::new(0)).unwrap();
    for round in 0..25 {
        let path = directory.path().join(format!("stale-{round}"));
        stale(&path);
        start.store(0, Ordering::Relaxed);
        let enter = || {
            while start.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            let mutex = ShmMutex::open_or_replace_stale(&path, || [0_u64; 2]).unwrap();
            for _ in 0..20 {
                let mut guard = mutex.lock().unwrap();
                if inside.fetch_add(1, Ordering::Relaxed) != 0 {
                    return 1;
                }
                guard[0] += 1;
                inside.fetch_sub(1, Ordering::Relaxed);
            }
            i32::from(!mutex.is_linked())
        };
        let mut children: Vec<_> = (0..PROCESSES).map(|_| Child::fork(enter)).collect();
        start.store(1, Ordering::Relaxed);
        children.iter_mut().for_each(|child| assert_eq!(child.end(), End::Exit(0)));
        let made = ShmMutex::<[u64; 2]>::open(&path).unwrap();
        assert_eq!(made.lock().unwrap()[0], 20 * PROCESSES);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 25, "nothing but the regions is left");
}

#[test]
fn one_who_dies_while_it_replaces_a_file_keeps_nobody_from_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stale");
    let mut random = Random(0x5eed);
    for _ in 0..200 {
        stale(&path);
        let replace = || {
            drop(ShmMutex::open_or_replace_stale(&path, || [0_u64; 2]).unwrap());
            0
        };
        let dies = Child::fork(replace);
        (0..random.below(60_000)).for_each(|_| std::hint::spin_loop());
        drop(dies);
        assert_eq!(*ShmMutex::open_or_replace_stale(&path, || [0_u64; 2]).unwrap().lock().unwrap(), [0, 0]);
        ShmMutex::<[u64; 2]>::unlink(&path).unwrap();
    }
}

#[test]
fn what_is_in_use_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("used");
    let used = ShmMutex::create_new(&path, 1_u8).unwrap();
    let opened = ShmMutex::<u8>::open(&path).unwrap();
    let refusal = || ShmMutex::open_or_replace_stale(&path, || 2_u64).unwrap_err();
    assert!(matches!(refusal(), OpenError::Mismatch { .. }));
    drop(used);
    assert!(matches!(refusal(), OpenError::Mismatch { .. }));
    assert_eq!(*opened.lock().unwrap(), 1);
    drop(opened);
    assert_eq!(*ShmMutex::open_or_replace_stale(&path, || 2_u64).unwrap().lock().unwrap(), 2);
}

#[test]
fn a_damaged_file_is_replaced_and_one_that_others_may_open_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("damaged");
    File::create(&path).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(*ShmMutex::open_or_replace_stale(&path, || 3_u64).unwrap().lock().unwrap(), 3);
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let refusal = ShmMutex::open_or_replace_stale(&path, || 3_u64).unwrap_err();
    assert!(matches!(refusal, OpenError::Untrusted { .. }), "{refusal}");
}
