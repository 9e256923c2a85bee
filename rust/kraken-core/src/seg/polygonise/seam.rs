//! The seam of least energy on one side of a line.

use super::frame::Frame;
use super::region::Limits;
use crate::geom::{Point, along, polygon, polyline};

/// A float image.
#[derive(Debug, Clone, Copy)]
pub struct Energy<'a> {
    /// Row-major values.
    pub data: &'a [f32],
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Energy<'_> {
    /// Value of a pixel, which is pressed onto the image.
    fn at(&self, q: Point) -> f32 {
        let x = q[0].clamp(0.0, (self.width - 1) as f64) as usize;
        let y = q[1].clamp(0.0, (self.height - 1) as f64) as usize;
        self.data[y * self.width + x]
    }
}

/// Which side of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left of the line, above it if it runs rightwards.
    Above,
    /// Right of the line.
    Below,
}

impl Side {
    /// Both sides, in the order of [`Limits`].
    pub const BOTH: [Self; 2] = [Self::Above, Self::Below];

    /// Factor that makes `v` grow away from the line.
    pub fn sign(self) -> f64 {
        if self == Self::Above { -1.0 } else { 1.0 }
    }

    /// The line's own edge on this side.
    pub fn edge(self, frame: &Frame) -> &[f64] {
        if self == Self::Above { &frame.top } else { &frame.bottom }
    }

    /// Index into [`Limits`].
    pub fn index(self) -> usize {
        usize::from(self == Self::Below)
    }
}

/// Columns that a patch is shrunk to at most.
const MAX_COLUMNS: f64 = 600.0;
/// Keeps whole numbers whole in spite of rounding errors.
const ROUNDING: f64 = 1e-6;
/// Pixels belong to the region if they are nearer to it than that.
const MARGIN: f64 = 0.499;
/// A distance of as many pixels costs as much as the mean energy.
const MEAN_ENERGY_DISTANCE: f32 = 150.0;
/// Cost of each pixel outside of the region, far above any energy.
const OUTSIDE: f32 = 16.0;
/// Extent across its direction from which on a line counts as bent.
const BEND: f64 = 8.0;
/// Tolerance of the simplified seam in pixels.
const TOLERANCE: f64 = 5.0;

/// The path of least cost through a matrix of `columns` × `rows` values, that
/// is stored column after column: one row for every column, neighbours at most
/// one row apart. Straight on wins ties, then the smaller row.
///
/// Avidan & Shamir, "Seam carving for content-aware image resizing" (2007).
pub fn minimal_seam(cost: &[f32], rows: usize) -> Vec<usize> {
    if rows == 0 || cost.len() < rows {
        return Vec::new();
    }
    let columns = cost.len() / rows;
    let mut sum = Vec::with_capacity(columns * rows);
    sum.extend_from_slice(&cost[..rows]);
    // One row of infinity on either end spares the inner loop its borders.
    let mut before = vec![f32::INFINITY; rows + 2];
    for column in cost.chunks_exact(rows).skip(1) {
        before[1..=rows].copy_from_slice(&sum[sum.len() - rows..]);
        let (a, b, c) = (&before[..rows], &before[1..=rows], &before[2..rows + 2]);
        sum.extend((0..rows).map(|r| column[r] + a[r].min(b[r]).min(c[r])));
    }
    let last = &sum[(columns - 1) * rows..];
    let mut row = (1..rows).fold(0, |best, r| if last[r] < last[best] { r } else { best });
    let mut path = vec![0; columns];
    for (k, step) in path.iter_mut().enumerate().rev() {
        let column = &sum[k * rows..(k + 1) * rows];
        if k + 1 < columns {
            let centre = row;
            if centre > 0 && column[centre - 1] < column[row] {
                row = centre - 1;
            }
            if centre + 1 < rows && column[centre + 1] < column[row] {
                row = centre + 1;
            }
        }
        *step = row;
    }
    path
}

