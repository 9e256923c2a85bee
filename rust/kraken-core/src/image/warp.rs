//! Resampling along lines.
//!
//! Positions are continuous: pixel (i, j) covers `i..i+1 × j..j+1` and its
//! centre lies at +0.5.

use super::raster::{Raster, View};
use super::runs::Runs;
use super::sample::{ONE, Sample, mix, weight};
use crate::geom::Point;

/// How values between pixel centres are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Value of the pixel that the position lies in.
    Nearest,
    /// The same, but only between the outermost pixel centres.
    NearestInside,
    /// Bilinear; beyond the outermost centres the edge is repeated as far as
    /// the image reaches.
    Bilinear,
    /// Bilinear on an image that is surrounded by zeros.
    BilinearZero,
}

/// Source of a column of the result: row `d` comes from `origin + d · normal`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Source position of `d = 0`.
    pub origin: Point,
    /// Step in the source per row.
    pub normal: Point,
}

impl Column {
    /// Source of row `d`.
    #[inline]
    pub(super) fn at(&self, d: f64) -> Point {
        [self.origin[0] + d * self.normal[0], self.origin[1] + d * self.normal[1]]
    }
}

/// Reads an image at continuous positions.
#[derive(Debug, Clone, Copy)]
pub struct Sampler<'a, T> {
    view: View<'a, T>,
    bordered: Option<View<'a, T>>,
    sampling: Sampling,
    alpha: bool,
}

impl<'a, T: Sample> Sampler<'a, T> {
    /// With `alpha` the last component is opacity and weighs the others, so
    /// that invisible pixels don't colour their neighbours.
    pub fn new(view: View<'a, T>, sampling: Sampling, alpha: bool) -> Self {
        Self { view, bordered: None, sampling, alpha: alpha && view.channels() > 1 }
    }

    /// The same for the inner part of an image whose outermost pixels are there twice (see
    /// [`Raster::inner`]), which is quicker.
    pub fn bordered(image: &'a Raster<T>, sampling: Sampling, alpha: bool) -> Self {
        Self { bordered: Some(image.view()), ..Self::new(image.inner(), sampling, alpha) }
    }

    /// Writes the pixel at `(x, y)` to `out`; leaves `out` alone outside of the image.
    pub fn get(&self, x: f64, y: f64, out: &mut [T]) {
        let (w, h) = (self.view.width() as f64, self.view.height() as f64);
        let margin = match self.sampling {
            Sampling::BilinearZero => 0.5,
            Sampling::NearestInside => -0.5,
            Sampling::Nearest | Sampling::Bilinear => 0.0,
        };
        let closed = self.sampling == Sampling::NearestInside;
        let within = |v: f64, size: f64| -margin <= v && (v < size + margin || closed && v == size + margin);
        if !(within(x, w) && within(y, h)) {
            return;
        }
        let c = self.view.channels();
        if matches!(self.sampling, Sampling::Nearest | Sampling::NearestInside) {
            let at = x as usize * c;
            if let Some(px) = self.view.row(y as usize).get(at..at + c) {
                out.copy_from_slice(px);
            }
            return;
        }
        let (fx, fy) = (floor(x - 0.5), floor(y - 0.5));
        let share = |v: f64| (v * f64::from(ONE)) as i16;
        let (tx, ty) = (share(x - 0.5 - fx), share(y - 0.5 - fy));
        if fx >= 0.0 && fy >= 0.0 && fx + 1.0 < w && fy + 1.0 < h {
            let (at, y0) = (fx as usize * c, fy as usize);
            let (upper, lower) = (&self.view.row(y0)[at..at + 2 * c], &self.view.row(y0 + 1)[at..at + 2 * c]);
            let ((p00, p01), (p10, p11)) = (upper.split_at(c), lower.split_at(c));
            if self.alpha {
                mix_alpha([p00, p01, p10, p11], tx, ty, out);
                return;
            }
            for (k, o) in out.iter_mut().enumerate() {
                *o = T::mix([p00[k], p01[k], p10[k], p11[k]], tx, ty);
            }
            return;
        }
        self.at_border([fx as isize, fy as isize], tx, ty, out);
    }

    /// The same where one of the four neighbours lies outside.
    fn at_border(&self, [x0, y0]: [isize; 2], tx: i16, ty: i16, out: &mut [T]) {
        let c = self.view.channels();
        let (w, h) = (self.view.width() as isize, self.view.height() as isize);
        let black = [T::default(); 4];
        let pick = |x: isize, y: isize| -> &[T] {
            if self.sampling == Sampling::BilinearZero && (x < 0 || y < 0 || x >= w || y >= h) {
                return &black[..c.min(4)];
            }
            let at = x.clamp(0, w - 1) as usize * c;
            &self.view.row(y.clamp(0, h - 1) as usize)[at..at + c]
        };
        let p = [pick(x0, y0), pick(x0 + 1, y0), pick(x0, y0 + 1), pick(x0 + 1, y0 + 1)];
        if self.alpha {
            mix_alpha(p, tx, ty, out);
            return;
        }
        for (k, o) in out.iter_mut().enumerate() {
            *o = T::mix(p.map(|q| q.get(k).copied().unwrap_or_default()), tx, ty);
        }
    }
}

/// The next whole number downwards of one that 32 bits hold: older processors
/// have no instruction for it, and a call per pixel is dear.
#[inline]
fn floor(v: f64) -> f64 {
    let whole = f64::from(v as i32);
    if whole > v { whole - 1.0 } else { whole }
}

