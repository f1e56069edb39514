//! Each field of a header is checked, and each deviation has its own error.

use super::*;

fn header() -> Header {
    Header {
        boot: [7; 16],
        pid_namespace: 9,
        size: 40,
        align: 64,
        text: "u64".to_owned(),
        hash: hash(b"u64"),
    }
}

fn check(header: &Header, bytes: &[u8; LENGTH], size: u64) -> Result<u64, OpenError> {
    header.check(bytes, size, Path::new("a"))
}

/// Returns `header()` with one field replaced, and with the right checksum.
fn with(at: usize, field: &[u8]) -> [u8; LENGTH] {
    let mut bytes = header().encode(5);
    bytes[at..at + field.len()].copy_from_slice(field);
    let sum = sum(&bytes);
    bytes[SUM].copy_from_slice(&sum.to_ne_bytes());
    bytes
}

fn answer(bytes: &[u8; LENGTH]) -> String {
    match check(&header(), bytes, 296).unwrap_err() {
        OpenError::Damaged { part, .. } => format!("damaged {part}"),
        OpenError::Mismatch { part, .. } => format!("mismatch {part}"),
        OpenError::Stale { .. } => "stale".to_owned(),
        OpenError::OtherPidNamespace { .. } => "namespace".to_owned(),
        other => panic!("{other}"),
    }
}

#[test]
fn what_was_encoded_is_accepted() {
    assert_eq!((header().content_offset(), header().region_size()), (256, 296));
    assert_eq!(check(&header(), &header().encode(5), 296).unwrap(), 5);
    let page = Header { align: 4096, ..header() };
    assert_eq!(page.content_offset(), 4096);
    check(&page, &page.encode(5), 4136).unwrap();
}

#[test]
fn every_field_has_its_answer() {
    assert_eq!(answer(&with(0, b"x")), "damaged magic number");
    assert_eq!(answer(&with(8, &BYTE_ORDER.swap_bytes().to_ne_bytes())), "mismatch byte order");
    assert_eq!(answer(&with(8, &[9; 4])), "damaged byte order");
    assert_eq!(answer(&with(12, &1_u32.to_ne_bytes())), "mismatch version");
    assert_eq!(answer(&with(16, &32_u32.to_ne_bytes())), "mismatch pointer width");
    assert_eq!(answer(&with(20, &257_u32.to_ne_bytes())), "damaged begin of the content");
    assert_eq!(answer(&with(32, &[8])), "stale");
    assert_eq!(answer(&with(48, &[8])), "namespace");
    assert_eq!(answer(&with(56, &41_u64.to_ne_bytes())), "mismatch content");
    assert_eq!(answer(&with(64, &32_u64.to_ne_bytes())), "mismatch content");
    assert_eq!(answer(&with(72, &[0; 8])), "mismatch type");
}

#[test]
fn any_changed_byte_is_noticed() {
    // One byte takes an interpreter 200 ms.
    let step = if cfg!(miri) { 7 } else { 1 };
    for at in (0..LENGTH).step_by(step) {
        let mut bytes = header().encode(5);
        bytes[at] ^= 0x10;
        assert!(check(&header(), &bytes, 296).is_err(), "byte {at}");
    }
}

#[test]
fn the_size_of_the_file_must_be_right() {
    for size in [0, 256, 295, 297, u64::MAX] {
        let error = check(&header(), &header().encode(5), size).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { part: "size", .. }), "{error}");
    }
}

#[test]
fn a_long_text_is_cut_off_but_compared_whole() {
    let long = |end: &str| {
        let text = "x".repeat(500) + end;
        Header { hash: hash(text.as_bytes()), text, ..header() }
    };
    check(&long("a"), &long("a").encode(5), 296).unwrap();
    let error = check(&long("a"), &long("b").encode(5), 296).unwrap_err();
    assert!(matches!(error, OpenError::Mismatch { part: "type", .. }), "{error}");
}

#[cfg(feature = "untyped")]
#[test]
fn a_single_mutex_with_any_value_is_found_and_nothing_else_is() {
    let mutex = |text: &str, size, align| Header {
        size,
        align,
        hash: hash(text.as_bytes()),
        text: text.to_owned(),
        ..header()
    };
    let typical = || mutex("RegionMutex<[u8; 24]>@40", 64, 64);
    let file_size = |header: &Header| header.region_size() as u64;
    let answer = |bytes: &[u8; LENGTH], size| {
        Header::of_mutex(bytes, size, typical()).check(bytes, size, Path::new("a"))
    };
    let others = [
        mutex("RegionMutex<u64>@40", 64, 64),
        mutex("RegionMutex<Page>@4096", 8192, 4096),
        mutex(&format!("RegionMutex<{}>@40", "x".repeat(500)), 128, 64),
    ];
    for other in &others {
        assert_eq!(answer(&other.encode(5), file_size(other)).unwrap(), 5);
    }
    let other = &others[0];
    for at in 0..LENGTH {
        let mut bytes = other.encode(5);
        bytes[at] ^= 0x10;
        assert!(answer(&bytes, file_size(other)).is_err(), "byte {at}");
    }
    // Headers that no program writes, with the right checksum.
    for (size, align) in [(0, 64), (64, 1), (u64::MAX, 64), (64, 8192_u64)] {
        let mut bytes = other.encode(5);
        bytes[56..64].copy_from_slice(&size.to_ne_bytes());
        bytes[64..72].copy_from_slice(&align.to_ne_bytes());
        let sum = sum(&bytes);
        bytes[SUM].copy_from_slice(&sum.to_ne_bytes());
        let error = answer(&bytes, file_size(other)).unwrap_err();
        assert!(matches!(error, OpenError::Mismatch { .. }), "{error}");
    }
    let several = mutex("Jobs{waiting@0: RegionMutex<u64>@40, changed@64: ShmCondvar}", 128, 64);
    let error = answer(&several.encode(5), file_size(&several)).unwrap_err();
    assert!(matches!(error, OpenError::Mismatch { part: "type", .. }), "{error}");
}
