//! The partial results of one lane in one loop, in memory that the next loop reuses.
//!
//! A lane starts a partial whenever it acquires a range, so a loop has a handful of partials per
//! lane; their type changes from loop to loop. `PartialBuffer` therefore keeps bytes, and each loop
//! sees them as a list of its own type.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

/// A partial's result and the index of its first item.
#[derive(Debug)]
pub(crate) struct Partial<T> {
    pub(crate) start: usize,
    pub(crate) result: T,
}

/// A list of [`Partial`]s of a type that the user of the moment knows.
///
/// Between two loops it is empty, so it owns bytes and nothing else.
#[derive(Debug)]
pub(crate) struct PartialBuffer {
    bytes: NonNull<u8>,
    /// Size zero: nothing is allocated, and `bytes` dangles.
    layout: Layout,
    /// Partials `head..len` are initialised; those before were taken out.
    head: usize,
    len: usize,
}

// SAFETY: the buffer owns its bytes; what is put into them is `Send` by the bounds of `push`.
unsafe impl Send for PartialBuffer {}

impl PartialBuffer {
    pub(crate) fn new() -> Self {
        PartialBuffer { bytes: NonNull::dangling(), layout: Layout::new::<()>(), head: 0, len: 0 }
    }

    /// Makes room for `partials` partials in all, so that as many pushes allocate nothing.
    pub(crate) fn reserve<T>(&mut self, partials: usize) {
        let wanted = Layout::array::<Partial<T>>(partials).expect("partials fit into memory");
        if wanted.size() <= self.layout.size() && wanted.align() <= self.layout.align() {
            return;
        }
        let layout = Layout::from_size_align(
            wanted.size().max(self.layout.size()),
            wanted.align().max(self.layout.align()),
        )
        .expect("the larger of two valid sizes, at a valid alignment");
        // SAFETY: the size is not zero: `wanted` exceeds the present layout in size or alignment,
        // and a wanted size of zero means a partial without size, which cannot be (`start`).
        let Some(bytes) = NonNull::new(unsafe { alloc::alloc(layout) }) else {
            alloc::handle_alloc_error(layout)
        };
        let used = self.len * size_of::<Partial<T>>();
        // SAFETY: `used` bytes are initialised in the old memory and fit into the new, which is
        // apart from it.
        unsafe { bytes.copy_from_nonoverlapping(self.bytes, used) };
        self.free();
        self.bytes = bytes;
        self.layout = layout;
    }

    /// Appends a partial.
    ///
    /// # Safety
    ///
    /// Every partial in the buffer has the result type `T`.
    pub(crate) unsafe fn push<T: Send>(&mut self, partial: Partial<T>) {
        if (self.len + 1) * size_of::<Partial<T>>() > self.layout.size()
            || self.layout.align() < align_of::<T>()
        {
            self.reserve::<T>((self.len + 1).next_power_of_two());
        }
        // SAFETY: there is room for one more behind the `len` partials that are there.
        let end = unsafe { self.bytes.cast::<Partial<T>>().add(self.len) };
        // SAFETY: `end` is inside the allocation, aligned, and holds nothing.
        unsafe { end.write(partial) };
        self.len += 1;
    }

    /// The partials that are in the buffer, front to back.
    ///
    /// # Safety
    ///
    /// Every partial in the buffer has the result type `T`.
    pub(crate) unsafe fn peek<T: Send>(&mut self) -> NonNull<[Partial<T>]> {
        if self.head == self.len {
            // The bytes may be none, or were allocated for partials that need less alignment.
            return NonNull::slice_from_raw_parts(NonNull::dangling(), 0);
        }
        // SAFETY: `head` is at most `len`, which the allocation holds.
        let first = unsafe { self.bytes.cast::<Partial<T>>().add(self.head) };
        NonNull::slice_from_raw_parts(first, self.len - self.head)
    }

    /// Takes the first partial out.
    ///
    /// # Safety
    ///
    /// Every partial in the buffer has the result type `T`.
    pub(crate) unsafe fn pop_front<T: Send>(&mut self) -> Option<Partial<T>> {
        // SAFETY: the type is `T` by this method's contract.
        let partials = unsafe { self.peek::<T>() };
        if partials.is_empty() {
            return None;
        }
        self.head += 1;
        if self.head == self.len {
            (self.head, self.len) = (0, 0);
        }
        // SAFETY: the first partial was initialised by `push`, and `head` has moved past it: it is
        // read once.
        Some(unsafe { partials.cast::<Partial<T>>().read() })
    }

    fn free(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: the bytes were allocated with this layout.
            unsafe { alloc::dealloc(self.bytes.as_ptr(), self.layout) };
        }
    }
}

impl Drop for PartialBuffer {
    fn drop(&mut self) {
        self.free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained<T: Send>(buffer: &mut PartialBuffer) -> Vec<Partial<T>> {
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
        let mut buffer = PartialBuffer::new();
        for _ in 0..2 {
            // SAFETY: nothing is in the buffer.
            let first = unsafe { buffer.peek::<Wide>() }.cast::<Partial<Wide>>();
            assert!(first.is_aligned());
            // SAFETY: only a byte goes in, and it comes out below.
            unsafe { buffer.push(Partial { start: 0, result: 1_u8 }) };
            assert_eq!(drained::<u8>(&mut buffer).len(), 1);
        }
    }

    #[test]
    fn a_buffer_serves_one_type_after_another() {
        #[repr(align(256))]
        struct Wide(u8);
        let mut buffer = PartialBuffer::new();
        for i in 0..100_usize {
            // SAFETY: only strings are in the buffer.
            unsafe { buffer.push(Partial { start: i, result: i.to_string() }) };
        }
        let strings = drained::<String>(&mut buffer);
        assert!(strings.iter().enumerate().all(|(i, s)| s.start == i && s.result == i.to_string()));
        for i in 0..3 {
            // SAFETY: only `Wide`s are in the buffer.
            unsafe { buffer.push(Partial { start: 0, result: Wide(i) }) };
        }
        assert_eq!(drained::<Wide>(&mut buffer).iter().map(|s| s.result.0).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
