//! `LAYOUT.md` says what the code does: every row of its tables is compared with the bytes of a
//! file, and with what locks do to them.
#![cfg(all(not(loom), target_os = "linux", target_pointer_width = "64"))]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::mem;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::thread;

use shm_lock::{
    LockError, RegionMutex, RegionRwLock, ShmBarrier, ShmBool, ShmCondvar, ShmLayout, ShmMutex, ShmOnce,
    ShmOnceLock, ShmPod, ShmRegion, ShmRwLock, ShmSemaphore,
};
use support::{Child, End};

const LAYOUT: &str = include_str!("../LAYOUT.md");

#[derive(Clone, Copy, ShmPod)]
#[repr(C)]
struct Progress {
    done: u64,
    rate: f64,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Plain(u32);

// SAFETY: a number.
unsafe impl ShmPod for Plain {
    const VERSION: u32 = 2;
}

shm_lock::region! {
    struct Jobs {
        waiting: RegionMutex<u64>,
        changed: ShmCondvar,
    }
}

/// The rows of the table that begins with this heading, by cells.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, rest) = LAYOUT.split_once(heading).unwrap_or_else(|| panic!("no table {heading}"));
    let rows = rest.lines().skip(1).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<String>> = rows
        .map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "{heading}");
    rows
}

/// Offset and size by field.
fn fields(heading: &str) -> BTreeMap<String, (usize, usize)> {
    let number = |cell: &str| cell.parse().unwrap_or(0);
    let rows = table(heading).into_iter();
    rows.map(|row| (row[2].split(',').next().unwrap().to_owned(), (number(&row[0]), number(&row[1]))))
        .collect()
}

fn number(text: &str) -> u64 {
    text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16)).unwrap()
}

/// A file whose bytes are asked for by the names that the page gives to them.
struct Bytes {
    bytes: Vec<u8>,
    fields: BTreeMap<String, (usize, usize)>,
    start: usize,
}

impl Bytes {
    fn header(path: &Path) -> Bytes {
        Bytes {
            bytes: fs::read(path).unwrap(),
            fields: fields("| offset | size | field | value |\n"),
            start: 0,
        }
    }

    fn lock(path: &Path) -> Bytes {
        let start = Bytes::header(path).number("begin of the content") as usize;
        let fields = fields("| offset | size | field | value when it is made |\n");
        Bytes { bytes: fs::read(path).unwrap(), fields, start }
    }

    fn at(&self, field: &str) -> &[u8] {
        let (offset, size) = self.fields[field];
        &self.bytes[self.start + offset..][..size]
    }

    fn number(&self, field: &str) -> u64 {
        match *self.at(field) {
            [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
            ref bytes => u64::from_ne_bytes(bytes.try_into().unwrap()),
        }
    }
}

/// As the page says it.
fn hash(bytes: &[u8]) -> u64 {
    assert!(LAYOUT.contains(
        "begin with 0xcbf29ce484222325; for each byte, exclusive or, then multiply by 0x100000001b3"
    ));
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn describe<R: ShmLayout>() -> String {
    let mut text = String::new();
    R::describe(&mut text);
    text
}

#[test]
fn a_header_is_as_the_page_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let _mutex = ShmMutex::create_new(&path, Progress { done: 0, rate: 0.0 }).unwrap();
    let header = Bytes::header(&path);
    let said: BTreeMap<_, _> = table("| offset | size | field | value |\n")
        .into_iter()
        .map(|row| (row[2].clone(), row.get(3).cloned().unwrap_or_default()))
        .collect();
    assert_eq!(header.at("magic number"), said["magic number"].split('`').nth(1).unwrap().as_bytes());
    for field in ["byte order", "version"] {
        assert_eq!(header.number(field), number(&said[field]), "{field}");
    }
    assert!(LAYOUT.starts_with(&format!("# Layout of a region, version {}\n", header.number("version"))));
    assert_eq!(header.number("width of a pointer"), u64::from(usize::BITS));
    assert_eq!(header.number("begin of the content"), 256);
    let mut without_sum = header.bytes[..256].to_owned();
    let (offset, size) = header.fields["sum"];
    without_sum[offset..offset + size].fill(0);
    assert_eq!(header.number("sum"), hash(&without_sum));
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let boot: String = boot.chars().filter(char::is_ascii_hexdigit).collect();
    let digits: String = header.at("id of the boot").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, boot);
    assert_eq!(header.number("PID namespace"), fs::metadata("/proc/self/ns/pid").unwrap().ino());
    assert_eq!(header.number("size of the content"), 64);
    assert_eq!(header.number("alignment of the content"), 64);
    let text = "RegionMutex<Progress{done@0: u64, rate@8: f64}>@40";
    assert_eq!(header.number("hash of the description"), hash(text.as_bytes()));
    assert_eq!(String::from_utf8_lossy(header.at("description")).trim_end_matches('\0'), text);
    // The fields lie side by side, and are all.
    let mut end = 0;
    let mut in_order: Vec<_> = header.fields.values().collect();
    in_order.sort();
    for &(offset, size) in in_order {
        assert_eq!(offset, end);
        end = offset + size;
    }
    assert_eq!(end, 256);
    let file = fs::metadata(&path).unwrap();
    assert_eq!((file.len(), file.permissions().mode() & 0o777), (256 + 64, 0o600));
}

