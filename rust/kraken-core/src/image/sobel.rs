//! The edge energy that line polygons are fitted to: Sobel magnitude, smoothed.

use crate::{Error, Result, par};

/// Radius of the Gaussian: 4 σ for σ = 0.5.
const RADIUS: usize = 2;
/// Rows a thread should have at least; below that a thread costs more than it saves.
const ROWS_PER_THREAD: usize = 128;

/// Index of the pixel that stands for position `i` beyond the border of an
/// axis of length `n`, mirrored at the pixel's outer edge (`d c b a | a b c d | d c b a`).
fn reflect(i: isize, n: usize) -> usize {
    let n = n as isize;
    let m = i.rem_euclid(2 * n);
    (if m < n { m } else { 2 * n - 1 - m }) as usize
}

/// Weights of a Gaussian of σ 0.5 at distance 0, 1, 2, with sum 1 over −2…2.
fn gaussian_weights() -> [f64; RADIUS + 1] {
    let w: [f64; RADIUS + 1] = std::array::from_fn(|k| (-2.0 * (k * k) as f64).exp());
    let sum = w[0] + 2.0 * (w[1] + w[2]);
    w.map(|v| v / sum)
}

/// Copies `src` to the middle of `dst` and mirrors `pad` values on each side.
fn pad_row(dst: &mut [f32], src: impl ExactSizeIterator<Item = f32>, pad: usize) {
    let n = src.len();
    for (d, s) in dst[pad..pad + n].iter_mut().zip(src) {
        *d = s;
    }
    for k in 1..=pad {
        dst[pad - k] = dst[pad + reflect(-(k as isize), n)];
        dst[pad + n + k - 1] = dst[pad + reflect((n + k - 1) as isize, n)];
    }
}

/// Magnitude of the largest sums of the two derivatives, 4 · 255 each.
const FULL: f32 = 1020.0;

/// Sobel magnitude of one row from the three rows around it, in whole
/// multiples of 2⁻²⁰: sums of a few of them are exact in any order, so that a
/// page turned by a quarter has the same energy, turned.
fn magnitude_row(rows: [&[u8]; 3], smooth: &mut [f32], slope: &mut [f32], out: &mut [f32]) {
    let [above, middle, below] = rows;
    let triples = || above.iter().zip(middle).zip(below);
    pad_row(smooth, triples().map(|((&a, &m), &b)| f32::from(a) + 2.0 * f32::from(m) + f32::from(b)), 1);
    pad_row(slope, above.iter().zip(below).map(|(&a, &b)| f32::from(b) - f32::from(a)), 1);
    let n = out.len();
    let (s0, s2) = (&smooth[..n], &smooth[2..n + 2]);
    let (d0, d1, d2) = (&slope[..n], &slope[1..=n], &slope[2..n + 2]);
    for (i, o) in out.iter_mut().enumerate() {
        // Whole numbers below 2²⁴ up to the root.
        let gx = s2[i] - s0[i];
        let gy = d0[i] + 2.0 * d1[i] + d2[i];
        let magnitude = f32::midpoint(gx * gx, gy * gy).sqrt() / FULL;
        *o = (magnitude + 8.0) - 8.0;
    }
}

/// One row of the Gaussian from the five rows around it. Pixels at the same
/// distance are summed first, which is exact, and weighed then.
fn smoothed_row(rows: [&[f32]; 5], weights: &[f32; 6], padded: &mut [Vec<f32>; 3], out: &mut [f32]) {
    let pair = |a: usize, b: usize| rows[a].iter().zip(rows[b]).map(|(a, b)| a + b);
    let [middle, near, far] = padded;
    pad_row(middle, rows[2].iter().copied(), RADIUS);
    pad_row(near, pair(1, 3), RADIUS);
    pad_row(far, pair(0, 4), RADIUS);
    let windows = middle.windows(5).zip(near.windows(5)).zip(far.windows(5));
    for (((m, n), f), o) in windows.zip(out) {
        let sums = [
            m[2],
            n[2] + (m[1] + m[3]),
            n[1] + n[3],
            f[2] + (m[0] + m[4]),
            (n[0] + n[4]) + (f[1] + f[3]),
            f[0] + f[4],
        ];
        *o = sums.iter().zip(weights).map(|(s, w)| s * w).sum();
    }
}