/// Bilinear mean with the last component as weight of the others.
fn mix_alpha<T: Sample>(p: [&[T]; 4], tx: i16, ty: i16, out: &mut [T]) {
    let (tx, ty) = (weight(tx), weight(ty));
    let opacity = p.map(|q| q.last().map_or(0.0, |v| v.to_f32()));
    let alpha = mix(opacity, tx, ty);
    let Some((last, colours)) = out.split_last_mut() else { return };
    *last = T::from_f32(alpha);
    for (k, o) in colours.iter_mut().enumerate() {
        let mut weighted = opacity;
        for (v, q) in weighted.iter_mut().zip(p) {
            *v *= q.get(k).map_or(0.0, |v| v.to_f32());
        }
        // Half a unit of the last place makes up for the division's rounding.
        *o = if alpha > 0.0 { T::from_f32(mix(weighted, tx, ty) / alpha + 1e-3) } else { T::default() };
    }
}

/// Image of `columns.len()` × `height` pixels whose row j, column i is read at
/// `columns[i]` for `d = first_row + j`. What lies outside of the source is 0.
pub fn warp_columns<T: Sample>(
    source: Sampler<'_, T>,
    columns: &[Column],
    first_row: f64,
    height: usize,
) -> Raster<T> {
    let c = source.view.channels();
    let mut out = Raster::zeros(columns.len(), height, c);
    if columns.is_empty() {
        return out;
    }
    let plain = source.sampling == Sampling::Bilinear && !source.alpha && matches!(c, 1 | 3);
    let runs = source.bordered.filter(|_| plain).zip(Runs::new(columns, first_row, height));
    for (j, row) in out.data.chunks_exact_mut(columns.len() * c).enumerate() {
        match (&runs, c) {
            (Some((bordered, runs)), 1) => runs.fill_row::<T, 1>(*bordered, j, row.as_chunks_mut().0),
            (Some((bordered, runs)), 3) => runs.fill_row::<T, 3>(*bordered, j, row.as_chunks_mut().0),
            _ => {
                for (column, px) in columns.iter().zip(row.chunks_exact_mut(c)) {
                    let [x, y] = column.at(first_row + j as f64);
                    source.get(x, y, px);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Result;
    use crate::image::fill::masked_bordered;
    use proptest::prelude::*;

    #[test]
    fn identity_reproduces_the_image() -> Result<()> {
        let data: Vec<u8> = (0..24).collect();
        let view = View::new(&data, 4, 3, 2)?;
        let columns: Vec<Column> =
            (0..4).map(|i| Column { origin: [f64::from(i) + 0.5, 0.0], normal: [0.0, 1.0] }).collect();
        for sampling in [Sampling::Nearest, Sampling::Bilinear, Sampling::BilinearZero] {
            let out = warp_columns(Sampler::new(view, sampling, false), &columns, 0.5, 3);
            assert_eq!(out.data, data);
        }
        Ok(())
    }

    #[test]
    fn invisible_pixels_have_no_colour() -> Result<()> {
        let data = [200_u8, 255, 0, 0];
        let sampler = Sampler::new(View::new(&data, 2, 1, 2)?, Sampling::Bilinear, true);
        let mut px = [0, 0];
        sampler.get(1.0, 0.5, &mut px);
        assert_eq!(px, [200, 127]);
        sampler.get(f64::NAN, 0.5, &mut px);
        assert_eq!(px, [200, 127]);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn runs_equal_single_pixels(
            (w, h, colour) in (1_usize..40, 1_usize..20, any::<bool>()),
            seed in any::<u32>(),
            start in [-6.0..12.0, -6.0..12.0],
            angle in prop_oneof![Just(0.0), -0.1..0.1, -7.0..7.0],
            bend in prop_oneof![Just(0.0), -1e-4..1e-4, -0.3..0.3],
        ) {
            let c = if colour { 3 } else { 1 };
            let mut state = seed;
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            let bytes: Vec<u8> = (0..w * h * c).map(|_| random()).collect();
            let columns: Vec<Column> = (0..50)
                .map(|i| {
                    let (t, turn) = (f64::from(i), angle + bend * f64::from(i));
                    let origin = [start[0] + t * turn.cos() + 1e-7, start[1] + t * turn.sin() + 1e-7];
                    Column { origin, normal: [-turn.sin(), turn.cos()] }
                })
                .collect();
            let data: Vec<f32> = bytes.iter().map(|v| f32::from(*v)).collect();
            let compared = both(&bytes, [w, h, c], &columns).into_iter().chain(both(&data, [w, h, c], &columns));
            for (found, expected) in compared {
                prop_assert!((found - expected).abs() <= 2.0, "{found} {expected}");
            }
        }
    }

    /// Values of an image warped by runs and pixel by pixel.
    fn both<T: Sample>(data: &[T], [w, h, c]: [usize; 3], columns: &[Column]) -> Vec<(f32, f32)> {
        let Ok(view) = View::new(data, w, h, c) else { return Vec::new() };
        let (right, bottom) = (w as f64 - 1.0, h as f64 - 1.0);
        let bordered = masked_bordered(view, &[[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]]);
        let found = warp_columns(Sampler::bordered(&bordered, Sampling::Bilinear, false), columns, 0.5, 12);
        let expected = warp_columns(Sampler::new(view, Sampling::Bilinear, false), columns, 0.5, 12);
        found.data.iter().zip(&expected.data).map(|(a, b)| (a.to_f32(), b.to_f32())).collect()
    }
}
