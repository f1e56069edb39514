//! `HASH  PATH` lines as `b3sum` prints and checks them.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Write};

/// Writes the line of one file; a leading backslash says that the name is escaped.
pub(crate) fn write(out: &mut impl Write, hash: &blake3::Hash, name: &OsStr) -> io::Result<()> {
    let name = escape(name);
    if matches!(name, Cow::Owned(_)) {
        out.write_all(b"\\")?;
    }
    out.write_all(hash.to_hex().as_bytes())?;
    out.write_all(b"  ")?;
    out.write_all(&name)?;
    out.write_all(b"\n")
}

/// Writes backslash, line feed and carriage return as `\\`, `\n` and `\r`; changes nothing else.
///
/// On a name that is not UTF-8 this parts with `b3sum`, which prints U+FFFD for each wrong byte, so
/// that different files get the same name and `b3sum --check` refuses the line. Here the bytes stay
/// what they are.
pub(crate) fn escape(name: &OsStr) -> Cow<'_, [u8]> {
    let bytes = name.as_encoded_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r')) {
        return Cow::Borrowed(bytes);
    }
    let mut escaped = Vec::with_capacity(bytes.len() + 8);
    for &byte in bytes {
        match byte {
            b'\\' => escaped.extend_from_slice(b"\\\\"),
            b'\n' => escaped.extend_from_slice(b"\\n"),
            b'\r' => escaped.extend_from_slice(b"\\r"),
            byte => escaped.push(byte),
        }
    }
    Cow::Owned(escaped)
}
