//! Separable filters of 64-bit images; what lies outside of an image is its reflection
//! (`d c b a | a b c d | d c b a`).

pub mod extreme;
pub mod gaussian;
pub mod rank;
pub mod spline;
pub mod uniform;

use crate::par;

/// Index of the pixel that stands for one at `i`, which may be outside, in an axis of `n` > 0.
pub(crate) fn reflected(i: i64, n: usize) -> usize {
    let n = n as i64;
    let i = i.rem_euclid(2 * n);
    (if i < n { i } else { 2 * n - 1 - i }) as usize
}

/// A row with `before` reflected values in front of it and `after` behind it.
pub(crate) fn extend(row: &[f64], before: usize, after: usize, out: &mut Vec<f64>) {
    let n = row.len();
    out.clear();
    out.extend((1..=before as i64).rev().map(|i| row[reflected(-i, n)]));
    out.extend_from_slice(row);
    out.extend((0..after as i64).map(|i| row[reflected(n as i64 + i, n)]));
}

/// The image mirrored at its diagonal.
pub(crate) fn transposed<T: Copy + Send + Sync + Default>(
    data: &[T],
    width: usize,
    height: usize,
    threads: usize,
) -> Vec<T> {
    const TILE: usize = 32;
    let mut out = vec![T::default(); data.len()];
    par::for_row_bands(&mut out, height, threads, |first, rows| {
        let columns = rows.len() / height.max(1);
        for x0 in (0..columns).step_by(TILE) {
            for y0 in (0..height).step_by(TILE) {
                for x in x0..(x0 + TILE).min(columns) {
                    for y in y0..(y0 + TILE).min(height) {
                        rows[x * height + y] = data[y * width + first + x];
                    }
                }
            }
        }
    });
    out
}

/// Replaces every row by `f(row with reflected ends, row)`.
pub(crate) fn map_rows(
    data: &mut [f64],
    width: usize,
    [before, after]: [usize; 2],
    threads: usize,
    f: impl Fn(&[f64], &mut [f64]) + Sync,
) {
    if width == 0 {
        return;
    }
    par::for_row_bands(data, width, threads, |_, rows| {
        let mut extended = Vec::with_capacity(width + before + after);
        for row in rows.chunks_exact_mut(width) {
            extend(row, before, after, &mut extended);
            f(&extended, row);
        }
    });
}

/// As [`map_rows`] for the columns.
pub(crate) fn map_columns(
    data: Vec<f64>,
    [width, height]: [usize; 2],
    ends: [usize; 2],
    threads: usize,
    f: impl Fn(&[f64], &mut [f64]) + Sync,
) -> Vec<f64> {
    let mut columns = transposed(&data, width, height, threads);
    drop(data);
    map_rows(&mut columns, height, ends, threads, f);
    transposed(&columns, height, width, threads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_reflected_as_often_as_needed() {
        let mut out = Vec::new();
        extend(&[1.0, 2.0, 3.0], 4, 7, &mut out);
        assert_eq!(out, [3., 3., 2., 1., 1., 2., 3., 3., 2., 1., 1., 2., 3., 3.]);
        extend(&[5.0], 2, 1, &mut out);
        assert_eq!(out, [5.0; 4]);
    }

    #[test]
    fn transposing_twice_changes_nothing() {
        let data: Vec<usize> = (0..70 * 41).collect();
        for threads in [1, 3] {
            let once = transposed(&data, 70, 41, threads);
            assert_eq!(once[41 * 69 + 3], data[70 * 3 + 69]);
            assert_eq!(transposed(&once, 41, 70, threads), data);
        }
        assert!(transposed::<u8>(&[], 0, 3, 1).is_empty());
    }
}
