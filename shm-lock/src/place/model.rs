//! Regions of a model. They are in the memory of its only process, and are found by name during one
//! execution.

use std::any::Any;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::error::OpenError;
use crate::layout::{ShmLayout, for_each_lock, text_of};

type Registry = HashMap<PathBuf, Arc<dyn Any + Send + Sync>>;

loom::lazy_static! {
    static ref REGIONS: Mutex<Registry> = Mutex::new(HashMap::new());
}

/// Where the content is.
pub(crate) struct Place<R: ShmLayout>(Arc<R>);

impl<R: ShmLayout> Place<R> {
    pub(crate) fn create_new(name: &Path, content: R) -> Result<Self, OpenError> {
        // Before the registry is locked: loom may switch to another thread here, which must not
        // find the registry locked.
        let place = Place::new(content);
        let mut regions = REGIONS.lock().expect("nobody panics with the registry");
        if regions.contains_key(name) {
            return Err(io_error(name, "create", io::ErrorKind::AlreadyExists));
        }
        regions.insert(name.to_owned(), Arc::clone(&place.0) as _);
        Ok(place)
    }

    pub(crate) fn open(name: &Path) -> Result<Self, OpenError> {
        let regions = REGIONS.lock().expect("nobody panics with the registry");
        let region = regions.get(name).ok_or_else(|| io_error(name, "open", io::ErrorKind::NotFound))?;
        let content = Arc::clone(region).downcast::<R>().map_err(|_| OpenError::Mismatch {
            region: name.into(),
            part: "type",
            expected: text_of::<R>(),
            found: "another one".to_owned(),
        })?;
        Ok(Place(content))
    }

    pub(crate) fn open_or_create(name: &Path, init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        match Place::open(name) {
            Err(OpenError::Io { .. }) => Place::create_new(name, init()).or_else(|_| Place::open(name)),
            outcome => outcome,
        }
    }

    /// A model has no earlier boots.
    pub(crate) fn open_or_replace(name: &Path, init: impl FnOnce() -> R) -> Result<Self, OpenError> {
        Place::open_or_create(name, init)
    }

    pub(crate) fn memfd(_name: &str, content: R) -> Result<Self, OpenError> {
        Ok(Place::new(content))
    }

    pub(crate) fn unlink(name: &Path) -> io::Result<()> {
        let removed = REGIONS.lock().expect("nobody panics with the registry").remove(name);
        removed.map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(crate) fn is_linked(&self) -> bool {
        let regions = REGIONS.lock().expect("nobody panics with the registry");
        let content = Arc::clone(&self.0) as Arc<dyn Any + Send + Sync>;
        regions.values().any(|region| Arc::ptr_eq(region, &content))
    }

    pub(crate) fn content(&self) -> &R {
        &self.0
    }

    fn new(content: R) -> Self {
        for_each_lock(&content, |lock| lock.mutex().place());
        Place(Arc::new(content))
    }
}

fn io_error(region: &Path, operation: &'static str, kind: io::ErrorKind) -> OpenError {
    OpenError::Io { region: region.into(), operation, source: kind.into() }
}
