//! Square matrices whose quadrants lie one behind the other, and so do theirs, down to blocks that
//! lie row by row: a quadrant is a slice, and a recursion needs no strides (Morton order; Frigo,
//! Leiserson, Prokop and Ramachandran, "Cache-oblivious algorithms", 1999).

use super::Fork;

/// Rows and columns of a block.
const BLOCK: usize = 32;

/// Its entries are small whole numbers, so that sums of products are exact in any order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    entries: Vec<f32>,
}

impl Matrix {
    /// A matrix of so many rows, a power of two that is at least `BLOCK`, for each `seed` another.
    pub(super) fn of(size: usize, seed: usize) -> Self {
        assert!(size.is_power_of_two() && size >= BLOCK, "{size} rows are no blocks");
        Matrix {
            entries: (0..size * size).map(|index| ((index * 7 + index / 5 + seed) % 4) as f32).collect(),
        }
    }

    pub(super) fn product<F: Fork>(scope: &mut F::Scope<'_>, a: &Matrix, b: &Matrix) -> Matrix {
        let mut product = Matrix { entries: vec![0.0; a.entries.len()] };
        add_product::<F>(scope, &mut product.entries, &a.entries, &b.entries);
        product
    }

    #[cfg(onetbb)]
    pub(super) fn entries(&self) -> &[f32] {
        &self.entries
    }

    /// Of all entries.
    pub(super) fn sum(&self) -> u64 {
        self.entries.iter().map(|&entry| entry as u64).sum()
    }

    /// The sum of the product's entries: of the columns of `self`, times the rows of `other`.
    #[cfg(test)]
    pub(super) fn product_by_definition(&self, other: &Matrix) -> u64 {
        let size = self.entries.len().isqrt();
        let entry = |matrix: &Matrix, row: usize, column: usize| {
            let (mut place, mut size, mut row, mut column) = (0, size, row, column);
            while size > BLOCK {
                size /= 2;
                place += (row / size * 2 + column / size) * size * size;
                (row, column) = (row % size, column % size);
            }
            matrix.entries[place + row * BLOCK + column] as u64
        };
        let of = |k: usize| -> u64 {
            let column: u64 = (0..size).map(|row| entry(self, row, k)).sum();
            let row: u64 = (0..size).map(|column| entry(other, k, column)).sum();
            column * row
        };
        (0..size).map(of).sum()
    }
}

/// Adds the product of `a` and `b` to `c`.
fn add_product<F: Fork>(scope: &mut F::Scope<'_>, c: &mut [f32], a: &[f32], b: &[f32]) {
    if c.len() == BLOCK * BLOCK {
        return add_product_of_blocks(c, a, b);
    }
    let quarter = c.len() / 4;
    let quadrant = |of: usize| of * quarter..(of + 1) * quarter;
    for k in 0..2 {
        let (upper, lower) = c.split_at_mut(2 * quarter);
        let (upper_left, upper_right) = upper.split_at_mut(quarter);
        let (lower_left, lower_right) = lower.split_at_mut(quarter);
        let [a_upper, a_lower] = [&a[quadrant(k)], &a[quadrant(2 + k)]];
        let [b_left, b_right] = [&b[quadrant(2 * k)], &b[quadrant(2 * k + 1)]];
        F::join(
            scope,
            |scope| {
                F::join(
                    scope,
                    |scope| add_product::<F>(scope, upper_left, a_upper, b_left),
                    |scope| add_product::<F>(scope, upper_right, a_upper, b_right),
                )
            },
            |scope| {
                F::join(
                    scope,
                    |scope| add_product::<F>(scope, lower_left, a_lower, b_left),
                    |scope| add_product::<F>(scope, lower_right, a_lower, b_right),
                )
            },
        );
    }
}

#[inline(never)]
fn add_product_of_blocks(c: &mut [f32], a: &[f32], b: &[f32]) {
    for (c, a) in c.chunks_exact_mut(BLOCK).zip(a.chunks_exact(BLOCK)) {
        for (a, b) in a.iter().zip(b.chunks_exact(BLOCK)) {
            for (c, b) in c.iter_mut().zip(b) {
                *c += a * b;
            }
        }
    }
}
