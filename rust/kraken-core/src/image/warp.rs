//! Resampling along lines.
//!
//! Positions are continuous: pixel (i, j) covers `i..i+1 × j..j+1` and its
//! centre lies at +0.5.

use super::raster::{ONE, RUN, Raster, Sample, View, weight};
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
    fn at(&self, d: f64) -> Point {
        [self.origin[0] + d * self.normal[0], self.origin[1] + d * self.normal[1]]
    }
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
        let (fx, fy) = (floor(x - 0.5), floor(y - 0.5));
        let share = |v: f64| (v * f64::from(ONE)) as u32;
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
    fn at_border(&self, [x0, y0]: [isize; 2], tx: u32, ty: u32, out: &mut [T]) {
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

/// Bilinear mean; exact where all four values are equal.
#[inline]
pub(super) fn mix([a, b, c, d]: [f32; 4], tx: f32, ty: f32) -> f32 {
    let upper = a + tx * (b - a);
    let lower = c + tx * (d - c);
    upper + ty * (lower - upper)
}

/// Bilinear mean with the last component as weight of the others.
fn mix_alpha<T: Sample>(p: [&[T]; 4], tx: u32, ty: u32, out: &mut [T]) {
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
    // Whole numbers can't hold places far off; few images have any.
    let near = |c: &Column| {
        let reach = first_row.abs() + height as f64;
        (0..2).all(|k| c.origin[k].abs() + reach * c.normal[k].abs() < f64::from(1 << 30))
    };
    let plain = source.sampling == Sampling::Bilinear && !source.alpha && columns.iter().all(near);
    let fixed: Vec<FixedColumn> = columns.iter().map(|c| FixedColumn::new(c, first_row)).collect();
    for (j, row) in out.data.chunks_exact_mut(columns.len() * c).enumerate() {
        let d = first_row + j as f64;
        match c {
            1 if plain => mix_row::<T, 1>(source, columns, &fixed, d, j, row),
            3 if plain => mix_row::<T, 3>(source, columns, &fixed, d, j, row),
            _ => {
                for (column, px) in columns.iter().zip(row.chunks_exact_mut(c)) {
                    let [x, y] = column.at(d);
                    source.get(x, y, px);
                }
            }
        }
    }
    out
}

/// Bits behind the point of [`FixedColumn`].
const POINT: u32 = 32;

/// A [`Column`] in whole numbers: the place of its upper left neighbour in
/// row 0 and the step per row. Places in them need no conversion per pixel.
#[derive(Debug, Clone, Copy)]
struct FixedColumn {
    start: [i64; 2],
    step: [i64; 2],
}

impl FixedColumn {
    fn new(column: &Column, first_row: f64) -> Self {
        let fixed = |v: f64| (v * (1_u64 << POINT) as f64).round() as i64;
        Self { start: column.at(first_row).map(|v| fixed(v - 0.5)), step: column.normal.map(fixed) }
    }

    /// Place in row `j`.
    #[inline]
    fn at(&self, j: usize, axis: usize) -> u64 {
        // Below 2³⁰ · 2³² by the caller's test.
        self.start[axis].wrapping_add(self.step[axis].wrapping_mul(j as i64)) as u64
    }
}

/// Row `j` of bilinear means of `C` channels: as [`Sampler::get`] at `d`, but for
/// whole stretches of columns whose neighbours lie side by side, without its
/// tests where all of them lie inside.
fn mix_row<T: Sample, const C: usize>(
    source: Sampler<'_, T>,
    columns: &[Column],
    fixed: &[FixedColumn],
    d: f64,
    j: usize,
    row: &mut [T],
) {
    let (pixels, step) = source.view.pixels::<C>();
    // Negative places become great ones and fail the test.
    let limit = |size: usize| (size.saturating_sub(1) as u64) << POINT;
    let (right, bottom) = (limit(source.view.width()), limit(source.view.height()));
    // Surely outside: a pixel's half before the first or after the last centre, and some rounding.
    let beyond = |place: u64, limit: u64| {
        let (place, margin) = (place as i64, (1_i64 << (POINT - 1)) + 1024);
        place < -margin || place > (limit as i64).wrapping_add(margin)
    };
    let share = |place: u64| (place >> (POINT - ONE.ilog2())) as u32 & (ONE - 1);
    let row = row.as_chunks_mut::<C>().0;
    let (mut tx, mut ty) = ([0; RUN], [0; RUN]);
    let mut i = 0;
    while let Some(first) = fixed.get(i) {
        let (u, v) = (first.at(j, 0), first.at(j, 1));
        if u >= right || v >= bottom {
            if !(beyond(u, right) || beyond(v, bottom)) {
                let [x, y] = columns[i].at(d);
                source.get(x, y, &mut row[i]);
            }
            i += 1;
            continue;
        }
        let (x, y) = (u >> POINT, v >> POINT);
        // The first is inside by the test above, the others by standing beside it.
        let inside = ((right >> POINT) - x).min(RUN as u64) as usize;
        let mut n = 0;
        for (place, (tx, ty)) in fixed[i..].iter().take(inside).zip(tx.iter_mut().zip(&mut ty)) {
            let (u, v) = (place.at(j, 0), place.at(j, 1));
            if u >> POINT != x + n as u64 || v >> POINT != y {
                break;
            }
            (*tx, *ty) = (share(u), share(v));
            n += 1;
        }
        let at = (y as usize).wrapping_mul(step).wrapping_add(x as usize);
        let neighbours = |at: usize| pixels.get(at..).filter(|rest| rest.len() > n);
        if let (Some(upper), Some(lower)) = (neighbours(at), neighbours(at.wrapping_add(step))) {
            T::mix_run(upper, lower, &tx[..n], &ty[..n], &mut row[i..i + n]);
        }
        i += n.max(1);
    }
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
