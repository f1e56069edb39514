//! What a claim takes, from the addition to its end: `cargo test --release -p taskel-team --test price -- --nocapture`.
#![cfg(not(loom))]

use std::thread;
use std::time::Instant;

use protocol::claims::{Claims, Lane};
use sync::AtomicU64;

#[path = "../src/sync/mod.rs"]
#[allow(dead_code, reason = "the test does not use every operation")]
mod sync;

#[path = "../src/protocol"]
#[allow(dead_code, reason = "the test does not use every operation")]
mod protocol {
    pub(crate) mod claims;
}

const CLAIMS: u64 = 400_000;

/// Claims one item at a time on each thread, does nothing with it, and ends it. Processes that map
/// the same words do the same.
#[test]
fn claims_of_several_threads_are_exact_and_have_a_price() {
    for threads in [1, 2, 4] {
        let next = AtomicU64::new(0);
        let lanes: Vec<Lane> = (0..threads).map(|_| Lane::new()).collect();
        let table: Vec<AtomicU64> = (0..CLAIMS).map(|_| AtomicU64::new(0)).collect();
        let claims = Claims::new(&next, &lanes, &table);
        let claim_all = |lane| {
            let mut own = 0;
            while let Some(items) = claims.claim(lane, 1) {
                let _ = claims.finish(lane, &items, 0);
                own += 1;
            }
            own
        };
        let began = Instant::now();
        let all: u64 = thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|lane| scope.spawn(move || claim_all(lane))).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let each = began.elapsed().as_nanos() as f64 * threads as f64 / CLAIMS as f64;
        assert_eq!((all, claims.walk(0)), (CLAIMS, CLAIMS));
        println!("{threads} threads: {each:.0} ns of a thread for each claim");
    }
}
