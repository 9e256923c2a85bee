//! The vertical centre of a text line per column, for line normalisation.

use crate::{Error, Result};

/// Terms of the series of exp(uv), |uv| ≤ 1, that reach double precision (1/18! < 2e-16).
const TERMS: usize = 18;

/// Weight of the box filter that decides between equally good rows.
const BOX_WEIGHT: f64 = 0.001;

/// Row of the centre per column and the mean distance of the ink from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Centre {
    /// One row index per column.
    pub rows: Vec<i64>,
    /// Mean |row − centre| in px over the elements that are not 0; 0 if all are.
    pub spread: f64,
}

/// Finds the centre line of `ink` (`height × width`, bright ink on 0).
///
/// The ink is blurred by a Gaussian with a vertical standard deviation of half
/// the height and by the odd kernel `across` along the rows, all with 0 around
/// the image; a faint mean over half the height and the whole width is added.
/// The centre is the row of the maximum, smoothed by the odd kernel `along`
/// (edges reflected) and cut to a whole number. (Breuel's line normaliser;
/// spec chapter recognition §5.)
///
/// The vertical blur needs no window: with u, v the distances of two rows from
/// the middle in standard deviations, |u|, |v| ≤ 1, the kernel is
/// exp(−u²/2)·exp(−v²/2)·Σ (uv)ⁿ/n!, so 18 weighted sums per column hold all
/// there is to know and only these are blurred along the rows.
///
/// # Errors
/// [`Error::Shape`] if sizes don't fit or a kernel is even, [`Error::Empty`]
/// for an image without pixels, [`Error::NonFinite`] if `ink` holds such.
pub fn measure(ink: &[f64], width: usize, height: usize, across: &[f64], along: &[f64]) -> Result<Centre> {
    if width.checked_mul(height) != Some(ink.len()) {
        return Err(Error::shape("line", format!("{} elements for {width}×{height}", ink.len())));
    }
    if ink.is_empty() {
        return Err(Error::Empty { arg: "line" });
    }
    for (arg, kernel) in [("across", across), ("along", along)] {
        if kernel.len() % 2 == 0 {
            return Err(Error::shape(arg, format!("{} elements, must be odd", kernel.len())));
        }
    }
    if ink.iter().any(|v| !v.is_finite()) {
        return Err(Error::NonFinite { arg: "line" });
    }
    let blurred = blur(ink, width, height, across);
    let maxima = row_of_maximum(&blurred, width, height);
    let rows = smooth(&maxima, along);
    let (mut sum, mut count) = (0.0, 0.0);
    for (y, row) in ink.chunks_exact(width).enumerate() {
        for (v, c) in row.iter().zip(&rows) {
            if *v != 0.0 {
                sum += (y as i64 - c).abs() as f64;
                count += 1.0;
            }
        }
    }
    Ok(Centre { rows, spread: if count > 0.0 { sum / count } else { 0.0 } })
}

/// Factors exp(−u²/2)·uⁿ/√n! of a row.
fn factors(y: usize, height: usize) -> [f64; TERMS] {
    let u = (2.0 * y as f64 - (height as f64 - 1.0)) / height as f64;
    let mut value = (-u * u / 2.0).exp();
    std::array::from_fn(|n| {
        if n > 0 {
            value *= u / (n as f64).sqrt();
        }
        value
    })
}

/// Gaussian blur up to a constant factor.
fn blur(ink: &[f64], width: usize, height: usize, across: &[f64]) -> Vec<f64> {
    let mut moments = vec![0.0; TERMS * width];
    for (y, row) in ink.chunks_exact(width).enumerate() {
        for (f, m) in factors(y, height).iter().zip(moments.chunks_exact_mut(width)) {
            for (m, v) in m.iter_mut().zip(row) {
                *m += f * v;
            }
        }
    }
    let moments: Vec<Vec<f64>> = moments.chunks_exact(width).map(|m| convolve(m, across)).collect();
    let mut out = vec![0.0; ink.len()];
    for (y, row) in out.chunks_exact_mut(width).enumerate() {
        for (f, m) in factors(y, height).iter().zip(&moments) {
            for (o, m) in row.iter_mut().zip(m) {
                *o += f * m;
            }
        }
    }
    out
}

/// Convolution with an odd symmetric kernel, 0 beyond the ends.
fn convolve(row: &[f64], kernel: &[f64]) -> Vec<f64> {
    let (n, radius) = (row.len(), kernel.len() / 2);
    let mut out = vec![0.0; n];
    for (k, weight) in kernel.iter().enumerate() {
        // Output i reads input i + k − radius.
        let (skip, shift) = (radius.saturating_sub(k).min(n), k.saturating_sub(radius).min(n));
        for (o, v) in out[skip..].iter_mut().zip(&row[shift..]) {
            *o += weight * v;
        }
    }
    out
}

