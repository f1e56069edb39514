//! The partial results of one lane in one loop, in memory that the next loop reuses.
//!
//! A lane starts a segment whenever it acquires a range, so a loop has a handful of segments per lane; their type changes
//! from loop to loop. `SegmentBuffer` therefore keeps bytes, and each loop sees them as a list of its own type.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

/// A segment's result and the index of its first item.
#[derive(Debug)]
pub(crate) struct Segment<T> {
    pub(crate) start: usize,
    pub(crate) result: T,
}

/// A list of [`Segment`]s of a type that the user of the moment knows.
///
/// Between two loops it is empty, so it owns bytes and nothing else.
#[derive(Debug)]
pub(crate) struct SegmentBuffer {
    bytes: NonNull<u8>,
    /// Size zero: nothing is allocated, and `bytes` dangles.
    layout: Layout,
    /// Segments `head..len` are initialised; those before were taken out.
    head: usize,
    len: usize,
}

// SAFETY: the buffer owns its bytes; what is put into them is `Send` by the bounds of `push`.
unsafe impl Send for SegmentBuffer {}

impl SegmentBuffer {
    pub(crate) fn new() -> Self {
        SegmentBuffer { bytes: NonNull::dangling(), layout: Layout::new::<()>(), head: 0, len: 0 }
    }

    /// Makes room for `segments` segments in all, so that as many pushes allocate nothing.
    pub(crate) fn reserve<T>(&mut self, segments: usize) {
        let wanted = Layout::array::<Segment<T>>(segments).expect("segments fit into memory");
        if wanted.size() <= self.layout.size() && wanted.align() <= self.layout.align() {
            return;
        }
        let layout = Layout::from_size_align(
            wanted.size().max(self.layout.size()),
            wanted.align().max(self.layout.align()),
        )
        .expect("the larger of two valid sizes, at a valid alignment");
        // SAFETY: the size is not zero: `wanted` exceeds the present layout in size or alignment, and a wanted size
        // of zero means a segment without size, which cannot be (`start`).
        let Some(bytes) = NonNull::new(unsafe { alloc::alloc(layout) }) else {
            alloc::handle_alloc_error(layout)
        };
        let used = self.len * size_of::<Segment<T>>();
        // SAFETY: `used` bytes are initialised in the old memory and fit into the new, which is apart from it.
        unsafe { bytes.copy_from_nonoverlapping(self.bytes, used) };
        self.free();
        self.bytes = bytes;
        self.layout = layout;
    }

    /// Appends a segment.
    ///
    /// # Safety
    ///
    /// Every segment in the buffer has the result type `T`.
    pub(crate) unsafe fn push<T: Send>(&mut self, segment: Segment<T>) {
        if (self.len + 1) * size_of::<Segment<T>>() > self.layout.size()
            || self.layout.align() < align_of::<T>()
        {
            self.reserve::<T>((self.len + 1).next_power_of_two());
        }
        // SAFETY: there is room for one more behind the `len` segments that are there.
        let end = unsafe { self.bytes.cast::<Segment<T>>().add(self.len) };
        // SAFETY: `end` is inside the allocation, aligned, and holds nothing.
        unsafe { end.write(segment) };
        self.len += 1;
    }

    /// The segments that are in the buffer, front to back.
    ///
    /// # Safety
    ///
    /// Every segment in the buffer has the result type `T`.
    pub(crate) unsafe fn peek<T: Send>(&mut self) -> NonNull<[Segment<T>]> {
        if self.head == self.len {
            // The bytes may be none, or were allocated for segments that need less alignment.
            return NonNull::slice_from_raw_parts(NonNull::dangling(), 0);
        }
        // SAFETY: `head` is at most `len`, which the allocation holds.
        let first = unsafe { self.bytes.cast::<Segment<T>>().add(self.head) };
        NonNull::slice_from_raw_parts(first, self.len - self.head)
    }

    /// Takes the first segment out.
    ///
    /// # Safety
    ///
    /// Every segment in the buffer has the result type `T`.
    pub(crate) unsafe fn pop_front<T: Send>(&mut self) -> Option<Segment<T>> {
        // SAFETY: the type is `T` by this method's contract.
        let segments = unsafe { self.peek::<T>() };
        if segments.is_empty() {
            return None;
        }
        self.head += 1;
        if self.head == self.len {
            (self.head, self.len) = (0, 0);
        }
        // SAFETY: the first segment was initialised by `push`, and `head` has moved past it: it is read once.
        Some(unsafe { segments.cast::<Segment<T>>().read() })
    }

    fn free(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: the bytes were allocated with this layout.
            unsafe { alloc::dealloc(self.bytes.as_ptr(), self.layout) };
        }
    }
}

impl Drop for SegmentBuffer {
    fn drop(&mut self) {
        self.free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained<T: Send>(buffer: &mut SegmentBuffer) -> Vec<Segment<T>> {
        std::iter::from_fn(|| {
            // SAFETY: the tests put only `T`s in.
            unsafe { buffer.pop_front::<T>() }
        })
        .collect()
    }

    #[test]
    fn an_empty_buffer_is_an_empty_list_of_any_type() {
        #[repr(align(256))]
        struct Wide(#[expect(dead_code, reason = "only its alignment matters")] u8);
        let mut buffer = SegmentBuffer::new();
        for _ in 0..2 {
            // SAFETY: nothing is in the buffer.
            let first = unsafe { buffer.peek::<Wide>() }.cast::<Segment<Wide>>();
            assert!(first.is_aligned());
            // SAFETY: only a byte goes in, and it comes out below.
            unsafe { buffer.push(Segment { start: 0, result: 1_u8 }) };
            assert_eq!(drained::<u8>(&mut buffer).len(), 1);
        }
    }

    #[test]
    fn a_buffer_serves_one_type_after_another() {
        #[repr(align(256))]
        struct Wide(u8);
        let mut buffer = SegmentBuffer::new();
        for i in 0..100_usize {
            // SAFETY: only strings are in the buffer.
            unsafe { buffer.push(Segment { start: i, result: i.to_string() }) };
        }
        let strings = drained::<String>(&mut buffer);
        assert!(strings.iter().enumerate().all(|(i, s)| s.start == i && s.result == i.to_string()));
        for i in 0..3 {
            // SAFETY: only `Wide`s are in the buffer.
            unsafe { buffer.push(Segment { start: 0, result: Wide(i) }) };
        }
        assert_eq!(drained::<Wide>(&mut buffer).iter().map(|s| s.result.0).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
