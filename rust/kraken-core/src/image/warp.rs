//! Resampling along lines.
//!
//! Positions are continuous: pixel (i, j) covers `i..i+1 × j..j+1` and its
//! centre lies at +0.5.

use super::raster::{Raster, Sample, View};
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

/// Reads an image at continuous positions.
#[derive(Debug, Clone, Copy)]
pub struct Sampler<'a, T> {
    view: View<'a, T>,
    sampling: Sampling,
    alpha: bool,
}

impl<'a, T: Sample> Sampler<'a, T> {
    /// With `alpha` the last component is opacity and weighs the others, so
    /// that invisible pixels don't colour their neighbours.
    pub fn new(view: View<'a, T>, sampling: Sampling, alpha: bool) -> Self {
        Self { view, sampling, alpha: alpha && view.channels() > 1 }
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
        let (fx, fy) = ((x - 0.5).floor(), (y - 0.5).floor());
        let (tx, ty) = ((x - 0.5 - fx) as f32, (y - 0.5 - fy) as f32);
        if fx >= 0.0 && fy >= 0.0 && fx + 1.0 < w && fy + 1.0 < h {
            let (at, y0) = (fx as usize * c, fy as usize);
            let (upper, lower) = (&self.view.row(y0)[at..at + 2 * c], &self.view.row(y0 + 1)[at..at + 2 * c]);
            let ((p00, p01), (p10, p11)) = (upper.split_at(c), lower.split_at(c));
            if self.alpha {
                mix_alpha([p00, p01, p10, p11], tx, ty, out);
                return;
            }
            for (k, o) in out.iter_mut().enumerate() {
                *o = T::from_f32(mix([p00[k], p01[k], p10[k], p11[k]].map(T::to_f32), tx, ty));
            }
            return;
        }
        self.at_border([fx as isize, fy as isize], tx, ty, out);
    }

    /// The same where one of the four neighbours lies outside.
    fn at_border(&self, [x0, y0]: [isize; 2], tx: f32, ty: f32, out: &mut [T]) {
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
            let value = |q: &[T]| q.get(k).map_or(0.0, |v| v.to_f32());
            *o = T::from_f32(mix([value(p[0]), value(p[1]), value(p[2]), value(p[3])], tx, ty));
        }
    }
}

/// Bilinear mean; exact where all four values are equal.
fn mix([a, b, c, d]: [f32; 4], tx: f32, ty: f32) -> f32 {
    let upper = a + tx * (b - a);
    let lower = c + tx * (d - c);
    upper + ty * (lower - upper)
}

/// Bilinear mean with the last component as weight of the others.
fn mix_alpha<T: Sample>(p: [&[T]; 4], tx: f32, ty: f32, out: &mut [T]) {
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
    for (j, row) in out.data.chunks_exact_mut(columns.len() * c).enumerate() {
        let d = first_row + j as f64;
        for (column, px) in columns.iter().zip(row.chunks_exact_mut(c)) {
            let x = column.origin[0] + d * column.normal[0];
            let y = column.origin[1] + d * column.normal[1];
            source.get(x, y, px);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Result;

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
}
