//! Percentiles of rectangular windows.

use super::{reflected, transposed};
use crate::image::check_size;
use crate::{Error, Result, par};

/// Windows up to this size are searched value by value, which needs no branch.
const SMALL: usize = 96;

/// The value below which `percentile` per cent of a window of `rows` × `columns` pixels lie; the
/// largest one for 100.
///
/// Windows reach `size / 2` pixels up and to the left and `(size - 1) / 2` down and to the right.
/// Each is kept sorted while it moves along the longer of its sides.
///
/// # Errors
/// If `data` doesn't have `width * height` values, a window has no or too many pixels, or
/// `percentile` isn't between 0 and 100.
pub fn percentile(
    data: &[f64],
    [width, height]: [usize; 2],
    [rows, columns]: [usize; 2],
    percentile: f64,
    threads: usize,
) -> Result<Vec<f64>> {
    check_size("data", data.len(), width, height)?;
    let size = rows.checked_mul(columns).filter(|size| (1..1 << 30).contains(size));
    let Some(size) = size else {
        return Err(Error::range("size", format!("{rows} × {columns} pixels")));
    };
    if !(0.0..=100.0).contains(&percentile) {
        return Err(Error::range("percentile", format!("{percentile}, need 0 to 100")));
    }
    let rank = ((size as f64 * percentile / 100.0) as usize).min(size - 1);
    if data.is_empty() {
        return Ok(Vec::new());
    }
    if columns >= rows {
        return Ok(slide(data, [width, height], [rows, columns], rank, threads));
    }
    let turned = transposed(data, width, height, threads);
    let found = slide(&turned, [height, width], [columns, rows], rank, threads);
    Ok(transposed(&found, height, width, threads))
}

fn slide(
    data: &[f64],
    [width, height]: [usize; 2],
    [rows, columns]: [usize; 2],
    rank: usize,
    threads: usize,
) -> Vec<f64> {
    let mut out = vec![0.0; data.len()];
    par::for_row_bands(&mut out, width, threads, |first, band| {
        for (y, found) in band.chunks_exact_mut(width).enumerate() {
            let top = (first + y) as i64 - (rows / 2) as i64;
            let lines: Vec<&[f64]> =
                (top..top + rows as i64).map(|i| &data[reflected(i, height) * width..][..width]).collect();
            let left = |x: usize| x as i64 - (columns / 2) as i64;
            let start = (left(0)..left(0) + columns as i64).map(|i| reflected(i, width));
            let mut window = Sorted::new(start.flat_map(|x| lines.iter().map(move |line| line[x])));
            found[0] = window.values[rank];
            for (x, value) in found.iter_mut().enumerate().skip(1) {
                let (gone, new) =
                    (reflected(left(x) - 1, width), reflected(left(x) + columns as i64 - 1, width));
                for line in &lines {
                    window.replace(line[gone], line[new]);
                }
                *value = window.values[rank];
            }
        }
    });
    out
}

/// Values in ascending order.
struct Sorted {
    values: Vec<f64>,
}

impl Sorted {
    fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self { values }
    }

    /// Number of values below one.
    fn below(&self, limit: f64) -> usize {
        if self.values.len() > SMALL {
            return self.values.partition_point(|value| value.total_cmp(&limit).is_lt());
        }
        self.values.iter().map(|&value| usize::from(value < limit)).sum()
    }

    /// Takes one value out, which is there, and puts another in.
    fn replace(&mut self, old: f64, new: f64) {
        let (from, to) = (self.below(old).min(self.values.len() - 1), self.below(new));
        if from < to {
            self.values.copy_within(from + 1..to, from);
            self.values[to - 1] = new;
        } else {
            self.values.copy_within(to..from, to + 1);
            self.values[to] = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_three() {
        let found = percentile(&[5.0, 1.0, 4.0, 2.0], [4, 1], [1, 3], 50.0, 1);
        assert_eq!(found, Ok(vec![5.0, 4.0, 2.0, 2.0]));
        let found = percentile(&[5.0, 1.0, 4.0, 2.0], [1, 4], [3, 1], 100.0, 2);
        assert_eq!(found, Ok(vec![5.0, 5.0, 4.0, 4.0]));
    }

    #[test]
    fn bad_arguments_are_errors() {
        assert!(percentile(&[1.0], [1, 1], [0, 3], 50.0, 1).is_err());
        assert!(percentile(&[1.0], [1, 1], [1 << 20, 1 << 20], 50.0, 1).is_err());
        assert!(percentile(&[1.0], [1, 1], [1, 1], f64::NAN, 1).is_err());
        assert!(percentile(&[1.0], [2, 1], [1, 1], 50.0, 1).is_err());
        assert_eq!(percentile(&[], [0, 0], [3, 3], 50.0, 1), Ok(vec![]));
        assert_eq!(percentile(&[f64::NAN; 4], [4, 1], [1, 3], 50.0, 1).map(|found| found.len()), Ok(4));
    }
}