/// The seam on one side of the line, simplified: points `[u, t]` with `t = v`
/// below the line and `−v` above it. `shift` is the distance from the line at
/// which the seam is cheapest.
///
/// # Errors
/// A reason if the region is too thin to hold one.
pub fn find(
    energy: Energy<'_>,
    frame: &Frame,
    limits: &Limits,
    side: Side,
    shift: f64,
) -> Result<Vec<Point>, &'static str> {
    let size = [energy.width as f64, energy.height as f64];
    let patch = Patch::new(frame, limits, side, shift, size);
    if !patch.edge.iter().zip(&patch.limit).any(|(e, l)| l - (e - shift) >= 1.5) {
        return Err(match side {
            Side::Above => "there is no room for a seam above it",
            Side::Below => "there is no room for a seam below it",
        });
    }
    let cost = patch.cost(energy, frame, side);
    let rows: Vec<f64> = minimal_seam(&cost, patch.rows).into_iter().map(|r| patch.t0 + r as f64).collect();
    let seam = patch.flatten(&rows, side);
    if seam.is_empty() {
        return Err("its seam leaves the region of interest");
    }
    Ok(polyline::simplify(&super::assemble::truncated(frame, side, &seam), TOLERANCE))
}

/// The part of the image on one side of a line, level and with at most
/// [`MAX_COLUMNS`] columns.
struct Patch {
    /// The line's edge, shifted into the text, in every column. Where space is
    /// scarce it lies behind `limit`; the region is what lies between the two.
    edge: Vec<f64>,
    /// The region's limit in every column.
    limit: Vec<f64>,
    /// `t` of the first row; the rows are 1 px apart.
    t0: f64,
    rows: usize,
    /// `u` of the first column.
    u0: f64,
    /// Distance of two columns in pixels.
    step: f64,
}

impl Patch {
    fn new(frame: &Frame, limits: &Limits, side: Side, shift: f64, size: [f64; 2]) -> Self {
        let region = limits.region[side.index()].as_slice();
        let (lo, hi) = rotated_box(frame, side, shift, region, size);
        let step = ((hi[0] - lo[0]).ceil() + 1.0).max(MAX_COLUMNS) / MAX_COLUMNS;
        // Columns and rows are those of the rotated box, so only near the line's ends.
        let whole = |column: f64| (column + 0.5 + ROUNDING).floor();
        let first = whole((frame.u(0) - lo[0]) / step);
        let last = whole((frame.u(frame.count() - 1) - lo[0]) / step).max(first + 1.0);
        let (u0, n) = (lo[0] + first * step, (last - first) as usize + 1);
        let sample = |values: &[f64]| -> Vec<f64> {
            let at = |i: usize| interpolate(values, frame.column_of(u0 + i as f64 * step));
            (0..n).map(|i| side.sign() * at(i)).collect()
        };
        let edge: Vec<f64> = sample(side.edge(frame)).into_iter().map(|t| t + shift).collect();
        let limit = sample(region);
        let both = || edge.iter().chain(&limit).copied();
        let (t0, t1) = both().fold((f64::INFINITY, f64::NEG_INFINITY), |m, t| (m.0.min(t), m.1.max(t)));
        let phase = side.sign() * lo[1];
        let t0 = phase + (t0 - MARGIN - phase).ceil();
        let rows = (t1 + MARGIN - t0).floor().max(0.0) as usize + 1;
        Self { edge, limit, t0, rows, u0, step }
    }

