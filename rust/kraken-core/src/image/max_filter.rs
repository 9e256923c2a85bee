//! Maximum over rectangular windows.

use super::check_size;
use crate::Result;

/// Maximum over the window that reaches `rx` pixels to the left and right and
/// `ry` pixels up and down; the window is cut at the image's border.
///
/// Separable; each pass takes constant time per pixel whatever the window's
/// size: van Herk, "A fast algorithm for local minimum and maximum filters on
/// rectangular and octagonal kernels" (1992). NaN counts as minus infinity.
///
/// # Errors
/// If `data` doesn't have `width * height` values.
pub fn max_filter(data: &[f32], width: usize, height: usize, rx: usize, ry: usize) -> Result<Vec<f32>> {
    check_size("data", data.len(), width, height)?;
    let mut out = data.to_vec();
    let mut line = Vec::new();
    for row in out.chunks_mut(width.max(1)) {
        line.clear();
        line.extend_from_slice(row);
        row.copy_from_slice(&max_line(&line, rx));
    }
    for x in 0..width {
        line.clear();
        line.extend(out[x..].iter().step_by(width));
        for (v, m) in out[x..].iter_mut().step_by(width).zip(max_line(&line, ry)) {
            *v = m;
        }
    }
    Ok(out)
}

/// Running maximum of `2 r + 1` values from the maxima of the prefixes and
/// suffixes of blocks of that length.
fn max_line(line: &[f32], r: usize) -> Vec<f32> {
    let n = line.len();
    let r = r.min(n);
    let block = 2 * r + 1;
    let padded = (n + 2 * r).next_multiple_of(block);
    let at = |i: usize| if i < r || i >= n + r { f32::NEG_INFINITY } else { line[i - r] };
    let mut prefix: Vec<f32> = (0..padded).map(at).collect();
    let mut suffix = prefix.clone();
    for i in 0..padded {
        if i % block != 0 {
            prefix[i] = at(i).max(prefix[i - 1]);
        }
    }
    for i in (0..padded).rev() {
        if i % block != block - 1 {
            suffix[i] = at(i).max(suffix[i + 1]);
        }
    }
    (0..n).map(|i| suffix[i].max(prefix[i + block - 1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_cut_at_the_border() {
        let data = [0.0, 3.0, 0.0, 0.0, 1.0, 0.0];
        assert_eq!(max_filter(&data, 6, 1, 1, 9), Ok(vec![3.0, 3.0, 3.0, 1.0, 1.0, 1.0]));
        assert_eq!(max_filter(&data, 2, 3, 0, 1), Ok(vec![0.0, 3.0, 1.0, 3.0, 1.0, 0.0]));
        assert_eq!(max_filter(&[], 0, 0, 3, 3), Ok(vec![]));
        assert!(max_filter(&data, 4, 1, 1, 1).is_err());
    }
}
