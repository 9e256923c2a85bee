//! Mean over rectangular windows.

use super::{map_columns, map_rows};
use crate::image::check_size;
use crate::{Error, Result};

/// Mean over windows of `rows` × `columns` pixels, which reach `size / 2` pixels up and to the
/// left and `(size - 1) / 2` down and to the right.
///
/// # Errors
/// If `data` doesn't have `width * height` values or a window has no pixel.
pub fn uniform(
    mut data: Vec<f64>,
    [width, height]: [usize; 2],
    [rows, columns]: [usize; 2],
    threads: usize,
) -> Result<Vec<f64>> {
    check_size("data", data.len(), width, height)?;
    if rows == 0 || columns == 0 {
        return Err(Error::range("size", format!("{rows} × {columns}, need at least 1 × 1")));
    }
    let mean = |size: usize| {
        move |extended: &[f64], row: &mut [f64]| {
            let mut sum: f64 = extended[..size].iter().sum();
            row[0] = sum / size as f64;
            for (i, value) in row.iter_mut().enumerate().skip(1) {
                sum += extended[i + size - 1] - extended[i - 1];
                *value = sum / size as f64;
            }
        }
    };
    if rows > 1 && width > 0 && height > 0 {
        data = map_columns(data, [width, height], [rows / 2, (rows - 1) / 2], threads, mean(rows));
    }
    if columns > 1 && height > 0 {
        map_rows(&mut data, width, [columns / 2, (columns - 1) / 2], threads, mean(columns));
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_windows_reach_further_back() {
        let found = uniform(vec![0.0, 0.0, 6.0, 0.0, 0.0], [5, 1], [1, 2], 1);
        assert_eq!(found, Ok(vec![0.0, 0.0, 3.0, 3.0, 0.0]));
        let found = uniform(vec![0.0, 3.0, 0.0], [1, 3], [3, 1], 1);
        assert_eq!(found, Ok(vec![1.0, 1.0, 1.0]));
        assert!(uniform(vec![], [0, 0], [0, 1], 1).is_err());
        assert_eq!(uniform(vec![], [0, 3], [2, 2], 1), Ok(vec![]));
    }
}
