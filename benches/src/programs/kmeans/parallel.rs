// Compiled twice, behind one `use` line each: see `programs/mod.rs`.

/// One round of Lloyd's algorithm: each centre moves to the mean of the points that are nearest to
/// it.
pub(crate) fn round(points: &[Point], centres: &[Point]) -> Vec<Point> {
    points
        .par_iter()
        .fold(
            || Sums::new(centres.len()),
            |mut sums, point| {
                sums.add(nearest(point, centres), point);
                sums
            },
        )
        .reduce(|| Sums::new(centres.len()), Sums::merged)
        .means(centres)
}
