//! The first bytes of a region. They tell a process that opens it whether it may use the rest.
//!
//! | bytes | field | error if it differs |
//! |---|---|---|
//! | 0–7 | magic number | [`Damaged`](OpenError::Damaged) |
//! | 8–11 | byte order: `0x0102_0304` as stored by its creator | [`Mismatch`](OpenError::Mismatch) |
//! | 12–15 | version of this layout | `Mismatch` |
//! | 16–19 | width of a pointer in bits | `Mismatch` |
//! | 20–23 | offset of the content | `Damaged` |
//! | 24–31 | checksum of all other bytes of the header | `Damaged` |
//! | 32–47 | id of the boot | [`Stale`](OpenError::Stale) |
//! | 48–55 | inode number of the PID namespace | [`OtherPidNamespace`](OpenError::OtherPidNamespace) |
//! | 56–63, 64–71 | size and alignment of the content | `Mismatch` |
//! | 72–79 | hash of the text that describes the content | `Mismatch` |
//! | 80–87 | a random number of the region | none: it tells regions apart that are already [mapped](crate::place) |
//! | 88–255 | that text, truncated, then zeros | none: it is for the message |
//!
//! The header is copied out of the file once, and the copy is checked. So nobody can change it
//! between the check and the use.

use std::path::Path;

use crate::error::OpenError;

/// The length of the header in bytes.
pub(crate) const LENGTH: usize = 256;

const MAGIC: [u8; 8] = *b"shm-lock";
const BYTE_ORDER: u32 = 0x0102_0304;
const VERSION: u32 = 3;
const SUM: std::ops::Range<usize> = 24..32;
const ID: usize = 80;
const TEXT: std::ops::Range<usize> = 88..LENGTH;

/// The fields of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) boot: [u8; 16],
    pub(crate) pid_namespace: u64,
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Describes the layout of the content. It may be truncated if it was [found](Header::of_mutex)
    /// in a file.
    pub(crate) text: String,
    /// The hash of the whole text.
    pub(crate) hash: u64,
}

impl Header {
    /// Returns the header of a single mutex with any value. If `bytes` are such a header, in a file
    /// of `file_size` bytes, returns it. Otherwise returns `typical`, from which `bytes` then
    /// differ.
    #[cfg(feature = "untyped")]
    pub(crate) fn of_mutex(bytes: &[u8; LENGTH], file_size: u64, typical: Header) -> Header {
        let number_at = |at: usize| {
            let number = u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
            usize::try_from(number).unwrap_or(usize::MAX)
        };
        let (size, align, text) = (number_at(56), number_at(64), shown_text(bytes));
        let is_possible = text.starts_with("RegionMutex<")
            && align.is_power_of_two()
            && (typical.align..=4096).contains(&align)
            && (typical.size as u64..=file_size).contains(&(size as u64));
        if is_possible {
            Header { size, align, text, hash: number_at(72) as u64, ..typical }
        } else {
            typical
        }
    }

    /// Returns the offset of the content.
    pub(crate) fn content_offset(&self) -> usize {
        LENGTH.next_multiple_of(self.align)
    }

    /// Returns the size of a region: header and content.
    pub(crate) fn region_size(&self) -> usize {
        self.content_offset() + self.size
    }

