//! Loop slots: the memory that the lanes of a loop share. The calling lane keeps it for its next
//! loop.

use std::cell::UnsafeCell;
use std::marker::PhantomData;

use crossbeam_utils::CachePadded;

use crate::containers::partials::PartialBuffer;
use crate::os::clock::Ticks;
use crate::protocol::chunk_position::ChunkPosition;
use crate::protocol::range::Range;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Partials per lane and loop for which there is room beforehand. A lane that steals more often
/// than this in one loop makes its buffer larger, once.
const USUAL_PARTIALS: usize = 32;

/// What one lane has in one loop. Its range is on a cache line of its own, with nothing that others
/// write.
#[derive(Debug)]
pub(crate) struct LoopSlot {
    pub(crate) range: Range,
    pub(crate) cost: CostHint,
    /// When the lane began its current work.
    pub(crate) began: MomentHint,
    /// The lane has been inside this loop. Written by the lane alone, and by the caller before it
    /// publishes the loop.
    visited: AtomicBool,
    /// The lane is inside this loop. For the lane itself this is exact. For the caller, which looks
    /// there for work while it waits, it is a hint. A chunk of the lane may be neither in its range
    /// nor in its position. Others wait for that moment to pass, because the system may take the
    /// lane's core away there.
    claiming: AtomicBool,
    inside: AtomicBool,
    partials: UnsafeCell<PartialBuffer>,
    /// The position in the chunk that the lane runs. It is written far more often than the range,
    /// and only lanes that find all ranges empty read it.
    pub(crate) position: CachePadded<ChunkPosition>,
}

// SAFETY: `range`, `cost`, `began` and `position` are atomic; `partials` is reached through methods
// that demand exclusive use.
unsafe impl Sync for LoopSlot {}

impl LoopSlot {
    /// True the first time that the lane asks in this loop.
    pub(crate) fn first_visit(&self) -> bool {
        !self.visited.swap(true, Ordering::Relaxed)
    }

    /// Says that the lane is about to claim a chunk whose rest others can take once it has begun.
    pub(crate) fn set_claiming(&self, claiming: bool) {
        self.claiming.store(claiming, Ordering::Relaxed);
    }

    /// Whether the lane may have claimed what nobody sees yet; a hint.
    pub(crate) fn is_claiming(&self) -> bool {
        self.claiming.load(Ordering::Relaxed)
    }

    pub(crate) fn set_inside(&self, inside: bool) {
        self.inside.store(inside, Ordering::Relaxed);
    }

    pub(crate) fn is_inside(&self) -> bool {
        self.inside.load(Ordering::Relaxed)
    }

    /// # Safety
    ///
    /// Only the lane that the slot belongs to calls this while it is inside the loop, or the loop's
    /// caller once every lane is out; and the reference ends before the next call.
    #[expect(clippy::mut_from_ref, reason = "exclusiveness is the caller's promise")]
    pub(crate) unsafe fn partials(&self) -> &mut PartialBuffer {
        // SAFETY: exclusive by this method's contract.
        unsafe { &mut *self.partials.get() }
    }
}

/// What the owner thinks a unit of its range costs, for thieves that choose among victims. Nothing
/// depends on it but speed.
#[derive(Debug)]
pub(crate) struct CostHint(AtomicU32);

impl CostHint {
    /// Sets the time in nanoseconds.
    pub(crate) fn set(&self, ns: f64) {
        self.0.store((ns as f32).to_bits(), Ordering::Relaxed);
    }

    /// The time in nanoseconds, as of a moment ago.
    pub(crate) fn get(&self) -> f64 {
        f64::from(f32::from_bits(self.0.load(Ordering::Relaxed)))
    }
}

/// A moment in the life of a lane, for others. Nothing depends on it but speed.
#[derive(Debug)]
pub(crate) struct MomentHint(AtomicU64);

