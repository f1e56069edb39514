//! Whoever is measured has its rows measured.

use taskel_bench_members::{Effort, PEERS};

#[test]
fn every_peer_has_all_workers_busy_in_a_plain_loop() {
    for (peer, measure) in PEERS {
        let effort = Effort { pools: 4, calls: 1 };
        let found = measure(effort, &|name, _| name == "ParallelIterator::for_each");
        assert_eq!(
            found.iter().map(|busy| busy.layout).collect::<Vec<_>>(),
            ["even", "a few long", "every 8th long"]
        );
        assert!(found[0].workers > 4.0, "{peer}: {found:?}");
    }
}
