//! Filter taps of twofold Gaussian derivatives.

use std::f64::consts::SQRT_2;
use std::ops::Range;

use super::strip::LANES;

/// Taps of one operator along one axis of a given length: a first-order or
/// smoothing Gaussian followed by another, both with σ/√2 and both blind to
/// what lies outside of the axis.
///
/// Away from the ends the pair is one symmetric or antisymmetric kernel. Near
/// them the first filter's output is cut off before the second sees it, so
/// every position has taps of its own.
pub(super) struct Operator {
    /// Taps at offsets `0..=radius` for positions that see no end; those at
    /// negative offsets are equal or, for odd operators, negated.
    pub inner: Vec<f32>,
    /// Taps of the first positions, up to a whole number of chunks.
    pub head: Table,
    /// Taps of the last positions, from a whole number of chunks on.
    pub tail: Table,
}

/// Taps of a range of positions, one by one.
pub(super) struct Table {
    /// Positions that the table is about; those beyond the axis have taps 0.
    pub positions: Range<usize>,
    /// Indices that any of the positions sees.
    pub indices: Range<usize>,
    /// Taps by index, then position.
    taps: Vec<f32>,
}

impl Table {
    fn new(positions: Range<usize>, radius: usize, len: usize, weight: impl Fn(i64, i64) -> f64) -> Self {
        let indices = positions.start.saturating_sub(radius)..(positions.end + radius).min(len);
        let seen = |p: usize, j: usize| p < len && p.abs_diff(j) <= radius;
        let tap = |p: usize, j: usize| if seen(p, j) { weight(p as i64, j as i64) as f32 } else { 0.0 };
        let taps =
            indices.clone().flat_map(|j| positions.clone().map(move |p| (p, j))).map(|(p, j)| tap(p, j));
        Self { taps: taps.collect(), positions, indices }
    }

    /// Taps on one index of the positions from `p` to the end of the table.
    pub fn from(&self, p: usize, index: usize) -> &[f32] {
        let row = self.positions.len();
        &self.taps[(index - self.indices.start) * row..][..row][p - self.positions.start..]
    }
}

/// Which of the two Gaussians is a first derivative.
#[derive(Clone, Copy)]
pub(super) struct Orders {
    /// Of the filter applied first.
    pub first: bool,
    /// Of the filter applied to its output.
    pub second: bool,
}

/// Reach of the composed kernel in pixels: beyond 4.5 σ the taps of the second
/// derivative sum up to less than 1e-4.
pub(super) fn radius(sigma: f64) -> usize {
    (4.5 * sigma).ceil() as usize + 1
}

/// Sampled Gaussian (or its first derivative) of a half, at offsets
/// `-reach..=reach`; the smoothing taps sum up to 1.
fn half(sigma: f64, reach: usize, derivative: bool) -> Vec<f64> {
    let sd = sigma / SQRT_2;
    let offset = |k: usize| k as f64 - reach as f64;
    let g: Vec<f64> = (0..=2 * reach).map(|k| (-0.5 * (offset(k) / sd).powi(2)).exp()).collect();
    let sum: f64 = g.iter().sum();
    let weight = |k: usize| if derivative { -offset(k) / (sd * sd) } else { 1.0 };
    g.iter().enumerate().map(|(k, v)| v / sum * weight(k)).collect()
}

impl Operator {
    pub(super) fn new(sigma: f64, orders: Orders, len: usize) -> Self {
        let r = radius(sigma);
        let reach = r as i64;
        let (first, second) = (half(sigma, r, orders.first), half(sigma, r, orders.second));
        // Response at position i to index j through the indices m in between.
        let through = |i: i64, j: i64, low: i64, high: i64| -> f64 {
            (low.max(i.max(j) - reach)..=high.min(i.min(j) + reach))
                .map(|m| second[(i - m + reach) as usize] * first[(m - j + reach) as usize])
                .sum()
        };
        let inner = (0..=reach).map(|j| through(0, j, -2 * reach, 2 * reach) as f32).collect();
        let weight = |i, j| through(i, j, 0, len as i64 - 1);
        let end = len.next_multiple_of(LANES);
        let head = 0..r.next_multiple_of(LANES).min(end);
        let tail = len.saturating_sub(r) / LANES * LANES..end;
        Self { inner, head: Table::new(head, r, len, weight), tail: Table::new(tail, r, len, weight) }
    }

    /// The table that holds position `p`, if it is near an end.
    pub(super) fn near_end(&self, p: usize) -> Option<&Table> {
        [&self.head, &self.tail].into_iter().find(|t| t.positions.contains(&p))
    }
}
