//! What may be in a region, and how programs that share it agree on its layout.

use crate::pod::ShmPod;
use crate::thread::RawLock;

/// A type that may be in a [`ShmRegion`](crate::ShmRegion): locks, and values that do not change
/// after the region is created.
///
/// Implemented for [`RegionMutex`](crate::RegionMutex), [`RegionRwLock`](crate::RegionRwLock),
/// [`ShmCondvar`](crate::ShmCondvar), [`ShmSemaphore`](crate::ShmSemaphore),
/// [`ShmBarrier`](crate::ShmBarrier), [`ShmOnce`](crate::ShmOnce), every [`ShmPod`] value, atomic
/// integers, arrays of these, and [`ShmOnceLock`](crate::ShmOnceLock). For a structure of several
/// of them, use [`region!`](crate::region).
///
/// # Safety
///
/// * The type is `#[repr(C)]`, and all its parts implement this trait.
/// * [`describe`](Self::describe) returns different texts for types with different layouts.
/// * [`visit_locks`](Self::visit_locks) passes `locks` on to every part of `self`, and does nothing
///   else.
pub unsafe trait ShmLayout: Send + Sync + Sized + 'static {
    /// Appends a text that is the same for the same layout. Its hash is compared when a region is
    /// opened, and an error about a mismatch shows the text.
    fn describe(text: &mut String);

    /// Passes every lock to `locks`.
    fn visit_locks(&self, locks: &mut Locks<'_>);
}

/// Visits every lock of a region, when the region is created and when it is unmapped.
pub struct Locks<'a>(&'a mut dyn FnMut(&RawLock));

impl std::fmt::Debug for Locks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Locks").finish_non_exhaustive()
    }
}

impl Locks<'_> {
    pub(crate) fn see(&mut self, lock: &RawLock) {
        (self.0)(lock);
    }
}

/// Calls `see` for every lock of `content`.
pub(crate) fn for_each_lock<R: ShmLayout>(content: &R, mut see: impl FnMut(&RawLock)) {
    content.visit_locks(&mut Locks(&mut see));
}

/// Returns the text that describes `R`.
pub(crate) fn text_of<R: ShmLayout>() -> String {
    let mut text = String::new();
    R::describe(&mut text);
    text
}

// SAFETY: the value holds no locks and has the same layout everywhere, as `ShmPod` demands; its
// description and, in the header, its size are compared.
unsafe impl<T: ShmPod + Send + Sync> ShmLayout for T {
    fn describe(text: &mut String) {
        <T as ShmPod>::describe(text);
    }

