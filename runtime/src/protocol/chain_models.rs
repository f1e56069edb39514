//! Models of a chain that its owner changes without a lock: each frame runs once, in a lane that
//! sees its contents.

use std::ptr;
use std::sync::Arc;

use super::chain::Chain;
use super::model::{assert_partition, explore};
use crate::sync::{AtomicBool, AtomicU32, Fences, Ordering};

const FENCES: Fences = Fences::Symmetric;

/// Stands for a frame that is not there.
const NOTHING: u32 = u32::MAX;

struct Frame {
    content: AtomicU32,
    is_public: AtomicBool,
}

/// The frames have fixed places: the pointer in the chain says how many of them are linked. The
/// lock guards `is_public`.
struct Lane {
    chain: Chain<Frame, ()>,
    frames: [Frame; 3],
}

impl Lane {
    fn new() -> Arc<Self> {
        let frame = || Frame { content: AtomicU32::new(NOTHING), is_public: AtomicBool::new(false) };
        Arc::new(Lane { chain: Chain::new(()), frames: [frame(), frame(), frame()] })
    }

    fn newest_of(&self, count: usize) -> *mut Frame {
        count.checked_sub(1).map_or(ptr::null_mut(), |last| ptr::from_ref(&self.frames[last]).cast_mut())
    }

    fn push(&self, before: usize, content: u32) {
        self.frames[before].content.store(content, Ordering::Relaxed);
        if self.chain.set_newest(self.newest_of(before + 1), FENCES) {
            self.chain.lower(&self.chain.lock());
        }
    }

    /// Removes the newest frame. Returns its contents, unless another lane has them.
    fn pop(&self, before: usize) -> Option<u32> {
        let frame = &self.frames[before - 1];
        let look_up = self.chain.set_newest(self.newest_of(before - 1), FENCES);
        if look_up || frame.is_public.load(Ordering::Relaxed) {
            let guard = self.chain.lock();
            self.chain.lower(&guard);
        }
        let content = frame.content.load(Ordering::Relaxed);
        let was_public = frame.is_public.load(Ordering::Relaxed);
        // The next frame reuses this place.
        frame.is_public.store(false, Ordering::Relaxed);
        frame.content.store(NOTHING, Ordering::Relaxed);
        (!was_public).then_some(content)
    }

    /// Stops the chain, and takes its private frames.
    fn take(&self) -> Vec<u32> {
        let Some((_guard, newest)) = self.chain.stop(FENCES) else { return Vec::new() };
        let count = (0..=3).find(|&count| ptr::eq(self.newest_of(count), newest)).expect("a frame");
        let private = self.frames[..count].iter().filter(|frame| !frame.is_public.load(Ordering::Relaxed));
        let take = |frame: &Frame| {
            frame.is_public.store(true, Ordering::Relaxed);
            frame.content.load(Ordering::Relaxed)
        };
        private.map(take).collect()
    }
}

/// Catches a half that both lanes run, one that neither runs, and one that is read after its frame
/// is freed or before it is written.
#[test]
fn model_owner_against_one_who_takes_all() {
    explore(|| {
        let lane = Lane::new();
        let victim = Arc::clone(&lane);
        let thief = loom::thread::spawn(move || victim.take());
        lane.push(0, 0);
        lane.push(1, 1);
        let mut all: Vec<u32> = [lane.pop(2), lane.pop(1)].into_iter().flatten().collect();
        all.extend(thief.join().unwrap());
        assert_partition(all, 2);
    });
}

/// Catches a lane that uses what it knows about one frame to take another one in the same place.
#[test]
fn model_a_place_is_used_again() {
    explore(|| {
        let lane = Lane::new();
        let victim = Arc::clone(&lane);
        lane.push(0, 0);
        let thief = loom::thread::spawn(move || victim.take());
        let mut all: Vec<u32> = lane.pop(1).into_iter().collect();
        lane.push(0, 1);
        all.extend(lane.pop(1));
        all.extend(thief.join().unwrap());
        assert_partition(all, 2);
    });
}

/// Catches two lanes that take the same frame, one after the other or at the same time.
#[test]
fn model_owner_against_two_who_take() {
    explore(|| {
        let lane = Lane::new();
        lane.push(0, 0);
        let thieves = [(); 2].map(|()| {
            let victim = Arc::clone(&lane);
            loom::thread::spawn(move || victim.take())
        });
        lane.push(1, 1);
        let mut all: Vec<u32> = [lane.pop(2), lane.pop(1)].into_iter().flatten().collect();
        for thief in thieves {
            all.extend(thief.join().unwrap());
        }
        assert_partition(all, 2);
    });
}

/// Catches a chain that gets stuck after it was stopped once, and a wrong hint.
#[test]
fn model_what_others_see() {
    explore(|| {
        let lane = Lane::new();
        assert_eq!(lane.chain.newest_private(), None);
        lane.push(0, 0);
        let watched = Arc::clone(&lane);
        let onlooker = loom::thread::spawn(move || watched.chain.newest_private().is_some());
        let first = lane.newest_of(1);
        assert_eq!(lane.chain.newest_private(), Some(first));
        assert_eq!(lane.chain.newest(), first);
        assert_eq!(lane.take(), [0]);
        assert!(lane.chain.is_raised(), "its owner learns of it");
        {
            let guard = lane.chain.lock();
            assert!(lane.chain.stop(FENCES).is_none(), "nobody waits to stop it");
            lane.chain.set_newest_public(first, &guard);
            lane.chain.lower(&guard);
        }
        assert!(!lane.chain.is_raised());
        assert_eq!(lane.chain.newest_private(), None);
        {
            let guard = lane.chain.lock();
            lane.chain.set_newest_locked(ptr::null_mut(), &guard);
            lane.chain.set_newest_public(ptr::null_mut(), &guard);
        }
        assert_eq!(lane.chain.newest(), ptr::null_mut());
        onlooker.join().unwrap();
    });
}
