//! Models of chunks that are cut: nothing is lost, and nothing runs twice.

use std::sync::Arc;

use super::chunk_position::{ChunkPosition, Kept};
use super::model::{assert_partition, explore};
use super::range::Span;
use crate::sync::Fences;

const FENCES: Fences = Fences::Symmetric;

/// Runs a chunk in blocks of one unit, as a lane does. Returns the units that it ran.
fn run(position: &ChunkPosition, chunk: Span) -> Vec<u32> {
    let (mut block, mut rest) = chunk.split_at(1);
    let mut done = Vec::new();
    position.open(rest);
    loop {
        done.extend(block.lo..block.hi);
        if rest.len() == 0 {
            return done;
        }
        let from = block.hi;
        (block, rest) = rest.split_at(1);
        if let Some(end) = position.advance(rest, FENCES) {
            assert!(end == from || end == rest.lo, "a cut is where the owner is, or one block on");
            done.extend(from..end);
            return done;
        }
    }
}

/// Steals the rest of the chunk that ends at `end`.
fn revoke(position: &ChunkPosition, end: u32, thief: u32) -> Vec<u32> {
    let taken = position.revoke(end, thief, FENCES);
    taken.into_iter().flat_map(|span| span.lo..span.hi).collect()
}

/// Catches an owner that runs units which a thief has taken, at the first or the last cut, and
/// units that neither runs.
#[test]
fn model_owner_against_thief() {
    explore(|| {
        let position = Arc::new(ChunkPosition::new());
        let victim = Arc::clone(&position);
        let thief = loom::thread::spawn(move || revoke(&victim, 4, 7));
        let mut all = run(&position, Span { lo: 0, hi: 4 });
        all.extend(thief.join().unwrap());
        assert_partition(all, 4);
        assert_eq!(position.rest().len(), 0, "a chunk that is over is closed");
    });
}

/// Catches two thieves that take the same rest, one after the other or at the same time.
#[test]
fn model_owner_against_two_thieves() {
    explore(|| {
        let position = Arc::new(ChunkPosition::new());
        let thieves: Vec<_> = (0..2)
            .map(|thief| {
                let victim = Arc::clone(&position);
                loom::thread::spawn(move || revoke(&victim, 3, thief))
            })
            .collect();
        let mut all = run(&position, Span { lo: 0, hi: 3 });
        for thief in thieves {
            all.extend(thief.join().unwrap());
        }
        assert_partition(all, 3);
    });
}

/// Catches a thief that uses what it knows about one chunk to take units of another, and a cut that
/// is left over for the next chunk.
#[test]
fn model_late_thief_meets_the_next_chunk() {
    explore(|| {
        let position = Arc::new(ChunkPosition::new());
        let victim = Arc::clone(&position);
        let thief = loom::thread::spawn(move || {
            let mut taken = revoke(&victim, 2, 1);
            taken.extend(revoke(&victim, 5, 1));
            taken
        });
        let mut all = run(&position, Span { lo: 0, hi: 2 });
        all.extend(run(&position, Span { lo: 2, hi: 5 }));
        all.extend(thief.join().unwrap());
        assert_partition(all, 5);
    });
}

/// Catches a thief that comes again before the owner has noticed the first cut, and one that takes
/// the same rest again later.
#[test]
fn model_a_chunk_is_cut_once() {
    explore(|| {
        let position = Arc::new(ChunkPosition::new());
        let victim = Arc::clone(&position);
        let thief = loom::thread::spawn(move || {
            let mut taken = revoke(&victim, 3, 1);
            taken.extend(revoke(&victim, 3, 1));
            taken
        });
        let mut all = run(&position, Span { lo: 0, hi: 3 });
        all.extend(thief.join().unwrap());
        assert_partition(all, 3);
    });
}

/// Catches items that an abandoning owner (a panic, a search that has succeeded) drops although a
/// thief runs them.
#[test]
fn model_given_up_against_thief() {
    explore(|| {
        let position = Arc::new(ChunkPosition::new());
        position.open(Span { lo: 1, hi: 3 });
        let victim = Arc::clone(&position);
        let thief = loom::thread::spawn(move || revoke(&victim, 3, 1));
        let end = position.advance(Span { lo: 3, hi: 3 }, FENCES).unwrap_or(3);
        let mut all: Vec<u32> = (0..end).collect();
        all.extend(thief.join().unwrap());
        assert_partition(all, 3);
    });
}

/// Catches a hint of a rest that is gone, a missing hint, and a thief that takes the rest of a
/// chunk other than the one it saw.
#[test]
fn model_what_a_thief_is_told() {
    explore(|| {
        let position = Arc::new(ChunkPosition::new());
        let rest = Span { lo: 1, hi: 2 };
        position.open(rest);
        assert_eq!(position.rest(), rest);
        let watched = Arc::clone(&position);
        let onlooker = loom::thread::spawn(move || {
            let seen = watched.rest();
            assert!(seen == rest || seen.len() == 0, "never a part of it");
        });
        assert_eq!(
            position.revoke(3, 1, FENCES),
            Err(Kept::ForNow),
            "the chunk that was watched ended elsewhere"
        );
        assert_eq!(position.rest(), rest, "and nothing was cut");
        // Another thief; the request of the last one was withdrawn.
        assert_eq!(position.revoke(2, 2, FENCES), Ok(rest), "a single unit is worth it");
        assert_eq!(position.rest().len(), 0, "it is gone before the owner has noticed");
        assert_eq!(position.advance(Span { lo: 2, hi: 2 }, FENCES), Some(1));
        onlooker.join().unwrap();
    });
}