#[test]
fn the_number_of_a_region_is_drawn_and_a_wide_content_begins_later() {
    let directory = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| directory.path().join(name));
    let _regions = [&a, &b].map(|path| ShmMutex::create_new(path, 0_u64).unwrap());
    assert_ne!(
        Bytes::header(&a).number("number of the region"),
        Bytes::header(&b).number("number of the region")
    );
    #[derive(Clone, Copy, ShmPod)]
    #[repr(C, align(512))]
    struct Wide([u64; 64]);
    let path = directory.path().join("wide");
    let wide = ShmMutex::create_new(&path, Wide([0; 64])).unwrap();
    wide.lock().unwrap().0[0] = 0x0123_4567_89ab_cdef;
    let header = Bytes::header(&path);
    assert_eq!(header.number("begin of the content"), 512);
    assert_eq!(
        (header.number("size of the content"), header.number("alignment of the content")),
        (1024, 512)
    );
    assert_eq!(header.bytes[1024..1032], 0x0123_4567_89ab_cdef_u64.to_ne_bytes());
}

#[test]
fn descriptions_are_as_the_page_says() {
    let code = [
        ("u64", describe::<u64>()),
        ("f32", describe::<f32>()),
        ("[u8; 16]", describe::<[u8; 16]>()),
        ("ShmBool", describe::<ShmBool>()),
        ("()", describe::<()>()),
        ("(u64, f32)", describe::<(u64, f32)>()),
        ("Progress", describe::<Progress>()),
        ("Plain", describe::<Plain>()),
        ("RegionMutex<u64>", describe::<RegionMutex<u64>>()),
        ("RegionMutex<u128>", describe::<RegionMutex<u128>>()),
        ("RegionRwLock<u64>", describe::<RegionRwLock<u64>>()),
        ("ShmCondvar", describe::<ShmCondvar>()),
        ("ShmSemaphore<64>", describe::<ShmSemaphore>()),
        ("ShmBarrier<64>", describe::<ShmBarrier>()),
        ("ShmOnce", describe::<ShmOnce>()),
        ("[ShmOnce; 3]", describe::<[ShmOnce; 3]>()),
        ("ShmOnceLock<u64>", describe::<ShmOnceLock<u64>>()),
        ("Jobs", describe::<Jobs>()),
    ];
    let name = |cell: &str| cell.split('`').nth(1).unwrap().to_owned();
    let page: Vec<_> =
        table("| content | description |\n").into_iter().map(|row| (name(&row[0]), name(&row[1]))).collect();
    assert_eq!(page, code.map(|(name, text)| (name.to_owned(), text)));
}

#[test]
fn a_lock_is_as_the_page_says_when_it_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let _mutex = ShmMutex::create_new(&path, 0x0123_4567_89ab_cdef_u64).unwrap();
    let lock = Bytes::lock(&path);
    let mut end = 0;
    for row in table("| offset | size | field | value when it is made |\n") {
        assert_eq!(number(&row[0]), end);
        if row[2] == "value" {
            break;
        }
        end += number(&row[1]);
        let field = row[2].split(',').next().unwrap();
        assert_eq!(lock.number(field), number(&row[3]), "{field}");
    }
    assert_eq!(end, 40);
    assert_eq!(lock.bytes[lock.start + 40..][..8], 0x0123_4567_89ab_cdef_u64.to_ne_bytes());
}

