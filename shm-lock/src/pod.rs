//! What a lock may protect.

/// A value that means the same in every process, whatever its bytes are.
///
/// A lock's value lies in memory that other programs write, some of which die halfway. So every sequence of bytes must be a
/// valid value: a `bool` that is 2, an enum without such a variant or a `char` beyond Unicode would be undefined behaviour in
/// whoever looks at it after a crash. And it must mean the same elsewhere: a reference, a pointer, a file descriptor
/// or a `Box` does not.
///
/// Implemented for integers, floats, and arrays of what implements it. For a structure of one's own there are three ways: the
/// features `bytemuck` and `zerocopy` with `pod_by_bytemuck!` and
/// `pod_by_zerocopy!`, which leave the proof to these crates, and one's own word:
///
/// ```
/// use shm_lock::{ShmMutex, ShmPod};
///
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Progress {
///     done: u64,
///     rate: f64,
/// }
///
/// // SAFETY: two fields of eight bytes, which may have any bytes.
/// unsafe impl ShmPod for Progress {}
///
/// let progress = ShmMutex::memfd("progress", Progress { done: 0, rate: 0.0 })?;
/// progress.lock().unwrap().done += 1;
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
///
/// # Safety
///
/// * Every sequence of `size_of::<Self>()` bytes is a valid value; padding may be anything.
/// * It holds no pointers, references, or other things that belong to a process or a thread.
/// * Its layout is the same in all programs that open the region: `#[repr(C)]`, or a primitive.
pub unsafe trait ShmPod: Copy + 'static {
    /// Increase it when the meaning of the value changes but not its name or size; who has another one is told
    /// [`Mismatch`](crate::OpenError::Mismatch).
    const VERSION: u32 = 0;
}

macro_rules! primitives {
    ($($type:ty)*) => {$(
        // SAFETY: a number without bits that are not part of its value.
        unsafe impl ShmPod for $type {}
    )*};
}

primitives!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

// SAFETY: elements lie side by side without padding, and each may have any bytes.
unsafe impl<T: ShmPod, const N: usize> ShmPod for [T; N] {
    const VERSION: u32 = T::VERSION;
}

/// Lets types that implement `bytemuck::AnyBitPattern` be a lock's value (feature `bytemuck`).
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
        // SAFETY: `AnyBitPattern` says that any bytes are a valid value, and forbids pointers and interior mutability; the
        // constant checks that the type implements it.
        unsafe impl $crate::ShmPod for $type {
            const VERSION: u32 = {
                const fn any_bit_pattern<T: $crate::bytemuck::AnyBitPattern>() {}
                any_bit_pattern::<$type>();
                0
            };
        }
    )+};
}

/// Lets types that implement `zerocopy::FromBytes` be a lock's value (feature `zerocopy`).
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
        // SAFETY: `FromBytes` says that any bytes are a valid value, `Immutable` that it has no interior mutability; the
        // constant checks that the type implements both.
        unsafe impl $crate::ShmPod for $type {
            const VERSION: u32 = {
                const fn from_bytes<T: $crate::zerocopy::FromBytes + $crate::zerocopy::Immutable>() {}
                from_bytes::<$type>();
                0
            };
        }
    )+};
}
