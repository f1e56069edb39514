//! A file of any bytes is no region, or a working one: nothing panics, hangs, or reads what is not
//! there.

#![no_main]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shm_lock::{LockError, RegionMutex, ShmCondvar, ShmOnce, ShmRegion, ShmSemaphore};

shm_lock::region! {
    struct Content {
        first: RegionMutex<[u64; 3]>,
        second: RegionMutex<u8>,
        changed: ShmCondvar,
        slots: ShmSemaphore,
        once: ShmOnce,
        limit: u32,
    }
}

#[derive(Arbitrary, Debug)]
enum Input {
    /// The whole file.
    Bytes(Vec<u8>),
    /// An intact region, changed in places, perhaps with the checksum that belongs to it, and cut
    /// off or made longer.
    Changed { changes: Vec<(u16, u8)>, sealed: bool, length: Option<u16> },
}

fn fresh() -> &'static [u8] {
    static FRESH: OnceLock<Vec<u8>> = OnceLock::new();
    FRESH.get_or_init(|| {
        let path = format!("/dev/shm/fuzz-fresh-{}", std::process::id());
        let content = Content {
            first: RegionMutex::new([1, 2, 3]),
            second: RegionMutex::new(4),
            changed: ShmCondvar::new(),
            slots: ShmSemaphore::new(2),
            once: ShmOnce::new(),
            limit: 9,
        };
        ShmRegion::create_new(&path, content).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        bytes
    })
}

fn file(input: &Input) -> Vec<u8> {
    let (changes, sealed, length) = match input {
        Input::Bytes(bytes) => return bytes.clone(),
        Input::Changed { changes, sealed, length } => (changes, *sealed, *length),
    };
    let mut bytes = fresh().to_vec();
    for &(at, byte) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] = byte;
    }
    if sealed {
        bytes[24..32].fill(0);
        let sum = bytes[..256].iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        bytes[24..32].copy_from_slice(&sum.to_ne_bytes());
    }
    if let Some(length) = length {
        bytes.resize(usize::from(length), 0);
    }
    bytes
}

/// Takes the lock if it can be had, and gives it back whole.
fn visit<T: shm_lock::ShmPod>(mutex: &RegionMutex<T>) {
    for outcome in [mutex.try_lock(), mutex.lock_timeout(Duration::from_micros(1))] {
        match outcome {
            Ok(guard) => drop(guard),
            Err(LockError::OwnerDied(guard) | LockError::Poisoned(guard)) => drop(guard.mark_consistent()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn use_all(region: &Content) {
    visit(&region.first);
    visit(&region.second);
    region.changed.notify_all();
    drop(region.slots.acquire_timeout(Duration::from_micros(1)));
    region.slots.add_permits(1);
    // Whoever is said to do it may live, so only one that is not begun can be waited for.
    let _ = region.once.is_completed();
    std::hint::black_box(region.limit);
}

fuzz_target!(|input: Input| {
    let path = format!("/dev/shm/fuzz-region-{}", std::process::id());
    let path = Path::new(&path);
    fs::write(path, file(&input)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    match ShmRegion::<Content>::open(path) {
        Ok(region) => use_all(&region),
        Err(error) => assert!(error.to_string().contains("fuzz-region"), "{error}"),
    }
    fs::remove_file(path).unwrap();
});