#[test]
fn the_word_and_the_condition_go_through_the_states_that_the_page_names() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let mutex = ShmMutex::create_new(&path, 0_u64).unwrap();
    let masks: BTreeMap<_, _> = table("| bits | mask | name | meaning |\n")
        .into_iter()
        .map(|row| (row[2].clone(), number(&row[1])))
        .collect();
    let conditions: BTreeMap<_, _> = table("| condition | name | the next one is told |\n")
        .into_iter()
        .map(|row| (row[1].clone(), number(&row[0])))
        .collect();
    let (tid, died, waiters) = (masks["TID"], masks["OWNER_DIED"], masks["WAITERS"]);
    assert_eq!((tid & died & waiters, tid | died | waiters), (0, u64::from(u32::MAX)));
    let state = || {
        let lock = Bytes::lock(&path);
        (lock.number("word"), lock.number("condition"))
    };
    // SAFETY: the call has no preconditions.
    let this = u64::try_from(unsafe { libc::gettid() }).unwrap();
    thread::scope(|scope| {
        let guard = mutex.lock().unwrap();
        assert_eq!(state(), (this, 0));
        assert_ne!(Bytes::lock(&path).number("link to the next lock"), 0);
        let before = Bytes::lock(&path).number("turn");
        let waiter = scope.spawn(|| drop(mutex.lock().unwrap()));
        support::await_that("somebody waits", || state().0 == this | waiters);
        assert_eq!(Bytes::lock(&path).number("turn"), before + 1);
        drop(guard);
        waiter.join().unwrap();
    });
    assert_eq!(state().0 & tid, 0);
    let mut child = Child::fork(|| {
        mem::forget(mutex.lock().unwrap());
        0
    });
    assert_eq!(child.end(), End::Exit(0));
    assert_eq!(state().0 & !waiters, died);
    assert_eq!(state().1, conditions["FRESH"]);
    let Err(LockError::OwnerDied(guard)) = mutex.lock() else { panic!("nobody died") };
    assert_eq!(state().0 & !waiters, died | this);
    drop(guard);
    assert_eq!((state().0 & !waiters, state().1), (died, conditions["POISONED"]));
    let Err(LockError::Poisoned(guard)) = mutex.lock() else { panic!("nobody left it torn") };
    let guard = guard.mark_consistent();
    assert_eq!(state().0 & !waiters, this);
    drop(guard);
    assert_eq!(state().0 & !waiters, 0);
    thread::scope(|scope| {
        scope.spawn(|| mem::forget(mutex.lock().unwrap()));
    });
    let Err(LockError::OwnerDied(guard)) = mutex.lock() else { panic!("nobody died") };
    guard.abandon();
    assert_eq!((state().0 & !waiters, state().1), (died, conditions["LOST"]));
}

#[test]
fn a_lock_outside_of_a_region_has_all_bits_of_the_owner() {
    let lock = RegionMutex::new(0_u64);
    // SAFETY: a lock begins with its word, which nobody changes meanwhile.
    let word = unsafe { (&raw const lock).cast::<u32>().read() };
    assert!(LAYOUT.contains("All bits of TID set is a lock outside of a region."));
    assert_eq!(word, 0x3fff_ffff);
}

#[test]
fn sizes_of_the_others_are_as_the_page_says() {
    let page: Vec<_> = table("| content | size | alignment | fields |\n")
        .into_iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), number(&row[1]) as usize, number(&row[2]) as usize))
        .collect();
    fn code<T>(name: &str) -> (String, usize, usize) {
        (name.to_owned(), size_of::<T>(), align_of::<T>())
    }
    let code = [
        code::<ShmCondvar>("ShmCondvar"),
        code::<ShmOnce>("ShmOnce"),
        code::<ShmOnceLock<u64>>("ShmOnceLock<u64>"),
        code::<RegionRwLock<u64>>("RegionRwLock<u64>"),
        code::<ShmSemaphore>("ShmSemaphore<64>"),
        code::<ShmBarrier>("ShmBarrier<64>"),
    ];
    assert_eq!(page, code);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("once");
    let once = ShmRegion::create_new(&path, ShmOnce::new()).unwrap();
    let done = || fs::read(&path).unwrap()[256 + 40..][..4].to_owned();
    assert_eq!(done(), [0; 4]);
    once.call_once(|| ()).unwrap();
    assert_ne!(done(), [0; 4]);
    let path = directory.path().join("made");
    let made = ShmRegion::create_new(&path, ShmOnceLock::new()).unwrap();
    made.get_or_init(|| 7_u64).unwrap();
    assert_eq!(fs::read(&path).unwrap()[256 + 48..], 7_u64.to_ne_bytes());
}