    /// Returns the bytes of the header of a region with the random number `id`.
    pub(crate) fn encode(&self, id: u64) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(8, &BYTE_ORDER.to_ne_bytes());
        put(12, &VERSION.to_ne_bytes());
        put(16, &usize::BITS.to_ne_bytes());
        put(20, &(self.content_offset() as u32).to_ne_bytes());
        put(32, &self.boot);
        put(48, &self.pid_namespace.to_ne_bytes());
        put(56, &(self.size as u64).to_ne_bytes());
        put(64, &(self.align as u64).to_ne_bytes());
        put(72, &self.hash.to_ne_bytes());
        put(ID, &id.to_ne_bytes());
        let shown = self.text.as_bytes();
        put(TEXT.start, &shown[..shown.len().min(TEXT.len())]);
        let sum = sum(&bytes);
        bytes[SUM].copy_from_slice(&sum.to_ne_bytes());
        bytes
    }

    /// Checks that a region of `file_size` bytes that begins with `bytes` holds what this header
    /// describes. Returns the region's random number.
    pub(crate) fn check(
        &self,
        bytes: &[u8; LENGTH],
        file_size: u64,
        region: &Path,
    ) -> Result<u64, OpenError> {
        let damaged = |part, expected: String, found: String| {
            Err(OpenError::Damaged { region: region.into(), part, expected, found })
        };
        let mismatch = |part, expected: String, found: String| {
            Err(OpenError::Mismatch { region: region.into(), part, expected, found })
        };
        let u32_at = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        if bytes[..8] != MAGIC {
            let found = bytes[..8].escape_ascii().to_string();
            return damaged("magic number", MAGIC.escape_ascii().to_string(), found);
        }
        if u32_at(8) != BYTE_ORDER {
            let order = |little| if little { "little-endian" } else { "big-endian" };
            let here = cfg!(target_endian = "little");
            return if u32_at(8) == BYTE_ORDER.swap_bytes() {
                mismatch("byte order", order(here).to_owned(), order(!here).to_owned())
            } else {
                damaged("byte order", order(here).to_owned(), format!("{:#x}", u32_at(8)))
            };
        }
        if u32_at(12) != VERSION {
            return mismatch("version", VERSION.to_string(), u32_at(12).to_string());
        }
        let stored_sum = u64_at(SUM.start);
        if stored_sum != sum(bytes) {
            let found = format!("{stored_sum:#x}");
            return damaged("header checksum", format!("{:#x}", sum(bytes)), found);
        }
        if u32_at(16) != usize::BITS {
            return mismatch("pointer width", usize::BITS.to_string(), u32_at(16).to_string());
        }
        if bytes[32..48] != self.boot {
            return Err(OpenError::Stale { region: region.into() });
        }
        if u64_at(48) != self.pid_namespace {
            let (expected, found) = (self.pid_namespace, u64_at(48));
            return Err(OpenError::OtherPidNamespace { region: region.into(), expected, found });
        }
        if u64_at(72) != self.hash {
            return mismatch("type", self.text.clone(), shown_text(bytes));
        }
        if u64_at(56) != self.size as u64 || u64_at(64) != self.align as u64 {
            let told = |size: u64, align: u64| format!("{size} bytes, aligned to {align}");
            let expected = told(self.size as u64, self.align as u64);
            return mismatch("content", expected, told(u64_at(56), u64_at(64)));
        }
        if u32_at(20) as usize != self.content_offset() {
            let expected = self.content_offset().to_string();
            return damaged("begin of the content", expected, u32_at(20).to_string());
        }
        if file_size != self.region_size() as u64 {
            return damaged("size", format!("{} bytes", self.region_size()), format!("{file_size} bytes"));
        }
        Ok(u64_at(ID))
    }
}

/// The error for a file that is too short to hold a header.
pub(crate) fn too_short(expected: usize, found: u64, region: &Path) -> OpenError {
    OpenError::Damaged {
        region: region.into(),
        part: "size",
        expected: format!("{expected} bytes"),
        found: format!("{found} bytes"),
    }
}

/// Returns the stored part of the text that describes the content.
fn shown_text(bytes: &[u8; LENGTH]) -> String {
    let shown = bytes[TEXT].split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(shown).into_owned()
}

/// Returns the checksum of all bytes except those of the checksum itself.
fn sum(bytes: &[u8; LENGTH]) -> u64 {
    let mut others = *bytes;
    others[SUM].fill(0);
    hash(&others)
}

/// FNV-1a by Fowler, Noll and Vo, with 64 bits. It protects against accidents, not against an
/// adversary.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