/// First row of the greatest value per column of `values` plus its box filter.
fn row_of_maximum(values: &[f64], width: usize, height: usize) -> Vec<i64> {
    let (bw, bh) = (width, (height / 2).max(1));
    let mut sums = Vec::with_capacity(values.len());
    let mut prefix = vec![0.0; width + 1];
    for row in values.chunks_exact(width) {
        let mut total = 0.0;
        for (p, v) in prefix[1..].iter_mut().zip(row) {
            total += v;
            *p = total;
        }
        sums.extend((0..width).map(|x| {
            let (from, to) = ((x).saturating_sub(bw / 2), (x + bw - bw / 2).min(width));
            prefix[to] - prefix[from]
        }));
    }
    let sums_of = |y: usize| sums[y * width..].iter();
    let weight = BOX_WEIGHT / (bw * bh) as f64;
    let mut window = vec![0.0; width];
    for y in 0..(bh - bh / 2 - 1).min(height) {
        window.iter_mut().zip(sums_of(y)).for_each(|(w, s)| *w += s);
    }
    let mut best = vec![(f64::NEG_INFINITY, 0_i64); width];
    for y in 0..height {
        let enters = y + bh - bh / 2 - 1;
        if enters < height {
            window.iter_mut().zip(sums_of(enters)).for_each(|(w, s)| *w += s);
        }
        if let Some(leaves) = y.checked_sub(bh / 2 + 1) {
            window.iter_mut().zip(sums_of(leaves)).for_each(|(w, s)| *w -= s);
        }
        for ((b, v), w) in best.iter_mut().zip(&values[y * width..]).zip(&window) {
            let value = v + weight * w;
            if value > b.0 {
                *b = (value, y as i64);
            }
        }
    }
    best.into_iter().map(|(_, y)| y).collect()
}

/// Smooths whole numbers with an odd symmetric kernel and cuts the results to
/// whole numbers. The order of the sums is that of `correlate1d` in `SciPy`, as a
/// sum that is whole up to rounding may be cut either way.
fn smooth(values: &[i64], kernel: &[f64]) -> Vec<i64> {
    let (n, radius) = (values.len() as i64, (kernel.len() / 2) as i64);
    let at = |i: i64| {
        let k = i.rem_euclid(2 * n);
        values[(if k < n { k } else { 2 * n - 1 - k }) as usize] as f64
    };
    (0..n)
        .map(|i| {
            let start = at(i) * kernel[radius as usize];
            let sum = (1..=radius)
                .rev()
                .fold(start, |sum, k| sum + (at(i - k) + at(i + k)) * kernel[(radius - k) as usize]);
            sum as i64
        })
        .collect()
}

/// Scales an image to `target` rows by linear interpolation: element (i, j) is
/// read at (i/f, j/f), f = target / height, the width becomes ⌊f · width⌋.
/// Positions beyond the last row or column are `outside`.
///
/// # Errors
/// [`Error::Shape`] if sizes don't fit, [`Error::Empty`] without pixels,
/// [`Error::Range`] if the result had no pixels or more than 2²⁷.
pub fn rescale(
    image: &[f32],
    width: usize,
    height: usize,
    target: usize,
    outside: f32,
) -> Result<(Vec<f32>, usize)> {
    if width.checked_mul(height) != Some(image.len()) {
        return Err(Error::shape("image", format!("{} elements for {width}×{height}", image.len())));
    }
    if image.is_empty() {
        return Err(Error::Empty { arg: "image" });
    }
    let factor = target as f64 / height as f64;
    let new_width = (factor * width as f64) as usize;
    if !(1..=1 << 27).contains(&new_width.saturating_mul(target)) {
        let detail = format!("{width}×{height} can't be scaled to {new_width}×{target} pixels");
        return Err(Error::range("target_height", detail));
    }
    let step = 1.0 / factor;
    let place = |i: usize, n: usize| {
        let v = i as f64 * step;
        let k = v as usize;
        (v <= n as f64 - 1.0).then_some((k, (k + 1).min(n - 1), v - k as f64))
    };
    let columns: Vec<_> = (0..new_width).map(|j| place(j, width)).collect();
    let mut out = vec![outside; new_width * target];
    for (i, row) in out.chunks_exact_mut(new_width).enumerate() {
        let Some((y0, y1, t)) = place(i, height) else { continue };
        let (upper, lower) = (&image[y0 * width..], &image[y1 * width..]);
        for (o, column) in row.iter_mut().zip(&columns) {
            let Some((x0, x1, s)) = *column else { continue };
            let [a, b, c, d] = [upper[x0], upper[x1], lower[x0], lower[x1]].map(f64::from);
            let (top, bottom) = (a + s * (b - a), c + s * (d - c));
            *o = (top + t * (bottom - top)) as f32;
        }
    }
    Ok((out, new_width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centre_of_a_bar() -> Result<()> {
        let (w, h) = (30, 21);
        let ink: Vec<f64> = (0..w * h).map(|i| f64::from(u8::from((8..=12).contains(&(i / w))))).collect();
        let c = measure(&ink, w, h, &[0.25, 0.5, 0.25], &[1.0])?;
        assert_eq!(c.rows, vec![10; w]);
        assert!((c.spread - 1.2).abs() < 1e-12);
        assert_eq!(measure(&[0.0; 4], 2, 2, &[1.0], &[1.0])?.spread, 0.0);
        assert!(measure(&[0.0; 4], 2, 2, &[1.0; 2], &[1.0]).is_err());
        assert!(measure(&[], 0, 2, &[1.0], &[1.0]).is_err());
        assert!(measure(&[f64::NAN], 1, 1, &[1.0], &[1.0]).is_err());
        Ok(())
    }

    #[test]
    fn rescaling_doubles_and_fills() -> Result<()> {
        let (out, w) = rescale(&[0.0, 2.0, 4.0, 6.0], 2, 2, 4, 9.0)?;
        assert_eq!(w, 4);
        assert_eq!(&out[..8], &[0.0, 1.0, 2.0, 9.0, 2.0, 3.0, 4.0, 9.0]);
        assert_eq!(&out[12..], &[9.0; 4]);
        assert!(rescale(&[1.0], 1, 1, 0, 0.0).is_err());
        assert!(rescale(&[1.0], 1, 1, usize::MAX, 0.0).is_err());
        Ok(())
    }
}
