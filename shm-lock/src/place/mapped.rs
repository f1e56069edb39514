//! A region in a mapped file.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use super::create::{self, Hidden};
use super::mappings::Mapping;
use super::{open, replace};
use crate::error::OpenError;
use crate::header::{self, Header};
use crate::layout::{ShmLayout, for_each_lock, text_of};
use crate::sys;
use crate::thread::Thread;

/// A mapped file, and where its content is.
pub(crate) struct Place<R: ShmLayout> {
    /// `None` only while the place is dropped.
    mapping: Option<Arc<Mapping>>,
    /// Where it was opened, if it has a path.
    path: Option<PathBuf>,
    content: NonNull<R>,
}

// SAFETY: the place keeps its mapping, and gives out nothing but `&R`, which is `Sync`; `R` is
// `Send`, too.
unsafe impl<R: ShmLayout> Send for Place<R> {}
// SAFETY: as above.
unsafe impl<R: ShmLayout> Sync for Place<R> {}

impl<R: ShmLayout> Place<R> {
    pub(crate) fn create_new(name: &Path, content: R) -> Result<Self, OpenError> {
        let path = open::path_of(name)?;
        Place::create_as(&path, &expected::<R>()?, content)
    }

    pub(crate) fn open(name: &Path) -> Result<Self, OpenError> {
        Place::open_as(&open::path_of(name)?, |_| expected::<R>())
    }

    /// Creates a region as described by `header`: an `R`, followed by zeros up to its size.
    pub(super) fn create_as(path: &Path, header: &Header, content: R) -> Result<Self, OpenError> {
        let hidden = Hidden::new(path, header.region_size())?;
        let place = Place::make(hidden.file(), path, header, content)?;
        hidden.publish(path).map_err(open::not_created(path))?;
        Ok(place.at(path))
    }

    /// Opens a region. `header` returns what its file must contain: an `R`, possibly followed by
    /// more.
    pub(super) fn open_as(
        path: &Path,
        header: impl Fn(&File) -> Result<Header, OpenError>,
    ) -> Result<Self, OpenError> {
        loop {
            let file = open::open(path)?;
            if !replace::share(&file) {
                // The name is about to lead to another file.
                std::thread::yield_now();
                continue;
            }
            let place = Place::examined(file, path, &header)?.at(path);
            // The file may have lost its name since it was opened, and another one may have the
            // name by now.
            if place.is_linked() {
                return Ok(place);
            }
        }
    }

    pub(crate) fn open_or_create(name: &Path, init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        Place::open_or_make(
            &open::path_of(name)?,
            |_| expected::<R>(),
            |_| false,
            || Ok((expected::<R>()?, init())),
        )
    }

    pub(crate) fn open_or_replace(name: &Path, init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        Place::open_or_make(
            &open::path_of(name)?,
            |_| expected::<R>(),
            replace::is_replaceable,
            || Ok((expected::<R>()?, init())),
        )
    }

    /// Opens the existing region, if it contains what `header` returns for its file. Otherwise
    /// creates what `init` returns: if there is no file, or if the file was refused and may be
    /// replaced.
    pub(super) fn open_or_make(
        path: &Path,
        header: impl Fn(&File) -> Result<Header, OpenError>,
        may_replace: impl Fn(&OpenError) -> bool,
        init: impl FnOnce() -> Result<(Header, R), OpenError>,
    ) -> Result<Self, OpenError> {
        let mut init = Some(init);
        let mut made = None;
        loop {
            let is_there = match Place::open_as(path, &header) {
                Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => false,
                Err(refusal) if may_replace(&refusal) => true,
                outcome => return outcome,
            };
            if let Some(init) = init.take() {
                let (header, content) = init()?;
                let hidden = Hidden::new(path, header.region_size())?;
                let place = Place::make(hidden.file(), path, &header, content)?;
                made = Some((hidden, place));
            }
            let (hidden, place) = made.take().expect("made in the first round, and put back in each");
            let published = if is_there {
                replace::replace(path, &hidden, &header, &may_replace)?
            } else {
                match hidden.publish(path) {
                    Ok(()) => true,
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
                    Err(error) => return Err(open::io_error(path, "create")(error)),
                }
            };
            if published {
                return Ok(place.at(path));
            }
            // Another process was first. Its file may be removed before it is opened here. Then
            // this one is published.
            made = Some((hidden, place));
        }
    }

