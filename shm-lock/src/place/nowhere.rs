//! Systems on which no region can exist.

use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::path::Path;

use crate::error::OpenError;
use crate::layout::ShmLayout;
use crate::sys;

/// A region, which does not exist.
pub(crate) struct Place<R: ShmLayout> {
    never: Infallible,
    content: PhantomData<R>,
}

impl<R: ShmLayout> Place<R> {
    pub(crate) fn create_new(_name: &Path, _content: R) -> Result<Self, OpenError> {
        Err(sys::unsupported().into())
    }

    pub(crate) fn open(_name: &Path) -> Result<Self, OpenError> {
        Err(sys::unsupported().into())
    }

    pub(crate) fn open_or_create(_name: &Path, _init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        Err(sys::unsupported().into())
    }

    pub(crate) fn open_or_replace(_name: &Path, _init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        Err(sys::unsupported().into())
    }

    pub(crate) fn memfd(_name: &str, _content: R) -> Result<Self, OpenError> {
        Err(sys::unsupported().into())
    }

    #[cfg(unix)]
    pub(crate) fn from_fd(_fd: std::os::fd::OwnedFd) -> Result<Self, OpenError> {
        Err(sys::unsupported().into())
    }

    #[cfg(unix)]
    pub(crate) fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self.never {}
    }

    pub(crate) fn unlink(_name: &Path) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, sys::unsupported()))
    }

    pub(crate) fn is_linked(&self) -> bool {
        match self.never {}
    }

    pub(crate) fn content(&self) -> &R {
        match self.never {}
    }
}
