//! A region in a file that is mapped.

use std::fs::{self, File};
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::ptr::NonNull;

use memmap2::{MmapOptions, MmapRaw};

use super::create::{self, Hidden};
use super::open;
use crate::error::OpenError;
use crate::header::{self, Header};
use crate::layout::{ShmLayout, for_each_lock, text_of};
use crate::sys;
use crate::thread::Thread;

/// A file, and where its content is mapped.
pub(crate) struct Place<R: ShmLayout> {
    file: File,
    /// Mapped until the place is dropped.
    map: ManuallyDrop<MmapRaw>,
    content: NonNull<R>,
}

// SAFETY: the place owns its file and its mapping, and gives out nothing but `&R`, which is `Sync`; `R` is `Send`, too.
unsafe impl<R: ShmLayout> Send for Place<R> {}
// SAFETY: as above.
unsafe impl<R: ShmLayout> Sync for Place<R> {}

impl<R: ShmLayout> Place<R> {
    pub(crate) fn create_new(name: &Path, content: R) -> Result<Self, OpenError> {
        let path = open::path_of(name)?;
        let hidden = Hidden::new(&path, expected::<R>()?.region_size())?;
        let place = Place::make(hidden.file(), &path, content)?;
        hidden.publish(&path).map_err(open::io_error(&path, "create"))?;
        Ok(place)
    }

    pub(crate) fn open(name: &Path) -> Result<Self, OpenError> {
        let path = open::path_of(name)?;
        Place::examined(open::open(&path)?, &path)
    }

    pub(crate) fn open_or_create(name: &Path, init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        let path = open::path_of(name)?;
        let mut init = Some(init);
        let mut made = None;
        loop {
            match Place::open(&path) {
                Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => (),
                outcome => return outcome,
            }
            if let Some(init) = init.take() {
                let content = init();
                let hidden = Hidden::new(&path, expected::<R>()?.region_size())?;
                let place = Place::make(hidden.file(), &path, content)?;
                made = Some((hidden, place));
            }
            let (hidden, place) = made.take().expect("made in the first round, and put back in each");
            match hidden.publish(&path) {
                Ok(()) => return Ok(place),
                // Another one was first. It may be removed again before it is opened: then this one is published.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => made = Some((hidden, place)),
                Err(error) => return Err(open::io_error(&path, "create")(error)),
            }
        }
    }

    pub(crate) fn memfd(name: &str, content: R) -> Result<Self, OpenError> {
        let file = create::memory_file(name, expected::<R>()?.region_size())?;
        Place::make(&file, &open::shown_path(&file), content)
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Result<Self, OpenError> {
        let file = File::from(fd);
        let path = open::shown_path(&file);
        Place::examined(file, &path)
    }

    pub(crate) fn unlink(name: &Path) -> io::Result<()> {
        match open::path_of(name) {
            Ok(path) => fs::remove_file(path),
            Err(OpenError::Io { source, .. }) => Err(source),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    #[inline]
    pub(crate) fn content(&self) -> &R {
        // SAFETY: the content was written by `make`, or its header was examined: a value of `R`, whose parts are valid
        // whatever their bytes (`ShmPod`) or made for being written by others meanwhile (locks). It is mapped until the
        // place is dropped.
        unsafe { self.content.as_ref() }
    }

    /// Maps a file that holds a region of this kind.
    fn examined(file: File, path: &Path) -> Result<Self, OpenError> {
        Thread::current()?;
        let expected = expected::<R>()?;
        open::examine(&file, path, &expected)?;
        Place::map(file, path, &expected)
    }

    /// Writes a region into a file of the right size that nobody else knows yet.
    fn make(file: &File, path: &Path, content: R) -> Result<Self, OpenError> {
        Thread::current()?;
        let header = expected::<R>()?;
        let file = file.try_clone().map_err(open::io_error(path, "duplicate the descriptor of"))?;
        let place = Place::map(file, path, &header)?;
        let bytes = header.encode();
        // SAFETY: the mapping is longer than a header and its first bytes are used for nothing else.
        unsafe { place.map.as_mut_ptr().copy_from_nonoverlapping(bytes.as_ptr(), header::LENGTH) };
        // SAFETY: `content` is aligned and mapped (`map`), and nobody else accesses it yet.
        unsafe { place.content.write(content) };
        for_each_lock(place.content(), |lock| lock.mutex().place());
        Ok(place)
    }

    /// Maps a file of the size that `header` tells.
    fn map(file: File, path: &Path, header: &Header) -> Result<Self, OpenError> {
        let map = MmapOptions::new()
            .len(header.region_size())
            .map_raw(&file)
            .map_err(open::io_error(path, "map"))?;
        let content = map.as_mut_ptr().wrapping_add(header.content_offset()).cast();
        let content = NonNull::new(content).expect("a mapping is not at address 0");
        Ok(Place { file, map: ManuallyDrop::new(map), content })
    }
}

/// The header of a region that holds an `R` and is used by this process.
fn expected<R: ShmLayout>() -> Result<Header, OpenError> {
    const {
        assert!(!std::mem::needs_drop::<R>(), "nobody would drop what lies in a region");
        assert!(align_of::<R>() <= 4096, "a mapping is aligned to a page");
    }
    Ok(Header {
        boot: open::boot_id()?,
        pid_namespace: open::pid_namespace()?,
        size: size_of::<R>(),
        align: align_of::<R>(),
        text: text_of::<R>(),
    })
}

impl<R: ShmLayout> Drop for Place<R> {
    fn drop(&mut self) {
        let mut held = false;
        for_each_lock(self.content(), |lock| {
            let owner = lock.mutex().owner();
            held |= owner != 0 && sys::is_own_thread(owner);
        });
        // A guard was leaked: the kernel and glibc still follow its thread's list to the lock. So it stays mapped.
        if !held {
            // SAFETY: it is dropped nowhere else, and the place is used no more.
            unsafe { ManuallyDrop::drop(&mut self.map) };
        }
    }
}
