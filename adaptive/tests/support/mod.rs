//! What holds for every schedule.

use taskel_adaptive::simulate::Schedule;

/// Checks a schedule with spans of taskels that take `times_ns`, all workers but the first of which
/// start at `wake_ns`.
///
/// # Panics
///
/// When a taskel does not run exactly once, when a worker runs two chunks at a time, and when
/// figures contradict each other.
pub(crate) fn check(schedule: &Schedule, times_ns: &[f64], wake_ns: f64) {
    let mut spans: Vec<_> = schedule.workers.iter().flat_map(|worker| &worker.spans).collect();
    spans.sort_by_key(|span| span.taskels.start);
    let mut next = 0;
    for span in &spans {
        assert_eq!(span.taskels.start, next, "every taskel once");
        assert!(span.taskels.end > next, "no empty chunk");
        next = span.taskels.end;
    }
    assert_eq!(next, times_ns.len());
    assert_eq!(spans.len(), schedule.chunks);
    assert_eq!(spans.iter().filter(|span| span.stolen).count(), schedule.steals);
    assert_eq!(schedule.workers.iter().map(|worker| worker.revoked).sum::<usize>(), schedule.revoked);
    assert!(schedule.revoked <= schedule.steals);

    for (worker, done) in schedule.workers.iter().enumerate() {
        let mut free_ns = if worker == 0 { 0.0 } else { wake_ns };
        for span in &done.spans {
            assert!(span.start_ns >= free_ns, "one chunk at a time");
            free_ns = span.end_ns;
        }
        assert_eq!(done.chunks, done.spans.len());
        assert_eq!(done.taskels, done.spans.iter().map(|span| span.taskels.len()).sum::<usize>());
        assert!(done.end_ns <= schedule.makespan_ns);
    }

    // Sums of floats in different orders differ in their last digits, of which the smallest floats
    // have few.
    assert!(schedule.makespan_ns + f64::MIN_POSITIVE >= schedule.bound * (1.0 - 1e-12));
    assert!((0.0..=1.0).contains(&schedule.utilisation));
}
