//! Input that cannot be simulated is refused with a reason.

use std::error::Error;

use taskel_adaptive::simulate::{Costs, Cuts, Policy, Simulation, WorkerSchedule, load};

fn refusal(simulation: Simulation, times_ns: &[f64]) -> String {
    let error: Box<dyn Error> = Box::new(simulation.run(times_ns).unwrap_err());
    error.to_string()
}

#[test]
fn errors_say_what_was_expected_and_what_was_found() {
    let four = || Simulation::new(Policy::Adaptive, 4);
    let cases = [
        (Simulation::new(Policy::Adaptive, 0), 1.0, "expected 1 to 4096 workers, found 0"),
        (Simulation::new(Policy::Adaptive, 4097), 1.0, "expected 1 to 4096 workers, found 4097"),
        (four().with_speeds(&[1.0; 3]), 1.0, "expected one speed for each of 4 workers, found 3 speeds"),
        (
            four().with_speeds(&[1.0, 1.0, 0.0, 1.0]),
            1.0,
            "expected finite speeds above 0, found 0 for worker 2",
        ),
        (
            four().with_speeds(&[1.0, f64::NAN, 1.0, 1.0]),
            1.0,
            "expected finite speeds above 0, found NaN for worker 1",
        ),
        (four(), f64::NAN, "expected finite times of at least 0 ns, found NaN ns for taskel 1"),
        (four(), f64::INFINITY, "expected finite times of at least 0 ns, found inf ns for taskel 1"),
        (four(), -1.0, "expected finite times of at least 0 ns, found -1 ns for taskel 1"),
        (
            four().with_costs(Costs { steal_ns: -1.0, ..Costs::FREE }),
            1.0,
            "expected finite costs of at least 0 ns, found -1 ns for the cost of a steal",
        ),
        (
            four().with_cuts(Cuts { fence_ns: f64::INFINITY, ..Cuts::default() }),
            1.0,
            "expected finite costs of at least 0 ns, found inf ns for the cost of a fence",
        ),
        (four().with_nodes(0, 1.0), 1.0, "expected at least 1 worker in each node, found 0"),
        (
            four().with_nodes(2, f64::NAN),
            1.0,
            "expected finite costs of at least 0 ns, found NaN ns for the cost of a far steal",
        ),
        (Simulation::new(Policy::Fixed(0), 4), 1.0, "expected at least 1 in Policy::Fixed, found 0"),
        (Simulation::new(Policy::PerWorker(0), 4), 1.0, "expected at least 1 in Policy::PerWorker, found 0"),
    ];
    for (simulation, ns, expected) in cases {
        assert_eq!(refusal(simulation, &[1.0, ns]), expected);
    }
}

#[test]
fn schedules_beyond_the_largest_float_are_refused() {
    for policy in [
        Policy::Static,
        Policy::RayonSplit,
        Policy::JoblibAuto,
        Policy::Adaptive,
        Policy::Revocable,
        Policy::Counter,
        Policy::Guided,
    ] {
        let simulation = Simulation::new(policy, 2);
        assert!(refusal(simulation, &[f64::MAX; 9]).starts_with("expected a schedule of finite length"));
    }
    let slow = Simulation::new(Policy::Static, 1).with_speeds(&[f64::MIN_POSITIVE]);
    assert!(refusal(slow, &[1e9]).starts_with("expected a schedule of finite length"));
}

#[test]
fn nothing_to_do_takes_no_time() {
    for policy in [
        Policy::Static,
        Policy::PerWorker(4),
        Policy::RayonSplit,
        Policy::Adaptive,
        Policy::Revocable,
        Policy::Guided,
    ] {
        let schedule = Simulation::new(policy, 4096).run(&[]).unwrap();
        assert_eq!((schedule.makespan_ns, schedule.bound, schedule.utilisation), (0.0, 0.0, 1.0));
        assert_eq!(schedule.ratio(), 1.0);
        assert_eq!(schedule.workers, vec![WorkerSchedule::default(); 4096]);
    }
}

#[test]
fn the_most_workers_and_fewer_taskels_than_workers_work() {
    for policy in [Policy::Static, Policy::RayonSplit, Policy::Adaptive, Policy::Revocable, Policy::Factoring]
    {
        let few = Simulation::new(policy, 4096).run(&[1e6; 100]).unwrap();
        assert!(few.ratio() < 1.1, "{policy:?} {}", few.ratio());
        let many = Simulation::new(policy, 4096).run(&load::constant(100_000, 1e6)).unwrap();
        assert_eq!(many.workers.iter().map(|worker| worker.taskels).sum::<usize>(), 100_000);
    }
}