    /// Points `[u, t]` of a seam, rows farther than one standard deviation from
    /// their mean pressed to that, to whole rows counted from the top; what
    /// thereby leaves the region is dropped.
    fn flatten(&self, rows: &[f64], side: Side) -> Vec<Point> {
        // Levels are those of the frame; if the line bends so far that they
        // would cut through its text, those of the line.
        let extremes =
            self.edge.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |m, e| (m.0.min(*e), m.1.max(*e)));
        let bent = extremes.1 - extremes.0 > BEND;
        let level = |i: usize| if bent { self.edge[i] } else { 0.0 };
        let n = rows.len() as f64;
        let mean = rows.iter().enumerate().map(|(i, t)| t - level(i)).sum::<f64>() / n;
        let variance = rows.iter().enumerate().map(|(i, t)| (t - level(i) - mean).powi(2)).sum::<f64>() / n;
        let (lo, hi) = (mean - variance.sqrt(), mean + variance.sqrt());
        let whole = |t: f64| {
            let below_top = side.sign() * (t - self.t0);
            self.t0 + side.sign() * (below_top + 1e-6).floor()
        };
        let flat = rows.iter().enumerate().map(|(i, t)| {
            let near = (t - level(i)).clamp(lo, hi) + level(i);
            [self.u(i), whole(near)]
        });
        flat.zip(self.edge.iter().zip(&self.limit))
            .filter(|(q, (e, l))| q[1] >= e.min(**l) - MARGIN && q[1] <= e.max(**l) + MARGIN)
            .map(|(q, _)| q)
            .collect()
    }

    fn u(&self, i: usize) -> f64 {
        self.u0 + i as f64 * self.step
    }

    /// Cost of every pixel, column after column: its energy, plus its distance
    /// from the shifted line in proportion to the mean energy.
    fn cost(&self, energy: Energy<'_>, frame: &Frame, side: Side) -> Vec<f32> {
        let outward = [frame.normal()[0] * side.sign(), frame.normal()[1] * side.sign()];
        let mut cost = Vec::with_capacity(self.rows * self.edge.len());
        let (mut sum, mut count) = (0.0_f64, 0_usize);
        for i in 0..self.edge.len() {
            let base = frame.to_xy([self.u(i), 0.0]);
            let range = self.inside(i);
            let start = cost.len();
            cost.resize(start + self.rows, 0.0);
            for r in range {
                let e = energy.at(frame.nearest(along(base, outward, self.t0 + r as f64)));
                cost[start + r] = e;
                sum += f64::from(e);
                count += 1;
            }
        }
        let mean = if count > 0 { (sum / count as f64) as f32 } else { 0.0 };
        let weight = mean / MEAN_ENERGY_DISTANCE;
        for (i, column) in cost.chunks_exact_mut(self.rows).enumerate() {
            let range = self.inside(i);
            let nearest = (self.edge[i] - self.t0) as f32;
            for (r, c) in column.iter_mut().enumerate() {
                *c += (r as f32 - nearest).abs() * weight;
                if !range.contains(&r) {
                    let away = if r < range.start { range.start - r } else { r + 1 - range.end };
                    *c += OUTSIDE * away as f32;
                }
            }
        }
        cost
    }

    /// The rows of column `i` that lie in the region.
    fn inside(&self, i: usize) -> std::ops::Range<usize> {
        let (near, far) = (self.edge[i].min(self.limit[i]), self.edge[i].max(self.limit[i]));
        let s = (near - self.t0 - MARGIN).ceil().max(0.0) as usize;
        let e = (far - self.t0 + MARGIN).floor().max(0.0) as usize + 1;
        let s = s.min(self.rows - 1);
        s..e.clamp(s, self.rows)
    }
}

/// Corners of the box that the upright box of pixels around the region on one
/// side of the line needs in the line's frame: its columns and rows are what
/// seams are made of.
fn rotated_box(frame: &Frame, side: Side, shift: f64, region: &[f64], size: [f64; 2]) -> (Point, Point) {
    let near = side.edge(frame).iter().map(|v| v + side.sign() * shift);
    let points = near.enumerate().chain(region.iter().copied().enumerate());
    let outline: Vec<Point> = points.map(|(k, v)| frame.to_xy([frame.u(k), v])).collect();
    let [x0, y0, x1, y1] = polygon::bounds(&outline).unwrap_or_default();
    let low = |v: f64, k: usize| (v + ROUNDING).floor().clamp(0.0, size[k] - 1.0);
    let high = |v: f64, k: usize| (v - ROUNDING).ceil().clamp(0.0, size[k] - 1.0);
    let ([x0, y0], [x1, y1]) = ([low(x0, 0), low(y0, 1)], [high(x1, 0), high(y1, 1)]);
    let corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(|q| frame.to_uv(q));
    let b = polygon::bounds(&corners).unwrap_or_default();
    ([b[0], b[1]], [b[2], b[3]])
}

/// Linear interpolation at a fractional index, clamped to the ends.
pub fn interpolate(values: &[f64], at: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let at = at.clamp(0.0, last as f64);
    let i = (at as usize).min(last);
    let j = (i + 1).min(last);
    values[i] + (at - i as f64) * (values[j] - values[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seam_follows_the_valley() {
        // Three rows, four columns, column after column.
        let cost = [0.0, 9.0, 9.0, 9.0, 0.0, 9.0, 9.0, 9.0, 0.0, 9.0, 9.0, 0.0];
        assert_eq!(minimal_seam(&cost, 3), [0, 1, 2, 2]);
        assert_eq!(minimal_seam(&[1.0; 6], 2), [0, 0, 0]);
        assert!(minimal_seam(&[], 3).is_empty());
        assert!(minimal_seam(&[1.0], 0).is_empty());
    }

    #[test]
    fn interpolation_is_clamped() {
        assert_eq!(interpolate(&[1.0, 3.0], 0.5), 2.0);
        assert_eq!(interpolate(&[1.0, 3.0], 7.0), 3.0);
        assert_eq!(interpolate(&[], 7.0), 0.0);
    }
}