    pub(crate) fn memfd(name: &str, content: R) -> Result<Self, OpenError> {
        let header = expected::<R>()?;
        let file = create::memory_file(name, header.region_size())?;
        Place::make(&file, &open::shown_path(&file), &header, content)
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Result<Self, OpenError> {
        let file = File::from(fd);
        let path = open::shown_path(&file);
        open::check_seals(&file, &path)?;
        Place::examined(file, &path, |_| expected::<R>())
    }

    pub(crate) fn unlink(name: &Path) -> io::Result<()> {
        match open::path_of(name) {
            Ok(path) => fs::remove_file(path),
            Err(OpenError::Io { source, .. }) => Err(source),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.mapping().file().as_fd()
    }

    pub(crate) fn is_linked(&self) -> bool {
        match &self.path {
            Some(path) => open::leads_to(path, self.mapping().file()).unwrap_or(false),
            None => self.mapping().file().metadata().is_ok_and(|found| found.nlink() > 0),
        }
    }

    fn at(self, path: &Path) -> Self {
        let mut place = self;
        // The process may change its directory.
        place.path = Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        place
    }

    fn mapping(&self) -> &Mapping {
        self.mapping.as_ref().expect("only `drop` takes it")
    }

    #[inline]
    pub(crate) fn content(&self) -> &R {
        // SAFETY: the content was written by `make`, or its header was examined: a value of `R`,
        // whose parts are valid whatever their bytes (`ShmPod`) or may be written by others at any
        // time (locks). It is mapped until the place is dropped.
        unsafe { self.content.as_ref() }
    }

    /// Returns where the content is. The rest of the mapping follows it.
    #[cfg(feature = "untyped")]
    pub(crate) fn address(&self) -> NonNull<R> {
        self.content
    }

    #[cfg(feature = "untyped")]
    pub(super) fn file(&self) -> &File {
        self.mapping().file()
    }

    /// Maps a file that holds a region of this kind.
    fn examined(
        file: File,
        path: &Path,
        header: impl Fn(&File) -> Result<Header, OpenError>,
    ) -> Result<Self, OpenError> {
        Thread::current()?;
        let expected = header(&file)?;
        let id = open::examine(&file, path, &expected)?;
        Place::map(file, path, &expected, id)
    }

    /// Writes a region into a file of the right size that no other process knows yet.
    fn make(file: &File, path: &Path, header: &Header, content: R) -> Result<Self, OpenError> {
        Thread::current()?;
        let file = file.try_clone().map_err(open::io_error(path, "duplicate the descriptor of"))?;
        // The lock also belongs to the duplicate.
        replace::share(&file);
        let id = RandomState::new().hash_one((sys::thread_id(), sys::since_boot_ns()));
        let place = Place::map(file, path, header, id)?;
        let bytes = header.encode(id);
        let start = place.mapping().start();
        // SAFETY: the mapping is longer than a header and its first bytes are used for nothing
        // else.
        unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), header::LENGTH) };
        // SAFETY: `content` is aligned and mapped (`map`), and nobody else accesses it yet.
        unsafe { place.content.write(content) };
        for_each_lock(place.content(), |lock| lock.mutex().place());
        Ok(place)
    }

    /// Maps a file of the size in `header`, unless this process has already mapped it.
    fn map(file: File, path: &Path, header: &Header, id: u64) -> Result<Self, OpenError> {
        let mapping = Mapping::of(file, path, header, id)?;
        let content = mapping.start().wrapping_add(header.content_offset()).cast();
        let content = NonNull::new(content).expect("a mapping is not at address 0");
        Ok(Place { mapping: Some(mapping), path: None, content })
    }
}

/// Returns the header of a region that holds an `R` and is used by this process.
pub(super) fn expected<R: ShmLayout>() -> Result<Header, OpenError> {
    const {
        assert!(!std::mem::needs_drop::<R>(), "the content of a region is never dropped");
        assert!(align_of::<R>() <= 4096, "a mapping is aligned only to a page");
    }
    let text = text_of::<R>();
    Ok(Header {
        boot: open::boot_id()?,
        pid_namespace: open::pid_namespace()?,
        size: size_of::<R>(),
        align: align_of::<R>(),
        hash: header::hash(text.as_bytes()),
        text,
    })
}

impl<R: ShmLayout> Drop for Place<R> {
    fn drop(&mut self) {
        let Some(mapping) = self.mapping.take() else { return };
        if Thread::current().is_err() {
            // The C library does not know that this is a forked child, so the table of mappings may
            // be locked for ever.
            std::mem::forget(mapping);
            return;
        }
        // SAFETY: as in `content`; `mapping` is kept by `release` until it has looked.
        mapping.release(unsafe { self.content.as_ref() });
    }
}
