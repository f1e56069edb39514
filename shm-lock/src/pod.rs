//! The values that a lock may protect.

use std::fmt;

/// A value that means the same in every process, and for which every byte pattern is valid.
///
/// Other programs write a lock's value, and some of them die halfway. So every sequence of bytes
/// must be a valid value: after a crash, reading a `bool` that is 2, an enum with an unknown
/// discriminant or a `char` beyond Unicode would be undefined behaviour. The value must also mean
/// the same in other processes. References, pointers, file descriptors and `Box` do not.
///
/// Implemented for integers, floats, [`ShmBool`], `()`, and arrays and tuples of such types. For
/// your own structure, derive it:
///
/// ```
/// use shm_lock::{ShmMutex, ShmPod};
///
/// #[derive(Clone, Copy, ShmPod)]
/// #[repr(C)]
/// struct Progress {
///     done: u64,
///     rate: f64,
/// }
///
/// let progress = ShmMutex::memfd("progress", Progress { done: 0, rate: 0.0 })?;
/// progress.lock().unwrap().done += 1;
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
///
/// Names, types and offsets of all fields are then compared when a region is opened. A program with
/// another version of the structure gets [`Mismatch`](crate::OpenError::Mismatch). Without
/// `#[repr(C)]`, or with a field that does not allow all byte patterns, this does not compile:
///
/// ```compile_fail
/// #[derive(Clone, Copy, shm_lock::ShmPod)]
/// struct Progress {
///     done: u64,
/// }
/// ```
///
/// ```compile_fail
/// #[derive(Clone, Copy, shm_lock::ShmPod)]
/// #[repr(C)]
/// struct Progress {
///     done: bool,
/// }
/// ```
///
/// For types of other crates, use the features `bytemuck` and `zerocopy` (`pod_by_bytemuck!`,
/// `pod_by_zerocopy!`), which rely on the proofs of these crates, or implement the trait by hand.
/// For such types, only name, size, alignment and [`VERSION`](Self::VERSION) are compared.
///
/// # Safety
///
/// * Every sequence of `size_of::<Self>()` bytes is a valid value; padding may be anything.
/// * It holds no pointers, references, or other things that belong to one process or thread.
/// * Its layout is the same in all programs that open the region: `#[repr(C)]`, or a primitive.
pub unsafe trait ShmPod: Copy + 'static {
    /// Increase it when the meaning of the value changes, but not its name or size. A program with
    /// another version gets [`Mismatch`](crate::OpenError::Mismatch).
    const VERSION: u32 = 0;

    /// Appends a text that is the same for the same layout and meaning. It is compared when a
    /// region is opened, and an error about a mismatch shows it. By default, it contains the type's
    /// name without its modules, the version, the size and the alignment.
    fn describe(text: &mut String) {
        describe_by_name::<Self>(text);
    }
}

macro_rules! primitives {
    ($($type:ty)*) => {$(
        // SAFETY: a number without bits that are not part of its value.
        unsafe impl ShmPod for $type {
            fn describe(text: &mut String) {
                text.push_str(stringify!($type));
            }
        }
    )*};
}

primitives!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

// SAFETY: elements lie side by side without padding, and each may have any bytes.
unsafe impl<T: ShmPod, const N: usize> ShmPod for [T; N] {
    const VERSION: u32 = T::VERSION;

    fn describe(text: &mut String) {
        text.push('[');
        T::describe(text);
        text.push_str(&format!("; {N}]"));
    }
}

// SAFETY: it has no bytes.
unsafe impl ShmPod for () {
    fn describe(text: &mut String) {
        text.push_str("()");
    }
}

macro_rules! tuples {
    ($(($($T:ident $index:tt)+))+) => {$(
        // SAFETY: each part may have any bytes. The compiler chooses where it puts them, so the
        // description contains the offsets; programs in which they differ refuse the region.
        unsafe impl<$($T: ShmPod),+> ShmPod for ($($T,)+) {
            fn describe(text: &mut String) {
                describe_fields(
                    text,
                    "",
                    &[$((stringify!($index), std::mem::offset_of!(Self, $index), <$T as ShmPod>::describe)),+],
                );
            }
        }
    )+};
}

tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
}

/// A boolean in a lock's value, where `bool` is not allowed.
///
/// It is one byte: 0 is false, and every other value is true. So it is valid whatever a faulty
/// program leaves there.
///
/// ```
/// use shm_lock::{ShmBool, ShmMutex};
///
/// let migrated = ShmMutex::memfd("migrated", ShmBool::from(false))?;
/// *migrated.lock()? = true.into();
/// assert!(migrated.lock()?.get());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default)]
#[repr(transparent)]
pub struct ShmBool(u8);

