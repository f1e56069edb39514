//! A region is opened as the type that it was made as, and as no other: fields, their types and
//! their places are compared.

use std::path::PathBuf;

use shm_lock::{OpenError, ShmMutex, ShmRegion};
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

#[test]
fn another_type_is_a_mismatch() {
    let (_directory, path) = made();
    match ShmMutex::<[u8; 8]>::open(&path).unwrap_err() {
        OpenError::Mismatch { part: "type", expected, found, .. } => {
            assert_eq!(
                (expected.as_str(), found.as_str()),
                ("RegionMutex<[u8; 8]>@40", "RegionMutex<u64>@40")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_in_another_order_are_a_mismatch() {
    mod one {
        shm_lock::region! { pub(super) struct Same { pub(super) a: u32, pub(super) b: u32 } }
    }
    mod other {
        shm_lock::region! { pub(super) struct Same { pub(super) b: u32, pub(super) a: u32 } }
    }
    let directory = directory();
    let path = directory.path().join("region");
    let region = ShmRegion::create_new(&path, one::Same { a: 1, b: 2 }).unwrap();
    assert_eq!((region.a, region.b), (1, 2));
    assert_eq!(ShmRegion::<one::Same>::open(&path).unwrap().b, 2);
    let error = ShmRegion::<other::Same>::open(&path).map(|region| (region.a, region.b)).unwrap_err();
    assert!(error.to_string().contains("Same{a@0: u32, b@4: u32}"), "{error}");
}

#[test]
fn a_type_of_the_same_name_and_another_layout_is_a_mismatch() {
    #[allow(non_camel_case_types, reason = "a name that hides a primitive's")]
    mod other {
        #[derive(Clone, Copy, Debug)]
        #[repr(C, align(16))]
        pub(super) struct Pair(pub(super) u64, pub(super) u64);
        // SAFETY: two numbers.
        unsafe impl shm_lock::ShmPod for Pair {}

        #[derive(Clone, Copy, Debug)]
        #[repr(C)]
        pub(super) struct u64(pub(super) [u8; 16]);
        // SAFETY: bytes.
        unsafe impl shm_lock::ShmPod for u64 {}
    }
    #[derive(Clone, Copy, Debug)]
    #[repr(C)]
    struct Pair(u64, u64);
    // SAFETY: two numbers.
    unsafe impl shm_lock::ShmPod for Pair {}

    let directory = directory();
    let path = directory.path().join("pair");
    let made = ShmMutex::create_new(&path, Pair(1, 2)).unwrap();
    let pair = *made.lock().unwrap();
    assert_eq!((pair.0, pair.1), (1, 2));
    let error = ShmMutex::<other::Pair>::open(&path)
        .map(|mutex| mutex.lock().map(|pair| (pair.0, pair.1)).ok())
        .unwrap_err();
    assert!(matches!(error, OpenError::Mismatch { part: "type", .. }), "{error}");

    let path = directory.path().join("number");
    ShmMutex::create_new(&path, 7_u64).unwrap();
    let error = ShmMutex::<other::u64>::open(&path)
        .map(|mutex| mutex.lock().map(|bytes| bytes.0.len()).ok())
        .unwrap_err();
    assert!(matches!(error, OpenError::Mismatch { part: "type", .. }), "{error}");
}

#[test]
fn another_version_of_a_structure_is_a_mismatch() {
    mod first {
        #[derive(Clone, Copy, Debug, shm_lock::ShmPod)]
        #[repr(C)]
        pub(super) struct Progress {
            pub(super) done: u32,
            pub(super) total: u32,
        }
    }
    mod second {
        #[derive(Clone, Copy, Debug, shm_lock::ShmPod)]
        #[repr(C)]
        pub(super) struct Progress {
            pub(super) rate: f32,
            pub(super) done: u32,
        }
    }
    let directory = directory();
    let path = directory.path().join("progress");
    let made = ShmMutex::create_new(&path, first::Progress { done: 1, total: 2 }).unwrap();
    let progress = *ShmMutex::<first::Progress>::open(&path).unwrap().lock().unwrap();
    assert_eq!((progress.done, progress.total), (1, 2));
    drop(made);
    match ShmMutex::<second::Progress>::open(&path).map(|made| made.lock().map(|p| (p.rate, p.done)).ok()) {
        Err(OpenError::Mismatch { part: "type", expected, found, .. }) => assert_eq!(
            (expected.as_str(), found.as_str()),
            (
                "RegionMutex<Progress{rate@0: f32, done@4: u32}>@40",
                "RegionMutex<Progress{done@0: u32, total@4: u32}>@40"
            )
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn structures_in_structures_and_with_parameters_are_described_to_the_last_field() {
    #[derive(Clone, Copy, shm_lock::ShmPod)]
    #[repr(C)]
    struct Pair<A, B>(A, B);

    #[derive(Clone, Copy, shm_lock::ShmPod)]
    #[repr(C, align(16))]
    struct All<T: Copy> {
        pairs: [Pair<u8, T>; 3],
        last: Pair<i64, [f32; 2]>,
    }
    let mut text = String::new();
    <All<u16> as shm_lock::ShmPod>::describe(&mut text);
    assert_eq!(text, "All{pairs@0: [Pair{0@0: u8, 1@2: u16}; 3], last@16: Pair{0@0: i64, 1@8: [f32; 2]}}");
    let all = All { pairs: [Pair(1, 2_u16); 3], last: Pair(3, [4.0; 2]) };
    let sum = |all: &All<u16>| all.pairs.iter().map(|pair| u16::from(pair.0) + pair.1).sum::<u16>();
    assert_eq!((sum(&all), all.last.0, all.last.1), (9, 3, [4.0; 2]));
}
