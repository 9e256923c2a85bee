//! Bilinear sampling of whole runs of pixels.
//!
//! Lines on a page are nearly level. Neighbours in a row of a line image then come from neighbours in a
//! row of the page, most of them from exactly as many columns, at places that move on by a constant step.
//! So a run needs two places, at its ends, instead of one per pixel, and its values are mixed side by side.

use super::raster::View;
use super::sample::{ONE, RUN, Ramp, Sample};
use super::warp::Column;

/// Bits behind the point of places.
const POINT: u32 = 32;
const HALF: i64 = 1 << (POINT - 1);
/// Columns make a straight line if the step from one to the next changes by less than that (2⁻¹³ px): a
/// place within a run is then less than 2⁻⁸ px off.
const STRAIGHT: i64 = 1 << (POINT - 13);
/// 2¹⁶ / n: how far to go in one of n steps.
const SHARES: [i64; RUN] = {
    let mut shares = [0; RUN];
    let mut n = 1;
    while n < RUN {
        shares[n] = (1 << 16) / n as i64;
        n += 1;
    }
    shares
};

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
        // Pixel centres lie half a pixel inside, the border is one pixel wide.
        Self { start: column.at(first_row).map(|v| fixed(v + 0.5)), step: column.normal.map(fixed) }
    }

    /// Place in row `j`.
    #[inline]
    fn at(&self, j: i64) -> [i64; 2] {
        // Below 2²⁸ · 2³² by the test in `Runs::new`.
        [0, 1].map(|k| self.start[k].wrapping_add(self.step[k].wrapping_mul(j)))
    }
}

/// The pixel that a place lies in and the weight of the next one.
#[inline]
fn split(place: i64) -> (i64, i16) {
    (place >> POINT, (place >> (POINT - ONE.ilog2())) as i16 & (ONE - 1) as i16)
}

/// Weights on the way from a place to one that is `distance` away in the same pixel, in `steps` steps.
#[inline]
fn ramp(start: i16, distance: i64, steps: usize) -> Ramp {
    // Rounded towards 0, so that the way doesn't leave the pixel. The start was rounded down.
    let parts = distance / (1 << (POINT - ONE.ilog2()));
    let step = (parts.wrapping_mul(SHARES[steps]) / (1 << 16)) as i16;
    Ramp { start: start.saturating_add(i16::from(distance < 0)), step }
}

/// Columns of an image that is sampled row by row.
#[derive(Debug)]
pub struct Runs {
    columns: Vec<FixedColumn>,
    /// For each column, how many from there on make a straight line.
    straight: Vec<usize>,
}

impl Runs {
    /// Columns whose row `j`, up to `height`, is read at `d = first_row + j`. `None` if they lie so far off
    /// that whole numbers can't hold their places; few images have any.
    pub fn new(columns: &[Column], first_row: f64, height: usize) -> Option<Self> {
        let reach = first_row.abs() + height as f64;
        let near = |c: &Column| {
            (0..2).all(|k| c.origin[k].abs() + reach * c.normal[k].abs() < f64::from(1 << (POINT - 4)))
        };
        if !columns.iter().all(near) {
            return None;
        }
        let columns: Vec<FixedColumn> = columns.iter().map(|c| FixedColumn::new(c, first_row)).collect();
        let mut straight = vec![1; columns.len()];
        if let Some(last) = columns.len().checked_sub(2) {
            straight[last] = 2;
        }
        let last_row = height.saturating_sub(1) as i64;
        for (i, triple) in columns.windows(3).enumerate().rev() {
            // What changes evenly from row to row is greatest in the first or the last one.
            let is_straight = [0, last_row].into_iter().all(|j| {
                let [a, b, c] = [triple[0].at(j), triple[1].at(j), triple[2].at(j)];
                (0..2).all(|k| (a[k] - b[k] - (b[k] - c[k])).abs() < STRAIGHT)
            });
            straight[i] = if is_straight { RUN.min(straight[i + 1] + 1) } else { 2 };
        }
        Some(Self { columns, straight })
    }