impl ShmBool {
    /// Returns the value as a `bool`.
    pub fn get(self) -> bool {
        self.0 != 0
    }
}

impl From<bool> for ShmBool {
    fn from(value: bool) -> Self {
        ShmBool(value.into())
    }
}

impl From<ShmBool> for bool {
    fn from(value: ShmBool) -> Self {
        value.get()
    }
}

impl PartialEq for ShmBool {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for ShmBool {}

impl fmt::Debug for ShmBool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

// SAFETY: a byte.
unsafe impl ShmPod for ShmBool {
    fn describe(text: &mut String) {
        text.push_str("ShmBool");
    }
}

/// A field: its name, its offset, and the function that describes it.
type Field = (&'static str, usize, fn(&mut String));

/// For tuples, `#[derive(ShmPod)]` and [`region!`](crate::region).
#[doc(hidden)]
pub fn describe_fields(text: &mut String, name: &str, fields: &[Field]) {
    text.push_str(name);
    text.push('{');
    for (i, (field, offset, describe)) in fields.iter().enumerate() {
        if i > 0 {
            text.push_str(", ");
        }
        text.push_str(&format!("{field}@{offset}: "));
        describe(text);
    }
    text.push('}');
}

/// A name alone does not distinguish types, not even one like `u64`: a module may use it for a
/// structure.
fn describe_by_name<T: ShmPod>(text: &mut String) {
    text.push_str(&without_paths(std::any::type_name::<T>()));
    if T::VERSION != 0 {
        text.push_str(&format!(" version {}", T::VERSION));
    }
    text.push_str(&format!(" ({} bytes, align {})", size_of::<T>(), align_of::<T>()));
}

/// Returns a type's name without modules: two programs that share a structure may have it in
/// different modules.
fn without_paths(name: &str) -> String {
    let mut short = String::new();
    let mut segment = 0;
    for c in name.chars() {
        match c {
            ':' => short.truncate(segment),
            c if c.is_alphanumeric() || c == '_' => short.push(c),
            c => {
                short.push(c);
                segment = short.len();
            }
        }
    }
    short
}

/// Allows types that implement `bytemuck::AnyBitPattern` as a lock's value (feature `bytemuck`).
///
/// ```
/// #[derive(Clone, Copy, bytemuck::AnyBitPattern)]
/// #[repr(C)]
/// struct Point {
///     x: f32,
///     y: f32,
/// }
///
/// shm_lock::pod_by_bytemuck!(Point);
///
/// let point = shm_lock::ShmMutex::memfd("point", Point { x: 1.0, y: 2.0 })?;
/// assert_eq!(point.lock().unwrap().y, 2.0);
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[cfg(feature = "bytemuck")]
#[macro_export]
macro_rules! pod_by_bytemuck {
    ($($type:ty),+ $(,)?) => {$(
        // SAFETY: `AnyBitPattern` says that any bytes are a valid value, and forbids pointers and
        // interior mutability; the constant checks that the type implements it.
        unsafe impl $crate::ShmPod for $type {
            const VERSION: u32 = {
                const fn any_bit_pattern<T: $crate::bytemuck::AnyBitPattern>() {}
                any_bit_pattern::<$type>();
                0
            };
        }
    )+};
}

/// Allows types that implement `zerocopy::FromBytes` as a lock's value (feature `zerocopy`).
///
/// ```
/// #[derive(Clone, Copy, zerocopy::FromBytes, zerocopy::Immutable)]
/// #[repr(C)]
/// struct Point {
///     x: f32,
///     y: f32,
/// }
///
/// shm_lock::pod_by_zerocopy!(Point);
///
/// let point = shm_lock::ShmMutex::memfd("point", Point { x: 1.0, y: 2.0 })?;
/// assert_eq!(point.lock().unwrap().y, 2.0);
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[cfg(feature = "zerocopy")]
#[macro_export]
macro_rules! pod_by_zerocopy {
    ($($type:ty),+ $(,)?) => {$(
        // SAFETY: `FromBytes` says that any bytes are a valid value, `Immutable` that it has no
        // interior mutability; the constant checks that the type implements both.
        unsafe impl $crate::ShmPod for $type {
            const VERSION: u32 = {
                const fn from_bytes<T: $crate::zerocopy::FromBytes + $crate::zerocopy::Immutable>() {}
                from_bytes::<$type>();
                0
            };
        }
    )+};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_modules() {
        assert_eq!(without_paths("u64"), "u64");
        assert_eq!(without_paths("[a::b::State; 4]"), "[State; 4]");
        assert_eq!(without_paths("a::Pair<b::c::Left, [u8; 2]>"), "Pair<Left, [u8; 2]>");
    }
}