    fn visit_locks(&self, _: &mut Locks<'_>) {}
}

#[cfg(not(loom))]
macro_rules! atomics {
    ($($name:ident)*) => {$(
        // SAFETY: an integer that may have any bytes and is changed only by atomic instructions; no
        // lock.
        unsafe impl ShmLayout for crate::sync::atomics::$name {
            fn describe(text: &mut String) {
                text.push_str(stringify!($name));
            }

            fn visit_locks(&self, _: &mut Locks<'_>) {}
        }

        // SAFETY: elements lie side by side; no locks.
        unsafe impl<const N: usize> ShmLayout for [crate::sync::atomics::$name; N] {
            fn describe(text: &mut String) {
                text.push_str(&format!("[{}; {N}]", stringify!($name)));
            }

            fn visit_locks(&self, _: &mut Locks<'_>) {}
        }
    )*};
}

#[cfg(not(loom))]
atomics!(AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize);

macro_rules! array {
    ($lock:ty $(, $T:ident: $($bound:ident)+)? $(; $MOST:ident)?) => {
        // SAFETY: elements lie side by side; each is shown its own locks.
        unsafe impl<$($T: $($bound +)+,)? $(const $MOST: usize,)? const N: usize> ShmLayout for [$lock; N] {
            fn describe(text: &mut String) {
                text.push('[');
                <$lock>::describe(text);
                text.push_str(&format!("; {N}]"));
            }

            fn visit_locks(&self, locks: &mut Locks<'_>) {
                self.iter().for_each(|element| element.visit_locks(locks));
            }
        }
    };
}

array!(crate::mutex::RegionMutex<T>, T: ShmPod);
array!(crate::rwlock::RegionRwLock<T, READERS>, T: ShmPod Sync; READERS);
array!(crate::condvar::ShmCondvar);
array!(crate::semaphore::ShmSemaphore<MOST>; MOST);
array!(crate::barrier::ShmBarrier<MOST>; MOST);
array!(crate::once::ShmOnce);

/// Declares a structure of locks and values that share a [`ShmRegion`](crate::ShmRegion).
///
/// It becomes `#[repr(C)]`. Names, types and offsets of all fields are compared when a region is
/// opened.
///
/// ```
/// use shm_lock::{RegionMutex, ShmCondvar, ShmRegion};
///
/// shm_lock::region! {
///     /// Jobs that wait for a worker.
///     pub struct Jobs {
///         pub waiting: RegionMutex<u64>,
///         pub changed: ShmCondvar,
///         pub capacity: u64,
///     }
/// }
///
/// let jobs = ShmRegion::memfd(
///     "jobs",
///     Jobs { waiting: RegionMutex::new(0), changed: ShmCondvar::new(), capacity: 100 },
/// )?;
/// let mut waiting = jobs.waiting.lock().unwrap();
/// assert!(*waiting < jobs.capacity);
/// *waiting += 1;
/// jobs.changed.notify_one();
/// # drop(waiting);
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[macro_export]
macro_rules! region {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_visibility:vis $field:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[repr(C)]
        $visibility struct $name {
            $($(#[$field_meta])* $field_visibility $field: $type,)+
        }

        // SAFETY: `repr(C)`; the compiler checks that each field implements the trait; all are
        // described and shown.
        unsafe impl $crate::ShmLayout for $name {
            fn describe(text: &mut ::std::string::String) {
                $crate::describe_fields(
                    text,
                    ::std::stringify!($name),
                    &[$((
                        ::std::stringify!($field),
                        ::std::mem::offset_of!($name, $field),
                        <$type as $crate::ShmLayout>::describe,
                    )),+],
                );
            }

            fn visit_locks(&self, locks: &mut $crate::Locks<'_>) {
                $($crate::ShmLayout::visit_locks(&self.$field, locks);)+
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    #[repr(C)]
    struct State(u64, u32);

    // SAFETY: numbers and padding.
    unsafe impl ShmPod for State {
        const VERSION: u32 = 3;
    }

    crate::region! {
        struct Several {
            one: crate::RegionMutex<State>,
            three: [crate::ShmOnce; 3],
            limit: u32,
        }
    }

    #[test]
    fn a_text_tells_layouts_apart() {
        assert_eq!(text_of::<[u8; 4]>(), "[u8; 4]");
        assert_eq!(text_of::<State>(), "State version 3 (16 bytes, align 8)");
        let text = text_of::<Several>();
        // In a model, a lock has no links, and its two words are one.
        let place = if cfg!(loom) { 32 } else { 40 };
        let start = format!(
            "Several{{one@0: RegionMutex<State version 3 (16 bytes, align 8)>@{place}, three@64: [ShmOnce; 3], limit@"
        );
        assert!(text.starts_with(&start), "{text}");
    }

    #[cfg(not(loom))]
    #[test]
    fn every_lock_is_seen() {
        let several = Several {
            one: crate::RegionMutex::new(State(0, 0)),
            three: std::array::from_fn(|_| crate::ShmOnce::new()),
            limit: 1,
        };
        assert_eq!((several.limit, several.three.len()), (1, 3));
        let mut seen = 0;
        for_each_lock(&several, |_| seen += 1);
        assert_eq!(seen, 4);
        assert!(format!("{:?}", several.one).contains("owner"));
    }
}
