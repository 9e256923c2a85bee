//! Maximum and minimum over rectangular windows of any size, even ones included.

use super::{map_columns, map_rows};
use crate::image::check_size;
use crate::{Error, Result};

/// Maximum over windows of `rows` × `columns` pixels, which reach `size / 2` pixels up and to the
/// left and `(size - 1) / 2` down and to the right.
///
/// Constant time per pixel: van Herk, "A fast algorithm for local minimum and maximum filters on
/// rectangular and octagonal kernels" (1992).
///
/// # Errors
/// If `data` doesn't have `width * height` values or a window has no pixel.
pub fn maximum(
    mut data: Vec<f64>,
    [width, height]: [usize; 2],
    [rows, columns]: [usize; 2],
    threads: usize,
) -> Result<Vec<f64>> {
    check_size("data", data.len(), width, height)?;
    if rows == 0 || columns == 0 {
        return Err(Error::range("size", format!("{rows} × {columns}, need at least 1 × 1")));
    }
    if rows > 1 && width > 0 && height > 0 {
        let ends = [rows / 2, (rows - 1) / 2];
        data = map_columns(data, [width, height], ends, threads, |from, to| running(from, rows, to));
    }
    if columns > 1 && height > 0 {
        let ends = [columns / 2, (columns - 1) / 2];
        map_rows(&mut data, width, ends, threads, |from, to| running(from, columns, to));
    }
    Ok(data)
}

/// Minimum over the same windows as [`maximum`].
///
/// # Errors
/// As [`maximum`].
pub fn minimum(mut data: Vec<f64>, size: [usize; 2], window: [usize; 2], threads: usize) -> Result<Vec<f64>> {
    negate(&mut data);
    let mut found = maximum(data, size, window, threads)?;
    negate(&mut found);
    Ok(found)
}

fn negate(values: &mut [f64]) {
    for value in values {
        *value = -*value;
    }
}

/// Maxima of all runs of `size` values, from those of the prefixes and suffixes of blocks of that
/// length.
fn running(values: &[f64], size: usize, out: &mut [f64]) {
    let mut prefix = values.to_vec();
    let mut suffix = values.to_vec();
    for i in 1..values.len() {
        if i % size != 0 {
            prefix[i] = prefix[i].max(prefix[i - 1]);
        }
    }
    for i in (0..values.len().saturating_sub(1)).rev() {
        if i % size != size - 1 {
            suffix[i] = suffix[i].max(suffix[i + 1]);
        }
    }
    for (i, value) in out.iter_mut().enumerate() {
        *value = suffix[i].max(prefix[i + size - 1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_any_size() {
        let data = vec![0.0, 3.0, 0.0, 0.0, 1.0, 0.0];
        let along = |size| maximum(data.clone(), [6, 1], [1, size], 1);
        assert_eq!(along(2), Ok(vec![0.0, 3.0, 3.0, 0.0, 1.0, 1.0]));
        assert_eq!(along(3), Ok(vec![3.0, 3.0, 3.0, 1.0, 1.0, 1.0]));
        assert_eq!(along(40), Ok(vec![3.0; 6]));
        assert_eq!(minimum(data.clone(), [1, 6], [2, 1], 1), Ok(vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
        assert!(maximum(data, [6, 1], [1, 0], 1).is_err());
        assert_eq!(maximum(vec![], [0, 3], [2, 2], 1), Ok(vec![]));
    }
}
