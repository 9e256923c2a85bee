//! Resampling with cubic B-splines: Unser, Aldroubi & Eden, "B-spline signal processing" (1993).

use super::map_columns;
use crate::image::check_size;
use crate::{Error, Result, par};

/// The pole of the recursive filter that turns samples into coefficients.
const POLE: f64 = -0.267_949_192_431_122_7;
/// The product of the filter's gains, (1 - z) (1 - 1/z).
const GAIN: f64 = 6.0;

/// Where the samples of a result lie on one axis of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    taps: Vec<([usize; 4], [f64; 4])>,
}

impl Axis {
    /// An axis of `n` samples seen at positions; outside of it, all is 0.
    pub fn new(n: usize, positions: impl Iterator<Item = f64>) -> Self {
        let last = n as f64 - 1.0;
        let taps = positions.map(|x| {
            if !(0.0..=last).contains(&x) {
                return ([0; 4], [0.0; 4]);
            }
            let base = x.floor();
            let (t, s) = (x - base, 1.0 - (x - base));
            let weights = [
                s * s * s / 6.0,
                (t * t * (t - 2.0) * 3.0 + 4.0) / 6.0,
                (s * s * (s - 2.0) * 3.0 + 4.0) / 6.0,
                t * t * t / 6.0,
            ];
            ([-1, 0, 1, 2].map(|k| mirrored(base as i64 + k, n)), weights)
        });
        Self { taps: taps.collect() }
    }

    /// An axis stretched so that its first and last samples stay the first and last ones.
    pub fn between_ends(n: usize, samples: usize) -> Self {
        let step = if samples > 1 { (n as f64 - 1.0) / (samples as f64 - 1.0) } else { 1.0 };
        Self::new(n, (0..samples).map(|i| (i as f64 * step).min(n as f64 - 1.0)))
    }

    /// Number of samples of the result.
    pub fn len(&self) -> usize {
        self.taps.len()
    }

    /// Whether there's no sample.
    pub fn is_empty(&self) -> bool {
        self.taps.is_empty()
    }
}

/// Index of a sample in an axis whose ends are mirrors (`d c b | a b c d | c b a`).
fn mirrored(i: i64, n: usize) -> usize {
    let period = 2 * (n as i64 - 1).max(1);
    let i = i.rem_euclid(period);
    i.min(period - i).min(n as i64 - 1) as usize
}

/// Turns samples into spline coefficients, in place.
fn prefilter(line: &mut [f64]) {
    let n = line.len();
    if n < 2 {
        return;
    }
    for value in line.iter_mut() {
        *value *= GAIN;
    }
    // Start of the causal filter for a signal that is mirrored at both ends, endlessly.
    let end = POLE.powi((n - 1).min(i32::MAX as usize) as i32);
    let mut power = POLE;
    let mut sum = line[0] + end * line[n - 1];
    for i in 1..n - 1 {
        if power.abs() < f64::MIN_POSITIVE {
            break;
        }
        sum += power * (line[i] + end * line[n - 1 - i]);
        power *= POLE;
    }
    line[0] = sum / (1.0 - end * end);
    for i in 1..n {
        line[i] += POLE * line[i - 1];
    }
    line[n - 1] = (POLE * line[n - 2] + line[n - 1]) * POLE / (POLE * POLE - 1.0);
    for i in (0..n - 1).rev() {
        line[i] = POLE * (line[i + 1] - line[i]);
    }
}

/// Calls `f` with every value of `out` and the image at the axes' position for it.
///
/// `out` is an image of as many rows and columns as the axes have samples.
///
/// # Errors
/// If `data` doesn't have `width * height` values or `out` not as many as the axes have samples.
pub fn resample_into(
    data: Vec<f64>,
    [width, height]: [usize; 2],
    [rows, columns]: [&Axis; 2],
    out: &mut [f64],
    threads: usize,
    f: impl Fn(&mut f64, f64) + Sync,
) -> Result<()> {
    check_size("data", data.len(), width, height)?;
    check_size("out", out.len(), columns.len(), rows.len())?;
    let fits = |axis: &Axis, n: usize| axis.taps.iter().flat_map(|(at, _)| at).all(|&i| i < n);
    if out.is_empty() {
        return Ok(());
    }
    if data.is_empty() || !fits(rows, height) || !fits(columns, width) {
        return Err(Error::shape("data", format!("{width} × {height} pixels don't fit the axes")));
    }
    let mut data = map_columns(data, [width, height], [0; 2], threads, |_, column| prefilter(column));
    par::for_row_bands(&mut data, width, threads, |_, band| band.chunks_exact_mut(width).for_each(prefilter));
    let mut wide = vec![0.0; height * columns.len()];
    par::for_row_bands(&mut wide, columns.len(), threads, |first, band| {
        for (y, row) in band.chunks_exact_mut(columns.len()).enumerate() {
            let from = &data[(first + y) * width..][..width];
            for (value, ([a, b, c, d], [p, q, r, s])) in row.iter_mut().zip(&columns.taps) {
                *value = p * from[*a] + q * from[*b] + r * from[*c] + s * from[*d];
            }
        }
    });
    par::for_row_bands(out, columns.len(), threads, |first, band| {
        for (y, row) in band.chunks_exact_mut(columns.len()).enumerate() {
            let (at, [p, q, r, s]) = rows.taps[first + y];
            let [a, b, c, d] = at.map(|i| &wide[i * columns.len()..][..columns.len()]);
            for (((value, a), b), (c, d)) in row.iter_mut().zip(a).zip(b).zip(c.iter().zip(d)) {
                f(value, p * a + q * b + r * c + s * d);
            }
        }
    });
    Ok(())
}

/// The image at the axes' positions.
///
/// # Errors
/// If `data` doesn't have `width * height` values.
pub fn resample(data: Vec<f64>, size: [usize; 2], axes: [&Axis; 2], threads: usize) -> Result<Vec<f64>> {
    let mut out = vec![0.0; axes[0].len() * axes[1].len()];
    resample_into(data, size, axes, &mut out, threads, |value, sample| *value = sample)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_met_and_cubes_are_followed() {
        let data: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
        let (rows, columns) = (Axis::between_ends(3, 3), Axis::between_ends(4, 4));
        let found = resample(data.clone(), [4, 3], [&rows, &columns], 2);
        assert!(found.is_ok_and(|found| found.iter().zip(&data).all(|(a, b)| (a - b).abs() < 1e-12)));
        let cube = |x: f64| (x / 20.0).powi(3);
        let line: Vec<f64> = (0..41).map(|x| cube(f64::from(x))).collect();
        let there = Axis::new(41, [20.25, -0.1, 40.1].into_iter());
        let found = resample(line, [41, 1], [&Axis::between_ends(1, 1), &there], 1).unwrap_or_default();
        assert!((found[0] - cube(20.25)).abs() < 1e-9);
        assert_eq!(found[1..], [0.0, 0.0]);
    }

    #[test]
    fn odd_sizes() {
        let one = Axis::between_ends(1, 3);
        let found = resample(vec![2.0], [1, 1], [&one, &one], 1);
        assert!(found.is_ok_and(|found| found.len() == 9 && found.iter().all(|v| (v - 2.0).abs() < 1e-12)));
        assert!(resample(vec![], [0, 0], [&one, &one], 1).is_err());
        assert!(resample(vec![1.0; 4], [2, 2], [&Axis::between_ends(9, 9), &one], 1).is_err());
        let none = Axis::between_ends(3, 0);
        assert_eq!(resample(vec![1.0], [1, 1], [&none, &none], 1), Ok(vec![]));
    }
}
