//! Regions that hold one mutex with a value of which no more than a description is known, when the
//! program runs.

use std::fs::File;
use std::path::Path;

use super::mapped::{Place, expected};
use super::{open, replace};
use crate::error::OpenError;
use crate::header::{self, Header};
use crate::untyped::{Head, ValueType};

impl Place<Head> {
    /// Opens a mutex, whatever it protects.
    pub(crate) fn open_found(name: &Path) -> Result<Self, OpenError> {
        Place::open_as(&open::path_of(name)?, found)
    }

    /// Opens a mutex, whatever it protects, or makes one where nothing is, or what an earlier boot
    /// has left.
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

    /// The text that describes the content, as far as it is there, and the content's size.
    pub(crate) fn description(&self) -> Result<(String, usize), OpenError> {
        found(self.file()).map(|header| (header.text, header.size))
    }
}

fn of(value: &ValueType<'_>) -> Result<Header, OpenError> {
    let (text, size, align) = value.of_mutex();
    Ok(Header { size, align, hash: header::hash(text.as_bytes()), text, ..expected::<Head>()? })
}

/// What is made where nothing is: a mutex whose value is zeros.
fn made(value: &ValueType<'_>) -> Result<(Header, Head), OpenError> {
    Ok((of(value)?, Head::new(Default::default())))
}

/// The header of a file that holds one mutex; of another file, what such a header looks like.
fn found(file: &File) -> Result<Header, OpenError> {
    let typical = expected::<Head>()?;
    let (bytes, size) = open::read_header(file, &open::shown_path(file), &typical)?;
    Ok(Header::of_mutex(&bytes, size, typical))
}