/// The fields of a content that is made of slots, by the first word of what the page says of them.
fn slotted(path: &Path, content: &str) -> Bytes {
    let start = Bytes::header(path).number("begin of the content") as usize;
    let rows = table("| content | offset | size | field |\n").into_iter();
    let fields: BTreeMap<_, _> = rows
        .filter(|row| row[0].trim_matches('`') == content)
        .map(|row| {
            let name = row[3].split([':', ',']).next().unwrap().to_owned();
            (name, (number(&row[1]) as usize, number(&row[2]) as usize))
        })
        .collect();
    let end = fields.values().map(|(offset, size)| offset + size).max().unwrap();
    let bytes = fs::read(path).unwrap();
    assert_eq!(start + end, bytes.len(), "{content}");
    Bytes { bytes, fields, start }
}

impl Bytes {
    /// The word at the begin of a lock, or of a slot in a row.
    fn word(&self, field: &str, slot: usize) -> u32 {
        u32::from_ne_bytes(self.at(field)[64 * slot..][..4].try_into().unwrap())
    }
}

fn this_thread() -> u32 {
    // SAFETY: the call has no preconditions.
    unsafe { libc::gettid() as u32 }
}

#[test]
fn a_lock_for_readers_and_writers_is_as_the_page_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let lock = ShmRwLock::create_new(&path, 7_u64).unwrap();
    let bytes = || slotted(&path, "RegionRwLock<u64>");
    let condition = || bytes().at("value's lock")[8..12].to_owned();
    assert_eq!((bytes().number("used"), condition()), (1, 3_u32.to_ne_bytes().to_vec()));
    let [one, other] = [lock.read().unwrap(), lock.read().unwrap()];
    let words = |bytes: &Bytes| [0, 1].map(|slot| bytes.word("128 slots of readers", slot));
    assert_eq!(bytes().number("used"), 2);
    assert_eq!(words(&bytes()), [this_thread(); 2]);
    drop((one, other));
    assert_eq!(words(&bytes()), [0; 2]);
    let guard = lock.write().unwrap();
    assert_eq!((bytes().word("value's lock", 0), words(&bytes())), (this_thread(), [0; 2]));
    assert_eq!((bytes().number("used"), condition()), (2, vec![0; 4]));
    assert_eq!(bytes().at("value"), 7_u64.to_ne_bytes());
    drop(guard);
    assert_eq!((bytes().word("value's lock", 0), condition()), (0, 3_u32.to_ne_bytes().to_vec()));
}

#[test]
fn a_semaphore_is_as_the_page_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let permits = ShmRegion::create_new(&path, ShmSemaphore::new(2)).unwrap();
    let bytes = || slotted(&path, "ShmSemaphore<64>");
    let words = || [0, 1, 2].map(|slot| bytes().word("64 slots of holders", slot));
    assert_eq!((bytes().number("limit"), bytes().number("freed"), words()), (2, 0, [0; 3]));
    let [one, other] = [permits.acquire().unwrap(), permits.acquire().unwrap()];
    assert_eq!(words(), [this_thread(), this_thread(), 0]);
    thread::scope(|scope| {
        scope.spawn(|| drop(permits.acquire().unwrap()));
        support::await_that("somebody waits", || bytes().number("freed") >> 31 == 1);
        drop((one, other));
    });
    assert!(permits.add_permits(1));
    assert_eq!((bytes().number("limit"), words()), (3, [0; 3]));
}

#[test]
fn a_barrier_is_as_the_page_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let barrier = ShmRegion::create_new(&path, ShmBarrier::new(1)).unwrap();
    let bytes = || slotted(&path, "ShmBarrier<64>");
    assert_eq!((bytes().number("round"), bytes().number("members")), (0, 1));
    let mut seat = barrier.join().unwrap();
    let state = || u64::from_ne_bytes(bytes().at("64 seats of 16 bytes")[..8].try_into().unwrap());
    assert_eq!((state(), bytes().word("64 slots of members", 0)), (1, this_thread()));
    let process = std::process::id().to_ne_bytes();
    assert_eq!(bytes().at("64 seats of 16 bytes")[8..12], process);
    assert_eq!(bytes().at("64 seats of 16 bytes")[12..16], this_thread().to_ne_bytes());
    assert_eq!(seat.wait(), Ok(true));
    assert_eq!((state(), bytes().number("round")), (2, 1));
    drop(seat);
    assert_eq!((state(), bytes().word("64 slots of members", 0)), (u64::MAX, 0));
}
