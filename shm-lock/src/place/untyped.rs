//! Regions with a single mutex whose value type is only described, at run time.

use std::fs::File;
use std::path::Path;

use super::mapped::{Place, expected};
use super::{open, replace};
use crate::error::OpenError;
use crate::header::{self, Header};
use crate::untyped::{Head, ValueType};

impl Place<Head> {
    /// Opens a mutex with any value.
    pub(crate) fn open_found(name: &Path) -> Result<Self, OpenError> {
        Place::open_as(&open::path_of(name)?, found)
    }

    /// Opens a mutex with any value. Creates one if there is none, or if an earlier boot has left
    /// the file.
    pub(crate) fn open_found_or_create(name: &Path, value: &ValueType<'_>) -> Result<Self, OpenError> {
        Place::open_or_make(&open::path_of(name)?, found, replace::is_stale, || made(value))
    }

    pub(crate) fn create_untyped(name: &Path, value: &ValueType<'_>) -> Result<Self, OpenError> {
        let (header, content) = made(value)?;
        Place::create_as(&open::path_of(name)?, &header, content)
    }

    pub(crate) fn open_untyped(name: &Path, value: &ValueType<'_>) -> Result<Self, OpenError> {
        Place::open_as(&open::path_of(name)?, |_| of(value))
    }

    pub(crate) fn open_or_create_untyped(name: &Path, value: &ValueType<'_>) -> Result<Self, OpenError> {
        Place::open_or_make(&open::path_of(name)?, |_| of(value), |_| false, || made(value))
    }

    pub(crate) fn open_or_replace_untyped(name: &Path, value: &ValueType<'_>) -> Result<Self, OpenError> {
        Place::open_or_make(&open::path_of(name)?, |_| of(value), replace::is_replaceable, || made(value))
    }

    /// Returns the stored part of the text that describes the content, and the content's size.
    pub(crate) fn description(&self) -> Result<(String, usize), OpenError> {
        found(self.file()).map(|header| (header.text, header.size))
    }
}

fn of(value: &ValueType<'_>) -> Result<Header, OpenError> {
    let (text, size, align) = value.of_mutex();
    Ok(Header { size, align, hash: header::hash(text.as_bytes()), text, ..expected::<Head>()? })
}

/// Returns what to create if there is none: a mutex whose value is all zeros.
fn made(value: &ValueType<'_>) -> Result<(Header, Head), OpenError> {
    Ok((of(value)?, Head::new(Default::default())))
}

/// Returns the header of a file with a single mutex. For any other file, returns what such a header
/// looks like.
fn found(file: &File) -> Result<Header, OpenError> {
    let typical = expected::<Head>()?;
    let (bytes, size) = open::read_header(file, &open::shown_path(file), &typical)?;
    Ok(Header::of_mutex(&bytes, size, typical))
}
