//! Mutexes whose value's type is known when the program runs.
#![cfg(all(feature = "untyped", not(loom), target_os = "linux", target_pointer_width = "64"))]

#[path = "support/age.rs"]
mod age;
mod support;

use std::fs;
use std::mem;

use age::age;
use shm_lock::untyped::{UntypedMutex, ValueType};
use shm_lock::{LockError, LockFailure, OpenError, RegionMutex, ShmCondvar, ShmMutex, ShmPod, ShmRegion};
use support::{Child, End};

#[derive(Clone, Copy, Debug, PartialEq, ShmPod)]
#[repr(C)]
struct Progress {
    done: u64,
    rate: f64,
}

#[derive(Clone, Copy, ShmPod)]
#[repr(C, align(128))]
struct Wide {
    done: u128,
    rest: [u128; 7],
}

fn type_of(text: &str, size: usize, align: usize) -> ValueType<'_> {
    ValueType::new(text, size, align).unwrap()
}

#[test]
fn described_and_typed_are_the_same_lock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let typed = ShmMutex::create_new(&path, Progress { done: 3, rate: 0.5 }).unwrap();
    let described = UntypedMutex::open(&path, type_of("Progress{done@0: u64, rate@8: f64}", 16, 8)).unwrap();
    assert_eq!(described.description(), "RegionMutex<Progress{done@0: u64, rate@8: f64}>@40");
    let guard = described.head().lock().unwrap();
    let value = described.value().unwrap().cast::<Progress>();
    // SAFETY: that is what lies there, and the lock is held.
    assert_eq!(unsafe { value.read() }, Progress { done: 3, rate: 0.5 });
    assert!(matches!(typed.try_lock(), Err(LockError::WouldBlock)));
    drop(guard);
    assert_eq!(typed.lock().unwrap().done, 3);
}

#[test]
fn what_a_description_makes_is_opened_by_its_type() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let make = |name: &str, text: &str, size, align| {
        UntypedMutex::create_new(path(name), type_of(text, size, align)).unwrap();
    };
    make("number", "u64", 8, 8);
    assert_eq!(*ShmMutex::<u64>::open(path("number")).unwrap().lock().unwrap(), 0);
    make("none", "[u8; 0]", 0, 1);
    ShmMutex::<[u8; 0]>::open(path("none")).unwrap();
    make("bytes", "[u8; 100]", 100, 1);
    ShmMutex::<[u8; 100]>::open(path("bytes")).unwrap();
    make("wide", "Wide{done@0: u128, rest@16: [u128; 7]}", 128, 128);
    let wide = ShmMutex::<Wide>::open(path("wide")).unwrap();
    wide.lock().unwrap().rest[6] = 7;
    let described = UntypedMutex::open_found(path("wide")).unwrap();
    let last = described.value().unwrap().as_ptr().wrapping_add(112).cast::<u128>();
    // SAFETY: the last element, which nobody uses meanwhile.
    assert_eq!(unsafe { last.read() }, 7);
    assert_eq!(wide.lock().unwrap().done, 0);
    let error = UntypedMutex::open(path("number"), type_of("i64", 8, 8)).unwrap_err();
    assert!(matches!(error, OpenError::Mismatch { part: "type", .. }), "{error}");
}

#[test]
fn one_mutex_is_found_and_what_is_something_else_is_refused() {
    shm_lock::region! {
        struct Several {
            one: RegionMutex<u64>,
            other: ShmCondvar,
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let error = UntypedMutex::open_found(&path).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
    let several = Several { one: RegionMutex::new(0), other: ShmCondvar::new() };
    drop(ShmRegion::create_new(&path, several).unwrap());
    let error = UntypedMutex::open_found(&path).unwrap_err();
    assert!(error.to_string().contains("found Several{one@0: RegionMutex<u64>@40"), "{error}");
    // It is not replaced, either, nor is what is no lock.
    UntypedMutex::open_found_or_create(&path, type_of("u8", 1, 1)).unwrap_err();
    ShmRegion::<Several>::open(&path).unwrap();
    for bytes in [&b"not a lock"[..], &[b'x'; 4096]] {
        fs::write(&path, bytes).unwrap();
        let error = UntypedMutex::open_found_or_create(&path, type_of("u8", 1, 1)).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn what_another_boot_has_left_is_replaced_where_nothing_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let ours = type_of("u8", 1, 1);
    drop(UntypedMutex::open_found_or_create(&path, ours).unwrap());
    age(&path);
    assert!(matches!(UntypedMutex::open_found(&path), Err(OpenError::Stale { .. })));
    assert!(matches!(UntypedMutex::open_or_create(&path, ours), Err(OpenError::Stale { .. })));
    UntypedMutex::open_found_or_create(&path, ours).unwrap();
    fs::remove_file(&path).unwrap();
    drop(ShmMutex::create_new(&path, 7_u64).unwrap());
    assert_eq!(UntypedMutex::open_found_or_create(&path, ours).unwrap().description(), "RegionMutex<u64>@40");
    // Asked for by its type, it is replaced as well.
    UntypedMutex::open_or_replace_stale(&path, ours).unwrap();
    UntypedMutex::unlink(&path).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_state_tells_the_owner_the_dead_and_the_lost() {
    let directory = tempfile::tempdir().unwrap();
    let mutex = UntypedMutex::create_new(directory.path().join("a"), type_of("u8", 1, 1)).unwrap();
    let free = mutex.state();
    assert_eq!((free.owner, free.has_waiters, free.is_torn, free.is_lost), (None, false, false, false));
    let mut child = Child::fork(|| {
        mem::forget(mutex.head().lock().unwrap());
        i32::from(mutex.state().owner != Some(std::process::id()))
    });
    assert_eq!(child.end(), End::Exit(0));
    assert!(mutex.state().is_torn && mutex.state().owner.is_none());
    match mutex.head().lock() {
        Err(LockError::OwnerDied(guard)) => guard.abandon(),
        other => panic!("{other:?}"),
    }
    assert!(mutex.state().is_lost && mutex.state().is_torn);
    assert_eq!(mutex.head().lock().unwrap_err().into_reason(), LockFailure::NotRecoverable);
}

#[test]
fn a_type_that_cannot_be_says_why() {
    let told = |size, align| ValueType::new("u8", size, align).unwrap_err().to_string();
    assert!(told(1, 0).contains("alignment to be a power of two up to 4096, found 0"));
    assert!(told(8192, 8192).contains("found 8192"));
    assert!(told(1, 2).contains("size to be a multiple of its alignment"));
    assert!(told(1 << 32, 1).contains("below 4 GiB"));
}
