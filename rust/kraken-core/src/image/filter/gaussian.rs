//! Gaussian blur and its first derivative.

use super::{map_columns, map_rows};
use crate::image::check_size;
use crate::{Error, Result};

/// Standard deviations at which kernels are cut off.
const TRUNCATE: f64 = 4.0;
/// More pixels than any axis has: wider kernels would only cost time.
const MAX_SIGMA: f64 = 10_000.0;

/// Gaussian along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    /// Standard deviation in pixels; 0 changes nothing.
    pub sigma: f64,
    /// Whether to take the first derivative.
    pub derivative: bool,
}

impl Gaussian {
    /// A blur.
    pub fn blur(sigma: f64) -> Self {
        Self { sigma, derivative: false }
    }

    fn check(self) -> Result<()> {
        if (0.0..=MAX_SIGMA).contains(&self.sigma) {
            return Ok(());
        }
        Err(Error::range("sigma", format!("{}, need 0 to {MAX_SIGMA}", self.sigma)))
    }

    /// Weights at offsets 0, 1, …; those at negative offsets are the same, or negated for a
    /// derivative. The sampled Gaussian sums up to 1.
    fn taps(self) -> Vec<f64> {
        if self.sigma < 1e-15 {
            return vec![f64::from(u8::from(!self.derivative))];
        }
        let radius = (TRUNCATE * self.sigma + 0.5) as usize;
        let square = self.sigma * self.sigma;
        let weights: Vec<f64> = (0..=radius).map(|i| (-0.5 / square * (i * i) as f64).exp()).collect();
        let sum = 2.0 * weights.iter().skip(1).sum::<f64>() + 1.0;
        let slope = |i: usize| if self.derivative { i as f64 / square } else { 1.0 };
        weights.iter().enumerate().map(|(i, weight)| weight / sum * slope(i)).collect()
    }
}

/// Filters an image with one Gaussian down its columns and one along its rows.
///
/// A derivative is positive where values grow downwards or to the right.
///
/// # Errors
/// If `data` doesn't have `width * height` values or a standard deviation is out of range.
pub fn gaussian(
    mut data: Vec<f64>,
    [width, height]: [usize; 2],
    [down, along]: [Gaussian; 2],
    threads: usize,
) -> Result<Vec<f64>> {
    check_size("data", data.len(), width, height)?;
    down.check()?;
    along.check()?;
    let taps = down.taps();
    let reach = taps.len() - 1;
    let correlate = |taps: &[f64], odd: bool, extended: &[f64], row: &mut [f64]| {
        let (reach, n) = (taps.len() - 1, row.len());
        for (value, centre) in row.iter_mut().zip(&extended[reach..]) {
            *value = taps[0] * centre;
        }
        for (k, &tap) in taps.iter().enumerate().skip(1) {
            let (before, after) = (&extended[reach - k..][..n], &extended[reach + k..][..n]);
            let sides = row.iter_mut().zip(before.iter().zip(after));
            if odd {
                sides.for_each(|(value, (a, b))| *value += tap * (b - a));
            } else {
                sides.for_each(|(value, (a, b))| *value += tap * (b + a));
            }
        }
    };
    if reach > 0 || down.derivative {
        data = map_columns(data, [width, height], [reach; 2], threads, |extended, row| {
            correlate(&taps, down.derivative, extended, row);
        });
    }
    let taps = along.taps();
    let reach = taps.len() - 1;
    map_rows(&mut data, width, [reach; 2], threads, |extended, row| {
        correlate(&taps, along.derivative, extended, row);
    });
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_stay_and_slopes_are_measured() {
        let (blur, slope) = (Gaussian::blur(2.0), Gaussian { sigma: 2.0, derivative: true });
        let flat = gaussian(vec![3.0; 30], [6, 5], [blur, blur], 1);
        assert!(flat.is_ok_and(|values| values.iter().all(|v| (v - 3.0).abs() < 1e-12)));
        let ramp: Vec<f64> = (0..50).map(f64::from).collect();
        let found = gaussian(ramp, [50, 1], [Gaussian::blur(0.0), slope], 1);
        assert!(found.is_ok_and(|values| (values[25] - 1.0).abs() < 0.01));
    }

    #[test]
    fn bad_arguments_are_errors() {
        let blur = Gaussian::blur;
        assert!(gaussian(vec![0.0; 5], [2, 3], [blur(1.0); 2], 1).is_err());
        for sigma in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(gaussian(vec![0.0; 6], [2, 3], [blur(1.0), blur(sigma)], 1).is_err());
        }
        assert_eq!(gaussian(vec![], [0, 3], [blur(1.0); 2], 1), Ok(vec![]));
    }
}