impl MomentHint {
    pub(crate) fn set(&self, moment: Ticks) {
        self.0.store(moment.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Ticks {
        Ticks::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// Which slot of a loop: a worker's, by its index, or behind these that of the external caller,
/// whichever external lane it has. So it is another number than a lane's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotIndex(pub(crate) usize);

/// A slot for each worker of the pool, and one for the external caller that called.
#[derive(Debug)]
pub(crate) struct LoopSlots {
    slots: Box<[CachePadded<LoopSlot>]>,
}

impl LoopSlots {
    pub(crate) fn new(slots: usize) -> Self {
        let slot = |_| {
            let partials = UnsafeCell::new(PartialBuffer::new());
            CachePadded::new(LoopSlot {
                range: Range::new(),
                cost: CostHint(AtomicU32::new(0)),
                began: MomentHint(AtomicU64::new(0)),
                visited: AtomicBool::new(false),
                inside: AtomicBool::new(false),
                claiming: AtomicBool::new(false),
                partials,
                position: CachePadded::new(ChunkPosition::new()),
            })
        };
        LoopSlots { slots: (0..slots).map(slot).collect() }
    }

    pub(crate) fn slot(&self, index: SlotIndex) -> &LoopSlot {
        &self.slots[index.0]
    }

    pub(crate) fn slots(&self) -> impl ExactSizeIterator<Item = &LoopSlot> {
        self.slots.iter().map(|slot| &**slot)
    }

    /// Whether a lane has units that it has not begun.
    pub(crate) fn has_work(&self) -> bool {
        self.slots().any(|slot| slot.range.peek().len() > 0)
    }

    /// Whether `look` is true of a lane inside the loop, among the first `lanes`.
    pub(crate) fn any_inside(&self, lanes: usize, look: &mut dyn FnMut(usize) -> bool) -> bool {
        let mut slots = self.slots().take(lanes).enumerate();
        slots.any(|(lane, slot)| slot.is_inside() && look(lane))
    }

    /// Makes room in every slot for as many partials as a loop usually has.
    pub(crate) fn reserve<T>(&mut self) {
        for slot in &mut self.slots {
            slot.partials.get_mut().reserve::<T>(USUAL_PARTIALS);
        }
    }

    /// Nobody has been inside the loop that is about to begin.
    pub(crate) fn forget_visits(&self) {
        for slot in &self.slots {
            slot.visited.store(false, Ordering::Relaxed);
        }
    }

    /// Empties all partial buffers and yields what was in them, by start index.
    ///
    /// # Safety
    ///
    /// Every lane is out, and every partial has the result type `T`.
    pub(crate) unsafe fn merge<T: Send>(&mut self) -> Merge<'_, T> {
        let mut left = 0;
        for slot in &mut self.slots {
            let buffer = slot.partials.get_mut();
            // SAFETY: the result type is `T` by this method's contract.
            let mut partials = unsafe { buffer.peek::<T>() };
            // SAFETY: `self` is borrowed exclusively, so nobody else looks at the partials.
            unsafe { partials.as_mut() }.sort_unstable_by_key(|partial| partial.start);
            left += partials.len();
        }
        Merge { slots: self, left, _results: PhantomData }
    }
}

/// The partials of a loop in order. What is not asked for is dropped with it.
#[derive(Debug)]
pub(crate) struct Merge<'a, T: Send> {
    slots: &'a mut LoopSlots,
    /// How many partials are left.
    left: usize,
    _results: PhantomData<T>,
}

impl<T: Send> Iterator for Merge<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        fn first<T: Send>(slot: &mut CachePadded<LoopSlot>) -> Option<(usize, &mut CachePadded<LoopSlot>)> {
            // SAFETY: every partial is a `T` (`LoopSlots::merge`).
            let partials = unsafe { slot.partials.get_mut().peek::<T>() };
            // SAFETY: the loop slots are borrowed exclusively, and partials in a buffer are
            // initialised.
            let start = unsafe { partials.as_ref() }.first()?.start;
            Some((start, slot))
        }
        let (_, slot) = self.slots.slots.iter_mut().filter_map(first::<T>).min_by_key(|(start, _)| *start)?;
        self.left -= 1;
        // SAFETY: every partial is a `T` (`LoopSlots::merge`).
        unsafe { slot.partials.get_mut().pop_front::<T>() }.map(|partial| partial.result)
    }
}

impl<T: Send> ExactSizeIterator for Merge<'_, T> {
    fn len(&self) -> usize {
        self.left
    }
}

impl<T: Send> Drop for Merge<'_, T> {
    fn drop(&mut self) {
        /// Goes on with the next partial when dropping one panics.
        struct Rest<'m, 'a, T: Send>(&'m mut Merge<'a, T>);
        impl<T: Send> Drop for Rest<'_, '_, T> {
            fn drop(&mut self) {
                self.0.for_each(drop);
            }
        }
        let rest = Rest(self);
        rest.0.for_each(drop);
    }
}
