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
fn gaussian_weights() -> [f32; RADIUS + 1] {
    let w: [f64; RADIUS + 1] = std::array::from_fn(|k| (-2.0 * (k * k) as f64).exp());
    let sum = w[0] + 2.0 * (w[1] + w[2]);
    w.map(|v| (v / sum) as f32)
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

/// Sobel magnitude of one row from the three rows around it.
fn magnitude_row(rows: [&[u8]; 3], smooth: &mut [f32], slope: &mut [f32], out: &mut [f32]) {
    let [above, middle, below] = rows;
    let triples = || above.iter().zip(middle).zip(below);
    pad_row(
        smooth,
        triples().map(|((&a, &m), &b)| (f32::from(a) + 2.0 * f32::from(m) + f32::from(b)) / (4.0 * 255.0)),
        1,
    );
    pad_row(slope, above.iter().zip(below).map(|(&a, &b)| (f32::from(b) - f32::from(a)) / 255.0), 1);
    let n = out.len();
    let (s0, s2) = (&smooth[..n], &smooth[2..n + 2]);
    let (d0, d1, d2) = (&slope[..n], &slope[1..=n], &slope[2..n + 2]);
    for (i, o) in out.iter_mut().enumerate() {
        let gx = s2[i] - s0[i];
        let gy = (d0[i] + 2.0 * d1[i] + d2[i]) / 4.0;
        *o = f32::midpoint(gx * gx, gy * gy).sqrt();
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
    let mut energy = vec![0.0_f32; image.len()];
    par::for_row_bands(&mut energy, width, threads, |first, band| {
        let mut padded = vec![0.0; width + 2 * RADIUS];
        for (k, out) in band.chunks_mut(width).enumerate() {
            let rows: [&[f32]; 5] = std::array::from_fn(|j| {
                let y = reflect((first + k + j) as isize - RADIUS as isize, height);
                &magnitude[y * width..(y + 1) * width]
            });
            let column = |x: usize| {
                w[0] * rows[2][x] + w[1] * (rows[1][x] + rows[3][x]) + w[2] * (rows[0][x] + rows[4][x])
            };
            pad_row(&mut padded, (0..width).map(column), RADIUS);
            for (x, o) in out.iter_mut().enumerate() {
                let p = &padded[x..x + 5];
                *o = w[0] * p[2] + w[1] * (p[1] + p[3]) + w[2] * (p[0] + p[4]);
            }
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
        assert!((energy[9] - (w[0] + w[1]) * 0.5_f32.sqrt()).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn a_buffer_of_the_wrong_size_is_an_error() {
        assert!(edge_energy(&[0; 5], 2, 3, 1).is_err());
        assert!(edge_energy(&[], usize::MAX, 2, 1).is_err());
    }
}