/// Edge energy of a grey image: `gaussian(sobel(image / 255), σ = 0.5)`.
///
/// The Sobel magnitude is `√((gx² + gy²) / 2)`, each derivative the difference
/// `[1, 0, −1]` along one axis, smoothed with `[1, 2, 1] / 4` along the other;
/// the Gaussian is cut off at 4 σ; borders are mirrored at the pixels' edge.
///
/// # Errors
/// [`Error::Shape`] if `image` doesn't hold `width · height` values.
pub fn edge_energy(image: &[u8], width: usize, height: usize, threads: usize) -> Result<Vec<f32>> {
    if width.checked_mul(height) != Some(image.len()) {
        return Err(Error::shape("image", format!("{} values for {width}x{height}", image.len())));
    }
    if image.is_empty() {
        return Ok(Vec::new());
    }
    let threads = par::resolve_threads(threads).min(height.div_ceil(ROWS_PER_THREAD));
    let source = |y: isize| {
        let y = reflect(y, height);
        &image[y * width..(y + 1) * width]
    };
    let mut magnitude = vec![0.0_f32; image.len()];
    par::for_row_bands(&mut magnitude, width, threads, |first, band| {
        let (mut smooth, mut slope) = (vec![0.0; width + 2], vec![0.0; width + 2]);
        for (k, out) in band.chunks_mut(width).enumerate() {
            let y = (first + k) as isize;
            magnitude_row([source(y - 1), source(y), source(y + 1)], &mut smooth, &mut slope, out);
        }
    });
    let w = gaussian_weights();
    let weights =
        [w[0] * w[0], w[0] * w[1], w[1] * w[1], w[0] * w[2], w[1] * w[2], w[2] * w[2]].map(|v| v as f32);
    let mut energy = vec![0.0_f32; image.len()];
    par::for_row_bands(&mut energy, width, threads, |first, band| {
        let mut padded: [Vec<f32>; 3] = std::array::from_fn(|_| vec![0.0; width + 2 * RADIUS]);
        for (k, out) in band.chunks_mut(width).enumerate() {
            let rows: [&[f32]; 5] = std::array::from_fn(|j| {
                let y = reflect((first + k + j) as isize - RADIUS as isize, height);
                &magnitude[y * width..(y + 1) * width]
            });
            smoothed_row(rows, &weights, &mut padded, out);
        }
    });
    Ok(energy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_images_have_no_energy() -> Result<()> {
        for (w, h) in [(1, 1), (1, 7), (7, 1), (2, 2), (40, 300)] {
            let energy = edge_energy(&vec![200; w * h], w, h, 2)?;
            assert!(energy.iter().all(|e| e.abs() < 1e-6));
        }
        assert!(edge_energy(&[], 0, 5, 1)?.is_empty());
        Ok(())
    }

    #[test]
    fn a_vertical_edge_has_the_same_energy_in_every_row() -> Result<()> {
        let image: Vec<u8> = (0..300 * 20).map(|i| if i % 20 < 10 { 0 } else { 255 }).collect();
        let energy = edge_energy(&image, 20, 300, 3)?;
        assert!(energy.chunks(20).all(|row| row == &energy[..20]));
        // Both pixels beside the edge see the full step: gx = 1, smoothed by w0 + w1.
        let w = gaussian_weights();
        assert!((f64::from(energy[9]) - (w[0] + w[1]) * 0.5_f64.sqrt()).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn a_turned_image_has_the_same_energy_turned() -> Result<()> {
        for (w, h) in [(37, 23), (2, 5), (1, 4), (3, 1)] {
            let mut state = 1_u32;
            let image: Vec<u8> = (0..w * h)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            let turned: Vec<u8> = (0..w * h).map(|i| image[(i % h) * w + w - 1 - i / h]).collect();
            let (energy, other) = (edge_energy(&image, w, h, 1)?, edge_energy(&turned, h, w, 1)?);
            assert!((0..w * h).all(|i| other[i] == energy[(i % h) * w + w - 1 - i / h]));
        }
        Ok(())
    }

    #[test]
    fn a_buffer_of_the_wrong_size_is_an_error() {
        assert!(edge_energy(&[0; 5], 2, 3, 1).is_err());
        assert!(edge_energy(&[], usize::MAX, 2, 1).is_err());
    }
}
