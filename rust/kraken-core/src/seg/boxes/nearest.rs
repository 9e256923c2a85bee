//! The nearest label of every pixel.

/// Labels spread to all pixels closer than `reach` to one, each to those it is nearest to.
///
/// Exact Euclidean distances, column by column and then along rows by the lower envelope of
/// parabolas: Felzenszwalb & Huttenlocher, "Distance transforms of sampled functions" (2012).
/// Linear in the number of pixels.
pub(super) fn spread(labels: &[u32], width: usize, height: usize, reach: f64) -> Vec<u32> {
    let mut out = vec![0; labels.len()];
    // Row of the nearest labelled pixel of the same column.
    let mut rows = vec![usize::MAX; labels.len()];
    for x in 0..width {
        let mut last = usize::MAX;
        for y in 0..height {
            let i = y * width + x;
            last = if labels[i] > 0 { y } else { last };
            rows[i] = last;
        }
        last = usize::MAX;
        for y in (0..height).rev() {
            let i = y * width + x;
            last = if labels[i] > 0 { y } else { last };
            if last != usize::MAX && (rows[i] == usize::MAX || last - y < y - rows[i]) {
                rows[i] = last;
            }
        }
    }
    // Parabolas of the envelope: column, squared distance in it, and where the parabola begins.
    let mut envelope: Vec<(f64, f64, f64)> = Vec::with_capacity(width);
    for y in 0..height {
        let row = &rows[y * width..][..width];
        envelope.clear();
        for (x, &near) in row.iter().enumerate().filter(|(_, near)| **near != usize::MAX) {
            let (x, square) = (x as f64, (near.abs_diff(y) as f64).powi(2));
            let mut start = f64::NEG_INFINITY;
            while let Some(&(other, height, begin)) = envelope.last() {
                start = ((square + x * x) - (height + other * other)) / (2.0 * (x - other));
                if start > begin {
                    break;
                }
                envelope.pop();
                start = f64::NEG_INFINITY;
            }
            envelope.push((x, square, start));
        }
        let mut k = 0;
        for x in 0..width {
            while k + 1 < envelope.len() && envelope[k + 1].2 < x as f64 {
                k += 1;
            }
            let Some(&(column, square, _)) = envelope.get(k) else { break };
            if square + (x as f64 - column).powi(2) < reach * reach {
                let column = column as usize;
                out[y * width + x] = labels[row[column] * width + column];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_gets_a_nearest_label() {
        let (width, height) = (23, 17);
        let mut labels = vec![0; width * height];
        for (k, i) in [3_usize, 40, 41, 170, 200, 333, 390].into_iter().enumerate() {
            labels[i] = k as u32 + 1;
        }
        let square = |a: usize, b: usize| {
            ((a % width).abs_diff(b % width)).pow(2) + ((a / width).abs_diff(b / width)).pow(2)
        };
        for reach in [0.5, 1.0, 4.0, 99.0] {
            for (i, label) in spread(&labels, width, height, reach).into_iter().enumerate() {
                let near = (0..labels.len()).filter(|&j| labels[j] > 0).map(|j| square(i, j)).min();
                let own = labels.iter().position(|l| *l == label && label > 0).map(|j| square(i, j));
                let expected = near.filter(|d| (*d as f64).sqrt() < reach);
                assert_eq!(own, expected);
            }
        }
        assert!(spread(&[], 0, 4, 3.0).is_empty());
    }
}