    /// Fills row `j`. `bordered` is the image with its outermost pixels repeated all round; what lies
    /// outside of the image is 0.
    pub fn fill_row<T: Sample, const C: usize>(&self, bordered: View<'_, T>, j: usize, row: &mut [[T; C]]) {
        let (pixels, stride) = bordered.pixels::<C>();
        let limit = |size: usize| (size.saturating_sub(2) as u64) << POINT;
        let limits = [limit(bordered.width()), limit(bordered.height())];
        let is_inside = |place: [i64; 2]| (0..2).all(|k| (place[k].wrapping_sub(HALF) as u64) < limits[k]);
        let j = j as i64;
        let mut i = 0;
        while let Some(first) = self.columns.get(i) {
            let place = first.at(j);
            if !is_inside(place) {
                row[i] = [T::default(); C];
                i += 1;
                continue;
            }
            let [(x, tx), (y, ty)] = place.map(split);
            // Whether the pixel `steps` further on is as far to the right of this one, there as here.
            let end = |steps: usize| {
                let place = self.columns[i + steps].at(j);
                (place[0] >> POINT == x.wrapping_add(steps as i64)
                    && place[1] >> POINT == y
                    && is_inside(place))
                .then_some(place)
            };
            let (steps, last) = furthest(self.straight[i] - 1, end).unwrap_or((0, place));
            let along = last[0].wrapping_sub(place[0]).wrapping_sub((steps as i64) << POINT);
            let across = last[1].wrapping_sub(place[1]);
            let ramps = [ramp(tx, along, steps), ramp(ty, across, steps)];
            let at = (y as usize).wrapping_mul(stride).wrapping_add(x as usize);
            mix_run(
                [pixels.get(at..), pixels.get(at.wrapping_add(stride)..)],
                ramps,
                steps + 1,
                &mut row[i..],
            );
            i += steps + 1;
        }
    }
}

/// The greatest number up to `most` that `probe` has an answer for, and the answer, if it answers all
/// smaller ones, too.
#[inline]
fn furthest<R>(most: usize, probe: impl Fn(usize) -> Option<R>) -> Option<(usize, R)> {
    if let Some(found) = probe(most) {
        return Some((most, found));
    }
    let (mut good, mut bad, mut best) = (0, most, None);
    while bad - good > 1 {
        let middle = usize::midpoint(good, bad);
        match probe(middle) {
            Some(found) => (good, best) = (middle, Some((middle, found))),
            None => bad = middle,
        }
    }
    best
}

/// Writes the first `n` pixels of `out`; the others up to [`RUN`] may change, too.
#[inline]
fn mix_run<T: Sample, const C: usize>(
    [upper, lower]: [Option<&[[T; C]]>; 2],
    ramps: [Ramp; 2],
    n: usize,
    out: &mut [[T; C]],
) {
    let (Some(upper), Some(lower)) = (upper, lower) else { return };
    let whole = [upper, upper.get(1..).unwrap_or_default(), lower, lower.get(1..).unwrap_or_default()];
    if n == 1 {
        if let ([[a, ..], [b, ..], [c, ..], [d, ..]], Some(out)) = (whole, out.first_mut()) {
            for (k, o) in out.iter_mut().enumerate() {
                *o = T::mix([a[k], b[k], c[k], d[k]], ramps[0].start, ramps[1].start);
            }
        }
        return;
    }
    let blocks = whole.map(|pixels| pixels.first_chunk::<RUN>());
    if let ([Some(a), Some(b), Some(c), Some(d)], Some(out)) = (blocks, out.first_chunk_mut::<RUN>()) {
        T::mix_run([a, b, c, d], ramps, out);
        return;
    }
    // Where the image or the row ends.
    let copies = whole.map(|pixels| {
        let mut copy = [[T::default(); C]; RUN];
        for (to, from) in copy.iter_mut().zip(pixels) {
            *to = *from;
        }
        copy
    });
    let mut mixed = [[T::default(); C]; RUN];
    let [a, b, c, d] = &copies;
    T::mix_run([a, b, c, d], ramps, &mut mixed);
    for (to, from) in out.iter_mut().zip(mixed).take(n) {
        *to = from;
    }
}
