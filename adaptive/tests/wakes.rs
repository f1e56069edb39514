//! Workers are woken by others, and a chunk that is being run is nobody else's: what the runtime
//! took when it woke one worker at a time, and what it takes now.

use taskel_adaptive::simulate::{Costs, Policy, Publish, Schedule, Simulation, Wake, load};

const VIRTUAL_MACHINE: Costs =
    Costs { claim_ns: 10.0, steal_ns: 300.0, timestamp_ns: 25.0, wake_ns: 50_000.0, call_ns: 5_000.0 };

fn run(simulation: &Simulation, times_ns: &[f64]) -> Schedule {
    simulation.clone().with_costs(VIRTUAL_MACHINE).run(times_ns).unwrap()
}

/// Beyond the bound, in microseconds.
fn lost_us(simulation: &Simulation, times_ns: &[f64]) -> f64 {
    let schedule = run(simulation, times_ns);
    (schedule.makespan_ns - schedule.bound) / 1000.0
}

#[test]
fn who_begins_what_it_has_stolen_before_it_calls_others_doubles_the_busy_workers_in_each_round() {
    for (workers, measured) in [(4, 2.01), (8, 3.01), (16, 4.01), (32, 5.01)] {
        let old = Simulation::taskel(workers).with_wake(Wake::OneByOne);
        let times_ns = load::constant(workers, 4e7);
        let (first, new) = (run(&old, &times_ns), run(&Simulation::taskel(workers), &times_ns));
        assert!((first.ratio() - measured).abs() < 0.02, "{workers}: {}", first.ratio());
        assert!(new.ratio() < 1.01, "{workers}: {}", new.ratio());
        // From the second call on, each had a share, and one item was not behind another.
        let second = run(&old.with_lesson(&first), &times_ns);
        assert!(second.ratio() < 1.1, "{workers}: {}", second.ratio());
    }
}

#[test]
fn a_loop_of_fewer_items_than_workers_was_never_dealt_out() {
    let times_ns = load::constant(7, 2e7);
    let old = Simulation::taskel(8).with_wake(Wake::OneByOne);
    let first = run(&old, &times_ns);
    let second = run(&old.with_lesson(&first), &times_ns);
    assert!((first.ratio() - 3.0).abs() < 0.05 && (second.ratio() - 3.0).abs() < 0.05);
    let first = run(&Simulation::taskel(8), &times_ns);
    let second = run(&Simulation::taskel(8).with_lesson(&first), &times_ns);
    assert!(first.ratio() < 1.02 && second.ratio() < 1.02);
}

#[test]
fn a_long_leaf_hides_the_halves_that_only_its_worker_knows_of() {
    for (workers, measured) in [(4, 2.0), (8, 2.01), (16, 3.01), (32, 4.01)] {
        let tree = |publish| Simulation::new(Policy::Join(publish), workers).with_wake(Wake::FanOut(4));
        let times_ns = load::constant(workers, 4e7);
        let oldest = run(&tree(Publish::Oldest).with_wake(Wake::OneByOne), &times_ns).ratio();
        let each = run(&tree(Publish::Each), &times_ns).ratio();
        assert!((oldest - measured).abs() < 0.05, "{workers}: {oldest}");
        assert!(each < 1.02, "{workers}: {each}");
    }
}

#[test]
fn woken_workers_that_wake_four_others_are_all_there_after_a_logarithmic_time() {
    let limits_us = [(4, 170.0), (16, 235.0), (64, 300.0), (256, 365.0), (1024, 430.0), (4096, 490.0)];
    for (workers, limit_us) in limits_us {
        let lost_us = lost_us(&Simulation::taskel(workers), &load::constant(workers, 1e6));
        assert!(lost_us < limit_us, "{workers}: {lost_us}");
    }
}

#[test]
fn one_after_the_other_is_a_long_chain() {
    let times_ns = load::constant(256, 1e7);
    let taskel = Simulation::taskel(256);
    let chain_us = lost_us(&taskel.clone().with_wake(Wake::FanOut(1)), &times_ns);
    assert!(chain_us > 1000.0, "{chain_us}");
    assert!(lost_us(&taskel, &times_ns) < 0.3 * chain_us);
}

#[test]
fn a_short_loop_of_which_nothing_is_known_costs_its_caller_one_wake_up() {
    for workers in [2, 16, 4096] {
        let ends_ns = |call_ns| {
            let costs = Costs { call_ns, ..VIRTUAL_MACHINE };
            let schedule = Simulation::taskel(workers).with_costs(costs).run(&[100.0; 400]).unwrap();
            schedule.workers[0].end_ns
        };
        assert!(
            ends_ns(8_000.0) < ends_ns(0.0) + 8_001.0,
            "{workers}: {} {}",
            ends_ns(8_000.0),
            ends_ns(0.0)
        );
    }
}
