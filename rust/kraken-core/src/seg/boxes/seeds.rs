//! Seeds of lines between their lower and upper edges.

use crate::Result;
use crate::image::check_size;

/// Marks the middle of lines, column by column.
///
/// From every mark of a lower edge, `delta` pixels above are marked; if the next mark above is one
/// of an upper edge and nearer than `reach`, all in between is. Where both edges are marked the
/// lower one comes first. Less than `delta` pixels below the border nothing is marked by `delta`.
///
/// # Errors
/// If a mask doesn't have `width * height` pixels.
pub fn seeds(
    bottom: &[u8],
    top: &[u8],
    [width, height]: [usize; 2],
    delta: usize,
    reach: f64,
) -> Result<Vec<u8>> {
    check_size("bottom", bottom.len(), width, height)?;
    check_size("top", top.len(), width, height)?;
    let mut out = vec![0; bottom.len()];
    // Row of the lower edge met last in each column, if no other mark came since.
    let mut open = vec![None; width];
    for y in (0..height).rev() {
        for x in 0..width {
            let i = y * width + x;
            if bottom[i] > 0 {
                open[x] = Some(y);
                (y.saturating_sub(delta)..y)
                    .filter(|_| y >= delta)
                    .for_each(|above| out[above * width + x] = 1);
            }
            if top[i] > 0 {
                if let Some(y0) = open[x].filter(|&y0| ((y0 - y) as f64) < reach) {
                    (y..y0).for_each(|between| out[between * width + x] = 1);
                }
                open[x] = None;
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_filled_between_edges() {
        let column = |marks: &[usize]| (0..20).map(|y| u8::from(marks.contains(&y))).collect::<Vec<u8>>();
        let filled = |bottom: &[usize], top: &[usize], reach| {
            let found = seeds(&column(bottom), &column(top), [1, 20], 3, reach).unwrap_or_default();
            (0..20).filter(|&y| found[y] > 0).collect::<Vec<usize>>()
        };
        assert_eq!(filled(&[15], &[10], 9.0), [10, 11, 12, 13, 14]);
        assert_eq!(filled(&[15], &[10], 5.0), [12, 13, 14]);
        assert_eq!(filled(&[15, 12], &[10], 9.0), [9, 10, 11, 12, 13, 14]);
        assert_eq!(filled(&[15], &[15, 10], 9.0), [12, 13, 14]);
        assert_eq!(filled(&[2], &[0], 9.0), [0, 1]);
        assert_eq!(filled(&[2], &[], 9.0), []);
        assert!(seeds(&[0; 3], &[0; 4], [2, 2], 1, 2.0).is_err());
    }
}
