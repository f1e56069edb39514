//! The names of regions.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A name or a path of a region.
///
/// A string without a `/` is a name: `"experiments"` means the file
/// `/dev/shm/shm-lock-<user id>-experiments`. Every other string is a path. A [`Path`] is always a
/// path, even without a `/`.
///
/// ```
/// use shm_lock::RegionName;
/// use std::path::Path;
///
/// assert_eq!(RegionName::as_name("experiments"), Path::new("experiments"));
/// assert_eq!(RegionName::as_name(Path::new("experiments")), Path::new("./experiments"));
/// ```
pub trait RegionName: sealed::Sealed {
    /// Returns the equivalent string: a path without a `/` gets one.
    fn as_name(&self) -> Cow<'_, Path>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! names {
    ($($type:ty, $name:ident => $as_name:expr;)*) => {$(
        impl sealed::Sealed for $type {}

        impl RegionName for $type {
            fn as_name(&self) -> Cow<'_, Path> {
                let $name = self;
                $as_name
            }
        }
    )*};
}

names! {
    str, name => Path::new(name).into();
    String, name => Path::new(name).into();
    Path, path => as_path(path);
    PathBuf, path => as_path(path);
}

impl<T: RegionName + ?Sized> sealed::Sealed for &T {}

impl<T: RegionName + ?Sized> RegionName for &T {
    fn as_name(&self) -> Cow<'_, Path> {
        (**self).as_name()
    }
}

fn as_path(path: &Path) -> Cow<'_, Path> {
    match path.parent() {
        Some(directory) if directory.as_os_str().is_empty() && path.file_name().is_some() => {
            Path::new(".").join(path).into()
        }
        _ => path.into(),
    }
}
